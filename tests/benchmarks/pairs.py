"""Seeded pairs of 11 fields with two references: the benchmark's input.

python -m tests.benchmarks.pairs PAIRS FOLDER [DAY]
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 20261120
PARTIES, TRADERS = 400, 60
DEFINITION = """
record_types:
  party@: {fields: {name: {type: text, key: true}, country: {type: text}}}
  trader@: {fields: {code: {type: text, key: true}}}
  deal@:
    fields:
      id: {type: text, key: true}
      day: {type: date}
      settles: {type: date}
      party: {type: reference, to: party@}
      trader: {type: reference, to: trader@}
      book: {type: text}
      side: {type: text, choices: [BUY, SELL]}
      currency: {type: text}
      amount: {type: decimal, digits: 18, places: 2}
      rate: {type: decimal, digits: 12, places: 6}
      note: {type: text}
sources:
  bench_a@: {record_type: deal@, mapping: &m {id: {column: id}, day: {column: day}, settles: {column: settles}, party.name: {column: party}, party.country: {column: country}, trader.code: {column: trader}, book: {column: book}, side: {column: side}, currency: {column: currency}, amount: {column: amount}, rate: {column: rate}, note: {column: note}}}
  bench_b@: {record_type: deal@, mapping: *m}
reconciliations:
  bench@: {a: bench_a@, b: bench_b@, compare: {amount: {absolute: "0.01"}, rate: {absolute: "0.0001"}}}
"""


def write_pairs(pairs: int, folder: Path, *, day: int = 1) -> None:
    """Write a.csv and b.csv with `pairs` keys, 8 % of B's rows altered, 1 % missing a side, 0.1 % twice; and the
    definition of `bench_<pairs>`, whose record types and tables are its own.

    The second day has the first one's keys but for a tenth that is new; of the others every twentieth has a new amount.
    """
    rng = np.random.default_rng(SEED)
    left = _rows(rng, pairs)
    if day > 1:
        left = _next_day(left, pairs)
        rng = np.random.default_rng(SEED + day)
    right = left.copy()
    order = rng.permutation(pairs)
    cut = [int(pairs * share) for share in (0.03, 0.05, 0.06, 0.07, 0.08)]
    cents = np.round(right["amount"].to_numpy() * 100)
    cents[order[: cut[0]]] = np.round(cents[order[: cut[0]]] / 100) * 100
    cents[order[cut[0] : cut[1]]] *= -1
    cents[order[cut[1] : cut[2]]] += rng.integers(500, 90_000, cut[2] - cut[1])
    right["amount"] = cents / 100
    right.loc[order[cut[2] : cut[3]], "settles"] = "2026-11-25"
    right.loc[order[cut[3] : cut[4]], "note"] = "another text"
    lonely = pairs // 100
    right = right.drop(index=order[-lonely:])
    left = left.drop(index=order[-2 * lonely : -lonely])
    right = pd.concat([right, right.iloc[: pairs // 1000]])
    right = right.sample(frac=1, random_state=SEED)
    left.to_csv(folder / "a.csv", index=False, float_format=None)
    right.to_csv(folder / "b.csv", index=False)
    (folder / "definition.yaml").write_text(DEFINITION.replace("@", f"_{pairs}"), encoding="utf-8")


def _next_day(rows: pd.DataFrame, pairs: int) -> pd.DataFrame:
    fresh = pairs // 10
    rows.loc[rows.index[:fresh], "id"] = np.char.add("E", np.arange(fresh).astype("U9"))
    changed = rows.index[fresh::20]
    rows.loc[changed, "amount"] = np.round(rows.loc[changed, "amount"] * 100 + 100) / 100
    return rows


def _rows(rng: np.random.Generator, pairs: int) -> pd.DataFrame:
    party = rng.integers(0, PARTIES, pairs)
    countries = np.array(["DE", "FR", "GB", "US", "CH"])
    return pd.DataFrame(
        {
            "id": np.char.add("D", np.arange(pairs).astype(str).astype(object).astype("U9")),
            "day": "2026-11-20",
            "settles": "2026-11-24",
            "party": np.char.add("Party number ", party.astype("U4")),
            "country": countries[party % len(countries)],
            "trader": np.char.add("t", rng.integers(0, TRADERS, pairs).astype("U4")),
            "book": np.array(["RATES", "SPOT", "OPTIONS"])[rng.integers(0, 3, pairs)],
            "side": np.array(["BUY", "SELL"])[rng.integers(0, 2, pairs)],
            "currency": np.array(["EUR", "USD", "GBP"])[rng.integers(0, 3, pairs)],
            "amount": rng.integers(10_000, 900_000_000, pairs) / 100,
            "rate": rng.integers(900_000, 1_400_000, pairs) / 1_000_000,
            "note": np.char.add("note ", rng.integers(0, 9999, pairs).astype("U4")),
        }
    )


if __name__ == "__main__":
    write_pairs(int(sys.argv[1]), Path(sys.argv[2]), day=int(sys.argv[3]) if len(sys.argv) > 3 else 1)
