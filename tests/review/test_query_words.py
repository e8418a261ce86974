"""Queries as they are written: what they mean, and what is refused, with words."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.query import WORDS, Asked, BadQuery, asked_of, parse
from review.query.parse import LONGEST, MOST_TERMS, MOST_VALUES
from review.query.terms import quoted

KNOWN = {
    "reason": lambda: ["", "UNKNOWN", "SIGN_FLIP"],
    "reconciliation": lambda: ["trades"],
    "source": lambda: ["left"],
}


def _said(text: str) -> list[tuple[str, str, tuple[object, ...], bool]]:
    return [(it.word, it.op, it.values, it.negated) for it in parse(text, KNOWN)]


@pytest.mark.parametrize(
    ("text", "word", "op", "values", "negated"),
    [
        ("reason:UNKNOWN", "reason", ":", ("UNKNOWN",), False),
        ("reason=unknown", "reason", ":", ("UNKNOWN",), False),
        ("-reason:sign_flip,UNKNOWN", "reason", ":", ("SIGN_FLIP", "UNKNOWN"), True),
        ("reason:none", "reason", ":", ("",), False),
        ("amount>1000", "amount", ">", (Decimal(1000),), False),
        ("amount<=12.50", "amount", "<=", (Decimal("12.50"),), False),
        ("amount:10..20", "amount", "..", (Decimal(10), Decimal(20)), False),
        ("age>2d", "age", ">", (dt.timedelta(days=2),), False),
        ("age:1d", "age", ":", ("1d",), False),
        ("age:4h..1w", "age", "..", (dt.timedelta(hours=4), dt.timedelta(weeks=1)), False),
        ("due:overdue", "due", ":", ("overdue",), False),
        ("due<4h", "due", "<", (dt.timedelta(hours=4),), False),
        ("due>=2026-11-20", "due", ">=", (dt.date(2026, 11, 20),), False),
        ("opened:2026-11-20..2026-11-21", "opened", "..", (dt.date(2026, 11, 20), dt.date(2026, 11, 21)), False),
        ("confidence<70%", "confidence", "<", (Decimal("0.7"),), False),
        ("assignee:none", "assigned", ":", ("nobody",), False),
        ("assigned:ann", "assigned", ":", ("ann",), False),
        ("held:yes", "state", ":", ("held",), False),
        ("-held:yes", "state", ":", ("held",), True),
        ("state:open", "state", ":", ("review",), False),
        ("FX88", "key", ":", ("FX88",), False),
        ("key:A,B", "key", ":", ("A,B",), False),
        ('"FX 88:1"', "key", ":", ("FX 88:1",), False),
        ('-"FX 88"', "key", ":", ("FX 88",), True),
        ('party:"Acme \\"B\\", Ltd"', "party", ":", ('Acme "B", Ltd',), False),
        ("run:12", "run", ":", (12,), False),
        ("source:left", "source", ":", ("left",), False),
    ],
)
def test_a_term_means(text: str, word: str, op: str, values: tuple[object, ...], negated: bool) -> None:  # noqa: FBT001
    assert _said(text) == [(word, op, values, negated)]
    assert _said(Asked(parse(text, KNOWN)).text) == _said(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("foo:1", "There is no word 'foo'. The words are key, state, kind, reason,"),
        ("reson:UNKNOWN", "There is no word 'reson'. Did you mean reason? The words are key, state,"),
        ("FX:88", "A key that holds a colon stands in quotes."),
        ("reason:UNKNWN", "reason has no value 'UNKNWN'; did you mean 'UNKNOWN'?"),
        ("state:", "state: has no value; write it as state:held."),
        ("kind:difering", "kind has no value 'difering'; did you mean 'differing'?"),
        ("age:5d", "It is compared too, as in age>2d."),
        ("kind>differing", "kind is not compared by >; write it as kind:missing_in_b."),
        ("amount>1,000", "amount> takes one value, without groups; write it as amount>1000."),
        ("amount>much", "'much' is no number; write it as 1000 or 12.50."),
        ("amount>1e99", "'1e99' is too large"),
        ("amount>1e-99", "'1e-99' is too fine"),
        ("amount>nan", "'nan' is too large"),
        ("amount>-5", "amount is compared whatever its sign; write 5 for -5."),
        ("amount:20..10", "amount has a range from 20 to 10; write the lesser end first."),
        ("amount:10..", "amount has a range without two ends; write one limit as amount>10."),
        ("age>2", "'2' is no time; write it as 30min, 4h, 2d or 1w."),
        ("opened:9999-12-31", "'9999-12-31' is no day; write it as 2026-11-20."),
        ("due:2d..2026-11-20", "due has a range from 2d to 2026-11-20"),
        ("confidence>7", "'7' is no share; write it as 0.9 or 90%."),
        ("-state:all", "state:all stands alone, without a minus and other states"),
        ("run:x", "'x' is no number of one; write it as 12."),
        ("reason:UNKNOWN reason:SIGN_FLIP", "reason stands twice. For either of them write reason:UNKNOWN,SIGN_FLIP."),
        ("FX 88", "The query asks for two keys, FX and 88. Put a key with a blank in quotes."),
        ('key:"FX', 'A quote is not closed: key:"FX. End it with another one.'),
        ("currency:EUR,", "currency has an empty value; write it as currency:EUR,USD."),
        ("a\0b", "A text holds a NUL character"),
        ("x" * (LONGEST + 1), "The query has 1,001 characters; it may have 1,000."),
        (" ".join(f"-key:{n}" for n in range(MOST_TERMS + 1)), "The query has more than 30 words."),
        ("field:" + ",".join(map(str, range(MOST_VALUES + 1))), "field has 51 values; it may have 50."),
        ("field:" + "x" * 201, "A value of field has 201 characters; it may have 200."),
    ],
)
def test_what_cannot_be_read_is_refused_with_words(text: str, sentence: str) -> None:
    with pytest.raises(BadQuery) as refused:
        parse(text, KNOWN)
    assert sentence in str(refused.value)


def test_every_word_reads_its_own_example() -> None:
    for word in WORDS.values():
        (term,) = parse(word.example, {})
        assert term.word == ("state" if word.name == "held" else word.name)


def test_the_older_names_of_an_address_and_the_query_are_one() -> None:
    asked = asked_of({"kind": "gate", "key": "FX 88", "q": "amount>5", "order": "amount", "reason": ""}, KNOWN)
    assert asked.text == 'kind:gate key:"FX 88" amount>5'
    with pytest.raises(BadQuery):
        asked_of({"kind": "gate", "q": "kind:differing"}, KNOWN)


def test_a_click_sets_a_word_in_its_place_and_takes_it_off() -> None:
    asked = Asked(parse("kind:gate reason:UNKNOWN amount>5", KNOWN))
    assert asked.having("kind", "differing").text == "kind:differing reason:UNKNOWN amount>5"
    assert asked.having("band", "").text == "kind:gate reason:UNKNOWN amount>5 band:none"
    assert asked.without("reason").text == "kind:gate amount>5"
    assert (asked.state, Asked(parse("state:all")).state, Asked(parse("-state:held")).state) == ("review", "", "")


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        terms = parse(text, KNOWN)
    except BadQuery as refused:
        assert str(refused)
        return
    assert parse(Asked(terms).text, KNOWN) == terms


@given(st.text(min_size=1, max_size=60).filter(lambda it: "\0" not in it))
def test_any_value_can_be_written(text: str) -> None:
    (term,) = parse(f"-party:{quoted(text)}", KNOWN)
    assert term.values == (text,)


@given(
    st.lists(
        st.sampled_from([*(it.example for it in WORDS.values()), "-", ":", "..", ",", '"', "\\", "<", ">5", " ", "é"]),
        max_size=8,
    )
)
def test_pieces_of_queries_are_read_or_refused(pieces: list[str]) -> None:
    test_any_text_is_read_or_refused.hypothesis.inner_test("".join(pieces))  # type: ignore[attr-defined]
