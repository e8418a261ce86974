"""The rule of promotion: what a model must show before it may speak, condition by condition, with the numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from attribution.artifacts import check_bytes
from attribution.certificates import told, valid_certificate
from attribution.challenge import MOST_LOST, worse
from attribution.models import ModelVersion
from attribution.registry import champion_of
from ingestion.lake import AlteredFile
from reconciliation.rules import Rules


@dataclass(frozen=True)
class Condition:
    """One condition of the rule: `artifact`, `certificate`, `comparison` or `recalls`."""

    code: str
    holds: bool
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """What the rule says of a model now."""

    conditions: tuple[Condition, ...]

    @property
    def allows(self) -> bool:
        """Whether it may be promoted without a comment."""
        return all(it.holds for it in self.conditions)

    @property
    def failing(self) -> str:
        """The sentences of what does not hold."""
        return " ".join(it.sentence for it in self.conditions if not it.holds)

    def document(self) -> list[list[object]]:
        """Code, whether it holds, sentence."""
        return [[it.code, it.holds, it.sentence] for it in self.conditions]


def verdict_of(model: ModelVersion) -> Verdict:
    """Whether the rule allows a model to be promoted now."""
    return Verdict((_artifact(model), *_certificate(model), *_comparison(model)))


def _artifact(model: ModelVersion) -> Condition:
    try:
        check_bytes(model)
    except AlteredFile as error:
        return Condition("artifact", holds=False, sentence=str(error))
    return Condition("artifact", holds=True, sentence="Its artifact is as it was written.")


def _certificate(model: ModelVersion) -> Iterator[Condition]:
    budget = Rules(model.reconciliation.rules).gate.budget
    if not budget:
        return
    share = f"{Decimal(budget) * 100:.0f} %"
    if (found := valid_certificate(model, Decimal(budget))) is None:
        sentence = f"It holds no valid certificate for the gate's budget of {share}, so nothing would pass."
        yield Condition("certificate", holds=False, sentence=sentence)
    else:
        sentence = f"It holds a certificate for the gate's budget of {share}, from labels later than those it learned from: {told(found)}."
        yield Condition("certificate", holds=True, sentence=sentence)


def _comparison(model: ModelVersion) -> Iterator[Condition]:
    champion, found = champion_of(model.reconciliation), model.metrics.get("challenge") or {}
    if champion == model:
        yield Condition("comparison", holds=True, sentence="It is the champion.")
    elif champion is None:
        yield Condition("comparison", holds=True, sentence=_alone(model.metrics))
    elif found.get("champion") != champion.version:
        yield Condition("comparison", holds=False, sentence=_not_asked(found, champion))
    else:
        yield _better(found)
        yield _recalls(found)


def _alone(metrics: Mapping[str, Any]) -> str:
    shares = [
        _share(it["passes"], it["labels"]) for it in (metrics.get("gate"), metrics.get("provers", {}).get("gate")) if it
    ]
    if len(shares) < 2:
        return "There is no champion to compare it with."
    return f"There is no champion to compare it with. Of the later labels {shares[0]} would pass, with the provers alone {shares[1]}."


def _not_asked(found: Mapping[str, Any], champion: ModelVersion) -> str:
    try:
        check_bytes(champion)
    except AlteredFile as error:
        return f"The champion, model {champion.version}, cannot be asked. {error}"
    before = f"It was compared with model {found['champion']}" if found else "It was compared with no champion"
    return f"{before}, and model {champion.version} is the champion now. Train again to compare the two."


def _better(found: Mapping[str, Any]) -> Condition:
    ours, theirs = found["passes"]
    loss, their_loss = found["log_loss"]
    gain = found["gain_at_least"]
    sentence = (
        f"On the same {found['labels']:,} later labels {_share(ours, found['records'])} of the records would pass, with model "
        f"{found['champion']} {_share(theirs, found['records'])}; log loss {loss:.3f} and {their_loss:.3f}, better by {gain:.3f} at least."
    )
    if found["learned"]:
        sentence += f" Model {found['champion']} has learned from {found['learned']:,} of them."
    return Condition("comparison", holds=ours >= theirs or gain > 0, sentence=sentence)


def _recalls(found: Mapping[str, Any]) -> Condition:
    recalls: Mapping[str, Sequence[float]] = found["recalls"]
    if not (lost := worse(recalls)):
        sentence = f"No reason is surely found less often by more than {MOST_LOST * 100:.0f} points."
        return Condition("recalls", holds=True, sentence=sentence)
    told_of = "; ".join(
        f"{reason} {recalls[reason][1]:.0f} of {recalls[reason][0]:.0f}, with model {found['champion']} {recalls[reason][2]:.0f}"
        for reason in lost
    )
    return Condition(
        "recalls", holds=False, sentence=f"It finds less often, by more than {MOST_LOST * 100:.0f} points: {told_of}."
    )


def _share(part: float, whole: float) -> str:
    return f"{part / whole * 100:.1f} %" if whole else "nothing"
