"""A bar that moves with the epochs, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from thetahat.networks.history import History

__all__ = ["bar_of_epochs"]


@contextmanager
def bar_of_epochs(epochs: int) -> Iterator[Callable[[History], None]]:
    """Yield a callable that shows the loss of the last epoch; a plain line where there is no terminal."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda history: console.print(f"epoch {history.epochs}, loss {history.losses[-1]:.6g}")
        return
    columns = (TextColumn("Training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=epochs)

        def show(history: History) -> None:
            score = f", held-out score {history.scores[-1]:.4f}" if history.scores else ""
            bar.update(task, completed=history.epochs, description=f"loss {history.losses[-1]:.6g}{score}")

        yield show
