"""Rows that the user splits: strict, columns that are dropped, weights."""

import numpy as np
import polars as pl
import pytest

import thetahat as th
from thetahat.errors import DataError


def table(rows=60):
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    return pl.DataFrame({"x": x, "y": x + rng.normal(size=rows), "who": [f"p{k // 3}" for k in range(rows)]})


def compared(**options):
    return th.compare(table(), "y", ["linear"], tune="none", **options)


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"test": table().head(20), "drop": ["who"]}, "stand among the training rows"),
        ({"resampling": [(np.arange(40), np.arange(40, 60))], "group": "who"}, "both sides"),
    ],
)
def test_strict_stops_at_a_warning_about_the_split(options, cause):
    assert any(cause in warning.cause for warning in compared(**options).record.warnings)
    with pytest.raises(DataError, match=f"TH112 .*{cause}"):
        compared(**options, strict=True)


def test_a_column_can_be_dropped_beside_a_test_table():
    test = table().drop("who")
    assert compared(test=test, drop=["who"]).record.data.rows == 120
    with pytest.raises(DataError, match="TH101 .*no such column"):
        compared(test=test, drop=["who", "whom"])


def test_standard_errors_count_rows_and_not_weights():
    weight = np.random.default_rng(1).integers(1, 5, 60)
    light, heavy = (
        th.compare(
            table().with_columns(w=pl.Series(times * weight)), "y", ["dummy"], weight="w", drop=["who"]
        )
        for times in (1, 10)
    )
    ours, theirs = light.record.models[0].shown, heavy.record.models[0].shown
    assert (ours.estimate, ours.se) == pytest.approx((theirs.estimate, theirs.se), rel=1e-12)
