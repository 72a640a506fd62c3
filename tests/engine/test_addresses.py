import ipaddress

import pytest

from flowloom import errors
from flowloom.engine import addresses

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111"]
DENIED = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254"),
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1"),
    *("192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1"),
    *("239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::7f00:1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:20::1"),
    *("2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fec0::1"),
    *("ff02::1", "4000::1", "1234::1", "e000::1"),
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_open(text):
    assert addresses.denied(ipaddress.ip_address(text)) is None


@pytest.mark.parametrize("text", DENIED)
def test_every_other_address_is_denied_with_a_reason(text):
    assert addresses.denied(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::10.0.0.1", "10.0.0.1"),
        ("64:ff9b::10.0.0.1", "10.0.0.1"),
        ("2002:a00:1::5", "10.0.0.1"),
        ("::1", None),
        ("2606:4700::1111", None),
    ],
)
def test_the_ipv4_address_inside_an_ipv6_address(text, inner):
    found = addresses.embedded(ipaddress.ip_address(text))
    assert found == (ipaddress.ip_address(inner) if inner else None)


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "1.2.3.256", "a.0x"]
)
def test_unusual_spellings_of_addresses_are_refused(host):
    with pytest.raises(ValueError, match="usual form"):
        addresses.literal(host)


@pytest.mark.parametrize(
    "host", ["a b", "a..b", "-" * 64, "exa%6dple.com", "x" * 300, "", "fe80::1%eth0", "a/b"]
)
def test_what_is_no_host_is_refused(host):
    with pytest.raises(ValueError):
        addresses.literal(host)


def refusal(entries, text, port=80):
    return addresses.Rules(entries, "allow").refusal(ipaddress.ip_address(text), port)


def test_a_rule_opens_exactly_what_it_names():
    assert refusal(["10.1.0.0/16"], "10.1.2.3") is None
    assert refusal(["10.1.0.0/16"], "10.2.0.1") == "a private address"
    assert refusal(["127.0.0.1:8080"], "127.0.0.1", 8080) is None
    assert refusal(["127.0.0.1:8080"], "127.0.0.1", 8081)
    assert refusal(["[::1]:8080"], "::1", 8080) is None
    assert refusal(["::1"], "::1") is None
    assert refusal(["[fd00::/8]:443"], "fd00::5", 443) is None


def test_opening_a_translating_network_does_not_open_what_lies_behind_it():
    assert refusal(["64:ff9b::/96"], "64:ff9b::8.8.8.8") is None
    assert (
        refusal(["64:ff9b::/96"], "64:ff9b::127.0.0.1") == "a way to 127.0.0.1, a private address (loopback)"
    )
    assert refusal(["64:ff9b::/96", "127.0.0.1"], "64:ff9b::127.0.0.1") is None


@pytest.mark.parametrize(
    ("pattern", "host", "port", "expected"),
    [
        ("api.example.com", "api.example.com", 443, True),
        ("api.example.com", "API.example.com.", 443, True),
        ("api.example.com", "api.example.com.evil.test", 443, False),
        ("api.example.com:8443", "api.example.com", 443, False),
        ("api.example.com:8443", "api.example.com", 8443, True),
        ("*.example.com", "a.b.example.com", 443, True),
        ("*.example.com", "example.com", 443, False),
        ("*.example.com", "evilexample.com", 443, False),
        ("bücher.example", "xn--bcher-kva.example", 443, True),
        ("10.0.0.5", "10.0.0.5", 80, True),
        ("10.0.0.0/8", "10.9.9.9", 80, True),
        ("10.0.0.5", "10.0.0.6", 80, False),
        ("[::1]:80", "::1", 80, True),
    ],
)
def test_host_patterns(pattern, host, port, expected):
    assert addresses.host_patterns((pattern,)).name(host, port) is expected


@pytest.mark.parametrize(
    "entry", ["10.0.0.1/8", "host:0", "host:99999", "*", "a b", "*.10.0.0.1", "[::1]:x", "[::1", "http://a"]
)
def test_an_entry_that_cannot_be_read_is_named(entry):
    with pytest.raises(errors.Invalid) as caught:
        addresses.Rules([entry], "FLOWLOOM_OUTBOUND_ALLOW")
    assert entry in caught.value.errors["FLOWLOOM_OUTBOUND_ALLOW"][0]
