"""The notes' experiments on the terminal and as a page."""

from __future__ import annotations

import math
import os
import textwrap
from typing import Any

from markupsafe import Markup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from thetahat.display import numbers
from thetahat.report.drawing import ACCENT, FAINT, INK, WIDE, Picture, new_axes, to_svg
from thetahat.report.page import environment
from thetahat.report.theory_words import LABELS, VERDICTS, claimed, measured, summary, verdict_sentence
from thetahat.results.saving import replace_file
from thetahat.results.theory import Language, PlotRecord, StatementRecord, TheoryRecord

__all__ = ["draw", "evidence", "render", "show", "show_statement", "write"]

WIDEST = 100
# Okabe and Ito's colours that can be told apart in both schemes, each with a mark of its own.
LOOKS = ((ACCENT, "o", "-"), ("#d55e00", "s", "--"), ("#009e73", "^", "-."), (INK, "D", ":"))


def show(record: TheoryRecord, console: Console, language: Language, *, page: str | None = None) -> None:
    """Print every statement of a record with its verdict, one a line.

    Parameters
    ----------
    record : TheoryRecord
        What to print.
    console : Console
        Where to.
    language : {"en", "ru"}
        The reader's.
    page : str, optional
        Where the page is.
    """
    width = min(console.width, WIDEST)
    table = Table(box=None, pad_edge=False)
    for name in ("section", "statement", "verdict"):
        table.add_column(LABELS[name].of(language), no_wrap=name != "statement")
    for chapter in record.chapters:
        for each in chapter.statements:
            table.add_row(chapter.number, each.name, VERDICTS[each.verdict].of(language))
    console.print(table, width=width)
    console.print()
    console.print(Text(summary(record, language)), style="bold", width=width)
    if page:
        console.print(Text(f"Page: {page}", overflow="fold"), width=width)


def show_statement(
    each: StatementRecord, console: Console, language: Language, *, quiet: bool = False
) -> None:
    """Print a statement, what was measured, and the verdict.

    Parameters
    ----------
    each : StatementRecord
        What to print.
    console : Console
        Where to.
    language : {"en", "ru"}
        The reader's.
    quiet : bool
        Whether to print the verdict alone.
    """
    width = min(console.width, WIDEST)
    if not quiet:
        console.print(Text(f"{each.section} {each.title.of(language)}"), style="bold", width=width)
        console.print(Text(each.claim.of(language)), width=width)
        console.print()
        table = Table(box=None, pad_edge=False)
        table.add_column(LABELS["quantity"].of(language))
        for name in ("claimed", "measured"):
            table.add_column(LABELS[name].of(language), justify="right", no_wrap=True)
        table.add_column(LABELS["agrees"].of(language), no_wrap=True)
        for measure in each.measures:
            outside = f" ({LABELS['outside'].of(language)})" if measure.counter else ""
            table.add_row(
                Text(measure.what.of(language) + outside),
                claimed(measure),
                measured(measure),
                LABELS["yes" if measure.agrees else "no"].of(language),
            )
        console.print(table, width=width)
        console.print()
    console.print(
        Text(f"{verdict_sentence(each, language)}. {each.remark.of(language)}"), style="bold", width=width
    )
    if not quiet:
        console.print()
        console.print(Text(each.calls), style="dim", soft_wrap=True)


def render(record: TheoryRecord, language: Language = "en") -> str:
    """Return the page of a record.

    Parameters
    ----------
    record : TheoryRecord
        What to show.
    language : {"en", "ru"}
        The reader's.
    """
    shown = [each for chapter in record.chapters for each in chapter.statements]
    return (
        environment()
        .get_template("theory.html.j2")
        .render(
            record=record,
            language=language,
            evidence=lambda each: Markup(evidence(each, language)),
            verdicts=VERDICTS,
            said={each.name: verdict_sentence(each, language) for each in shown},
            label=lambda name: LABELS[name].of(language),
            summary=summary(record, language),
        )
    )


def evidence(each: StatementRecord, language: Language = "en", *, wide: float = WIDE) -> str:
    """Return the picture and the numbers of a statement as HTML, to be set in a page.

    Parameters
    ----------
    each : StatementRecord
        What to show.
    language : {"en", "ru"}
        The reader's.
    wide : float
        Width in pixels of the picture on a desk.
    """
    return (
        environment()
        .get_template("evidence.html.j2")
        .render(
            each=each,
            language=language,
            picture=_picture(each.plot, language, wide),
            claimed=claimed,
            measured=measured,
            label=lambda name: LABELS[name].of(language),
        )
    )


def write(record: TheoryRecord, path: str | os.PathLike[str], language: Language = "en") -> None:
    """Write the page, whole or not at all.

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    replace_file(path, render(record, language).encode())


def draw(plot: PlotRecord, ax: Any, language: Language = "en", *, letters: int = 90) -> Any:
    """Draw a figure on matplotlib axes and return them.

    Parameters
    ----------
    plot : PlotRecord
        What to draw; named values of x become rows, so that their names can be read.
    ax : Axes
        Where to.
    language : {"en", "ru"}
        The reader's.
    letters : int
        Of a label on one line.
    """
    for place, each in enumerate(plot.series):
        colour, mark, line = LOOKS[place % len(LOOKS)]
        error = None if each.error is None else [2 * e for e in each.error]
        style = {
            "color": colour,
            "marker": mark,
            "markersize": 4 if len(each.x) < 40 else 1.5,
            "linestyle": line if each.joined and not plot.ticks else "none",
            "label": each.name.of(language),
        }
        if plot.ticks:
            shift = 0.12 * (place - (len(plot.series) - 1) / 2)
            ax.errorbar(each.y, [x + shift for x in each.x], xerr=error, **style)
        else:
            ax.errorbar(each.x, each.y, yerr=error, **style)
    x = textwrap.fill(plot.x.of(language), letters)
    y = textwrap.fill(plot.y.of(language), letters if plot.ticks else int(0.7 * letters))
    if plot.ticks:
        names = [textwrap.fill(tick.of(language), 20) for tick in plot.ticks]
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(len(names) - 0.5, -0.5)
        x, y = y, ""
        if "y" in plot.log:
            _set_log(ax, "x")
    for way in plot.log if not plot.ticks else ():
        _set_log(ax, way)
    if plot.level is not None:
        line = ax.axvline if plot.ticks else ax.axhline
        name = None if plot.level_name is None else plot.level_name.of(language)
        line(plot.level, color=FAINT, linewidth=1, linestyle=(0, (4, 3)), label=name)
    ax.set_xlabel(x, parse_math=False)
    ax.set_ylabel(y, parse_math=False)
    if len(plot.series) > 1 or plot.level_name is not None:
        box = ax.get_position()
        ax.legend(
            frameon=False,
            loc="lower left",
            # On a phone the key begins at the left end of the picture, where there is room for long names.
            bbox_to_anchor=(-box.x0 / box.width if letters < 60 else 0, 1),
            ncols=1 if letters < 60 else 3,
            borderaxespad=0.2,
            handlelength=1.6,
            columnspacing=1.2,
        )
    return ax


def _set_log(ax: Any, way: str) -> None:
    """Make an axis logarithmic, with as many named ticks as there is room for."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415

    axis = ax.xaxis if way == "x" else ax.yaxis
    (ax.set_xscale if way == "x" else ax.set_yscale)("log")
    low, high = ax.get_xlim() if way == "x" else ax.get_ylim()
    decades = math.log10(high / low)
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2 else (1,), numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _place: _power(value)))
    axis.set_minor_formatter(NullFormatter())


def _power(value: float) -> str:
    return f"{value:g}" if 1e-3 <= value < 1e5 else numbers.times_ten(round(math.log10(value)))[1:]


def _picture(plot: PlotRecord, language: Language, wide: float) -> Picture:
    finding = plot.finding.of(language)

    def svg(width: float, narrow: bool) -> str:
        named = len(plot.series) + (plot.level_name is not None)
        rows = named if narrow else -(-named // 3)
        key = 18.0 * rows + 4 if named > 1 else 0.0
        body = (0.8 if narrow else 0.38) * width
        if plot.ticks:
            body = 60.0 + 34.0 * len(plot.ticks)
        left = (128.0 if narrow else 160.0) if plot.ticks else 74.0
        height = body + key
        with new_axes(width, height, left=left, right=14) as (figure, ax):
            box = ax.get_position()
            ax.set_position((box.x0, box.y0, box.width, box.height - key / height))
            draw(plot, ax, language, letters=40 if narrow else 90)
            return to_svg(figure, finding)

    return Picture.of(finding, svg, wide)
