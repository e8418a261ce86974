"""How figures, ages and differing characters are shown."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from difflib import SequenceMatcher
from os.path import commonprefix
from urllib.parse import urlencode

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ingestion.exact import number
from ingestion.suggest.definition import flow

register = template.Library()
LONGEST_MARKED = 400


@register.filter
def figure(value: object) -> str:
    """A number with groups and a true minus sign; other texts as they are, nothing for null."""
    if value is None:
        return ""
    found = number(str(value))
    return str(value) if found is None else f"{found:,f}".replace("-", "\u2212")


@register.filter
def signed(value: float) -> str:
    """A number with two places and its sign."""
    return f"{value:+.2f}".replace("-", "\u2212")


@register.filter(name="bytes")
def in_bytes(value: int) -> str:
    """A size in the unit that fits it: 2 GB, 10 MB, 512 bytes."""
    for size, unit in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value} bytes"


@register.filter
def money(value: Decimal | None) -> str:
    """An amount with two places."""
    return "" if value is None else f"{value:,.2f}".replace("-", "\u2212")


@register.filter
def percent(value: Decimal | None) -> str:
    """A share as whole percent."""
    return "" if value is None else f"{value * 100:.0f} %"


@register.filter
def per_cent(value: Decimal | float | None) -> str:
    """A share in percent with one place."""
    return "" if value is None else f"{value * 100:.1f} %"


@register.filter
def bar(value: Decimal | None) -> str:
    """A share as a width of 88."""
    return f"{float(value or 0) * 88:.1f}"


@register.filter
def age(moment: dt.datetime | None) -> str:
    """How long ago, in the one unit that matters."""
    if moment is None:
        return ""
    seconds = (timezone.now() - moment).total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "now"


@register.filter
def elapsed(moment: dt.datetime) -> str:
    """How long ago, to the second within a minute."""
    seconds = max((timezone.now() - moment).total_seconds(), 0)
    return f"{int(seconds)} s" if seconds < 60 else age(moment)


@register.filter
def words(code: str) -> str:
    """A code as words; the sides keep their capitals."""
    text = str(code).replace("_", " ").capitalize()
    return f"{text[:-1]}{text[-1].upper()}" if text[-2:] in (" a", " b") else text


@register.filter
def spoken(assigned_by: str) -> str:
    """Who or what assigned a reason, in words: `model:3` is model 3."""
    return assigned_by.replace(":", " ")


@register.filter
def valued(text: str | None, kind: str) -> str:
    """A record's value as people read it: decimals grouped, nothing for null."""
    if text is None:
        return ""
    return figure(text) if kind.startswith("decimal") else text


@register.filter
def visible(text: str) -> str:
    """A delimiter that can be seen: a tab and a space have names."""
    return {"\t": "tab", " ": "space"}.get(text, text)


@register.filter
def steps(mapped: Mapping[str, object]) -> str:
    """A field's mapping as a definition writes it."""
    return flow(mapped)


@register.simple_tag
def query(**values: object) -> str:
    """A query string of these values."""
    return urlencode(values)


@register.simple_tag
def icon(name: str, tone: str = "", label: str = "") -> SafeString:
    """A glyph of `icons.html`; without a label it is for the eye alone."""
    if label:
        return format_html('<svg class="i {}" role="img" aria-label="{}"><use href="#i-{}"/></svg>', tone, label, name)
    return format_html('<svg class="i {}" aria-hidden="true"><use href="#i-{}"/></svg>', tone, name)


@register.simple_tag
def marked(text: str | None, other: str | None, side: str, kind: str = "") -> SafeString:
    """A value with the characters marked that the other side does not have."""
    if text is None:
        return format_html('<span class="muted">{}</span>', "empty")
    text, other = valued(text, kind), None if other is None else valued(other, kind)
    text, other = _excerpt(text, other), None if other is None else _excerpt(other, text)
    if other is None:
        return format_html("{}", text)
    parts = []
    for tag, start, end, _, _ in SequenceMatcher(None, text, other, autojunk=False).get_opcodes():
        if start < end:
            parts.append(("" if tag == "equal" else side, text[start:end]))
    return format_html_join("", "{}", ((_mark(side_, part),) for side_, part in parts))


def _excerpt(text: str, other: str | None) -> str:
    """A text, or of a long one the part around the first character that the other one does not have."""
    if len(text) <= LONGEST_MARKED and len(other or "") <= LONGEST_MARKED:
        return text
    first = len(commonprefix([text, other])) if other else 0
    start = max(0, first - LONGEST_MARKED // 10)
    end = start + LONGEST_MARKED
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _mark(side: str, part: str) -> SafeString:
    return format_html('<mark class="{}">{}</mark>', side, part) if side else format_html("{}", part)


@register.inclusion_tag("review/reason.html")
def reason(code: str, functional: bool | None) -> dict[str, object]:  # noqa: FBT001 - a template passes by position
    """A reason's shape and code: circle functional, square error, ? unknown, half disc for whole rows."""
    is_row = code in ("MISSING_SOURCE_A", "MISSING_SOURCE_B", "DUPLICATE_ENTRY")
    shape = "u" if code in ("UNKNOWN", "") else "r" if is_row else "f" if functional else "e"
    return {"code": code or "in flight", "shape": shape}


@register.inclusion_tag("review/confidence.html")
def confidence(value: Decimal | None, threshold: Decimal, is_unknown: bool) -> dict[str, object]:  # noqa: FBT001
    """A confidence bar with a tick at the gate's threshold."""
    return {"value": bar(value), "tick": bar(threshold), "is_unknown": is_unknown}
