"""SVG for the page by matplotlib: its own settings, the page's colours, the same bytes each time."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

__all__ = ["ACCENT", "BAND", "FAINT", "INK", "SIZE", "WIDE", "Picture", "new_axes", "to_svg"]

INK, FAINT, ACCENT, BAND = "#1a1b1c", "#6e7074", "#0072b2", "#dcebf5"
# What the colours are called in a page, where they follow the reader's scheme.
VARIABLES = {INK: "currentColor", FAINT: "var(--faint)", ACCENT: "var(--accent)", BAND: "var(--band)"}
SIZE = 12.0
# Widths in pixels that pictures are drawn for: a page on a desk, and a phone.
WIDE, NARROW = 820.0, 340.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot drawn for both widths.

    Parameters
    ----------
    finding : str
        What it shows, as a sentence.
    wide, narrow : Markup
        SVG elements, built from escaped text.
    """

    finding: str
    wide: Markup
    narrow: Markup

    @classmethod
    def of(cls, finding: str, draw: Callable[[float, bool], str], wide: float = WIDE) -> Picture:
        """Draw for both widths with ``draw(width, narrow)``."""
        return cls(finding, Markup(draw(wide, False)), Markup(draw(NARROW, True)))


@contextmanager
def new_axes(width: float, height: float, *, left: float, right: float) -> Iterator[tuple[Any, Any]]:
    """Yield a figure of this size in pixels and its axes, with nothing global changed.

    Parameters
    ----------
    width, height : float
        Of the whole picture.
    left, right : float
        Room beside the axes.
    """
    from matplotlib import rc_context  # noqa: PLC0415
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "thetahat",
        "font.family": "DejaVu Sans",
        "font.size": SIZE - 1,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": FAINT,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    below, above = 46.0, 4.0
    with rc_context(settings):
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        FigureCanvasSVG(figure)
        figure.patch.set_visible(False)
        box = (
            left / width,
            below / height,
            (width - left - right) / width,
            (height - below - above) / height,
        )
        ax = figure.add_axes(box)
        ax.patch.set_visible(False)
        yield figure, ax


def to_svg(figure: Any, finding: str) -> str:
    """Return a figure as an SVG element in the page's colours and fonts, named by its finding."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    document = buffer.getvalue()
    element = document[document.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", element, flags=re.DOTALL)
    for colour, variable in VARIABLES.items():
        element = element.replace(colour, variable)
    element = element.replace("'DejaVu Sans'", "system-ui, sans-serif")
    start, inner = element.split(">", 1)
    start = re.sub(r' (?:width|height)="[^"]*"', "", start)
    return start.replace("<svg", f'<svg role="img" aria-label="{html.escape(finding)}"', 1) + ">" + inner
