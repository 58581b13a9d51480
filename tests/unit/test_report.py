import io
import xml.etree.ElementTree as ElementTree

import pytest
from rich.console import Console

from tests import records
from thetahat.display import numbers
from thetahat.errors import UsageError
from thetahat.report import figures, page, terminal
from thetahat.report.intervals import svg


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
