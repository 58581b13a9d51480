"""What ``fit --stream`` and ``predict`` of its models do: parse, call, and show how far it is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from thetahat.estimation.stream_model import StreamFit

__all__ = ["fit_streamed", "predict_streamed", "stream_bar"]

# The pace that a bar tells is that of the last so many seconds.
SECONDS = 5.0
Told = Callable[[str, int, int | None, float | None], None]


@contextmanager
def stream_bar() -> Iterator[Told]:
    """Yield a callable that moves a bar on stderr: rows a second, time left of the phase, and the loss."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda phase, done, of, loss: None
        return
    columns = (
        TextColumn("{task.description:9}"),
        BarColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.fields[loss]}"),
    )
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, TaskID] = {}
        passed: dict[str, int] = {}
        marks: dict[str, deque[tuple[float, int]]] = {}

        def told(phase: str, done: int, of: int | None, loss: float | None) -> None:
            if phase not in tasks:
                # What a resumed fit finds done was not done at this pace.
                tasks[phase] = bar.add_task(phase, total=of, completed=done, speed="", left="", loss="")
                marks[phase] = deque()
            task = tasks[phase]
            if done < passed.get(phase, 0):
                # Another pass of the same kind: its own bar, its own time.
                bar.reset(task, total=of)
                marks[phase] = deque([(time.monotonic(), 0)])
            passed[phase] = done
            # Over some seconds: rows come in bursts, a buffer at a time.
            known, now = marks[phase], time.monotonic()
            known.append((now, done))
            while len(known) > 2 and known[1][0] <= now - SECONDS:
                known.popleft()
            seconds = now - known[0][0]
            pace = (done - known[0][1]) / seconds if done > known[0][1] and seconds > 0 else None
            left = None if pace is None or of is None else timedelta(seconds=round((of - done) / pace))
            bar.update(
                task,
                completed=done,
                total=of,
                speed="" if pace is None else f"{pace:,.0f} rows/s",
                left="" if left is None else f"left {left}",
                loss="" if loss is None else f"loss {loss:.5g}",
            )

        yield told


def fit_streamed(data: str, model_path: str | None, level: float, **options: Any) -> None:
    """Fit a stream and print its table."""
    from thetahat.contracts import Status
    from thetahat.estimation.streaming import fit_stream

    with stream_bar() as told:
        found = fit_stream(data, progress=told, **options)
    if model_path:
        found.save(model_path)
    click.echo(found.summary(level))
    if found.status is Status.OUT_OF_TIME and options["checkpoint"]:
        click.echo(f"Stopped at the time limit; go on by --checkpoint {options['checkpoint']} --resume")
    if model_path:
        click.echo(f"Model: {model_path}")


def predict_streamed(fit: StreamFit, data: str, level: float, output: str | None) -> None:
    """Predict a stream batch by batch: to stdout, or to a CSV or Parquet file that is whole or not there."""
    import polars as pl
    from polars.io.plugins import register_io_source

    from thetahat.errors import ThetaHatError, UsageError
    from thetahat.estimation.stream_model import predict_stream
    from thetahat.results.saving import replacing

    frames = predict_stream(fit, data, level)
    first = next(frames, None)
    if first is None:
        raise UsageError("data: holds no row to predict")
    if output is None:
        click.echo(first.write_csv(), nl=False)
        for frame in frames:
            click.echo(frame.write_csv(include_header=False), nl=False)
        return
    refused: list[ThetaHatError] = []
    with replacing(output) as beside:
        if Path(output).suffix == ".parquet":

            def pieces(
                with_columns: list[str] | None, predicate: Any, n_rows: int | None, batch_size: int | None
            ) -> Iterator[pl.DataFrame]:
                yield first
                try:
                    yield from frames
                except ThetaHatError as error:
                    refused.append(error)
                    raise

            try:
                register_io_source(pieces, schema=first.schema).sink_parquet(beside)
            except pl.exceptions.PolarsError as error:
                # Whatever ends the writing reaches us as an error of polars.
                raise (refused[0] if refused else OSError(str(error).splitlines()[0])) from None
        else:
            with beside.open("wb") as file:
                first.write_csv(file)
                for frame in frames:
                    frame.write_csv(file, include_header=False)
