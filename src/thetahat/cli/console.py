"""The two streams of a terminal: answers on stdout, progress and complaints on stderr."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from thetahat.errors import Problem, ThetaHatWarning

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["answers", "check_folder", "complain", "notices", "progress_bar"]


def answers() -> Console:
    """Return the console that answers are printed on; NO_COLOR is honoured."""
    from rich.console import Console

    return Console(highlight=False, emoji=False, markup=False)


def complain(problems: Iterable[Problem]) -> None:
    """Print problems of a table on stderr, one a paragraph."""
    for problem in problems:
        click.echo(f"{problem.severity.value}: {problem}", err=True)


def check_folder(path: str) -> None:
    """Refuse a path whose folder is not there, before any work is done for it."""
    folder = Path(path).parent
    if not folder.is_dir():
        raise click.UsageError(f"there is no folder {folder} to write {Path(path).name} into")


@contextmanager
def notices() -> Iterator[None]:
    """Print the library's warnings on stderr as notices, each once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        yield
    for each in caught:
        if issubclass(each.category, ThetaHatWarning):
            click.echo(f"notice: {each.message}", err=True)
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield a callable ``(done, of)`` that moves a bar on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda done, of: None
        return
    columns = (
        TextColumn("Fitting"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("draws"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
