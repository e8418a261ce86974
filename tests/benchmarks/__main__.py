"""The whole path and the difference stage, measured, beside their peers in the same run.

python -m tests.benchmarks [--sizes N ...] [--peers N] [--naive N]

CPU seconds count: those of the client and of the database server together. Wall times suffer from whatever else the
machine does.
"""

import json
import os
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.cpu import Cost, cost_of, manage, told_by

SIZES = (1_000, 100_000, 1_000_000)
PEERS, NAIVE = 1_000_000, 20_000
NUMBERS = ("float", "exact")  # the peer's fastest, and what ours are


def whole_path(folder: Path, sizes: Sequence[int]) -> Cost:
    """Files to store through `reconcile`, process start included; the largest size has a second day, into the filled
    tables. Gives the first day's cost of the largest size."""
    print("Whole path, files to store, `manage.py reconcile` with its start; stage seconds as it reports them")
    print(f"{'pairs':>12}{'wall s':>8}{'client':>8}{'server':>8}{'us/pair':>8}{'peak MB':>8}  stages")
    cost = Cost(0, 0, 0, 0)
    for pairs in sizes:
        _write(pairs, folder)
        cost_of(manage("define", str(folder / "definition.yaml")))
        cost = _reconciled(folder, pairs, "2026-01-05", f"{pairs:,}")
    if sizes:
        _write(sizes[-1], folder, day=2)
        _reconciled(folder, sizes[-1], "2026-01-06", "second day")
    return cost


def _write(pairs: int, folder: Path, *, day: int = 1) -> None:
    """In a process of its own: a large parent would pass for its children's peak."""
    cost_of([sys.executable, "-m", "tests.benchmarks.pairs", str(pairs), str(folder), str(day)])


def _reconciled(folder: Path, pairs: int, date: str, name: str) -> Cost:
    report = folder / "report.json"
    files = ("--a", str(folder / "a.csv"), "--b", str(folder / "b.csv"))
    cost = cost_of(manage("reconcile", f"bench_{pairs}", *files, "--date", date, "--json", str(report)))
    stages = json.loads(report.read_text(encoding="utf-8"))["seconds"]
    told = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in stages.items())
    micro = cost.cpu / pairs * 1_000_000
    print(
        f"{name:>12}{cost.wall:>8.1f}{cost.client:>8.1f}{cost.server:>8.1f}{micro:>8.1f}{cost.peak:>8.0f}  {told}",
        flush=True,
    )
    return cost


def naive_pipeline(folder: Path, pairs: int, ours: float) -> None:
    """The naive pipeline, a record at a time and in batches; `ours` are our CPU seconds a pair."""
    _write(pairs, folder)
    print(
        "\nNaive per-row pipeline of our own: csv, dictionaries, Decimal, Django's ORM (it does less than the product)"
    )
    for way in ("row", "batch"):
        cost = cost_of([sys.executable, "-m", "tests.benchmarks.naive", str(folder), way])
        name = "a save per record" if way == "row" else "batches of 1,000"
        times = f"{cost.cpu / pairs / ours:>6.1f} times our CPU a pair" if ours else ""
        micro = cost.cpu / pairs * 1_000_000
        print(
            f"{name:>20} {pairs:>9,}{cost.wall:>8.1f}{cost.client:>8.1f}{cost.server:>8.1f}{micro:>8.1f}{times}",
            flush=True,
        )


def difference_stage(folder: Path, pairs: int) -> None:
    """Ours, then datacompy on pandas and polars, each in a fresh process, the clock running after its imports."""
    _write(pairs, folder)
    cost_of([sys.executable, "-m", "tests.benchmarks.difference", str(folder), "write"])
    print(
        f"\nDifference stage, {pairs:,} pairs, typed Parquet in, differing cells out; the clock starts after the imports"
    )
    print(f"{'':>26}{'CPU s':>8}{'wall s':>8}{'peak MB':>8}{'ours x':>8}  cells")
    ours = _told("Tieout", [sys.executable, "-m", "tests.benchmarks.difference", str(folder)], None)
    peer = os.environ.get("PEER_PYTHON")
    if not peer:
        print("PEER_PYTHON names no Python with datacompy; `make bench` does.")
        return
    script = str(Path(__file__).with_name("peer_datacompy.py"))
    for numbers in NUMBERS:
        for engine in ("pandas", "polars"):
            _told(f"datacompy {engine}, {numbers}", [peer, script, str(folder), engine, numbers], ours)


def _told(name: str, command: Sequence[str], ours: float | None) -> float:
    told = told_by(command)
    ratio = f"{told['cpu'] / ours:>8.1f}" if ours else " " * 8
    print(
        f"{name:>26}{told['cpu']:>8.2f}{told['wall']:>8.2f}{told['peak']:>8.0f}{ratio}  {told['found']['cells']}",
        flush=True,
    )
    return float(told["cpu"])


def main() -> None:
    """The tables, one after the other."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="pairs of the whole path")
    parser.add_argument("--peers", type=int, default=PEERS, help="pairs of the difference stage; 0 leaves it out")
    parser.add_argument("--naive", type=int, default=NAIVE, help="pairs of the naive pipeline; 0 leaves it out")
    given = parser.parse_args()
    cost_of(manage("migrate", "-v0"))
    with tempfile.TemporaryDirectory() as name:
        cost = whole_path(Path(name), given.sizes)
        if given.naive:
            naive_pipeline(Path(name), given.naive, cost.cpu / given.sizes[-1] if given.sizes else 0.0)
        if given.peers:
            difference_stage(Path(name), given.peers)


if __name__ == "__main__":
    main()
