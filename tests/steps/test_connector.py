"""The connector against a real local server, through the real client."""

import asyncio
import json
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import pytest
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from flowloom import errors
from flowloom.domain import bulk, templates
from flowloom.domain.payload import Payload
from flowloom.engine import http
from flowloom.steps import answers, connector, contract, pagination

NOW = datetime(2026, 1, 31, 10, tzinfo=UTC)
LOOPBACK = "127.0.0.1"


@dataclass
class Run:
    """A small Context: the engine's part that a connector needs."""

    client: http.Client
    base: str
    variables: dict = field(default_factory=dict)
    cursor: object = None
    now: datetime = NOW
    lines: list = field(default_factory=list)
    scoped_in: list = field(default_factory=list)
    logged_in: list = field(default_factory=list)

    def scope(self, payload):
        self.scoped_in.append(threading.current_thread())
        return templates.Scope(self.variables, payload.body, self.now, payload.meta)

    def idempotency_key(self, content):
        return "key-1"

    def log(self, level, message):
        self.lines.append((level, message))
        self.logged_in.append(threading.current_thread())

    async def fetch(self, request):
        url = request.url if "://" in request.url else self.base + request.url
        return await self.client.send(
            msgspec.structs.replace(request, url=url, connection_id=None, spills=None)
        )


@asynccontextmanager
async def running(handler, **fields):
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    client = http.Client([LOOPBACK])
    try:
        yield Run(client, f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}", **fields)
    finally:
        await client.close()
        await runner.cleanup()


def compiled(direction, url="/orders", **config):
    model = connector.TYPE.config.model_validate({"direction": direction, "url": url, **config})
    return connector.TYPE.compile(model, ())


def once(handler, step, incoming=None, **fields):
    """One call of a step: its outcome."""

    async def call():
        async with running(handler, **fields) as context:
            return await step.run(context, incoming or Payload())

    return asyncio.run(call())


def pages_of(handler, step, incoming=None):
    """What the executor does: call again with each cursor, which is stored as JSON between the calls."""

    async def call():
        async with running(handler) as context:
            found = []
            while True:
                outcome = await step.run(context, incoming or Payload())
                if not isinstance(outcome, contract.Done):
                    return found, outcome
                found += outcome.payloads
                if outcome.cursor is None:
                    return found, outcome
                context.cursor = json.loads(json.dumps(outcome.cursor))

    return asyncio.run(call())


def answering(status=200, **fields):
    async def handler(request):
        return web.Response(status=status, **fields)

    return handler


async def echo(request):
    body = await request.read()
    return web.json_response(
        {
            "method": request.method,
            "path": request.path_qs,
            "body": body.decode(),
            "headers": {name.lower(): value for name, value in request.headers.items()},
        }
    )


def echoed(step, incoming=None, **fields):
    outcome = once(echo, step, incoming, **fields)
    assert isinstance(outcome, contract.Done), outcome
    return outcome.payloads[0].body


# Receive


def test_a_receive_is_one_payload_that_keeps_meta_and_counts_its_position():
    incoming = Payload({"x": 1}, meta={"trace": "t"}, position="0.2")
    outcome = once(
        answering(text='{"data": [1, 2]}', content_type="application/json"), compiled("receive"), incoming
    )
    made = Payload({"data": [1, 2]}, meta={"trace": "t"}, position="0.2.0", size_bytes=16)
    assert outcome == contract.Done([made])


def test_a_path_picks_the_records_and_a_missing_one_is_null_with_a_warning():
    handler = answering(text='{"data": []}', content_type="text/html")
    assert once(handler, compiled("receive", path="data")).payloads[0].body == []

    async def call():
        async with running(handler) as context:
            outcome = await compiled("receive", path="data.orders").run(context, Payload())
            return outcome.payloads[0].body, context.lines

    assert asyncio.run(call()) == (None, [("warning", "The answer has nothing at 'data.orders'.")])


@pytest.mark.parametrize(
    ("config", "answer", "body", "content_type"),
    [
        ({}, {"body": b"a;b", "headers": {"Content-Type": "text/x"}}, "a;b", "text/x"),
        (
            {},
            {"body": b"\xe9", "headers": {"Content-Type": "text/plain; charset=latin-1"}},
            "é",
            "text/plain",
        ),
        ({}, {"body": b"\xff\xd8", "headers": {"Content-Type": "image/jpeg"}}, b"\xff\xd8", "image/jpeg"),
        ({}, {"body": b"[1]", "headers": {"Content-Type": "application/hal+json"}}, [1], "application/json"),
        ({}, {"body": b"", "headers": {"Content-Type": "application/json"}}, None, "application/json"),
        ({"response_format": "json"}, {"body": b"\xef\xbb\xbf[1]"}, [1], "application/json"),
        (
            {"response_format": "text"},
            {"text": "{}", "content_type": "application/json"},
            "{}",
            "text/plain",
        ),
    ],
)
def test_formats_of_answers(config, answer, body, content_type):
    payload = once(answering(**answer), compiled("receive", **config)).payloads[0]
    assert (payload.body, payload.content_type) == (body, content_type)


@pytest.mark.parametrize("text", ["{", "NaN", "[" * 100_000])
def test_json_that_is_none_fails(text):
    outcome = once(answering(text=text, content_type="application/json"), compiled("receive", "/o?token=t"))
    assert isinstance(outcome, contract.Fail)
    assert "/o: the answer is not valid JSON" in outcome.why


def test_url_query_headers_and_body_are_templates():
    step = compiled(
        "receive",
        "/orders/[[payload.id]]",
        method="POST",
        query={"since": "{{since}}", "limit": 5, "all": True},
        headers={"X-Trace": "[[meta.trace]]"},
        body={"ids": "[[payload.ids]]", "note": 'say "[[payload.id]]"'},
    )
    incoming = Payload({"id": "a/b", "ids": [1, 2]}, meta={"trace": "t1"})
    seen = echoed(step, incoming, variables={"since": "2026-01-01"})
    assert (seen["method"], seen["path"]) == ("POST", "/orders/a%2Fb?since=2026-01-01&limit=5&all=true")
    assert seen["headers"]["x-trace"] == "t1"
    assert json.loads(seen["body"]) == {"ids": [1, 2], "note": 'say "a/b"'}
    assert "idempotency-key" not in seen["headers"]


CSV_1252 = "name;price\r\nCafé;1\r\n".encode("cp1252")
DUTCH = {"charset": "windows-1252", "delimiter": ";"}
DUTCH_TYPE = 'text/csv; charset=windows-1252; delimiter=";"'
ORDERS = b"<orders><order><id>1</id></order><order><id>2</id></order></orders>"


@pytest.mark.parametrize(
    ("config", "type", "content", "body", "content_type"),
    [
        ({}, "text/csv", b"a,b\n1,2\n", [{"a": "1", "b": "2"}], "text/csv"),
        ({}, DUTCH_TYPE, CSV_1252, [{"name": "Café", "price": "1"}], DUTCH_TYPE),
        (
            {"response_format": "csv", "format": DUTCH},
            "application/octet-stream",
            CSV_1252,
            [{"name": "Café", "price": "1"}],
            DUTCH_TYPE,
        ),
        (
            {"response_format": "csv", "format": {"header": "absent"}},
            "text/csv; charset=latin-1",
            b"\xe9,1",
            [{"column_1": "é", "column_2": "1"}],
            "text/csv; charset=latin-1; header=absent",
        ),
        ({}, "text/csv", b"", [], "text/csv"),
        ({"path": "0.a"}, "text/csv", b"a\n1", "1", "application/json"),
        ({}, "application/xml", b"<a>1</a>", {"a": "1"}, "application/xml"),
        ({"path": "orders.order"}, "text/xml", ORDERS, [{"id": "1"}, {"id": "2"}], "application/json"),
        ({"path": "a.b"}, "text/xml", b"<a><b>1</b></a>", ["1"], "application/json"),
        ({"path": "a.b"}, "text/xml", b"<a/>", [], "application/json"),
        ({"response_format": "xml"}, "text/plain", b"<a>1</a>", {"a": "1"}, "application/xml"),
        ({"response_format": "text"}, "text/csv", b"a,b", "a,b", "text/plain"),
        (
            {"response_format": "text", "format": {"charset": "windows-1252"}},
            "text/plain",
            b"\x80",
            "€",
            "text/plain",
        ),
    ],
)
def test_answers_in_csv_xml_and_text(config, type, content, body, content_type):
    handler = answering(body=content, headers={"Content-Type": type})
    made = once(handler, compiled("receive", **config)).payloads[0]
    assert (made.body, made.content_type) == (body, content_type)


@pytest.mark.parametrize(
    ("config", "type", "content", "said"),
    [
        (
            {},
            "text/csv",
            b"a\n\xe9",
            "the answer cannot be read as csv (The byte 0xe9 at position 2 is no utf-8",
        ),
        ({}, "text/csv", b"a\n1,2", "Line 2 has 2 cells"),
        ({}, "text/csv; charset=klingon", b"a", "'klingon' is no character set"),
        ({}, "text/xml", b"<a>", "the answer cannot be read as xml (Line 1"),
        ({"response_format": "xml"}, "text/html", b"<br>", "cannot be read as xml"),
    ],
)
def test_answers_that_are_not_what_they_say_fail(config, type, content, said):
    outcome = once(
        answering(body=content, headers={"Content-Type": type}), compiled("receive", "/o?token=t", **config)
    )
    assert isinstance(outcome, contract.Fail)
    assert said in outcome.why
    assert "token" not in outcome.why


def test_pages_of_csv_and_xml_are_counted():
    texts = {"csv": ["a\n1\n2", "a\n3", "a\n"], "xml": ["<r><a>1</a><a>2</a></r>", "<r><a>3</a></r>", "<r/>"]}

    def paged(kind):
        async def handler(request):
            return web.Response(text=texts[kind][int(request.query["page"]) - 1], content_type=f"text/{kind}")

        return handler

    found, _ = pages_of(paged("csv"), compiled("receive", pagination={"type": "page"}))
    assert [page.body for page in found] == [[{"a": "1"}, {"a": "2"}], [{"a": "3"}]]
    found, _ = pages_of(paged("xml"), compiled("receive", path="r.a", pagination={"type": "page"}))
    assert [page.body for page in found] == [["1", "2"], ["3"]]


# Pages


ITEMS = list(range(1, 8))


async def shop(request):
    """Seven items, paged in whichever way the request asks for."""
    query = request.query
    size = int(query.get("limit", 3))
    at = int(query["offset"]) if "offset" in query else (int(query.get("page", 1)) - 1) * size
    at = int(query.get("after", at))
    more = at + size < len(ITEMS)
    following = f"/orders?after={at + size}"
    answer = {"data": ITEMS[at : at + size], "next": following if more else None}
    answer |= {"cursor": at + size if more else ""}
    link = f'</x>; rel="prev first", <{following}>; title="a, <b>"; rel="last NEXT"' if more else ""
    return web.json_response(answer, headers={"Link": link})


@pytest.mark.parametrize(
    "pages",
    [
        {"type": "page"},
        {"type": "page", "size_param": "limit", "size": 3},
        {"type": "page", "size_param": "limit", "size": 7},
        {"type": "offset", "size": 3},
        {"type": "cursor", "param": "after", "cursor_path": "cursor"},
        {"type": "link"},
        {"type": "next_url", "url_path": "next"},
    ],
)
def test_every_kind_of_pages_receives_every_item_once(pages):
    found, last = pages_of(shop, compiled("receive", path="data", pagination=pages), Payload(position="0.4"))
    assert isinstance(last, contract.Done)
    assert [item for page in found for item in page.body] == ITEMS
    assert [page.position for page in found] == [f"0.4.{at}" for at in range(len(found))]


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (None, ["", {"page": {"after": 3}}, {"page": {"after": 6}}]),
        (
            {"q": "[[payload.q]]", "page": {"size": 3}},
            [
                {"q": "a", "page": {"size": 3}},
                {"q": "a", "page": {"size": 3, "after": 3}},
                {"q": "a", "page": {"size": 3, "after": 6}},
            ],
        ),
    ],
)
def test_a_cursor_in_the_body(body, sent):
    seen = []

    async def search(request):
        asked = await request.text()
        seen.append(json.loads(asked) if asked else "")
        at = (seen[-1] or {}).get("page", {}).get("after", 0)
        cursor = at + 3 if at + 3 < len(ITEMS) else None
        return web.json_response({"data": ITEMS[at : at + 3], "cursor": cursor})

    pages = {"type": "cursor", "body_path": "page.after", "cursor_path": "cursor"}
    step = compiled("receive", method="POST", path="data", pagination=pages, body=body)
    found, last = pages_of(search, step, Payload({"q": "a"}))
    assert isinstance(last, contract.Done)
    assert [item for page in found for item in page.body] == ITEMS
    assert seen == sent


@pytest.mark.parametrize(
    ("pages", "config", "field"),
    [
        ({}, {"method": "POST"}, "pagination.param"),
        ({"param": "a", "body_path": "b"}, {"method": "POST"}, "pagination.param"),
        ({"body_path": "a.*"}, {"method": "POST"}, "pagination.body_path"),
        ({"body_path": "a..b"}, {"method": "POST"}, "pagination.body_path"),
        ({"body_path": "."}, {"method": "POST"}, "pagination.body_path"),
        ({"body_path": "a"}, {}, "pagination.body_path"),
        ({"body_path": "a"}, {"method": "POST", "body": "text"}, "pagination.body_path"),
        ({"body_path": "a"}, {"method": "POST", "body": [1]}, "pagination.body_path"),
    ],
)
def test_where_a_cursor_cannot_stand(pages, config, field):
    with pytest.raises(errors.Invalid) as caught:
        compiled("receive", pagination={"type": "cursor", "cursor_path": "c", **pages}, **config)
    assert list(caught.value.errors) == [field]


def test_an_empty_first_page_is_no_payload():
    step = compiled("receive", path="data", pagination={"type": "page"})
    assert once(answering(text='{"data": []}', content_type="application/json"), step) == contract.Done([])


@pytest.mark.parametrize(
    "pages",
    [
        {"type": "cursor", "param": "after", "cursor_path": "cursor"},
        {"type": "link"},
        {"type": "next_url", "url_path": "next"},
    ],
)
def test_an_empty_page_that_names_a_next_one_is_passed_over(pages):
    async def sparse(request):
        at = int(request.query.get("after", 0))
        following = f"/orders?after={at + 1}"
        answer = {"data": [at] if at in (1, 4) else [], "next": following, "cursor": at + 1}
        if at == 5:
            return web.json_response({"data": []})
        return web.json_response(answer, headers={"Link": f"<{following}>; rel=next"})

    found, last = pages_of(sparse, compiled("receive", path="data", pagination=pages))
    assert ([page.body for page in found], last) == ([[1], [4]], contract.Done([]))


def test_pages_keep_the_query_and_next_links_replace_it():
    asked = []

    async def handler(request):
        asked.append(request.path_qs)
        return await shop(request)

    for pages in ({"type": "offset", "size": 5}, {"type": "link"}):
        pages_of(handler, compiled("receive", query={"q": "a"}, path="data", pagination=pages))
    assert asked == [
        "/orders?q=a&offset=0&limit=5",
        "/orders?q=a&offset=5&limit=5",
        "/orders?q=a&offset=7&limit=5",
        *("/orders?q=a", "/orders?after=3", "/orders?after=6"),
    ]


@pytest.mark.parametrize(
    ("pages", "url", "asked"),
    [
        (
            {"type": "page"},
            "/orders?q=a&page=1&per_page=3#top",
            ["/orders?q=a&per_page=3&page=1", "/orders?q=a&per_page=3&page=2"],
        ),
        (
            {"type": "offset", "size": 5},
            "/orders?limit=2&q=%26&of%66set=0&offset=9",
            ["/orders?q=%26&offset=0&limit=5", "/orders?q=%26&offset=5&limit=5"],
        ),
        (
            {"type": "cursor", "param": "after", "cursor_path": "cursor"},
            "/orders?after=3",
            ["/orders?after=3", "/orders?after=6"],
        ),
    ],
)
def test_a_url_that_names_what_counts_the_pages_gets_further_all_the_same(pages, url, asked):
    paths = []

    async def handler(request):
        paths.append(request.path_qs)
        return await shop(request)

    pages_of(handler, compiled("receive", url, path="data", pagination=pages))
    assert paths[:2] == asked


def test_a_url_without_other_parameters_keeps_its_headers_on_every_page():
    names = []

    async def handler(request):
        names.append(request.headers["x-shop"])
        return await shop(request)

    step = compiled(
        "receive", "/orders?page=1", headers={"X-Shop": "nl"}, path="data", pagination={"type": "page"}
    )
    pages_of(handler, step)
    assert len(names) > 1


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ({"type": "next_url", "url_path": "next"}, "names a page as the next that was read before"),
        (
            {"type": "cursor", "param": "c", "cursor_path": "next"},
            "names a page as the next that was read before",
        ),
        ({"type": "page", "max_pages": 3}, "more than 3 pages; raise max_pages"),
        ({"type": "cursor", "param": "c", "cursor_path": "data"}, "neither a text nor a whole number"),
        ({"type": "next_url", "url_path": "data"}, "is no URL"),
    ],
)
def test_pages_that_never_end_fail(pages, words):
    step = compiled("receive", path="data", pagination=pages)
    _, last = pages_of(
        answering(text='{"data": [1], "next": "/orders?c=1"}', content_type="application/json"), step
    )
    assert isinstance(last, contract.Fail)
    assert words in last.why


@pytest.mark.parametrize("nothing", ["null", '""', "false", "0", "[]", "{}"])
@pytest.mark.parametrize(
    "pages",
    [{"type": "cursor", "param": "c", "cursor_path": "next"}, {"type": "next_url", "url_path": "next"}],
)
def test_what_says_that_no_page_follows(pages, nothing):
    step = compiled("receive", path="data", pagination=pages)
    text = f'{{"data": [1], "next": {nothing}}}'
    found, last = pages_of(answering(text=text, content_type="application/json"), step)
    assert ([one.body for one in found], last.cursor) == ([[1]], None)


@pytest.mark.parametrize(
    "pages",
    [
        {"type": "page"},
        {"type": "offset", "size": 2},
        {"type": "cursor", "param": "c", "cursor_path": "next"},
    ],
)
@pytest.mark.parametrize(("max_pages", "fails"), [(3, False), (2, True)])
def test_as_many_pages_as_are_allowed(pages, max_pages, fails):
    asked = []

    async def three_pages(request):
        asked.append(request.path_qs)
        return web.json_response(
            {"data": [1, 2] if len(asked) <= 3 else [], "next": len(asked) <= 3 and len(asked)}
        )

    step = compiled("receive", path="data", pagination={**pages, "max_pages": max_pages})
    found, last = pages_of(three_pages, step)
    assert isinstance(last, contract.Fail) == fails
    assert len(found) == min(3, max_pages)


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "http://",
        "HTTP:///orders",
        "http://h h/",
        "http://h\t/",
        "http://?x=1",
        "http://:80/",
        "http://u@/a",
        "https:///[[payload.id]]",
        "http://h h/{{path}}",
    ],
)
def test_a_url_without_a_host_is_refused_at_once(url):
    with pytest.raises(errors.Invalid) as caught:
        compiled("receive", url)
    assert list(caught.value.errors) == ["url"]


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "http://h/a b",
        "http://[::1]:80/",
        "http://u:p@h/",
        "https://{{host}}",
        "http://[[payload.a b]]/",
        "https://{{ host }}:80/x",
        "{{base}}://",
        "/next?to=https://",
        "http://h?x= y",
    ],
)
def test_a_url_whose_host_may_be_there_is_not(url):
    compiled("receive", url)


@pytest.mark.parametrize("url", ["http://[", "http://[x]:1/", "http://\u2100.com/", "http://a.test:99999/"])
def test_a_url_that_cannot_be_read_is_refused_at_once_or_fails_the_run(url):
    with pytest.raises(errors.Invalid) as caught:
        compiled("receive", url)
    assert list(caught.value.errors) == ["url"]
    outcome = once(answering(), compiled("receive", "[[payload.url]]"), Payload({"url": url}))
    assert isinstance(outcome, contract.Fail)


def test_a_page_that_names_itself_fails_at_once():
    step = compiled("receive", path="data", pagination={"type": "next_url", "url_path": "next"})
    found, last = pages_of(
        answering(text='{"data": [1], "next": "/orders"}', content_type="application/json"), step
    )
    assert (found, type(last)) == ([], contract.Fail)


def test_counted_pages_need_a_list():
    step = compiled("receive", pagination={"type": "page"})
    outcome = once(answering(text='{"data": [1]}', content_type="application/json"), step)
    assert isinstance(outcome, contract.Fail)
    assert "the page is no list" in outcome.why


def test_the_state_of_pages_stays_small_and_still_finds_the_way_back_to_the_first():
    pages = TypeAdapter(pagination.Pagination).validate_python(
        {"type": "cursor", "param": "c", "cursor_path": "c"}
    )
    response = contract.Response(200, {}, b"", "http://a.test/")
    state = pagination.start()
    for at in range(2000):
        state = pagination.advance(pages, state, response, {"c": f"c{at}"}, 1)
    assert len(json.dumps(state)) < 3000
    for repeated in ("c0", "c1950", "c1999"):
        with pytest.raises(pagination.Endless):
            pagination.advance(pages, state, response, {"c": repeated}, 1)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            '<https://a.test/?page=2>; rel="next", <https://a.test/?page=9>; rel="last"',
            "https://a.test/?page=2",
        ),
        ("</b>; rel=prev, </c>; rel=next", "/c"),
        ("</c>;REL=Next;title=x", "/c"),
        ('</a,b;c>; title="x; rel=next"; rel=prev, </d>; rel="first next"', "/d"),
        ("</b>; rel=nextish", None),
        ("</b>", None),
        ("", None),
    ],
)
def test_link_headers(header, expected):
    assert pagination.next_link(header) == expected


def test_a_next_page_never_leaves_https():
    pages = TypeAdapter(pagination.Pagination).validate_python({"type": "next_url", "url_path": "n"})
    response = contract.Response(200, {}, b"", "https://a.test/")
    with pytest.raises(pagination.Endless, match="https to http"):
        pagination.advance(pages, pagination.start(), response, {"n": "http://a.test/2"}, 1)


# Send


def sent(step, incoming, **fields):
    """What the server saw of a send, which passes the payload on unchanged."""
    seen = []

    async def handler(request):
        seen.append(await echo(request))
        return web.Response(status=201, text="ignored")

    outcome = once(handler, step, incoming, **fields)
    assert outcome.payloads[0].body == incoming.body
    assert outcome.payloads[0].meta == {**incoming.meta, "response_status": "201"}
    assert outcome.payloads[0].position == incoming.position
    return json.loads(seen[0].text)


@pytest.mark.parametrize(
    ("incoming", "body", "content_type"),
    [
        (Payload({"id": 1}, meta={"a": "b"}, position="0.7"), '{"id":1}', "application/json"),
        (Payload("text"), '"text"', "application/json"),
        (Payload("a;b", "text/x"), "a;b", "text/x"),
        (Payload(b"raw", "application/pdf"), "raw", "application/pdf"),
        (Payload([{"a": 1}], "text/csv"), "a\r\n1\r\n", "text/csv"),
        (Payload([{"a": 1}], "text/plain"), '[{"a":1}]', "application/json"),
    ],
)
def test_a_send_without_body_sends_the_payload(incoming, body, content_type):
    seen = sent(compiled("send"), incoming)
    assert (seen["method"], seen["body"], seen["headers"]["content-type"]) == ("POST", body, content_type)
    assert seen["headers"]["idempotency-key"] == "key-1"


@pytest.mark.parametrize(
    ("config", "body", "content_type"),
    [
        ({"body": '{"say": "[[payload.say]]"}'}, '{"say":"a \\"b\\""}', "application/json"),
        ({"body": "Hi [[payload.say]]"}, 'Hi a "b"', "text/plain; charset=utf-8"),
        ({"body": "[[payload]]"}, '{"say":"a \\"b\\""}', "application/json"),
        ({"body": '{"x": 1}', "headers": {"content-type": "text/x"}}, '{"x": 1}', "text/x"),
        ({"body": [1, None]}, "[1,null]", "application/json"),
    ],
)
def test_bodies(config, body, content_type):
    seen = sent(compiled("send", **config), Payload({"say": 'a "b"'}))
    assert (seen["body"], seen["headers"]["content-type"]) == (body, content_type)


ROWS = [{"id": 1, "name": "é"}, {"id": 2, "tags": ["x"]}]


@pytest.mark.parametrize(
    ("config", "incoming", "body", "content_type"),
    [
        (
            {"send_format": "csv", "format": {"delimiter": "semicolon", "charset": "utf-8"}},
            Payload(ROWS),
            'id;name;tags\r\n1;é;\r\n2;;"[""x""]"\r\n',
            'text/csv; charset=utf-8; delimiter=";"',
        ),
        (
            {"send_format": "xml"},
            Payload({"order": {"@id": 1, "line": ["a", "b"]}}),
            '<?xml version="1.0" encoding="utf-8"?>\n<order id="1"><line>a</line><line>b</line></order>',
            "application/xml",
        ),
        ({"send_format": "json"}, Payload([{"a": "1"}], "text/csv"), '[{"a":"1"}]', "application/json"),
        ({"send_format": "json"}, Payload("text", "text/plain"), '"text"', "application/json"),
        (
            {"send_format": "csv"},
            Payload([{"a": "1"}], "text/csv; delimiter=tab"),
            "a\r\n1\r\n",
            "text/csv",
        ),
        ({"send_format": "text"}, Payload([{"a": "1"}], "text/csv"), "a\r\n1\r\n", "text/plain"),
        ({"send_format": "text"}, Payload({"a": 1}), '{"a":1}', "text/plain"),
        ({}, Payload([{"a": "é"}], "text/csv; header=absent"), "é\r\n", "text/csv; header=absent"),
    ],
)
def test_payloads_in_other_formats(config, incoming, body, content_type):
    seen = sent(compiled("send", **config), incoming)
    assert (seen["body"], seen["headers"]["content-type"]) == (body, content_type)


@pytest.mark.parametrize(
    ("config", "incoming", "said"),
    [
        ({"send_format": "csv"}, Payload([1]), "The payload cannot be sent. CSV is written of objects"),
        ({"send_format": "xml"}, Payload({"a b": 1}), "'a b' is no name of an XML element"),
        ({"send_format": "csv"}, Payload(b"x", "image/png"), "image/png cannot be sent as csv"),
        ({}, Payload([{"a": "→"}], "text/csv; charset=latin-1"), "is not in latin-1"),
    ],
)
def test_a_payload_that_cannot_be_written_fails(config, incoming, said):
    outcome = once(echo, compiled("send", **config), incoming)
    assert isinstance(outcome, contract.Fail)
    assert said in outcome.why


def test_an_authors_own_idempotency_key_wins():
    seen = sent(compiled("send", headers={"idempotency-key": "order-[[payload.id]]"}), Payload({"id": 5}))
    assert seen["headers"]["idempotency-key"] == "order-5"


def test_with_a_response_format_the_answer_goes_on():
    step = compiled("send", response_format="json", path="body")
    outcome = once(echo, step, Payload({"id": 1}, position="0.3"))
    [made] = outcome.payloads
    assert (made.body, made.meta, made.position) == ('{"id":1}', {"response_status": "200"}, "0.3")


def test_a_get_that_sends_has_no_body():
    assert sent(compiled("send", method="GET"), Payload({"id": 1}))["body"] == ""


# Faults


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 522])
def test_passing_statuses_are_tried_again(status):
    outcome = once(answering(status, text="busy", headers={"Retry-After": "7"}), compiled("send"))
    assert isinstance(outcome, contract.Retry)
    assert outcome.after_seconds == 7
    assert f"answered {status}" in outcome.why


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_send_that_is_redirected_without_its_payload_fails_and_says_where_to(status):
    handler = answering(status, headers={"Location": "/shipments/?key=secret"})
    failed = once(handler, compiled("send", "/shipments"), Payload({"id": 1}))
    assert isinstance(failed, contract.Fail)
    assert f"answered {status}" in failed.why
    assert failed.why.endswith("/shipments/; write the URL that takes what is sent.")


@pytest.mark.parametrize("pages", [{"type": "page"}, {"type": "offset", "size": 1}])
@pytest.mark.parametrize("ends", [False, True])
def test_a_page_that_is_not_found_ends_the_pages_only_where_that_is_said(pages, ends):
    async def two(request):
        number = request.query.get("page") or str(int(request.query["offset"]) + 1)
        return web.json_response([number]) if number in "12" else web.Response(status=404)

    step = compiled("receive", pagination={**pages, "ends_with_404": ends})
    found, last = pages_of(two, step)
    assert [page.body for page in found] == [["1"], ["2"]]
    assert isinstance(last, contract.Done if ends else contract.Fail)


@pytest.mark.parametrize("status", [304, 400, 401, 404, 409, 422, 501])
def test_other_statuses_fail_and_say_what_was_answered_without_secrets(status):
    text = "" if status == 304 else "no  such\n" + "x" * 500
    outcome = once(answering(status, text=text), compiled("send", "/orders?token=secret"))
    assert isinstance(outcome, contract.Fail)
    assert outcome.why.startswith("POST http://127.0.0.1:")
    assert f"/orders answered {status} " in outcome.why
    assert "secret" not in outcome.why
    assert len(outcome.why) < 300


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "999999"}, 3600),
        ({"retry-after": "Sat, 31 Jan 2026 10:00:30 GMT"}, 30),
        ({"retry-after": "Sat, 31 Jan 2026 12:00:30 GMT", "date": "Sat, 31 Jan 2026 12:00:00 GMT"}, 30),
        ({"retry-after": "Sat, 31 Jan 2026 09:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers, seconds):
    assert answers.retry_after_seconds(headers, NOW) == seconds


def test_no_answer_is_tried_again_and_a_forbidden_address_fails():
    async def dropped(request):
        request.transport.close()

    outcome = once(dropped, compiled("send"))
    assert isinstance(outcome, contract.Retry)
    assert "closed the connection" in outcome.why
    outcome = once(echo, compiled("receive", "http://10.0.0.1/"))
    assert isinstance(outcome, contract.Fail)
    assert "FLOWLOOM_OUTBOUND_ALLOW" in outcome.why


# Configs


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"path": "a..b"}, "path"),
        ({"headers": {"X-A": "[[nothing.there]]"}}, "headers.X-A"),
        ({"body": {"a": ["[[nothing.there]]"]}}, "body.a.0"),
        ({"path": "a", "response_format": "text"}, "response_format"),
        ({"format": {"charset": "utf-8"}}, "format"),
        ({"response_format": "json", "format": {"charset": "utf-8"}}, "format"),
        ({"response_format": "xml", "format": {"header": "absent"}}, "format.header"),
        ({"response_format": "csv", "format": {"charset": "klingon"}}, "format.charset"),
        ({"response_format": "csv", "format": {"delimiter": '"'}}, "format.delimiter"),
        ({"response_format": "csv", "format": {"quote": "ab"}}, "format.quote"),
        ({"send_format": "csv"}, "send_format"),
        ({"direction": "send", "send_format": "csv", "body": "x"}, "send_format"),
        ({"direction": "send", "response_format": "csv", "format": {"quote": "'"}}, "format"),
        ({"direction": "send", "pagination": {"type": "link"}}, "pagination"),
        ({"pagination": {"type": "cursor", "param": "c", "cursor_path": "a..b"}}, "pagination.cursor_path"),
        ({"pagination": {"type": "next_url", "url_path": "a..b"}}, "pagination.url_path"),
    ],
)
def test_a_config_that_cannot_work_names_its_field(config, field):
    with pytest.raises(errors.Invalid) as caught:
        compiled(**{"direction": "receive", **config})
    assert field in caught.value.errors


@pytest.mark.parametrize(
    "config",
    [
        *({"direction": "both"}, {"url": ""}, {"retries": 11}, {"timeout_seconds": 0}, {"unknown": 1}),
        *({"method": "BREW"}, {"pagination": {"type": "x"}}, {"pagination": {"type": "offset"}}),
    ],
)
def test_impossible_configs_are_refused(config):
    with pytest.raises(ValidationError):
        compiled(**{"direction": "receive", **config})


def test_limits_reach_the_executor():
    step = compiled("send", timeout_seconds=5, retries=0)
    assert (step.effect, step.timeout_seconds, step.retries) == (True, 10.0, 0)


def test_examples_compile_and_templates_are_marked():
    for example in connector.TYPE.examples:
        connector.TYPE.compile(connector.TYPE.config.model_validate(example.config), ())
    properties = connector.TYPE.config.model_json_schema()["properties"]
    marked = {name for name, schema in properties.items() if schema.get("x-template")}
    assert marked == {"url", "query", "headers", "body"}


LONG = "x" * (bulk.LARGE_BYTES + 1)


def threads_of(answer, step, incoming=None, **fields):
    """Whether a request was made, and its answer read, in a thread of its own."""

    async def call():
        async with running(answering(text=answer), **fields) as context:
            assert isinstance(await step.run(context, incoming or Payload()), contract.Done)
            here = threading.current_thread()
            return [seen is not here for seen in (context.scoped_in[0], context.logged_in[0])]

    return asyncio.run(call())


def test_a_large_answer_is_read_aside():
    step = compiled("receive", response_format="json", path="nothing.*.here")
    assert threads_of('{"a": 1}', step) == [False, False]
    assert threads_of(json.dumps({"nothing": [LONG]}), compiled("receive", path="here")) == [False, True]
    assert threads_of(json.dumps([LONG]), compiled("send", path="here", response_format="json")) == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("config", "payload", "variables"),
    [
        ({}, Payload({"a": LONG}, size_bytes=len(LONG)), {}),
        ({"body": {"a": "{{all}}"}}, Payload(), {"all": [{"text": LONG}]}),
        ({"body": {"a": LONG}}, Payload(), {}),
    ],
)
def test_a_large_request_is_made_aside(config, payload, variables):
    step = compiled("send", path="here", response_format="json", **config)
    assert threads_of("{}", step, payload, variables=variables) == [True, False]
    assert threads_of("{}", compiled("send", path="here", response_format="json")) == [False, False]


def test_payloads_say_how_large_they_are():
    for config, text in (({}, "some text"), ({"response_format": "json", "path": "a"}, '{"a": [1, 2, 3]}')):
        outcome = once(answering(text=text), compiled("receive", **config))
        assert [made.size_bytes for made in outcome.payloads] == [len(text)]
    sent = once(answering(text="{}"), compiled("send"), Payload({"a": 1}, size_bytes=9))
    assert [made.size_bytes for made in sent.payloads] == [9]
