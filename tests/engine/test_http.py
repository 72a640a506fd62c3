"""The outbound client against real local servers, and a tripwire that no forbidden request may touch."""

import asyncio
import gzip
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from flowloom.engine import http
from flowloom.steps import contract

LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="module")
def runner():
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def tripwire(runner):
    """A port on loopback (IPv4 and IPv6) and the connections it got."""
    touched = []

    def touch(reader, writer):
        touched.append(writer.get_extra_info("sockname"))
        writer.close()

    async def start():
        first = await asyncio.start_server(touch, LOOPBACK, 0)
        port = first.sockets[0].getsockname()[1]
        return first, await asyncio.start_server(touch, "::1", port), port

    *servers, port = runner.run(start())
    yield port, touched
    for server in servers:
        server.close()


@asynccontextmanager
async def serving(handler):
    """A local server that answers every request with `handler`; yields its port."""
    application = web.Application(client_max_size=0)
    application.router.add_route("*", "/{tail:.*}", handler)
    app_runner = web.AppRunner(application, shutdown_timeout=0.01)
    await app_runner.setup()
    site = web.TCPSite(app_runner, LOOPBACK, 0)
    await site.start()
    try:
        yield site._server.sockets[0].getsockname()[1]
    finally:
        await app_runner.cleanup()


@asynccontextmanager
async def client(allow=(), **options):
    opened = http.Client(allow, **options)
    try:
        yield opened
    finally:
        await opened.close()


def resolving(*answers):
    """A resolver that gives one list of addresses after another, the last one for ever."""
    left = list(answers)

    async def resolve(host, port):
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


def get(url, **fields):
    return contract.Request("GET", url, **fields)


async def failure(request, allow=(), allowed_hosts=None, **options):
    async with client(allow, **options) as opened:
        with pytest.raises(contract.RequestFailed) as caught:
            await opened.send(request, allowed_hosts=allowed_hosts)
    return caught.value


@pytest.mark.parametrize("host", ["xn--", "xn--a", "a." + "b" * 64 + ".test"])
def test_a_host_that_is_no_name(runner, host):
    assert runner.run(failure(get(f"http://{host}/"))).why


FORBIDDEN_HOSTS = [
    # IPv4 in its usual and unusual forms
    *("127.0.0.1", "127.1", "127.0.1", "127.0.0.2", "127.127.127.127", "0", "0.0.0.0", "0.0", "0.0.0"),
    *("2130706433", "017700000001", "0x7f000001", "0x7F000001", "0x7f.1", "0x7f.0.0.1", "0x7f.0x0.0x0.0x1"),
    *("0177.0.0.1", "0177.0.0.01", "0177.1", "00177.0.0.1", "127.0.0.01", "127.00.0.1", "127.000.000.001"),
    *("0300.0250.0.1", "3232235521", "10.1", "0xa.0.0.1", "012.0.0.1", "4294967295", "4294967296"),
    *("127.0.0.1.", "127.1.", "0x7f.1.", "2130706433.", "0.", "127..1", "127.0.0.1..", ".127.0.0.1"),
    *("256.0.0.1", "127.0.0.256", "1.2.3.4.5", "127.0.0.0x1", "0x", "127.0.0.1e0"),
    *("10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.100.100.200", "198.18.0.1"),
    *("192.0.0.192", "192.0.2.1", "192.88.99.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1"),
    "255.255.255.255",
    # IPv6
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::0001]", "[0::1]", "[::0.0.0.1]"),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:7F00:0001]", "[0:0:0:0:0:ffff:127.0.0.1]"),
    *("[::127.0.0.1]", "[::7f00:1]", "[::ffff:0:127.0.0.1]", "[::ffff:0:7f00:1]", "[::ffff:10.0.0.1]"),
    *("[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[64:ff9b::8.8.8.8]"),
    *("[2002:7f00:1::]", "[2002:7f00:0001::1]", "[2001:0:7f00:1::1]", "[2001::1]", "[2001:db8::1]"),
    *("[fe80::1]", "[fe80::1%251]", "[fe80::1%25lo]", "[::1%25lo]", "[::1%lo]", "[fec0::1]", "[fc00::1]"),
    *("[fd00:ec2::254]", "[ff02::1]", "[100::1]", "[5f00::1]", "[3fff::1]", "[4000::1]", "[::ffff:127.1]"),
    *("[v1.127.0.0.1]", "[127.0.0.1]", "[localhost]", "[::1", "::1", "[::1]x", "[[::1]]"),
    # Names of this host, other digits and dots, hidden characters
    *("localhost", "LOCALHOST", "LocalHost", "localhost.", "localhost..", "localhost%00", "localhost%2e"),
    *(
        "１２７.0.0.1",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "127．0．0．1",
        "127｡0｡0｡1",
        "ⓛocalhost",
        "ｌｏｃａｌｈｏｓｔ",
    ),
    *(
        "٠",
        "١٢٧.٠.٠.١",
        "127.0.0.1\u200b",
        "local\u00adhost",
        "127.0.0.1%20",
        "127%2e0%2e0%2e1",
        "%31%32%37.0.0.1",
    ),
    # Tricks with users, backslashes and separators
    *("example.com@127.0.0.1", "example.com:80@127.0.0.1", "user:pw@127.0.0.1", "@127.0.0.1", ":@127.0.0.1"),
    *("127.0.0.1\\@example.com", "example.com\\@127.0.0.1", "127.0.0.1\\.example.com", "127.0.0.1\t", "a b"),
    *("example.com%40127.0.0.1", "127.0.0.1;example.com", "127.0.0.1,example.com", "127.0.0.1%2f", "*"),
]
FORBIDDEN_URLS = [
    *("//127.0.0.1:{port}/", "127.0.0.1:{port}/", "/path", "", "?", "http://", "http:///", "http://:{port}/"),
    *(
        "http:127.0.0.1:{port}",
        "http:/127.0.0.1:{port}/",
        "http:\\\\127.0.0.1:{port}\\",
        "http:/\\127.0.0.1:{port}",
    ),
    *(
        "ftp://127.0.0.1:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/_x",
        "ws://127.0.0.1:{port}/",
    ),
    *(
        "unix:///var/run/docker.sock",
        "tcp://127.0.0.1:{port}",
        "javascript:1",
        "data:,x",
        "jar:http://127.0.0.1!/",
    ),
    *("http://127.0.0.1:0/", "http://127.0.0.1:65536/", "http://127.0.0.1:-1/", "http://127.0.0.1:x/"),
    *(
        "http://127.0.0.1:{port}#@example.com/",
        "http://127.0.0.1:{port}?@example.com/",
        " http://127.0.0.1:{port}/",
    ),
    *("http://example.com#@127.0.0.1:{port}:1/", "ht\ntp://127.0.0.1:{port}/", "http://127.0.0.1\n:{port}/"),
    *(
        "HTTP://127.0.0.1:{port}/",
        "https://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}/\r\nHost: example.com",
    ),
]
SPELLINGS = [f"http://{host}:{{port}}/" for host in FORBIDDEN_HOSTS] + FORBIDDEN_URLS


def test_there_are_more_than_a_hundred_spellings():
    assert len(set(SPELLINGS)) > 150


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_private_target_reaches_it(runner, tripwire, spelling):
    port, touched = tripwire
    url = spelling.replace("{port}", str(port))
    refused = runner.run(failure(get(url), resolve=resolving([LOOPBACK])))
    assert (touched, refused.passing) == ([], False)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "10.0.0.1", "fe80::1%1"],
)
def test_a_name_of_a_private_address_is_refused(runner, tripwire, address):
    port, touched = tripwire
    resolve = resolving(["8.8.8.8", address])
    refused = runner.run(failure(get(f"http://shop.test:{port}/"), resolve=resolve))
    assert (touched, refused.passing) == ([], False)
    assert refused.why.startswith("shop.test is at ")


def test_a_name_that_is_rebound_to_a_private_address_is_refused(runner, tripwire):
    port, touched = tripwire
    resolve = resolving(["192.0.2.77"], [LOOPBACK])

    async def twice():
        async with client(["192.0.2.77"], resolve=resolve, resolved_for_seconds=0) as opened:
            for _ in range(2):
                with pytest.raises(contract.RequestFailed) as caught:
                    await opened.send(get(f"http://shop.test:{port}/", timeout_seconds=0.05))
        return caught.value

    refused = runner.run(twice())
    assert (touched, refused.passing) == ([], False)


def test_a_name_is_resolved_once_for_a_connection(runner, tripwire):
    """The checked address is the one connected to: there is no second look-up to lie to."""
    port, touched = tripwire
    asked = []

    async def resolve(host, port):
        asked.append(host)
        return ["192.0.2.77"] if len(asked) == 1 else [LOOPBACK]

    runner.run(
        failure(get(f"http://shop.test:{port}/", timeout_seconds=0.05), ["192.0.2.77"], resolve=resolve)
    )
    assert (touched, asked) == ([], ["shop.test"])


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://u@shop.test/",
        "ftp://shop.test/",
        "http://localhost:{port}/",
        "http:\\\\127.0.0.1:{port}/",
        "http://2130706433:{port}/",
        "http://127.0.0.1:x/",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_private_target_is_refused(runner, tripwire, location, status):
    port, touched = tripwire

    async def redirect(request):
        return web.Response(status=status, headers={"Location": location.format(port=port)})

    async def run():
        async with serving(redirect) as own:
            return await failure(get(f"http://shop.test:{own}/"), [f"shop.test:{own}"], resolve=lookup)

    async def lookup(host, port):
        return [LOOPBACK]

    refused = runner.run(run())
    assert (touched, refused.passing) == ([], False)


def test_a_refusal_names_the_way_out(runner):
    refused = runner.run(failure(get("http://10.0.0.1/")))
    assert (
        refused.why
        == "10.0.0.1 is a private address; the operator can allow it with FLOWLOOM_OUTBOUND_ALLOW."
    )


async def hello(request):
    return web.Response(text="hello", headers={"X-Seen": request.headers.get("User-Agent", "")})


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:{port}/"),
        ("127.0.0.0/8:{port}", "http://127.0.0.1:{port}/"),
        ("127.0.0.1:{port}", "http://shop.test:{port}/"),
        ("shop.test", "http://shop.test:{port}/"),
        ("*.test:{port}", "http://shop.test:{port}/"),
    ],
)
def test_the_operator_opens_exactly_what_the_list_names(runner, entry, url):
    async def run():
        async with serving(hello) as port, serving(hello) as other:
            allow = [entry.format(port=port)]
            async with client(allow, resolve=resolving([LOOPBACK])) as opened:
                response = await opened.send(get(url.format(port=port)))
                with pytest.raises(contract.RequestFailed):
                    await opened.send(get(f"http://[::1]:{other}/"))
            return response

    response = runner.run(run())
    assert (response.status, response.body, response.headers["x-seen"]) == (200, b"hello", "Flowloom")


def test_a_connection_goes_only_to_its_hosts(runner):
    async def run(allowed_hosts):
        async with serving(hello) as port, client([LOOPBACK]) as opened:
            hosts = [host.format(port=port) for host in allowed_hosts]
            return await opened.send(get(f"http://127.0.0.1:{port}/"), allowed_hosts=hosts)

    assert runner.run(run(["127.0.0.1"])).status == 200
    assert runner.run(run(["x.example", "127.0.0.1:{port}"])).status == 200
    for hosts in ([], ["api.example.com"], ["*.example.com"], ["127.0.0.1:1"]):
        with pytest.raises(contract.RequestFailed, match="add it to its allowed hosts") as caught:
            runner.run(run(hosts))
        assert not caught.value.passing


def test_a_redirect_stays_with_the_hosts_of_a_connection(runner):
    async def run():
        async with serving(hello) as elsewhere:
            away = redirecting(302, f"http://127.0.0.1:{elsewhere}/")
            async with serving(away) as port, client([LOOPBACK]) as opened:
                own = [f"127.0.0.1:{port}"]
                await opened.send(get(f"http://127.0.0.1:{port}/from"), allowed_hosts=own)

    with pytest.raises(contract.RequestFailed, match="add it to its allowed hosts"):
        runner.run(run())


async def echo(request):
    body = await request.text()
    keys = ("Authorization", "X-Key", "X-Other", "Content-Type")
    kept = {key: request.headers[key] for key in keys if key in request.headers}
    return web.json_response({"method": request.method, "body": body, "path": request.path_qs, **kept})


def redirecting(status, location):
    async def handler(request):
        if request.path == "/from":
            return web.Response(status=status, headers={"Location": location})
        return await echo(request)

    return handler


def sent_through(runner, method, status, location="/to", **fields):
    async def run():
        async with serving(redirecting(status, location)) as port, client([LOOPBACK]) as opened:
            request = contract.Request(method, f"http://127.0.0.1:{port}/from", **fields)
            return await opened.send(request, secret_headers={"x-key"})

    return runner.run(run())


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (301, "PUT", "PUT"),
        (302, "DELETE", "DELETE"),
    ],
)
def test_redirects_keep_or_change_the_method_as_browsers_do(runner, status, method, expected):
    response = sent_through(runner, method, status, body=b"x", headers={"Content-Type": "text/plain"})
    seen = json.loads(response.body)
    assert (seen["method"], seen["body"]) == (expected, "" if expected == "GET" else "x")
    assert ("Content-Type" in seen) is (expected != "GET")


@pytest.mark.parametrize(
    ("status", "method", "is_followed"),
    [
        (301, "POST", False),
        (302, "POST", False),
        (303, "POST", False),
        (303, "PUT", False),
        (301, "PUT", True),
        (307, "POST", True),
        (308, "POST", True),
        (302, "GET", True),
    ],
)
def test_what_is_delivered_is_not_lost_on_the_way(runner, status, method, is_followed):
    response = sent_through(runner, method, status, body=b"x", is_delivery=True)
    assert response.status == (200 if is_followed else status)
    if is_followed:
        assert json.loads(response.body)["body"] == "x"
    else:
        assert response.headers["location"] == "/to"


def test_secrets_stay_behind_when_a_redirect_leaves_the_host(runner):
    headers = {"Authorization": "Bearer t", "X-Key": "k", "X-Other": "o"}

    async def run():
        async with (
            client([LOOPBACK]) as opened,
            serving(echo) as other,
            serving(redirecting(307, f"http://127.0.0.1:{other}/to")) as port,
        ):
            request = get(f"http://127.0.0.1:{port}/from", headers=headers)
            return await opened.send(request, secret_headers={"x-key"})

    seen = json.loads(runner.run(run()).body)
    assert "Authorization" not in seen
    assert "X-Key" not in seen
    assert seen["X-Other"] == "o"
    kept = json.loads(sent_through(runner, "GET", 307, headers=headers).body)
    assert (kept["Authorization"], kept["X-Key"]) == ("Bearer t", "k")


def test_redirects_end_after_five(runner):
    async def run():
        async with serving(redirecting(302, "/from")) as port:
            return await failure(get(f"http://127.0.0.1:{port}/from"), [LOOPBACK])

    refused = runner.run(run())
    assert (refused.why, refused.passing) == ("127.0.0.1 redirects more than 5 times.", False)


def test_a_redirect_from_https_to_http_is_refused():
    hop = http._Hop("GET", http.URL("https://a.example/"), {}, None)
    response = contract.Response(302, {"location": "http://a.example/"}, b"", "https://a.example/")
    with pytest.raises(contract.RequestFailed, match="https to http"):
        http._redirected(hop, response, ())


def test_an_environment_proxy_is_never_used(runner, tripwire, monkeypatch):
    port, touched = tripwire
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")

    async def run():
        async with serving(hello) as own, client([LOOPBACK]) as opened:
            return await opened.send(get(f"http://127.0.0.1:{own}/"))

    assert (runner.run(run()).status, touched) == (200, [])


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_an_answer_over_the_limit_is_refused_while_it_is_read(runner, encoding):
    async def big(request):
        body = bytes(3_000_000)
        packed = gzip.compress(body) if encoding == "gzip" else body
        return web.Response(body=packed, headers={"Content-Encoding": encoding})

    async def run():
        async with serving(big) as port:
            return await failure(get(f"http://127.0.0.1:{port}/"), [LOOPBACK], max_body_bytes=1_000_000)

    refused = runner.run(run())
    assert refused.why.startswith("The answer of 127.0.0.1 is over 1,000,000 bytes: ask for less at a time")
    assert not refused.passing


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": {"X-A": "a\r\nX-B: b"}},
        {"headers": {"X-A": "a\nb"}},
        {"headers": {"X-A": "a\0b"}},
        {"headers": {"X-A\r\n": "a"}},
        {"headers": {"X A": "a"}},
        {"headers": {"": "a"}},
        {"headers": {"Host": "other"}},
        {"headers": {"content-length": "5"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"method": "GET /x HTTP/1.1\r\nX:"},
        {"method": ""},
        {"method": "CONNECT"},
    ],
)
def test_headers_and_methods_cannot_smuggle(runner, tripwire, fields):
    port, touched = tripwire
    request = contract.Request(**{"method": "GET", "url": f"http://127.0.0.1:{port}/", **fields})
    refused = runner.run(failure(request, [LOOPBACK]))
    assert (touched, refused.passing) == ([], False)


def raw_answer(data):
    """A server that reads a request, writes `data` and closes."""

    async def run(request):
        async def handle(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(data)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(handle, LOOPBACK, 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await failure(request(port), [LOOPBACK])

    return run


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "closed the connection before it answered"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "broke off in the middle of its answer"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
            "broke off in the middle",
        ),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "did not answer in valid HTTP"),
    ],
)
def test_broken_answers_are_passing_faults_in_clear_words(runner, data, words):
    fault = runner.run(
        raw_answer(data)(lambda port: contract.Request("POST", f"http://127.0.0.1:{port}/?token=t"))
    )
    assert words in fault.why
    assert fault.passing
    assert "token" not in fault.why


def test_no_connection_and_no_name_are_passing_faults(runner):
    async def refused():
        async with serving(hello) as port:
            pass
        return await failure(get(f"http://127.0.0.1:{port}/"), [LOOPBACK])

    async def nowhere(host, port):
        raise OSError("no such name")

    fault = runner.run(refused())
    assert "cannot be reached: Connection refused." in fault.why
    assert fault.passing
    for resolve in (nowhere, resolving([])):
        fault = runner.run(failure(get("http://gone.example/"), resolve=resolve))
        assert (fault.why, fault.passing) == ("The address of gone.example:80 was not found.", True)


def test_the_timeout_is_for_the_whole_request(runner):
    async def slow(request):
        await asyncio.Event().wait()

    async def run():
        async with serving(slow) as port:
            return await failure(get(f"http://127.0.0.1:{port}/", timeout_seconds=0.05), [LOOPBACK])

    fault = runner.run(run())
    assert (fault.why, fault.passing) == ("127.0.0.1 gave no full answer within 0.05 seconds.", True)


def test_headers_that_are_not_utf8_are_readable_text(runner):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; name=caf\xe9\r\nX-Name: \xc3\xa9\r\n"
        writer.write(head + b"Link: <\xff>; rel=next\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def run():
        server = await asyncio.start_server(answer, LOOPBACK, 0)
        async with server, client([LOOPBACK]) as opened:
            port = server.sockets[0].getsockname()[1]
            return await opened.send(get(f"http://127.0.0.1:{port}/"))

    assert runner.run(run()).headers == {
        "content-type": "text/plain; name=caf\ufffd",
        "x-name": "é",
        "link": "<\ufffd>; rel=next",
        "content-length": "0",
    }


def test_query_body_and_repeated_headers(runner):
    async def handler(request):
        answer = await echo(request)
        answer.headers.add("Link", "<a>; rel=next")
        answer.headers.add("Link", "<b>; rel=prev")
        return answer

    async def run(body):
        async with serving(handler) as port, client([LOOPBACK]) as opened:
            query = [("q", "a b&c"), ("q", "ü")]
            return await opened.send(
                contract.Request("POST", f"http://127.0.0.1:{port}/p?x=1#f", {}, query, body)
            )

    for body in (b"small", b"x" * 1_500_000):
        response = runner.run(run(body))
        seen = json.loads(response.body)
        assert seen["path"] == "/p?x=1&q=a+b%26c&q=%C3%BC"
        assert seen["body"] == body.decode()
        assert response.headers["link"] == "<a>; rel=next, <b>; rel=prev"
        assert response.url.endswith("/p?x=1&q=a+b%26c&q=%C3%BC")
