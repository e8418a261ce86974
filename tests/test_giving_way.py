"""Workers give way to the web."""

import subprocess
import sys

SCRIPT = (
    "import os; from config.giving_way import give_way; before = os.nice(0); give_way(3); print(os.nice(0) - before)"
)


def test_a_process_gives_way() -> None:
    assert subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout == "3\n"
