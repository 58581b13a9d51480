"""A result that an earlier version saved is read, and its page drawn, without the data."""

from pathlib import Path

import thetahat as th

SAVED = Path(__file__).parents[1] / "data" / "results" / "comparison-0.1.json"


def test_a_result_saved_before_there_were_other_measures_is_read(tmp_path):
    result = th.Comparison.read(SAVED)
    assert result.record.metric.name == "error"
    assert not result.record.metric.higher_is_better
    assert result.record.measures == ()
    assert result.table()["model"].to_list()[0] == result.record.models[0].name
    assert len(result.pairs()) == 3
    result.to_html(tmp_path / "page.html")
    assert result.verdict in (tmp_path / "page.html").read_text(encoding="utf-8")
