"""Bank statements: opening balance, entries and closing balance have to agree; what does not is said, never mended."""

from dataclasses import dataclass, field
from decimal import Decimal

MANY, MOST = 20, 100  # statements of which each is told; sentences at most


@dataclass(frozen=True)
class Balance:
    """An amount with its sign, and its currency."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


@dataclass
class Statement:
    """One statement of a file as far as it was read."""

    name: str = ""
    account: str = ""
    number: str = ""
    declared: str = ""  # how many entries the statement says it has
    opening: Balance | None = None
    closing: Balance | None = None
    position: int = 0  # of the entry that is read, from 1
    entries: int = 0
    unread: int = 0
    currencies: set[str] = field(default_factory=set)
    total: Decimal = Decimal(0)

    def add(self, amount: Decimal, currency: str) -> None:
        """An entry that was read."""
        self.entries += 1
        self.total += amount
        if currency:
            self.currencies.add(currency)

    @property
    def gap(self) -> Decimal | None:
        """Closing less opening less entries; None where it cannot be said."""
        if self.opening is None or self.closing is None or self.unread or self._currencies_differ():
            return None
        return self.closing.amount - self.opening.amount - self.total

    def _currencies_differ(self) -> bool:
        held = {it.currency for it in (self.opening, self.closing) if it}
        return len(held | self.currencies) > 1

    def told(self) -> str:
        """What the check found, in a sentence."""
        shown = "1 entry" if self.entries == 1 else f"{self.entries:,} entries"
        start = f"Statement {self.name}: {shown}, sum {self.total:f}; "
        opening, closing = f"opening {self.opening or 'missing'}", f"closing {self.closing or 'missing'}"
        if self.gap is not None:
            agreed = "they agree" if self.gap == 0 else f"they do not agree, gap {self.gap:f}"
            return f"{start}{opening}, {closing}: {agreed}.{self._miscounted()}"
        if self.unread:
            why = f"{self.unread} more could not be read"
        elif self.opening is None or self.closing is None:
            why = "without both there is nothing to check"
        else:
            why = "with several currencies there is no balance to check"
        return f"{start}{opening}, {closing}: {why}.{self._miscounted()}"

    @property
    def is_miscounted(self) -> bool:
        """Whether it says another number of entries than it has."""
        return self.declared.isdigit() and int(self.declared) != self.position

    def _miscounted(self) -> str:
        return (
            ""
            if not self.is_miscounted
            else f" It says that it has {int(self.declared):,}, but {self.position:,} are there."
        )


def told_of(statements: list[Statement]) -> list[str]:
    """A sentence for each statement; of very many, only for those that do not agree."""
    if len(statements) <= MANY:
        return [it.told() for it in statements] + missing_numbers(statements)
    odd = [it for it in statements if it.gap != 0]
    more = [f"{len(odd) - MOST:,} more statements do not agree or cannot be checked."] if len(odd) > MOST else []
    agreed = f"In {len(statements) - len(odd):,} of {len(statements):,} statements opening, entries and closing agree."
    return [agreed, *(it.told() for it in odd[:MOST]), *more, *missing_numbers(statements)[:MOST]]


def disagreeing(statements: list[Statement]) -> list[str]:
    """A sentence for each statement whose balances or count do not fit its entries, and for each number that is missing."""
    odd = [it.told() for it in statements if it.gap or it.is_miscounted]
    return [*odd, *missing_numbers(statements)][:MOST]


def missing_numbers(statements: list[Statement]) -> list[str]:
    """A sentence for each gap in the numbers of an account's statements."""
    last: dict[str, int] = {}
    notes = []
    for statement in statements:
        text = statement.number.split("/")[0]
        if not text.isdigit():
            continue
        number, before = int(text), last.get(statement.account)
        if before is not None and number not in (before, before + 1):
            notes.append(
                f"Statement {number} of account {statement.account} follows {before}; the numbers between are not in the file."
                if number > before
                else f"Statement {number} of account {statement.account} stands after {before}."
            )
        last[statement.account] = number
    return notes
