"""API: JSON records over HTTP, page by page; each page is kept before the next one is asked for."""

import base64
import hashlib
import io
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import tenacity

from ingestion.connectors.credentials import is_reference, secret
from ingestion.connectors.offer import Offer, PullError
from ingestion.connectors.outbound import MOST_REDIRECTS, client
from ingestion.errors import UnreadableFile
from ingestion.readers.json_stream import Stream, elements
from ingestion.readers.reader import steps

ATTEMPTS = 5  # for one page
LONGEST_WAIT = 60.0  # seconds between two attempts, whatever Retry-After says
MOST_SECONDS = 600.0  # for all pages
MOST_BYTES = 1 << 30  # of all pages
PAGE_BYTES = 64 << 20
MOST_PAGES = 100_000
AGAIN = (408, 425, 429, 500, 502, 503, 504)


class Again(Exception):
    """An answer that another attempt may mend; `after` are the seconds that the other side asks to wait."""

    def __init__(self, sentence: str, after: float | None = None) -> None:
        self.after = after
        super().__init__(sentence)


@dataclass(frozen=True)
class Page:
    """A page's bytes, and the address that its Link header names as the next."""

    body: bytes
    link: str | None


@dataclass
class Progress:
    """How far a pull came: what to ask for next (None at the end), pages and bytes kept, marks of pages seen."""

    next: dict[str, str] | None
    pages: int = 0
    size: int = 0
    reached: str = ""
    seen: tuple[str, ...] = ()


class HttpApi:
    """The pages of a source's address. `since` is the mark of what was taken before."""

    def __init__(self, connection: Mapping[str, Any], since: str | None, kept: Path) -> None:
        given = connection.get("url", "")
        self.url = secret(given) if is_reference(given) else str(given)
        self.records = steps(connection.get("records"))
        self.paging: Mapping[str, Any] = connection.get("paging") or {}
        self.incremental: Mapping[str, str] = connection.get("since") or {}
        self.home, self.began = _address(self.url), 0.0
        self.headers = _auth(connection.get("auth") or {})
        self.since = since or ""
        self.kept, self.notes = kept, kept.with_suffix(".json")

    def offers(self) -> Iterator[Offer]:
        """What the other side has now."""
        yield Offer(f"pages since {self.since or 'the beginning'}"[:1000], self.since, settled=True)

    def fetch(self, offer: Offer, target: Path) -> str | None:
        """Write the records of all pages, a line each. What was kept before an interruption is not asked for again."""
        progress, self.began = self._resumed(), time.monotonic()
        with client() as http, self.kept.open("ab") as lines:
            lines.truncate(progress.size)
            while progress.next is not None:
                self._hurry()
                page = self._page(http, progress.next)
                try:
                    self._keep(page, progress, lines)
                except PullError:
                    self.notes.unlink(missing_ok=True)  # the next pull begins anew
                    raise
        count = progress.size
        self.kept.replace(target)
        self.notes.unlink(missing_ok=True)
        return (progress.reached or self.since) if count else None

    def _resumed(self) -> Progress:
        """The progress of an interrupted pull of the same address and mark; else the first page."""
        self.kept.parent.mkdir(parents=True, exist_ok=True)
        first = self._first()
        try:
            noted = json.loads(self.notes.read_text())
            if noted["first"] == first and self.kept.stat().st_size >= noted["size"]:
                return Progress(noted["next"], noted["pages"], noted["size"], noted["reached"], tuple(noted["seen"]))
        except (OSError, ValueError, KeyError):
            pass
        self.kept.unlink(missing_ok=True)
        return Progress(first)

    def _first(self) -> dict[str, str]:
        asked = {"url": self.url}
        if self.incremental and self.since:
            asked[str(self.incremental["param"])] = self.since
        if size := self.paging.get("size"):
            asked[str(size["param"])] = str(size["value"])
        if name := self.paging.get("page"):
            asked[str(name)] = str(self.paging.get("first", 1))
        if name := self.paging.get("offset"):
            asked[str(name)] = "0"
        return asked

    def _page(self, http: httpx.Client, asked: Mapping[str, str]) -> Page:
        """One page, with patience. PullError says what the other side answered last."""
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Again),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=_wait,
            reraise=True,
        )
        try:
            return attempts(self._ask, http, asked)
        except Again as last:
            raise PullError(
                f"{last} {ATTEMPTS} attempts were made; what was read is kept, and the next pull goes on."
            ) from None

    def _ask(self, http: httpx.Client, asked: Mapping[str, str]) -> Page:
        params = {name: value for name, value in asked.items() if name != "url"}
        host = self.home.host
        try:
            url = httpx.URL(asked["url"]).copy_merge_params(params)
            host = url.host
            with self._answered(http, url) as answer:
                return Page(self._body(answer, host), answer.links.get("next", {}).get("url"))
        except (httpx.InvalidURL, UnicodeError):
            raise PullError(f"{host} names a next page that cannot be called. Nothing was taken.") from None
        except httpx.TooManyRedirects:
            raise PullError(f"{host} redirects too often. Check the address.") from None
        except httpx.DecodingError:
            raise PullError(f"A page of {host} is not packed as it says. Nothing was taken.") from None
        except httpx.TransportError as error:
            raise Again(f"{host} cannot be read: {type(error).__name__}.") from None

    @contextmanager
    def _answered(self, http: httpx.Client, url: httpx.URL) -> Iterator[httpx.Response]:
        """What stands at an address, after redirects; they are followed here, so that no other place sees the credentials."""
        for _ in range(MOST_REDIRECTS + 1):
            own = self.headers if self._is_home(url) else {}
            headers = {"Accept": "application/json", **own}
            with http.stream("GET", url, headers=headers, follow_redirects=False) as answer:
                if answer.next_request is None:
                    yield answer
                    return
                url = answer.next_request.url
        raise httpx.TooManyRedirects("too many")

    def _is_home(self, url: httpx.URL) -> bool:
        """Whether an address may see the credentials: the place they are for, or its host by TLS; never in the clear instead."""
        ways = ((self.home.scheme, self.home.port), ("https", None))
        return url.host == self.home.host and (url.scheme, url.port) in ways

    def _body(self, answer: httpx.Response, host: str) -> bytes:
        """The bytes of a page, within the caps. Again or PullError for any answer that is none."""
        if answer.status_code in AGAIN:
            raise Again(f"{host} answers {answer.status_code}.", _after(answer))
        if answer.status_code != 200:
            raise PullError(
                f"{host} answers {answer.status_code} {answer.reason_phrase}. Check the address and its credentials."
            )
        body = bytearray()
        for block in answer.iter_bytes():
            body += block
            if len(body) > PAGE_BYTES:
                raise PullError(f"A page of {host} is larger than {PAGE_BYTES:,} bytes. Ask for smaller pages.")
            self._hurry()
        return bytes(body)

    def _hurry(self) -> None:
        """PullError when the time of the whole pull is over, also within a page that trickles."""
        if time.monotonic() - self.began > MOST_SECONDS:
            raise PullError(
                f"The pages take longer than {MOST_SECONDS:.0f} s; what was read is kept, and the next pull goes on."
            )

    def _keep(self, page: Page, progress: Progress, lines: io.BufferedWriter) -> None:
        """The page's records to disk, then the note that they are there."""
        mark = hashlib.sha256(page.body).hexdigest()
        records = self._records(page)
        if records and mark in progress.seen:
            raise PullError(
                f"Page {progress.pages + 1} is the same as an earlier one: the pages run in a circle. Nothing was taken."
            )
        if progress.pages >= MOST_PAGES or progress.size > MOST_BYTES:
            raise PullError(
                f"There are more than {MOST_PAGES:,} pages or {MOST_BYTES:,} bytes. Narrow what is asked for."
            )
        for raw, value in records:
            progress.size += lines.write(raw.replace("\n", " ").replace("\r", " ").encode() + b"\n")
            field = self.incremental.get("field")
            if field and isinstance(value, dict) and value.get(field) is not None:
                progress.reached = max(progress.reached, str(value[field]))
        lines.flush()
        progress.next = self._following(page, len(records), progress)
        progress.pages, progress.seen = progress.pages + 1, (*progress.seen, mark)
        self.notes.write_text(json.dumps({**asdict(progress), "first": self._first()}))

    def _records(self, page: Page) -> list[tuple[str, object]]:
        try:
            text = page.body.decode("utf-8-sig")
            return [(it.raw, it.value) for it in elements(Stream(io.StringIO(text, newline="")), self.records)]
        except UnicodeDecodeError:
            raise PullError("A page is no UTF-8. Nothing was taken.") from None
        except UnreadableFile as error:
            raise PullError(f"A page cannot be read. {error}") from None

    def _following(self, page: Page, count: int, progress: Progress) -> dict[str, str] | None:
        """What to ask for next; None after the last page."""
        asked = dict(progress.next or {})
        if self.paging.get("link"):
            return {"url": _joined(asked["url"], page.link)} if page.link else None
        if cursor := self.paging.get("cursor"):
            value = _at(_read(page.body), str(cursor["next"]))
            if value in (None, "", False):
                return None
            if asked.get(str(cursor["param"])) == str(value):
                raise PullError(f"The cursor {str(value)[:80]} leads to itself. Nothing was taken.")
            return asked | {str(cursor["param"]): str(value)}
        if count == 0:
            return None
        if name := self.paging.get("page"):
            return asked | {str(name): str(int(asked[str(name)]) + 1)}
        if name := self.paging.get("offset"):
            return asked | {str(name): str(int(asked[str(name)]) + count)}
        return None


def _auth(given: Mapping[str, Any]) -> dict[str, str]:
    if "bearer" in given:
        return {"Authorization": f"Bearer {secret(given['bearer'])}"}
    if "basic" in given:
        pair = f"{secret(given['basic'].get('user'))}:{secret(given['basic'].get('password'))}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    if "header" in given:
        return {str(given["header"]["name"]): secret(given["header"].get("value"))}
    return {}


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.after if isinstance(error, Again) else None
    return min(LONGEST_WAIT, asked if asked is not None else 0.5 * 2 ** (state.attempt_number - 1))


def _after(answer: httpx.Response) -> float | None:
    """Seconds of Retry-After; a date is met by the usual waits."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _address(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL:
        raise PullError(
            "The address of the source is none. It is written like https://api.example.com/trades."
        ) from None


def _joined(url: str, link: str) -> str:
    try:
        return str(httpx.URL(url).join(link))
    except (httpx.InvalidURL, ValueError):
        raise PullError(f"The Link header names {link[:80]!r}, which is no address. Nothing was taken.") from None


def _read(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise PullError("The cursor of a page cannot be read. Nothing was taken.") from None


def _at(document: object, path: str) -> object:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
