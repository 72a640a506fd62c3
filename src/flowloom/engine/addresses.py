"""Which hosts and addresses outbound requests may reach: the deny table, and rules that name hosts.

The table is explicit because Python's `is_global` is wrong for NAT64, 6to4 and IPv4-compatible addresses.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import yarl

from flowloom import errors

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DENIED: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "an address of this host"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's private address"),
        ("127.0.0.0/8", "a private address (loopback)"),
        ("169.254.0.0/16", "a link-local address (cloud metadata)"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a protocol assignment"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("255.255.255.255/32", "the broadcast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "the unspecified address"),
        ("::1/128", "a private address (loopback)"),
        ("::/96", "an IPv4-compatible address"),
        ("::ffff:0:0/96", "an IPv4-mapped address"),
        ("::ffff:0:0:0/96", "an IPv4-translated address"),
        ("64:ff9b::/96", "a NAT64 address"),
        ("64:ff9b:1::/48", "a local NAT64 address"),
        ("100::/64", "a discard address"),
        ("100:0:0:1::/64", "a dummy address"),
        ("2001::/23", "a protocol assignment (Teredo and others)"),
        ("2001:db8::/32", "a documentation address"),
        ("2002::/16", "a 6to4 address"),
        ("3fff::/20", "a documentation address"),
        ("5f00::/16", "a segment routing address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
        # Public IPv6 is 2000::/3; these three are all the rest.
        ("::/3", "outside the public range"),
        ("4000::/2", "outside the public range"),
        ("8000::/1", "outside the public range"),
    )
)

# An IPv6 network whose addresses carry an IPv4 address, and how far it is shifted from the right.
_EMBEDDING: tuple[tuple[ipaddress.IPv6Network, int], ...] = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("64:ff9b:1::/48"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
    (ipaddress.IPv6Network("::/96"), 0),
)
_OWN_MEANING = (ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1"))

_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


@functools.lru_cache(maxsize=4096)
def literal(host: str) -> Address | None:
    """The address `host` spells, None for a name. Raises ValueError with words for any unusual spelling."""
    host = host.lower()
    if ":" in host:
        if "%" in host:
            raise ValueError(f"{host} names a network zone; write the address without it")
        return ipaddress.IPv6Address(host)
    if _NUMERIC_LABEL.fullmatch(host.rstrip(".").rpartition(".")[2]):
        try:
            return ipaddress.IPv4Address(host)
        except ValueError:
            raise ValueError(f"{host} is no address in the usual form, such as 198.51.100.7") from None
    if len(host) > 254 or not _NAME.fullmatch(host):
        raise ValueError(f"{host[:100]!r} is no host name")
    return None


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of a list of hosts: a name, the names below `*.`, or a network; on one port, or on any."""

    name: str
    network: Network | None
    port: int | None

    @classmethod
    def parse(cls, entry: str) -> Rule:
        """Reads `api.example.com`, `*.example.com`, `10.0.0.5`, `10.0.0.0/8`, `fd00::/8`, each with `:port`
        behind it if wanted (`[::1]:80`). Raises ValueError with words."""
        host, port = _split_port(entry.strip())
        if ":" in host or _NUMERIC_LABEL.fullmatch(host.partition("/")[0].rpartition(".")[2].lower()):
            return cls("", ipaddress.ip_network(host), port)
        return cls(_canonical_name(host), None, port)

    def names(self, host: str, address: Address | None, port: int) -> bool:
        """Whether the host of a URL (with the address it spells, if it does) is what this rule names."""
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return address is not None and address in self.network
        if self.name.startswith("*"):
            return host.endswith(self.name[1:])
        return host == self.name


class Rules:
    """A list of rules, of the operator or of a connection. `entries` are as in `Rule.parse`.

    `name(host, port)` and `refusal(address, port)` are asked on every request, so both remember answers.
    """

    def __init__(self, entries: Iterable[str], field: str) -> None:
        """Raises errors.Invalid on `field` for an entry that cannot be read."""
        self._rules = [_parse(entry, field) for entry in entries if entry.strip()]
        self.name = functools.lru_cache(maxsize=4096)(self._name)
        self.refusal = functools.lru_cache(maxsize=4096)(self._refusal)

    def _name(self, host: str, port: int) -> bool:
        """Whether a rule names this host of a URL, which may be a name or an address."""
        address = literal(host)
        host = host.lower().removesuffix(".")
        return any(rule.names(host, address, port) for rule in self._rules)

    def _refusal(self, address: Address, port: int) -> str | None:
        """Why this address must not be connected to, in words that follow "is"; None if it may.

        Denied addresses are open only if a rule covers them, and also any IPv4 address they carry.
        """
        reason = denied(address)
        if reason is None:
            return None
        if not any(rule.names("", address, port) for rule in self._rules):
            return reason
        inner = embedded(address)
        if inner is None or (reason := self.refusal(inner, port)) is None:
            return None
        return f"a way to {inner}, {reason}"


def denied(address: Address) -> str | None:
    """What makes this address no public one, in words that follow "is"; None for a public address."""
    return next((reason for network, reason in _DENIED if address in network), None)


def embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that this IPv6 address carries, if any."""
    if address in _OWN_MEANING:
        return None
    for network, shift in _EMBEDDING:
        if address in network:
            return ipaddress.IPv4Address((int(address) >> shift) & 0xFFFFFFFF)
    return None


@functools.lru_cache(maxsize=1024)
def host_patterns(entries: Sequence[str]) -> Rules:
    """The rules of a connection's allowed hosts, given as a tuple."""
    return Rules(entries, "allowed_hosts")


def _parse(entry: str, field: str) -> Rule:
    try:
        return Rule.parse(entry)
    except ValueError as error:
        words = f"{entry!r} is no host name, address or network: {error}."
        raise errors.Invalid.field(field, words) from None


def _split_port(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        host, closed, rest = entry[1:].partition("]")
        if not closed:
            raise ValueError(f"{entry[:100]!r} has no closing bracket")
        return host, _port(rest.removeprefix(":")) if rest else None
    if entry.count(":") == 1:
        host, _, port = entry.partition(":")
        return host, _port(port)
    return entry, None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise ValueError(f"{text!r} is no port from 1 to 65535")
    return int(text)


def _canonical_name(host: str) -> str:
    """Lower case, in its ASCII form, without the final dot; a leading `*.` stays."""
    star, name = ("*.", host[2:]) if host.startswith("*.") else ("", host)
    ascii_name = yarl.URL.build(scheme="http", host=name).raw_host or ""
    if literal(ascii_name) is not None:
        raise ValueError("a network is written 10.0.0.0/8, without a star")
    return star + ascii_name.lower().removesuffix(".")
