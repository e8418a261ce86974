"""The whole path, measured: files to store through `reconcile`, each size on an empty database's tables of its own run.

python -m tests.benchmarks [PAIRS ...]
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.pairs import write_pairs

SIZES = (1_000, 100_000, 1_000_000)


def measure(pairs: int) -> str:
    """One line: pairs, wall seconds, client CPU seconds, peak MB, stage seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pairs(pairs, folder)
        _manage("define", str(folder / "definition.yaml"))
        report = folder / "report.json"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        files = ("--a", str(folder / "a.csv"), "--b", str(folder / "b.csv"))
        _manage("reconcile", "bench", *files, "--date", f"{2000 + len(str(pairs))}-01-03", "--json", str(report))
        wall = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        told = json.loads(report.read_text(encoding="utf-8"))
        return (
            f"{pairs:>10,}{wall:>9.1f}{cpu:>9.1f}{after.ru_maxrss / 1024:>9.0f}  {told['seconds']}  {told['records']}"
        )


def _manage(*arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """A line per size."""
    _manage("migrate", "-v0")
    print(f"{'pairs':>10}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}  stages, records")
    for pairs in map(int, sys.argv[1:] or SIZES):
        print(measure(pairs), flush=True)


if __name__ == "__main__":
    main()
