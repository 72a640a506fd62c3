"""Serving: where it listens, what it makes of what arrives on its sockets, and how it ends."""

from __future__ import annotations

import socket

import pytest

from flowloom import serving


@pytest.mark.parametrize(("port", "next_port"), [(0, 0), (8080, 8081), (65_534, 65_535), (65_535, 0)])
def test_the_shop_gets_the_next_port_if_there_is_one(port: int, next_port: int) -> None:
    assert serving.shop_port(port) == next_port


@pytest.mark.parametrize(
    ("host", "family", "shown"),
    [("127.0.0.1", socket.AF_INET, "127.0.0.1"), ("::1", socket.AF_INET6, "[::1]")],
)
def test_an_address_can_be_pasted(host: str, family: socket.AddressFamily, shown: str) -> None:
    with socket.create_server((host, 0), family=family) as bound:
        assert serving.address(host, bound) == f"http://{shown}:{bound.getsockname()[1]}"
