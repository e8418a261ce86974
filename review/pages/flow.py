"""The record flow of the dashboard: a Sankey diagram of a run's rows, each mark a link to their list, and its table."""

from collections import Counter
from typing import Any

from django.urls import reverse

from reconciliation.conservation import MATCHED, NOT_COMPARED, STATES
from reconciliation.models import Break
from review.pages.strip import rows_url, title_of
from review.sankey import Band, Node, sankey

KINDS = dict(Break.Kind.choices)
OUTCOMES = {MATCHED: "Matched", **KINDS, NOT_COMPARED: "Not compared"}
ORDER = (("a", "b"), tuple(OUTCOMES), STATES)
TONES = {
    "in_review": "warn",
    "rejected": "bad",
    "stored": "acc",
    "differing": "acc",
    "superseded": "q",
    "quarantined": "q",
}
Titles = dict[str, str]


def flow(told: dict[str, Any], sides: Titles) -> dict[str, Any]:
    """The diagram and its table, of a reconciliation's figures; `sides` titles the sources."""
    run, date = told["run"]["id"], told["run"]["date"]
    rows: Counter[tuple[str, str, str]] = Counter()
    for side, outcome, state, count in told["streams"]:
        rows[side, outcome, state] += count
    drawn = sankey(rows, ORDER, (MATCHED,))
    titles = {**{state: title_of(state) for state in STATES}, **OUTCOMES}
    return {
        "nodes": [_node(it, _titles(it.column, titles, sides), run, date) for it in drawn.nodes],
        "bands": [_band(it, titles, sides, run, date) for it in drawn.bands],
        "is_cut": drawn.is_cut,
        "lines": [
            {"side": sides[side], "outcome": OUTCOMES[outcome], "state": title_of(state), "rows": count,
             "url": _url(run, date, outcome, state)}
            for (side, outcome, state), count in rows.items()
        ],
    }  # fmt: skip


def _titles(column: int, titles: Titles, sides: Titles) -> Titles:
    return sides if column == 0 else OUTCOMES if column == 1 else {state: title_of(state) for state in STATES}


def _node(node: Node, titles: Titles, run: int, date: str) -> dict[str, Any]:
    outcome, state = (node.name if node.column == it else "" for it in (1, 2))
    return {"at": node, "title": titles[node.name], "tone": _tone(node), "url": _url(run, date, outcome, state)}


def _band(band: Band, titles: Titles, sides: Titles, run: int, date: str) -> dict[str, Any]:
    outcome = band.target.name if band.source.column == 0 else band.source.name
    state = band.target.name if band.target.column == 2 else ""
    start = _titles(band.source.column, titles, sides)[band.source.name]
    return {
        "at": band,
        "title": f"{start} to {_titles(band.target.column, titles, sides)[band.target.name]}: {band.rows:,} rows",
        "tone": _tone(band.target) if outcome != MATCHED else "",
        "url": _url(run, date, outcome, state),
    }


def _tone(node: Node) -> str:
    return TONES.get(node.name, "acc" if node.column == 1 and node.name in KINDS else "")


def _url(run: int, date: str, outcome: str, state: str) -> str:
    """Where these rows are listed: by their break's kind in the queue, else as the strip has it."""
    if outcome not in KINDS:
        return rows_url(run, date, state)
    listed = {"in_review": "review", "rejected": "rejected"}.get(state, "all")
    return f"{reverse('queue')}?run={run}&kind={outcome}&state={listed}"
