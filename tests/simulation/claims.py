"""What plain rules say of a world's differences, in the provers' place; the real ones ask for fields that a world has not."""

import numpy as np
import pandas as pd


def claimed(rows: pd.DataFrame) -> pd.DataFrame:
    """With `claim`, the reason that the rules lean to, or empty."""
    a, b = rows["value_a"], rows["value_b"]
    x = pd.to_numeric(a.where(rows["kind"] == "number"), errors="coerce")
    y = pd.to_numeric(b.where(rows["kind"] == "number"), errors="coerce")
    with np.errstate(all="ignore"):
        tens = np.abs(np.log10(np.abs(y / x)))
    days = (
        pd.to_datetime(b.where(rows["kind"] == "date")) - pd.to_datetime(a.where(rows["kind"] == "date"))
    ).dt.days.abs()
    text = rows["kind"] == "text"
    plain_a, plain_b = (it.str.casefold().str.replace(r"[ -]", "", regex=True) for it in (a, b))
    rules = {
        "SIGN_FLIP": np.abs(x + y) < 1e-9,
        "SCALE_ERR": np.abs(tens - tens.round()) < 1e-9,
        "ROUNDING_DIFF": (np.abs(x.round(0) - y) < 1e-9) | (np.abs(x.round(1) - y) < 1e-9),
        "TIMING_LAG": days.between(1, 3),
        "FORMAT_VARIANT": text & (plain_a == plain_b),
        "TRUNCATION_ERR": text
        & pd.Series([one.startswith(other) for one, other in zip(a, b, strict=True)], index=a.index),
        "MANUAL_ENTRY_ERR": a.map(sorted).map(tuple) == b.map(sorted).map(tuple),
    }
    return rows.assign(claim=np.select([np.asarray(it, bool) for it in rules.values()], list(rules), default=""))
