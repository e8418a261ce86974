"""Records of a local server that misbehaves on cue."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import tenacity.nap
from pytest_django import fixtures

from config.definitions.faults import BadDefinition
from ingestion import lake
from ingestion.connectors import http_api, outbound
from ingestion.connectors.offer import PullError
from ingestion.models import Source
from ingestion.pull import pull
from tests.conftest import DEFINITION

TOKEN = "t0ken"


def record(key: str) -> dict[str, str]:
    """A record of the other side."""
    return {
        "id": key,
        "day": "2026-11-20",
        "party": "Acme",
        "country": "DE",
        "amount": "10.00",
        "currency": "EUR",
        "at": key,
    }


class Handler(BaseHTTPRequestHandler):
    """Four records on pages of two; `cues` are answers that come first, once each."""

    cues: list[Callable[["Handler"], None]] = []
    asked: list[str] = []
    keys = "ABCD"

    def do_GET(self) -> None:
        """One page, or the next cue."""
        self.asked.append(self.path)
        if self.cues:
            self.cues.pop(0)(self)
            return
        self.page()

    def page(self) -> None:
        """By page, offset, cursor or Link, whatever was asked for."""
        parts = urlsplit(self.path)
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        keys = [key for key in self.keys if key > given.get("since", "")]
        start = int(given.get("offset") or given.get("cursor") or (int(given.get("page", 1)) - 1) * 2)
        body: Any = {"data": {"items": [record(key) for key in keys[start : start + 2]]}}
        headers = {}
        if start + 2 < len(keys):
            body["next"] = str(start + 2)
            headers["Link"] = f'<{parts.path}?cursor={start + 2}>; rel="next"'
        self.answer(200, body, headers)

    def answer(self, status: int, body: object = "", headers: dict[str, str] | None = None) -> None:
        """An answer as JSON, or bytes as they are."""
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server(settings: fixtures.Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The server's address; waits take no time."""
    monkeypatch.setattr(tenacity.nap.time, "sleep", lambda _: None)
    monkeypatch.setenv("TIEOUT_TOKEN", TOKEN)
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    Handler.cues, Handler.asked, Handler.keys = [], [], "ABCD"
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/trades"
    running.shutdown()
    running.server_close()


PAGE = "{page: page, size: {param: limit, value: 2}}"


@pytest.fixture
def source(define: Callable[[str], object], server: str) -> Callable[..., Source]:
    """Side A, pulled from the server."""

    def make(paging: str = PAGE, more: str = "") -> Source:
        api = (
            f"  left:\n    kind: api\n    connection:\n      url: {server}\n      records: data.items\n      paging: {paging}\n"
            f"      auth: {{bearer: {{env: TIEOUT_TOKEN}}}}\n{more}"
        )
        define(DEFINITION.replace("  left:\n", api))
        return Source.objects.get(code="left")

    return make


ONE = {"data": {"items": [record("A")]}}


def _keys(source: Source) -> list[str]:
    text = lake.local(source.deliveries.latest("id").path).read_text()
    return [json.loads(line)["id"] for line in text.splitlines()]


@pytest.mark.parametrize("paging", [PAGE, "{offset: offset}", "{cursor: {param: cursor, next: next}}", "{link: true}"])
def test_all_pages_are_read(source: Callable[..., Source], paging: str) -> None:
    made = source(paging)
    assert len(pull(made).taken) == 1
    assert _keys(made) == ["A", "B", "C", "D"]


def test_increments_start_where_the_last_pull_ended(source: Callable[..., Source]) -> None:
    made = source(more="      since: {param: since, field: at}\n")
    pull(made)
    assert pull(made).taken == {}
    Handler.keys = "ABCDEF"
    pull(made)
    assert _keys(made) == ["E", "F"]
    assert "since=D" in Handler.asked[-1]


def _refuse(status: int, **headers: str) -> Callable[[Handler], None]:
    return lambda handler: handler.answer(
        status, "wait", {name.replace("_", "-"): value for name, value in headers.items()}
    )


def _cut(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data"')
    handler.close_connection = True


def test_what_may_be_mended_is_asked_again(source: Callable[..., Source]) -> None:
    Handler.cues = [_refuse(429, Retry_After="1"), _refuse(500), _cut, Handler.page, _refuse(503)]
    made = source()
    pull(made)
    assert _keys(made) == ["A", "B", "C", "D"]


def test_a_pull_that_failed_goes_on_at_the_page_where_it_stopped(source: Callable[..., Source]) -> None:
    made = source()
    Handler.cues = [Handler.page, *[_refuse(500)] * http_api.ATTEMPTS]
    assert "answers 500. 5 attempts were made; what was read is kept" in next(iter(pull(made).failed.values()))
    Handler.asked.clear()
    pull(made)
    assert _keys(made) == ["A", "B", "C", "D"]
    assert ["page=2" in asked for asked in Handler.asked] == [True, False]


@pytest.mark.parametrize(
    ("paging", "cues", "sentence"),
    [
        (PAGE, [_refuse(401)], "answers 401"),
        (PAGE, [lambda it: it.answer(200, {"data": {}})], "A page cannot be read"),
        (PAGE, [lambda it: it.answer(200, {"data": {"items": [record("A")]}})] * 2, "the pages run in a circle"),
        (
            "{cursor: {param: cursor, next: next}}",
            [lambda it, n=n: it.answer(200, {"data": {"items": [record(n)]}, "next": "x"}) for n in "AB"],
            "The cursor x leads to itself",
        ),
        (PAGE, [_refuse(302, Location="http://169.254.169.254/latest")], "169.254.169.254 is not one that sources may call"),
        (PAGE, [_refuse(302, Location="/trades")] * 9, "redirects too often"),
        (PAGE, [lambda it: it.answer(200, "", {"Content-Encoding": "gzip"})], "is not packed as it says"),
        ("{link: true}", [lambda it: it.answer(200, ONE, {"Link": '<http://[::1>; rel="next"'})], "which is no address"),
        (
            "{cursor: {param: cursor, next: next}}",
            [lambda it: it.answer(200, b'{"data": {"items": [{}]}, "next": ' + b"9" * 5000 + b"}")],
            "The cursor of a page cannot be read",
        ),
        *[
            ("{cursor: {param: cursor, next: next}}", [lambda it, n=n: it.answer(200, {**ONE, "next": n})], sentence)
            for n, sentence in (("x" * 70_000, "cannot be called"), ("\ud800", "cannot be called"))
        ],
    ],
)  # fmt: skip
def test_what_cannot_be_mended_is_said(
    source: Callable[..., Source], paging: str, cues: list[Callable[[Handler], None]], sentence: str
) -> None:
    made = source(paging)
    Handler.cues = list(cues)
    said = next(iter(pull(made).failed.values()))
    assert sentence in said
    assert TOKEN not in said
    assert not made.deliveries.exists()


def test_caps_hold(source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_api, "PAGE_BYTES", 10)
    assert "larger than 10 bytes" in next(iter(pull(source()).failed.values()))


def test_a_name_that_leads_inside_is_refused(settings: fixtures.Settings) -> None:
    settings.OUTBOUND_HOSTS = ["localhost"]
    with pytest.raises(PullError, match="localhost leads to (127.0.0.1|::1), an inner address"):
        outbound.checked_address("localhost")
    with pytest.raises(PullError, match="is not one that sources may call"):
        outbound.checked_address("example.com")


def test_a_page_that_trickles_ends_with_the_time_of_the_pull(
    source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.chain([0, 0], itertools.repeat(http_api.MOST_SECONDS + 1))
    monkeypatch.setattr(http_api.time, "monotonic", lambda: next(ticks))
    assert "take longer than 600 s" in next(iter(pull(source()).failed.values()))
    assert len(Handler.asked) == 1


def test_no_other_host_sees_a_key(
    source: Callable[..., Source], settings: fixtures.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []

    def note(handler: Handler) -> None:
        seen.append(handler.headers.get("X-Key"))
        handler.page()

    made = source()
    made.connection |= {"auth": {"header": {"name": "X-Key", "value": {"env": "TIEOUT_TOKEN"}}}}
    monkeypatch.setattr(outbound, "checked_address", lambda _: "127.0.0.1")
    elsewhere = made.connection["url"].replace("127.0.0.1", "mirror.example.com")
    Handler.cues = [_refuse(302, Location=elsewhere), note, note]
    assert not pull(made).failed and seen == [None, TOKEN]


def test_no_other_port_of_the_host_sees_a_key(source: Callable[..., Source]) -> None:
    seen: list[str | None] = []

    def note(handler: Handler) -> None:
        seen.append(handler.headers.get("Authorization"))
        handler.page()

    other = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    try:
        Handler.cues = [
            _refuse(302, Location=f"http://127.0.0.1:{other.server_port}/trades?page=1&limit=2"),
            note,
            note,
        ]
        assert not pull(source()).failed and seen == [None, f"Bearer {TOKEN}"]
    finally:
        other.shutdown()
        other.server_close()


@pytest.mark.parametrize(
    ("where", "may"),
    [
        ("https://a.example/x", True), ("https://a.example:443/x", True), ("http://a.example/x", False),
        ("https://a.example:8443/x", False), ("https://b.example/x", False), ("https://a.example.b.example/x", False),
    ],
)  # fmt: skip
def test_a_key_is_never_sent_in_the_clear(where: str, may: bool, tmp_path: Path) -> None:
    api = http_api.HttpApi({"url": "https://a.example/trades"}, None, tmp_path / "kept")
    assert api._is_home(http_api.httpx.URL(where)) is may


@pytest.mark.parametrize("url", ["https://me:hunter2@a.example/x", "http://me@a.example"])
def test_a_password_does_not_stand_in_the_address(define: Callable[[str], object], url: str) -> None:
    with pytest.raises(BadDefinition, match="holds no user or password") as refused:
        define(DEFINITION.replace("  left:\n", f"  left:\n    kind: api\n    connection: {{url: '{url}'}}\n"))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        ({"basic": {"user": {"env": "TIEOUT_TOKEN"}, "password": {"env": "TIEOUT_TOKEN"}}}, "Basic dDBrZW46dDBrZW4="),
        ({"header": {"name": "Authorization", "value": {"env": "TIEOUT_TOKEN"}}}, TOKEN),
    ],
)
def test_every_way_to_sign_in(source: Callable[..., Source], auth: dict[str, object], sent: str) -> None:
    made, seen = source(), []

    def note(handler: Handler) -> None:
        seen.append(handler.headers.get("Authorization"))
        handler.page()

    made.connection |= {"auth": auth}
    Handler.cues = [note]
    assert not pull(made).failed and seen == [sent]


def test_credentials_stay_with_the_first_host(source: Callable[..., Source]) -> None:
    seen: list[str | None] = []

    def note(handler: Handler) -> None:
        seen.append(handler.headers.get("Authorization"))
        handler.page()

    Handler.cues = [note, note]
    pull(source())
    assert seen == [f"Bearer {TOKEN}", f"Bearer {TOKEN}"]
