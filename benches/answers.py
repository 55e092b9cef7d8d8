"""Are two answers the same? Rows of auditql and of DuckDB as JSON in, in what they differ out."""

import json
import re


def canonical(value):
    """Times with six digits and `Z`, floats to twelve digits, the rest as it is."""
    if isinstance(value, dict):
        return {key: canonical(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [canonical(inner) for inner in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else float(f"{value:.12g}")
    if isinstance(value, str) and (time_ := re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|\+00(?::00)?)", value)):
        return f"{time_[1]}T{time_[2]}.{time_[3] or '':0<6}Z"
    return value


def compared(mine, theirs):
    """Nothing when the answers are equal, else in what they differ."""
    mine, theirs = ([canonical(row) for row in rows] for rows in (mine, theirs))
    if mine == theirs:
        return ""
    if len(mine) != len(theirs):
        return f"DIFFERENT: {len(mine)} and {len(theirs)} rows"
    if all(one == other for one, other in zip(*(sorted(rows, key=str_of) for rows in (mine, theirs)))):
        return "same rows, other order"
    one, other = next(pair for pair in zip(mine, theirs) if pair[0] != pair[1])
    apart = {key: (one.get(key), other.get(key)) for key in one | other if one.get(key, "absent") != other.get(key, "absent")}
    return f"DIFFERENT: {str(apart)[:300]}"


def str_of(row):
    return json.dumps(row, sort_keys=True)
