"""Flowloom: a self-hosted integration platform whose flows have versions."""

__version__ = "0.1.0"
