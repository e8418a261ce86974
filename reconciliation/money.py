"""Money: which field of a record is its amount, and which one is the amount's currency."""

from dataclasses import dataclass

from ingestion.shape import Leaf, Shape
from reconciliation.rules import Rules

CURRENCY_WORDS = ("currency", "ccy")


@dataclass(frozen=True)
class Money:
    """The leaf of the amount, and of its currency where records have one."""

    amount: Leaf
    currency: Leaf | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold them."""
        return (self.amount.column, *([self.currency.column] if self.currency else []))

    @property
    def places(self) -> int:
        """Digits behind the point."""
        return self.amount.places if self.amount.kind == "decimal" else 0


def money_sql(money: Money | None, prefix: str = "") -> str:
    """SQL of the columns `amount` and `currency`, from columns that bear a prefix."""
    columns = [*(f"{prefix}{column}" for column in (money.columns if money else ())), "NULL", "NULL"]
    return f"{columns[0]} AS amount, {columns[1]} AS currency"


def money_of(shape: Shape, rules: Rules) -> Money | None:
    """What the gate names as amount and currency; else the fields that are called so, else the only decimal. None where a
    record has no amount."""
    numbers = {leaf.name: leaf for leaf in shape.leaves if leaf.kind in ("decimal", "integer")}
    names = {leaf.name: leaf for leaf in shape.leaves if leaf.kind == "text"}
    declared: dict[str, object] = rules.document.get("gate") or {}  # type: ignore[assignment]
    decimals = [leaf.name for leaf in shape.leaves if leaf.kind == "decimal"]
    texts = [leaf.name for leaf in shape.leaves if leaf.kind == "text" and not leaf.key]
    called = [name for name in decimals if "amount" in name]
    currencies = [name for name in texts if any(word in name for word in CURRENCY_WORDS)]
    only = decimals if len(decimals) == 1 or currencies else []
    amount = next((it for it in (declared.get("amount_field"), "amount", *called, *only) if it in numbers), None)
    currency = next((it for it in (declared.get("currency_field"), "currency", *currencies) if it in names), None)
    if amount is None:
        return None
    return Money(numbers[str(amount)], names[str(currency)] if currency else None)
