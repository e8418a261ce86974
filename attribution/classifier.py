"""The classifier: from differences to reasons with a confidence, a proof and the next best candidates. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher

from attribution.provers.evidence import UNKNOWN, Candidate, Context, Difference, Setting
from attribution.provers.registry import ANY, PROVERS, Prover, Says
from attribution.provers.rivals import chance_ways, clear

FLOOR = Decimal("0.50")  # below it the reason is UNKNOWN, and the best guess stays beside it
BANDS = ((Decimal("0.90"), "straight"), (Decimal("0.70"), "expedited"), (FLOOR, "standard"))
ROW_REASONS = {
    "missing_in_a": ("MISSING_SOURCE_A", "Only B has this record."),
    "missing_in_b": ("MISSING_SOURCE_B", "Only A has this record."),
    "duplicate": ("DUPLICATE_ENTRY", "The key stands more than once on a side."),
}
NOTHING = Setting()
ALIKE = 0.6  # of two texts: below it, likeness says nothing


@dataclass(frozen=True)
class Attribution:
    """What is said of one difference. `best_reason` is never UNKNOWN while there is a candidate."""

    reason: str
    best_reason: str
    functional: bool | None
    confidence: Decimal
    proof: str
    candidates: tuple[Candidate, ...]
    assigned_by: str


@dataclass(frozen=True)
class Voice:
    """A prover as it speaks in one run: with the reason and confidence that the run's settings give it."""

    prover: Prover
    says: Says
    reason: str
    functional: bool | None
    confidence: Decimal

    def candidate(self, sentence: str, rivals: Sequence[int], chance: int) -> Candidate:
        """What it said, beside the ways of other reasons that fit, and those of chance."""
        prover = self.prover
        is_proof = not prover.hint and clear(prover.ways, (chance, *rivals))
        doubted = prover.guessed if chance < prover.ways else prover.doubted
        confidence = self.confidence if is_proof or prover.hint else min(self.confidence, doubted)
        return Candidate(prover.code, self.reason, self.functional, confidence, sentence, is_proof)


def explain(differences: Sequence[Difference], context: Context) -> list[Attribution]:
    """An attribution per difference, in order."""
    chosen: dict[tuple[str, bool], list[Voice]] = {}
    made = []
    for difference in differences:
        kind = difference.leaf.kind if difference.leaf is not None else "text"
        mark = (kind, difference.kind == "type")
        if mark not in chosen:
            chosen[mark] = [_voice(p, context) for p in PROVERS if _speaks(p, *mark, context)]
        made.append(_attribution(_candidates(difference, chosen[mark], context)))
    return made


def _speaks(prover: Prover, kind: str, is_flagged: bool, context: Context) -> bool:  # noqa: FBT001
    if is_flagged and not prover.flagged or not is_flagged and prover.code in ("format", "data_type"):
        return False
    return kind in prover.kinds and context.settings.get(prover.code, NOTHING).active


def _voice(prover: Prover, context: Context) -> Voice:
    setting = context.settings.get(prover.code, NOTHING)
    reason = setting.reason or prover.reason
    confidence = prover.confidence if setting.confidence is None else setting.confidence
    return Voice(prover, prover.in_run(context), reason, context.reasons.get(reason), confidence)


def _candidates(difference: Difference, voices: list[Voice], context: Context) -> list[Candidate]:
    """Proofs in the order of the provers, then hints by confidence: what is doubted is a hint."""
    if difference.kind == "missing":
        return []
    said = [(voice, sentence) for voice in voices if (sentence := voice.says(difference))]
    if not said:
        return _hints(difference, context)
    near = chance_ways(difference, ANY)
    made = [
        voice.candidate(
            sentence,
            [it.prover.ways for it, _ in said if it.reason != voice.reason],
            ANY if voice.prover.counts_near else near,
        )
        for voice, sentence in said
    ]
    return sorted(made, key=lambda it: (not it.proof, 0 if it.proof else -it.confidence))


def _hints(difference: Difference, context: Context) -> list[Candidate]:
    """Weak evidence where nothing reproduces B; never above the floor."""
    a, b = difference.value_a or "", difference.value_b or ""
    if len(a) > 200 or len(b) > 200 or not a or not b:
        return []
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.quick_ratio() < ALIKE or (alike := matcher.ratio()) < ALIKE:  # the quick one is an upper bound
        return []
    confidence = Decimal(str(round(0.45 * alike, 2)))
    sentence = f"The texts are {alike * 100:.0f} % alike, but no single slip turns A into B."
    reason = "MANUAL_ENTRY_ERR"
    return [Candidate("alike", reason, context.reasons.get(reason), confidence, sentence, proof=False)]


def _attribution(candidates: list[Candidate]) -> Attribution:
    three = tuple(_distinct(candidates)[:3])
    if not three:
        return Attribution(UNKNOWN, UNKNOWN, None, Decimal(0), "", (), "prover:none")
    best = three[0]
    if best.confidence < FLOOR:
        return Attribution(UNKNOWN, best.reason, None, best.confidence, "", three, f"prover:{best.prover}")
    proof = best.sentence if best.proof else ""
    return Attribution(
        best.reason, best.reason, best.functional, best.confidence, proof, three, f"prover:{best.prover}"
    )


def _distinct(candidates: list[Candidate]) -> list[Candidate]:
    """The first candidate of each reason."""
    if len(candidates) < 2:
        return candidates
    seen: Mapping[str, Candidate] = {c.reason: c for c in reversed(candidates)}
    return [c for c in candidates if seen[c.reason] is c]


def row_attribution(kind: str, sentence: str = "") -> Attribution:
    """What is said of a break of whole rows: certain, and always for a person."""
    reason, words = ROW_REASONS.get(kind, ("RECORD_CHECK", sentence))
    candidate = Candidate("row", reason, False, Decimal(1), sentence or words)
    return Attribution(reason, reason, False, Decimal(1), sentence or words, (candidate,), "prover:row")


def matched_late(days: int) -> Attribution:
    """A partner that came later and agrees: the lag is the proof."""
    sentence = (
        f"The partner came {days} day{'' if days == 1 else 's'} later and agrees."
        if days
        else "The partner came in a later run and agrees."
    )
    candidate = Candidate("late", "TIMING_LAG", True, Decimal(1), sentence)
    return Attribution("TIMING_LAG", "TIMING_LAG", True, Decimal(1), sentence, (candidate,), "prover:late")


def band(confidence: Decimal, reason: str) -> str:
    """The band in which people see a confidence."""
    if reason == UNKNOWN:
        return UNKNOWN
    return next(
        (name for limit, name in BANDS if (confidence > limit if name == "straight" else confidence >= limit)), UNKNOWN
    )
