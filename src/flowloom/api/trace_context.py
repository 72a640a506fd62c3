"""The trace that a request which starts a run belongs to, by its W3C headers."""

from __future__ import annotations

from starlette.requests import Request

from flowloom.domain import trace_context


def of(request: Request) -> trace_context.Headers | None:
    """The context that a request brings; None without a valid one."""
    parents = request.headers.getlist(trace_context.PARENT)
    return trace_context.read(parents, request.headers.getlist(trace_context.STATE)) if parents else None
