"""The two streams of a terminal: answers on stdout, progress and complaints on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from thetahat.errors import Problem

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["answers", "check_folder", "complain", "progress_bar"]


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
