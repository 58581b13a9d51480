"""One kind of picture: a row a thing, its point and its interval, drawn for a notebook or as SVG.

The wide form has names on the left and numbers in a column on the right; the narrow form, for a phone,
sets both above the interval. Nothing global of matplotlib is touched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thetahat.display import numbers
from thetahat.report.drawing import ACCENT, BAND, FAINT, INK, SIZE, new_axes, to_svg
from thetahat.report.names import LONGEST_NAME, shortened_apart

__all__ = ["IntervalPlot", "Row", "draw", "svg"]

# The mean width of a bold letter in a wide typeface.
LETTER = 0.68 * SIZE
# Axis marks and what stands around the rows, in points.
BELOW, WIDE_ROW, NARROW_ROW = 46.0, 25.0, 40.0


@dataclass(frozen=True, slots=True)
class Row:
    """A point with its interval; ``numbers`` is what stands beside it.

    A ``start`` is a second, hollow point, joined to the first.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    numbers: str
    strong: bool = False
    start: float | None = None


@dataclass(frozen=True, slots=True)
class IntervalPlot:
    """What to draw.

    Parameters
    ----------
    rows : sequence of Row
        From top to bottom.
    axis : str
        Label of the axis, with its unit and direction.
    finding : str
        What the picture shows, as a sentence.
    band : tuple of float, optional
        An interval drawn faintly through all rows.
    line : (float, str), optional
        A dashed line and what it is.
    bounds : tuple of float
        Values that the axis does not pass, whatever the intervals say: 0 for what cannot be negative.
    from_line : bool
        Whether the line is on the axis whatever the intervals say.
    """

    rows: Sequence[Row]
    axis: str
    finding: str
    band: tuple[float, float] | None = None
    line: tuple[float, str] | None = None
    bounds: tuple[float, float] = (-math.inf, math.inf)
    from_line: bool = False

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of the axis."""
        return _limits(self)

    @property
    def shows_line(self) -> bool:
        """Whether the dashed line lies on the axis."""
        return self.line is not None and self.limits[0] <= self.line[0] <= self.limits[1]

    @property
    def hides(self) -> bool:
        """Whether a point, or the end of an interval, lies off the axis."""
        low, high = self.limits
        return any(_low(row) < low or _high(row) > high for row in self.rows)


def draw(plot: IntervalPlot, ax: Any = None) -> Any:
    """Draw on matplotlib axes, made where none are given; return them."""
    if ax is None:
        from matplotlib import pyplot  # noqa: PLC0415

        width, height = 8.0, (BELOW + 34 + WIDE_ROW * len(plot.rows)) / 72
        _, ax = pyplot.subplots(figsize=(width, height), layout="constrained")
    _rows(ax, plot)
    ax.set_title(plot.finding, loc="left", fontsize=SIZE, parse_math=False)
    return ax


def svg(plot: IntervalPlot, width: float, *, narrow: bool) -> str:
    """Return the picture as an SVG element of this width in pixels, its colours those of the page.

    Names are escaped, never read as mathematics or markup; equal plots give equal bytes.
    """
    height = BELOW + 8 + (NARROW_ROW if narrow else WIDE_ROW) * len(plot.rows)
    left = 18.0 if narrow else 24 + LETTER * max(map(len, _names(plot)))
    right = 18.0 if narrow else 24 + LETTER * max(len(row.numbers) for row in plot.rows)
    with new_axes(width, height, left=left, right=right) as (figure, ax):
        _rows(ax, plot, narrow=narrow, letters=int((width - left - right) / LETTER))
        return to_svg(figure, plot.finding)


def _rows(ax: Any, plot: IntervalPlot, *, narrow: bool = False, letters: int = 0) -> None:
    low, high = _limits(plot)
    ax.set_xlim(low, high)
    ax.set_ylim(len(plot.rows) - 0.5, -0.5)
    if plot.band is not None:
        ax.axvspan(max(plot.band[0], low), min(plot.band[1], high), color=BAND, linewidth=0)
    if plot.line is not None and plot.shows_line:
        # In the narrow form names and numbers stand above each interval; the line leaves them out.
        for place in range(len(plot.rows)):
            ends = (place + 0.02, place + 0.42) if narrow else (place - 0.5, place + 0.5)
            ax.plot([plot.line[0]] * 2, ends, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    below = 0.2 if narrow else 0.0
    names = _names(plot, letters if narrow else 0)
    for place, (row, name) in enumerate(zip(plot.rows, names, strict=True)):
        _interval(ax, row, place + below, low, high)
        _words(ax, row, name, place, narrow)
    ax.set_yticks([])
    for side in ("left", "top", "right"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(FAINT)
    unit = _ticks(ax, 3 if narrow else 6)
    ax.tick_params(axis="x", colors=FAINT, labelcolor=INK, labelsize=SIZE - 1)
    ax.set_xlabel(plot.axis + unit, color=INK, fontsize=SIZE - 1, parse_math=False)


def _ticks(ax: Any, most: int) -> str:
    """Mark the axis; return the power of ten that the marks leave out, for its label."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415

    ax.xaxis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
    places = ax.get_xticks()
    decimals = -math.floor(math.log10(places[1] - places[0]) + 1e-9)
    power = numbers.power_of_ten(max(map(abs, places)), decimals)
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: numbers.number(x / 10.0**power, decimals + power))
    )
    return f", {numbers.times_ten(power)}" if power else ""


def _interval(ax: Any, row: Row, y: float, low: float, high: float) -> None:
    colour = ACCENT if row.strong else INK
    if row.value > high or row.value < low:
        edge, marker = (high, ">") if row.value > high else (low, "<")
        inside = edge + (0.015 if marker == "<" else -0.015) * (high - low)
        ax.plot([inside], [y], marker=marker, color=FAINT, markersize=7)
        return
    if row.low is not None and row.high is not None:
        ends = max(row.low, low), min(row.high, high)
        ax.plot(ends, [y, y], color=colour, linewidth=2.4 if row.strong else 1.6, solid_capstyle="butt")
    if row.start is not None:
        ax.plot([row.start, row.value], [y, y], color=colour, linewidth=1.6, solid_capstyle="butt")
        hollow = {"markerfacecolor": "none", "markeredgecolor": colour, "markeredgewidth": 1.4}
        ax.plot([row.start], [y], marker="o", markersize=6, clip_on=False, **hollow)
    ax.plot([row.value], [y], marker="o", color=colour, markersize=7 if row.strong else 6, clip_on=False)


def _names(plot: IntervalPlot, letters: int = 0) -> list[str]:
    """Return the names as they are written, beside the numbers if a line holds so many letters."""
    room = letters - 2 - max(len(row.numbers) for row in plot.rows) if letters else LONGEST_NAME
    return shortened_apart([row.name for row in plot.rows], room)


def _words(ax: Any, row: Row, name: str, place: int, narrow: bool) -> None:
    """Write the name and the numbers: beside the row, or above it."""
    y = place - 0.22 if narrow else place
    places = ((0.0, "left"), (1.0, "right")) if narrow else ((-12.0, "right"), (12.0, "left"))
    for (x, side), text, at in zip(places, (name, row.numbers), (0.0, 1.0), strict=True):
        ax.annotate(
            text,
            (at, y),
            xycoords=("axes fraction", "data"),
            xytext=(0 if narrow else x, 0),
            textcoords="offset points",
            ha=side,
            va="center",
            color=INK,
            fontsize=SIZE,
            fontweight="bold" if row.strong else "normal",
            annotation_clip=False,
            parse_math=False,
        )


def _limits(plot: IntervalPlot) -> tuple[float, float]:
    """Return the ends of the axis: around what lies together, with the far away left to an arrow."""
    ends = [(_low(row), _high(row)) for row in plot.rows]
    low, high = ends[0]
    if plot.from_line and plot.line is not None:
        low, high = min(low, plot.line[0]), max(high, plot.line[0])
    nearest = sorted(ends, key=lambda end: max(low - end[0], end[1] - high))
    for place, (start, stop) in enumerate(nearest):
        width = max(high, stop) - min(low, start)
        # The nearer half is shown whatever its spread: one narrow interval does not set the scale alone.
        if place < (len(ends) + 1) // 2 or high == low or width <= 6 * (high - low):
            low, high = min(low, start), max(high, stop)
    if plot.line is not None and low - (high - low) < plot.line[0] < high + (high - low):
        low, high = min(low, plot.line[0]), max(high, plot.line[0])
    margin = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    low, high = low - margin, high + margin
    values = [row.value for row in plot.rows]
    # Bounds that a point lies outside of are not those of this measure.
    if plot.bounds[0] <= min(values):
        low = max(low, plot.bounds[0])
    if max(values) <= plot.bounds[1]:
        high = min(high, plot.bounds[1])
    return low, high


def _low(row: Row) -> float:
    low = row.value if row.low is None else row.low
    return low if row.start is None else min(low, row.start)


def _high(row: Row) -> float:
    high = row.value if row.high is None else row.high
    return high if row.start is None else max(high, row.start)
