"""Reading a query: `reason:UNKNOWN amount>1000 -kind:gate "FX 88"`. No part of it ever becomes SQL or a pattern."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from review.nul import NO_NUL
from review.query.terms import COMPARED, IS, RANGE, BadQuery, Term
from review.query.words import ALL, ALSO, ALSO_VALUE, LONGEST_VALUE, NONE, WORDS, Word

LONGEST, MOST_TERMS, MOST_VALUES = 1000, 30, 50
HELD, SHOWN = "held", "review"  # states that `held:yes` and `held:no` stand for
Known = Mapping[str, Callable[[], Sequence[str]]]
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def parse(text: str, known: Known | None = None) -> tuple[Term, ...]:
    """The terms of a query. `known` gives the values of words that the database knows, such as reasons. BadQuery with a sentence
    that names the word where it cannot be read."""
    if "\0" in text:
        raise BadQuery(NO_NUL)
    if len(text) > LONGEST:
        raise BadQuery(f"The query has {len(text):,} characters; it may have {LONGEST:,}.")
    terms: list[Term] = []
    for piece in _pieces(text):
        if len(terms) == MOST_TERMS:
            raise BadQuery(f"The query has more than {MOST_TERMS} words. Take some off.")
        terms += [it for it in [_term(piece, known or {})] if it not in terms]
    _check_once(terms)
    return tuple(terms)


def _pieces(text: str) -> Iterator[str]:
    """What stands between blanks that are in no quotes; quotes stay."""
    piece, in_quotes, escaped = "", False, False
    for letter in text:
        if letter.isspace() and not in_quotes:
            if piece:
                yield piece
            piece = ""
            continue
        piece += letter
        if escaped:
            escaped = False
        elif in_quotes and letter == "\\":
            escaped = True
        elif letter == '"':
            in_quotes = not in_quotes
    if in_quotes:
        raise BadQuery(f"A quote is not closed: {piece[:40]}. End it with another one.")
    if piece:
        yield piece


def _term(piece: str, known: Known) -> Term:
    negated = piece.startswith("-") and len(piece) > 1
    body = piece[1:] if negated else piece
    name, op, rest = _split(body)
    if not op:
        return _term_of(WORDS["key"], IS, body, {}, negated=negated)
    return _term_of(_word(name), op, rest, known, negated=negated)


def _split(body: str) -> tuple[str, str, str]:
    """Word, operator and what follows; no operator where the piece begins with no word."""
    end = next((n for n, letter in enumerate(body) if letter not in _LETTERS), len(body))
    for op in (*COMPARED, IS, "="):
        if end and body.startswith(op, end):
            return body[:end], IS if op == "=" else op, body[end + len(op) :]
    return "", "", ""


def _word(name: str) -> Word:
    asked = name.casefold()
    word = WORDS.get(ALSO.get(asked, asked))
    if word is None:
        near = get_close_matches(asked, WORDS, n=1, cutoff=0.6)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise BadQuery(
            f"There is no word {name[:40]!r}.{meant} The words are {', '.join(WORDS)}. A key that holds a colon stands in quotes."
        )
    return word


def _term_of(word: Word, op: str, rest: str, known: Known, *, negated: bool) -> Term:
    if not rest:
        raise BadQuery(f"{word.name}{op} has no value; write it as {word.example}.")
    if op != IS:
        return _limit(word, op, rest, negated=negated)
    ends = _listed(rest, RANGE)
    if len(ends) > 1 and word.limits is not None:
        return _range(word, ends, negated=negated)
    texts = _listed(rest, ",") if word.name != "key" or rest.startswith('"') else [rest]
    return _any_of(word, texts, known, negated=negated)


def _any_of(word: Word, texts: Sequence[str], known: Known, *, negated: bool) -> Term:
    if len(texts) > MOST_VALUES:
        raise BadQuery(f"{word.name} has {len(texts)} values; it may have {MOST_VALUES}.")
    there = tuple(known[word.name]()) if word.name in known else ()
    said = [ALSO_VALUE.get((word.name, _checked(word, it).casefold()), it) for it in texts]
    values = [word.value(it, there) for it in said]
    written = [(value or NONE) if isinstance(value, str) else text for value, text in zip(values, said, strict=True)]
    if word.name == "state" and ALL in values and (negated or len(values) > 1):
        raise BadQuery("state:all stands alone, without a minus and other states; leave all out, or the others.")
    if word.name == "held":
        return _any_of(WORDS["state"], [HELD if it == "yes" else SHOWN for it in written], {}, negated=negated)
    return Term(word.name, IS, tuple(values), tuple(written), negated)


def _limit(word: Word, op: str, rest: str, *, negated: bool) -> Term:
    if word.limits is None:
        raise BadQuery(f"{word.name} is not compared by {op}; write it as {word.example}.")
    if len(texts := _listed(rest, ",")) != 1:
        raise BadQuery(f"{word.name}{op} takes one value, without groups; write it as {word.name}{op}1000.")
    return Term(word.name, op, (word.limits(_checked(word, texts[0])),), (texts[0],), negated)


def _range(word: Word, ends: Sequence[str], *, negated: bool) -> Term:
    assert word.limits is not None
    if len(ends) != 2 or not all(ends):
        raise BadQuery(
            f"{word.name} has a range without two ends; write one limit as {word.name}>{ends[0][:40] or '…'}."
        )
    first, last = (word.limits(_checked(word, it)) for it in ends)
    if type(first) is not type(last) or first > last:  # type: ignore[operator]
        raise BadQuery(f"{word.name} has a range from {ends[0][:40]} to {ends[1][:40]}; write the lesser end first.")
    return Term(word.name, RANGE, (first, last), (ends[0], ends[1]), negated)


def _checked(word: Word, text: str) -> str:
    if not text:
        raise BadQuery(f"{word.name} has an empty value; write it as {word.example}.")
    if len(text) > LONGEST_VALUE:
        raise BadQuery(f"A value of {word.name} has {len(text)} characters; it may have {LONGEST_VALUE}.")
    return text


def _listed(text: str, mark: str) -> list[str]:
    """Values between marks that are in no quotes, without their quotes."""
    found: list[str] = []
    value, in_quotes, place = "", False, 0
    while place < len(text):
        letter = text[place]
        if in_quotes and letter == "\\" and place + 1 < len(text):
            value, place = value + text[place + 1], place + 2
        elif letter == '"':
            in_quotes, place = not in_quotes, place + 1
        elif not in_quotes and text.startswith(mark, place):
            found, value, place = [*found, value], "", place + len(mark)
        else:
            value, place = value + letter, place + 1
    return [*found, value]


def _check_once(terms: Sequence[Term]) -> None:
    """Two values of one word would never both hold."""
    seen: dict[str, Term] = {}
    for it in terms:
        if it.op != IS or it.negated:
            continue
        if (first := seen.setdefault(it.word, it)) is not it and it.word not in ("field", "incident"):
            raise BadQuery(_twice(first, it))


def _twice(first: Term, second: Term) -> str:
    if first.word == "key":
        return f"The query asks for two keys, {first.texts[0][:40]} and {second.texts[0][:40]}. Put a key with a blank in quotes."
    return f"{first.word} stands twice. For either of them write {first.text},{second.text.partition(IS)[2]}."
