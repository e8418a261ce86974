"""The peer of the difference stage: datacompy, in its own environment.

PEER_PYTHON tests/benchmarks/peer_datacompy.py FOLDER pandas|polars float|exact

Imports nothing of Tieout. Prints CPU and wall seconds after the imports, peak memory and what it found, as JSON.
"""

import json
import resource
import sys
import time
from typing import Any

ENGINE, NUMBERS = sys.argv[2:4]
if ENGINE == "pandas":
    import pandas as frames
    from datacompy import PandasCompare as Compare  # type: ignore[import-not-found]
else:
    import polars as frames  # type: ignore[import-not-found,no-redef]
    from datacompy import PolarsCompare as Compare  # type: ignore[import-not-found]

TOLERANCES = {"amount": 0.01, "rate": 0.0001}


def find(folder: str) -> dict[str, Any]:
    """Rows on one side only, and differing cells by column."""
    a, b = (frames.read_parquet(f"{folder}/{side}.{NUMBERS}.parquet") for side in ("a", "b"))
    found = Compare(a, b, join_columns=["id"], abs_tol=TOLERANCES)
    return {
        "cells": {it["column"]: int(it["unequal_cnt"]) for it in found.column_stats if it["unequal_cnt"]},
        "only_a": len(found.df1_unq_rows),
        "only_b": len(found.df2_unq_rows),
        "mismatches": len(found.all_mismatch()),
    }


def main() -> None:
    """Measure this process."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    found = find(sys.argv[1])
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"cpu": cpu, "wall": time.monotonic() - began, "peak": after.ru_maxrss / 1024, "found": found}))


if __name__ == "__main__":
    main()
