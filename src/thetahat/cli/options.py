"""The options of the commands. Those of a comparison follow from their one declaration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import Field
from typing import Any, TypeVar

import rich_click as click

from thetahat.comparison.aliases import ALIASES
from thetahat.comparison.declaration import declared, flag_of
from thetahat.comparison.options import options_of
from thetahat.measures.registry import listed_names

__all__ = [
    "COMPARING",
    "DEMO",
    "KINDS",
    "OUTPUT",
    "PREDICTIONS",
    "RARE",
    "TARGET_ROWS",
    "READING",
    "READING_NAMES",
    "TABLE",
    "comparison_options",
    "with_options",
]

Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Any], Any]

# The options that say how a file is read, and those that say what its columns are.
READING_NAMES = ("sep", "encoding", "na_values", "decimal", "thousands")
TABLE_NAMES = (
    "task",
    "group",
    "time",
    "drop",
    "missing",
    "missing_target",
    "rare",
    "kinds",
    "weight",
    "fold",
    "split",
    "strict",
    *READING_NAMES,
)
# The demo has a table of its own.
KEEPING_NAMES = ("checkpoint", "resume")


def with_options(*groups: Sequence[Option]) -> Callable[[Command], Command]:
    """Give a command these options, in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate


def comparison_options(names: Iterable[str]) -> list[Option]:
    """Return the command-line options of these options of a comparison."""
    return [_click(field) for field in options_of(names).values() if declared(field).typed]


def _click(field: Field[Any]) -> Option:
    option = declared(field)
    flags = [flag_of(field)]
    if option.flag:
        flags.append(field.name)
    if option.short:
        flags.insert(0, f"-{option.short}")
    text = option.help.format(aliases=", ".join(ALIASES), measures=f"Names: {listed_names()}")
    if option.type is bool:
        return click.option(*flags, is_flag=True, help=text)
    more: dict[str, Any] = {"type": click.Choice(option.choices) if option.choices else option.type}
    if option.metavar:
        more["metavar"] = option.metavar
    if option.multiple:
        default = field.default or ()
        more |= {"multiple": True, "default": (default,) if isinstance(default, str) else default}
        text += " Several may be given."
    else:
        more["default"] = field.default
    if field.name == "models":
        more["callback"] = _comma_separated
    if field.name == "metric":
        more["callback"] = _comma_joined
    return click.option(*flags, show_default=field.default not in (None, ()), help=text, **more)


def _comma_separated(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Take ``-m a,b`` for ``-m a -m b``."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


def _comma_joined(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> str:
    """Take ``-s a -s b`` for ``-s a,b``."""
    return ",".join(values)


TARGET_ROWS: Sequence[Option] = comparison_options(["missing_target"])
RARE: Sequence[Option] = comparison_options(["rare"])
KINDS: Sequence[Option] = comparison_options(["kinds"])
READING: Sequence[Option] = comparison_options(READING_NAMES)
TABLE: Sequence[Option] = comparison_options(TABLE_NAMES)
COMPARING: Sequence[Option] = comparison_options(options_of())
DEMO: Sequence[Option] = comparison_options(
    set(options_of()) - {*TABLE_NAMES, *KEEPING_NAMES, "test", "cost", "fold", "split", "weight", "positive"}
)

OUTPUT: Sequence[Option] = (
    click.option(
        "--report",
        "page_path",
        type=click.Path(dir_okay=False),
        help="Write the result as an HTML page here.",
    ),
    click.option(
        "--json", "json_path", type=click.Path(dir_okay=False), help="Save the result as JSON here."
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print the verdict alone."),
)

PREDICTIONS: Sequence[Option] = (
    click.option(
        "--predictions",
        "predictions_path",
        type=click.Path(dir_okay=False),
        help="Write every prediction of held-out rows here, as .parquet or .csv.",
    ),
)
