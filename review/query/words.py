"""The vocabulary of a query: its words, and how the values of each are read."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ingestion.suggestion import nearest_end
from reconciliation.holds import HELD
from reconciliation.models import Break
from reconciliation.waiting import WAITING
from review.ages import AGES
from review.due import DUE
from review.ids import id_of
from review.query.terms import BadQuery, Value

ME, NOBODY, OTHERS = "me", "nobody", "others"
ALL = "all"
YES_NO = ("yes", "no")
STATES = (*Break.State.values, HELD, WAITING, ALL)
BANDS = {
    "straight": "Above 90 %, held",
    "expedited": "Expedited 70-90 %",
    "standard": "Standard 50-70 %",
    "UNKNOWN": "UNKNOWN",
    WAITING: "Waiting for a partner",
    HELD: "On hold",
}
LONGEST_VALUE = 200
MOST_DIGITS = 28
UNITS = {
    "min": dt.timedelta(minutes=1),
    "h": dt.timedelta(hours=1),
    "d": dt.timedelta(days=1),
    "w": dt.timedelta(weeks=1),
}
MOST_OF_UNIT = 10_000
YEARS = range(1900, 3000)
NONE = "none"  # how the empty value of a word is written


@dataclass(frozen=True)
class Word:
    """A word of a query. `read` gives the value of a text that it is compared with, BadQuery says what is wrong with it; `choices`
    are the only values, in small letters or large; `limits` reads what follows <, > or makes a range, where the word has that."""

    name: str
    says: str
    example: str
    read: Callable[[str], Value] | None = str
    limits: Callable[[str], Value] | None = None
    choices: tuple[str, ...] = ()

    def value(self, text: str, known: tuple[str, ...]) -> Value:
        """The value of a text after a colon."""
        if choices := self.choices or known:
            found = {it.casefold(): it for it in choices}.get(text.casefold())
            if found is not None:
                return found
            if self.read is None:
                compared = f" It is compared too, as in {self.example}." if self.limits else ""
                raise BadQuery(
                    f"{self.name} has no value {text[:40]!r}{nearest_end(text, filter(None, choices))}{compared}"
                )
        return self.read(text) if self.read else text


def number(text: str) -> Decimal:
    """A number as it is, without groups."""
    try:
        value = Decimal(text if text.isascii() and "_" not in text else "")
    except InvalidOperation:
        raise BadQuery(f"{text[:40]!r} is no number; write it as 1000 or 12.50.") from None
    if not value.is_finite() or abs(value) >= Decimal(10) ** MOST_DIGITS:
        raise BadQuery(f"{text[:40]!r} is too large; a number has at most {MOST_DIGITS} digits.")
    if int(value.as_tuple().exponent) < -MOST_DIGITS:
        raise BadQuery(f"{text[:40]!r} is too fine; a number has at most {MOST_DIGITS} places.")
    return value


def size(text: str) -> Decimal:
    """An amount whatever its sign."""
    if (value := number(text)) < 0:
        raise BadQuery(f"amount is compared whatever its sign; write {text[1:41]} for {text[:40]}.")
    return value


def share(text: str) -> Decimal:
    """`0.9` or `90%`."""
    value = number(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 <= value <= 1:
        raise BadQuery(f"{text[:40]!r} is no share; write it as 0.9 or 90%.")
    return value


def day(text: str) -> dt.date:
    """A day, as 2026-11-20."""
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        found = dt.date.min
    if found.year not in YEARS:
        raise BadQuery(f"{text[:40]!r} is no day; write it as 2026-11-20.")
    return found


def span(text: str) -> dt.timedelta:
    """A time, as 2d or 4h."""
    count = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = UNITS.get(text[len(count) :])
    if unit is None or not count.isascii() or not count.isdigit() or len(count) > 5 or int(count) > MOST_OF_UNIT:
        raise BadQuery(f"{text[:40]!r} is no time; write it as 30min, 4h, 2d or 1w.")
    return int(count) * unit


def span_or_day(text: str) -> Value:
    """A time from now, or a day."""
    return day(text) if text.count("-") == 2 else span(text)


def identity(text: str) -> int:
    """The number of a run, or of an incident."""
    if not (found := id_of(text)):
        raise BadQuery(f"{text[:40]!r} is no number of one; write it as 12.")
    return found


_WORDS = (
    Word("key", "the beginning of the key; so does a word alone", "key:FX88"),
    Word("state", "where it stands; in review if not said", "state:held", read=None, choices=STATES),
    Word("kind", "what kind of break", "kind:missing_in_b", read=None, choices=tuple(Break.Kind.values)),
    Word("reason", "the reason that weighs most", "-reason:UNKNOWN", read=None),
    Word("band", "how sure the reason is", "band:expedited", read=None, choices=(*BANDS, "")),
    Word("field", "a field that differs", "field:amount"),
    Word("proof", "whether each difference is proven", "proof:no", read=None, choices=YES_NO),
    Word("confidence", "the least sure of its reasons", "confidence<70%", read=share, limits=share),
    Word("amount", "its size, whatever the sign", "amount>1000", read=size, limits=size),
    Word("currency", "the amount's currency", "currency:EUR,USD"),
    Word("age", "how long it has been open", "age>2d", limits=span, read=None, choices=tuple(AGES)),
    Word("due", "when a person has to have decided", "due<4h", limits=span_or_day, read=None, choices=tuple(DUE)),
    Word("opened", "the day on which it opened", "opened>=2026-11-20", read=day, limits=day),
    Word("closed", "the day on which it closed", "closed:2026-11-20", read=day, limits=day),
    Word("date", "the business date of its last run", "date:2026-11-20", read=day, limits=day),
    Word("assigned", "who looks after it", "assigned:me", choices=(ME, NOBODY, OTHERS)),
    Word("held", "whether it is on hold", "held:yes", read=None, choices=YES_NO),
    Word("party", "whose answer it is on hold for", 'party:"Nordbank AG"'),
    Word("reconciliation", "the reconciliation's code", "reconciliation:fx", read=None),
    Word("source", "one of the two sources' code", "source:ledger", read=None),
    Word("run", "the last run that met it", "run:12", read=identity),
    Word("incident", "the incident that it belongs to", "incident:3", read=identity),
)  # fmt: skip
WORDS: Mapping[str, Word] = {it.name: it for it in _WORDS}
ALSO = {"assignee": "assigned", "size": "amount", "is": "state", "confident": "confidence"}
ALSO_VALUE = {
    ("assigned", "none"): NOBODY,
    ("state", "open"): Break.State.REVIEW.value,
    ("reason", NONE): "",
    ("band", NONE): "",
}
