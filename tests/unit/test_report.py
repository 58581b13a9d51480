import io
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tests import records
from thetahat.display import numbers
from thetahat.errors import UsageError
from thetahat.judgment.judge import metric_record
from thetahat.measures.measure import Target
from thetahat.measures.registry import MEASURES, choose_measure
from thetahat.report import figures, metric, page, phrases, terminal
from thetahat.report.intervals import svg
from thetahat.report.leaderboard import leaderboard
from thetahat.report.names import shortened_apart
from thetahat.results.comparison import decode, encode


def printed(record, width, **options):
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False)
    terminal.show(record, console, **options)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (0.97663, 0.0112, "0.977 ± 0.011"),
        (-1.5, 0.25, "\N{MINUS SIGN}1.50 ± 0.25"),
        (12345.6, 1234.0, "12\N{NARROW NO-BREAK SPACE}300 ± 1\N{NARROW NO-BREAK SPACE}200"),
        (0.5, 0.0996, "0.50 ± 0.10"),
        (0.0, 0.01, "0.000 ± 0.010"),
        (-1e-9, 0.01, "0.000 ± 0.010"),
        (5.0, None, "5.00"),
        (0.5, 0.0, "0.500 ± 0"),
    ],
)
def test_numbers_carry_the_digits_of_their_error(value, error, shown):
    assert numbers.with_error(value, error) == shown


@pytest.mark.parametrize("power", range(-30, 31, 3))
def test_a_number_read_back_is_within_its_error(power):
    value, error = 4.567891 * 10.0**power, 0.0123 * 10.0**power
    shown = numbers.number(value, numbers.decimals_for(error))
    mantissa, _, exponent = shown.partition("×10")
    plain = mantissa.replace("\N{NARROW NO-BREAK SPACE}", "").replace("\N{MINUS SIGN}", "-")
    back = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    read = float(plain) * 10.0 ** int(exponent.translate(back) or 0)
    assert abs(read - value) < error
    assert len(plain.replace("-", "")) <= 12


@pytest.mark.parametrize("name", records.RECORDS)
@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_terminal_stays_within_its_lines_and_columns(name, width):
    text = printed(records.RECORDS[name](), width, page="out.html")
    lines = text.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= min(width, 100)
    assert "out.html" in text


def test_the_terminal_reads_no_markup_in_names():
    record = records.comparison(("[bold red]x[/]", "forest", "dummy"))
    assert "[bold red]x[/]" in printed(record, 100)


def test_quiet_prints_the_verdict_alone():
    record = records.comparison()
    assert printed(record, 200, quiet=True).strip() == record.verdict[:100].strip()


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("name", records.RECORDS)
def test_a_picture_is_well_formed_and_the_same_each_time(name, narrow):
    plot = figures.losses(records.RECORDS[name]())
    one, other = (svg(plot, 500.0, narrow=narrow) for _ in range(2))
    assert one == other
    ElementTree.fromstring(one)


def test_drawing_changes_no_global_setting():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    page.render(records.comparison())
    assert dict(mpl.rcParams) == before


def test_a_page_is_small_and_calls_for_nothing():
    text = page.render(records.twelve_long_names())
    assert len(text) < 2_000_000
    assert "http://" not in text.replace("http://www.w3.org/", "")
    assert "<script" not in text


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match="nowhere"):
        page.write(records.comparison(), tmp_path / "nowhere" / "page.html")


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "page.html"
    path.mkdir()
    with pytest.raises(UsageError, match=r"page\.html"):
        page.write(records.comparison(), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize("name", records.RECORDS)
def test_a_record_survives_the_file(name):
    record = records.RECORDS[name]()
    assert decode(encode(record)) == record


@pytest.mark.parametrize(
    ("make", "best", "worse"),
    [
        (records.comparison, "lower is better", "right is worse"),
        (records.by_auc, "higher is better", "left is worse"),
    ],
)
def test_pictures_and_pages_go_by_the_direction(make, best, worse):
    record = make()
    other = {"lower is better": "higher is better", "higher is better": "lower is better"}[best]
    assert best in figures.losses(record).axis
    assert worse in figures.differences(record).axis
    text = page.render(record)
    assert best in text
    assert other not in text


@pytest.mark.parametrize(("make", "most"), [(records.comparison, "lowest"), (records.by_auc, "highest")])
def test_the_winner_of_a_picture_has_the_best_end(make, most):
    record = make()
    assert (
        figures.losses(replace(record, winner="logistic")).finding
        == f"logistic has the {most} {record.metric.shown_as}"
    )


def test_the_axis_of_an_auc_neither_starts_at_0_nor_passes_1():
    low, high = figures.losses(records.by_auc()).limits
    assert 0.4 < low < 0.97
    assert high == 1.0


def test_the_axis_of_a_loss_ends_at_0_and_one_far_model_does_not_flatten_the_others():
    plot = figures.losses(records.comparison(losses=(0.01, 0.02, 0.5), ses=(0.01, 0.01, 0.01)))
    assert plot.limits[0] == 0.0
    assert plot.limits[1] < 0.2
    assert plot.hides


@pytest.mark.parametrize("gaps", [(0.1, 0.5), (0.0001, 0.9), (0.3, 0.31)])
def test_zero_is_on_the_axis_of_differences(gaps):
    record = records.comparison(losses=(0.1, 0.1 + gaps[0], 0.1 + gaps[1]), ses=(1e-6, 1e-6, 1e-6))
    low, high = figures.differences(record).limits
    assert low < 0 < high


def test_a_narrow_leader_does_not_push_every_other_model_off_the_picture():
    plot = figures.losses(records.comparison(losses=(0.1, 0.2, 0.3), ses=(1e-6, 0.02, 0.02)))
    assert plot.limits[1] > 0.2


def test_differences_of_a_root_are_those_of_the_numbers_shown():
    pair = metric.in_shown_unit(records.by_rmse()).pairs[0]
    assert pair.difference == pytest.approx(10 - 12)
    was = records.by_rmse().pairs[0]
    assert pair.low / was.low == pytest.approx(pair.difference / was.difference)
    assert "−2.0" in page.render(records.by_rmse())


@pytest.mark.parametrize("rule", ["clt", "corrected-t", "groups", "blocks", "holdout"])
def test_the_sentences_of_a_set_measure_speak_of_no_losses(rule):
    record = replace(records.by_auc(), pair_interval=rule)
    said = phrases.pairs_sentence(record) + phrases.interval_sentence(record) + phrases.basis_sentence(record)
    assert not re.search(r"\bloss|\berror\b|lower is better|of a held-out row", said)
    assert said.count("AUC") >= 3
    assert ("fold by fold" if rule == "corrected-t" else "influence of each row") in said


def test_what_pictures_must_know_of_a_measure_is_saved():
    costs = np.array([[0.0, 1.0], [1.0, 0.0]])
    for name, entry in MEASURES.items():
        target = Target(entry.task, ("a", "b") if entry.task == "classification" else (), costs=costs)
        made = choose_measure("pinball:0.9" if name == "pinball" else name, target)
        saved = metric_record(made)
        assert metric.is_of_set(saved) == (made.losses is None)
        assert metric.is_root(saved) == made.root
        ends = [made.show(end) if np.isfinite(end) else None for end in made.bounds]
        assert [saved.lowest, saved.highest] == ends


def test_further_measures_are_lines_of_the_terminal_and_sections_of_the_page():
    record = records.several_measures()
    text, html = printed(record, 100), page.render(record)
    for place, each in enumerate(record.measures, 1):
        assert f"{each.metric.shown_as}: logistic" in text
        assert f'href="#by-{place}"' in html
        assert f'id="by-{place}"' in html
        assert f"{each.metric.shown_as}: logistic" in page.fragment(record)
    assert "dummy has no result: no value of gain" in html
    assert "gain: its standard error is that of the jackknife" in html


@pytest.mark.parametrize(
    "make", [records.by_auc, records.several_measures, records.own_split, records.auc_and_f1]
)
def test_what_must_be_said_is_said_once(make):
    record = make()
    text = printed(record, 100)
    assert len(re.findall("[Pp]ositive class:? b", text)) == 1
    assert text.count("weighted by column w") == (1 if record.weight else 0)
    if record.plan.draws_planned == 1:
        assert "One split, 120 of 1200 rows held out (the split is your own, column part)." in " ".join(
            text.split()
        )
        assert "each covers the AUC, on new rows, of the one model fitted" in " ".join(text.split())
        assert "The split is your own, column part." in page.render(record)


@pytest.mark.parametrize("make", [records.by_auc, records.own_split])
def test_the_number_of_rows_is_said_where_the_verdict_does_not_say_it(make):
    record = make()
    rows = phrases.rows_sentence(record)
    assert rows in printed(replace(record, verdict="No model could be fitted."), 100)
    assert rows in page.render(record)


@pytest.mark.parametrize("times", [1, 12])
def test_a_reason_stands_below_the_table_and_not_in_it(times):
    text = printed(records.with_reason("ValueError: no. " * times), 100)
    table, _, rest = text.partition("has no result:")
    assert "ValueError" not in table
    assert "ValueError" in rest


NAMES = st.lists(
    st.one_of(
        st.sampled_from(["logistic", "forest", "svm-rbf", "dummy", "pca+logistic"]),
        st.text("漢字", min_size=20, max_size=60),
        st.text("abc-_ é漢", min_size=1, max_size=60).map(str.strip).filter(bool),
        st.integers(0, 99).map(
            lambda k: f"a learner of a long name, number {k:02d} of the grid of penalties"
        ),
    ),
    min_size=1,
    max_size=12,
    unique=True,
)


@settings(max_examples=40, deadline=None)
@given(
    names=NAMES,
    width=st.sampled_from([60, 80, 100]),
    scale=st.sampled_from([1e-9, 0.01, 1.0, 12345.0, 1e11]),
    fails=st.booleans(),
)
def test_the_table_never_loses_a_name_or_an_estimate(names, width, scale, fails):
    record = records.comparison(
        names, [scale * (1 + k) for k in range(len(names))], [scale * 0.01 * k for k in range(len(names))]
    )
    if fails:
        broken = replace(records.model("one that fails", None, None), status="because " * 60, ok=False)
        record = replace(record, models=(*record.models, broken))
    lines = leaderboard(record, width, len(record.models))
    table = [line.plain for line in lines][-len(record.models) :]
    cut = [name for name in table if "…" in name]
    assert all(cell_len(line.plain) <= width for line in lines)
    for model, line in zip(record.models, table, strict=True):
        start = re.split(r"…|  +", line)[0].rstrip()
        assert model.name.startswith(start) or line.startswith("#")
        assert len(start) >= 1
        if model.shown is not None:
            assert numbers.with_error(model.shown.estimate, model.shown.se) in line
        if not cut:
            assert line.startswith(model.name)
    assert len(set(table)) == len(table)


@given(names=NAMES, most=st.integers(8, 40))
def test_shortened_names_fit_and_stay_apart(names, most):
    short = shortened_apart(names, most)
    assert len(set(short)) == len(short)
    assert max(map(len, short)) <= most


def test_names_that_differ_in_two_distant_places_stay_apart():
    names = [f"{'a' * 30}{one}{'b' * 40}{other}{'c' * 30}" for one in "xy" for other in "12"]
    short = shortened_apart(names, 20)
    assert len(set(short)) == 4
    assert max(map(len, short)) <= 20
