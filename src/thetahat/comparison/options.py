"""The options of a comparison, each declared once.

The signature and the docstring of :func:`thetahat.compare`, the options of the command line, the checks, the
fingerprint of a checkpoint and the command in the provenance all follow from this declaration.
"""

from __future__ import annotations

import difflib
import inspect
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from textwrap import fill
from typing import Any, TypeVar

from thetahat.comparison.declaration import (
    above,
    between,
    brief,
    column,
    declared,
    flag_of,
    names,
    option,
    text,
    whole,
)
from thetahat.errors import UsageError

__all__ = ["Settings", "options_of", "typed_grids", "with_declared_options"]

Function = TypeVar("Function", bound=Callable[..., Any])


def kinds_of_columns(value: Any) -> str:
    """Say what is wrong with kinds of columns."""
    # Imported here so that the command line's help need not wait for polars.
    from thetahat.tables.kinds import asked_kinds  # noqa: PLC0415

    try:
        asked_kinds(value)
    except UsageError as error:
        return str(error).removeprefix("kinds: ")
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options of a comparison; the parameters of ``compare`` after ``data`` and ``target``."""

    models: tuple[Any, ...] | None = option(
        None,
        "iterable, optional",
        "A learner: {aliases}, or package.module:Class; from Python also an estimator or a (name, estimator) "
        "pair. The dummy, which ignores the features, is always compared too.",
        metavar="NAME",
        short="m",
        multiple=True,
    )
    baseline: str = option(
        "dummy", "str", "The model that the others are compared with.", metavar="NAME", check=text
    )
    metric: Any = option(
        "auto",
        "str, Measure, callable, scorer, or a list of them",
        "What is measured; auto is the error rate for classes (log-loss where a class has below 5 % of the "
        "rows) and the squared error for numbers. Of several, as auc,log-loss, the first carries the "
        "verdict. {measures}, or package.module:function.",
        metavar="NAME",
        multiple=True,
        short="s",
    )
    positive: Any = option(
        None,
        "label, optional",
        "The class that AUC, F1 and other measures of two classes look for; by default the second in sorted "
        "order, or the rare one where the measure is chosen for it.",
        metavar="LABEL",
    )
    cost: Any = option(
        None,
        "path, frame or array, optional",
        "Table of the cost of each true class (rows) and predicted class (columns), for the measure cost.",
        metavar="FILE",
    )
    resampling: Any = option(
        "auto",
        "str, splitter or iterable of (train, test)",
        "How rows are held out: holdout:F, cv:K, cv:RxK (R repeats of K folds), nested:RxK, halves:MxJ, "
        "bootstrap:B or loo; from Python also a scikit-learn splitter or index arrays.",
        metavar="PLAN",
    )
    fold: str | None = option(
        None,
        "str, optional",
        "Column of your own folds: the rows of each value are held out once.",
        metavar="COL",
        check=column,
    )
    split: str | None = option(
        None,
        "str, optional",
        "Column of your own split: rows of test, true or 1 are held out, those of train, false or 0 train.",
        metavar="COL",
        check=column,
    )
    test: Any = option(
        None,
        "path or frame, optional",
        "Table of rows to judge the models on; all rows of the data then train.",
        metavar="FILE",
    )
    weight: str | None = option(
        None,
        "str, optional",
        "Column of weights: a row of weight two counts as two rows in fits and estimates; standard errors "
        "count rows.",
        metavar="COL",
        check=column,
    )
    interval: str = option(
        "auto",
        "str",
        "Interval of a model's measure: auto, corrected-t, clt, clt-within, influence, groups, blocks, "
        "holdout, plain (too narrow); nested, conservative-z and bootstrap632+ have draws of their own.",
        metavar="METHOD",
        check=text,
    )
    pairs: str = option(
        "auto",
        "str",
        "Interval of a difference: auto, clt (over rows), corrected-t (over folds), groups, blocks.",
        metavar="METHOD",
        check=text,
    )
    level: float = option(0.95, "float", "Level of the intervals.", type=float, check=between(0.5, 1))
    margin: float | None = option(
        None,
        "float, optional",
        "Smallest difference of the measure that matters.",
        type=float,
        check=above(0, "be positive"),
    )
    correction: str = option(
        "holm", '{"holm", "none"}', "Adjustment of the pairs' p-values.", choices=("holm", "none")
    )
    bayes: bool = option(
        False,
        "bool",
        "Give pairs the probabilities of better, equivalent and worse (Bayesian correlated t).",
        type=bool,
    )
    rows_needed: bool = option(
        False,
        "bool",
        "Find how many rows would separate the first model from the farthest of those not told apart from "
        "it, from the learning curves of both; at most a hundred more fits of the two.",
        type=bool,
    )
    tune: Any = option(
        ("auto",),
        "str, iterable of str, or mapping",
        "Parameters are chosen inside each training fold: auto (the usual small grid of each model), none, "
        "or MODEL.PARAMETER=VALUE,VALUE,… simplest first, as svm-rbf.C=0.1,1,10.",
        metavar="GRID",
        multiple=True,
    )
    tune_rule: str = option(
        "best",
        '{"best", "one-se"}',
        "Take the best point of the grid, or the simplest within one standard error of it.",
        choices=("best", "one-se"),
    )
    task: str = option(
        "auto",
        '{"auto", "classification", "regression"}',
        "What the target is.",
        choices=("auto", "classification", "regression"),
    )
    group: str | None = option(
        None,
        "str, optional",
        "Column whose equal values stay on one side of a split.",
        metavar="COL",
        check=column,
    )
    time: str | None = option(
        None,
        "str, optional",
        "Column that orders the rows; training rows then come before held-out rows.",
        metavar="COL",
        check=column,
    )
    drop: Collection[str] = option(
        (), "collection of str", "Column to leave out.", metavar="COL", multiple=True, check=names
    )
    kinds: Any = option(
        None,
        "mapping, optional",
        "The kind of a column: number:COL, category:COL,COL, date:COL or ordinal:COL=low<mid<high; in Python "
        "a mapping of the column to its kind, or to the levels of an ordinal.",
        metavar="KIND:COL",
        multiple=True,
        flag="as",
        check=kinds_of_columns,
    )
    missing: str = option(
        "impute",
        '{"impute", "drop", "error"}',
        "What becomes of missing features: filled in each training fold, rows left out, or refused.",
        choices=("impute", "drop", "error"),
    )
    missing_target: str = option(
        "drop",
        '{"drop", "error"}',
        "What becomes of rows without a target: left out and counted, or refused.",
        choices=("drop", "error"),
    )
    rare: str = option(
        "error",
        '{"error", "drop", "merge"}',
        "What becomes of classes of too few rows for the folds: refused, their rows left out, or merged into "
        "one class, other.",
        choices=("error", "drop", "merge"),
    )
    strict: bool = option(False, "bool", "Let warnings about the table stop the work too.", type=bool)
    sep: str | None = option(
        None,
        "str, optional",
        "Delimiter of a text file: a character, tab or space.",
        metavar="CHAR",
        check=text,
    )
    encoding: str | None = option(
        None, "str, optional", "Encoding of a text file; UTF-8 if not given.", metavar="NAME", check=text
    )
    na_values: Collection[str] | None = option(
        None,
        "collection of str, optional",
        "Text that means a missing value.",
        metavar="TEXT",
        multiple=True,
        check=names,
    )
    decimal: str | None = option(
        None,
        "str, optional",
        "Decimal mark of a text file, a point or a comma; found from its numbers if not given.",
        metavar="CHAR",
        check=text,
    )
    thousands: str | None = option(
        None,
        "str, optional",
        "What groups the digits in a text file: a comma, a point, an apostrophe, an underscore or space.",
        metavar="CHAR",
        check=text,
    )
    max_rows: int | None = option(
        None,
        "int, optional",
        "Use at most this many rows, drawn at random; the result says so.",
        metavar="N",
        type=int,
        check=whole(2, "be at least 2"),
    )
    time_limit: float | None = option(
        None,
        "float, optional",
        "Start no further fit after this many seconds, and end our own fits that are under way; the result "
        "says that it is partial.",
        metavar="SECONDS",
        type=float,
        check=above(0, "be positive"),
    )
    seed: int = option(
        0, "int", "Seed of all randomness.", type=int, check=whole(0, "be a whole number, not negative")
    )
    jobs: int = option(
        1,
        "int",
        "Worker processes; -1 is one per processor. The result does not depend on it.",
        type=int,
        short="j",
        result=False,
        check=whole(-64, "be a whole number"),
    )
    cluster: str | None = option(
        None,
        "str, optional",
        "Run the fits on a Dask cluster: tcp://host:8786, or local:N for N processes here. The result does "
        "not depend on it.",
        metavar="ADDRESS",
        result=False,
        check=text,
    )
    checkpoint: Any = option(
        None,
        "path, optional",
        "Keep the finished draws in this file during the work. It is removed when the result is whole.",
        metavar="FILE",
        result=False,
    )
    resume: bool = option(
        False,
        "bool",
        "Continue from the checkpoint of a run that was killed, interrupted or out of time, to the same "
        "bits.",
        type=bool,
        result=False,
    )
    progress: Callable[[int, int], None] | None = option(
        None,
        "callable, optional",
        "Called with the number of finished draws and the number of all draws.",
        result=False,
        typed=False,
    )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Settings:
        """Return the settings of these arguments, checked.

        Raises
        ------
        UsageError
            Names the argument that is unknown or wrong.
        """
        known = [each.name for each in fields(cls)]
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                close = f"; did you mean {near[0]}?" if near else ""
                raise UsageError(f"{name}: compare has no such option{close}")
        settings = cls(**{**given, **_listed_models(given)})
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse what is invalid whatever the table.

        Raises
        ------
        UsageError
            Names the argument.
        """
        for each in fields(self):
            value, option = getattr(self, each.name), declared(each)
            if option.choices and value not in option.choices:
                raise UsageError(f"{each.name}: choose {' or '.join(option.choices)}, not {brief(value)}")
            complaint = option.check(value) if option.check is not None else ""
            if complaint:
                raise UsageError(f"{each.name}: {complaint}")
        if self.group is not None and self.time is not None:
            raise UsageError("group, time: name one of them, not both")
        own = [name for name in ("fold", "split", "test") if getattr(self, name) is not None]
        if not (isinstance(self.resampling, str) and self.resampling == "auto"):
            own.append("resampling")
        if len(own) > 1:
            raise UsageError(f"{', '.join(own)}: each says which rows are held out; give one of them")
        if self.resume and self.checkpoint is None:
            raise UsageError("resume: name the checkpoint to continue from")

    def command(self, data: Any, target: str) -> str:
        """Return the command line that gives the same result, as far as a command line can.

        An estimator given as an object appears as its class, a frame as ``DATA``, and another object as its
        kind in angle brackets.
        """
        from thetahat.tables.kinds import kind_words  # noqa: PLC0415

        source = str(data) if isinstance(data, str | Path) else "DATA"
        words = ["thetahat", "compare", source, "--target", target]
        for model in self.models or ():
            words += ["--models", _typed(model)]
        for each in fields(self)[1:]:
            value, name = getattr(self, each.name), flag_of(each)
            if each.name == "kinds" and value:
                value = kind_words(value)
            if each.name == "tune":
                value = typed_grids(value)
            if not declared(each).result or (_same(value, each.default) and each.name != "seed"):
                continue
            if value is True:
                words.append(name)
            elif declared(each).multiple and isinstance(value, Collection) and not isinstance(value, str):
                # A set has another order in another process.
                listed = sorted(map(str, value)) if isinstance(value, AbstractSet) else map(_shown, value)
                words += [word for one in listed for word in (name, one)]
            else:
                words += [name, _shown(value)]
        return shlex.join(words)


def typed_grids(asked: str | Iterable[str] | Mapping[str, Mapping[str, Iterable[Any]]]) -> tuple[str, ...]:
    """Return what was asked of tuning as words of a command line."""
    if isinstance(asked, str):
        return (asked,)
    if not isinstance(asked, Mapping):
        return tuple(asked)
    return tuple(
        f"{model}.{name}={','.join(map(repr, values))}"
        for model, grid in asked.items()
        for name, values in grid.items()
    )


def _listed_models(given: Mapping[str, Any]) -> dict[str, Any]:
    models = given.get("models")
    if models is None:
        return {}
    if isinstance(models, str):
        return {"models": tuple(name.strip() for name in models.split(",") if name.strip())}
    if not isinstance(models, Iterable) or hasattr(models, "fit"):
        raise UsageError(f"models: a list is expected, as [{brief(models)}]")
    return {"models": tuple(models)}


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def _shown(value: Any) -> str:
    if isinstance(value, str | Path):
        return str(value)
    if isinstance(value, float):
        return format(value, "g")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    name = getattr(value, "name", None) or getattr(value, "__name__", None)
    return str(name) if isinstance(name, str) else f"<{type(value).__name__}>"


def _typed(model: Any) -> str:
    if isinstance(model, str):
        return model
    if isinstance(model, tuple) and len(model) == 2:
        model = model[1]
    kind = type(getattr(model, "estimator", model))
    return f"{kind.__module__}:{kind.__qualname__}"


def options_of(names: Iterable[str] | None = None) -> dict[str, Field[Any]]:
    """Return the options, all or those named, in the order of their declaration."""
    wanted = None if names is None else set(names)
    return {each.name: each for each in fields(Settings) if wanted is None or each.name in wanted}


def with_declared_options(function: Function) -> Function:
    """Give a function that takes ``**options`` the declared ones in its signature and docstring.

    The line ``{options}`` of the docstring is replaced by them; those that the function names itself, as
    ``models``, are described there too.
    """
    own = [
        each
        for each in inspect.signature(function).parameters.values()
        if each.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    taken = {each.name for each in own}
    more = [each for name, each in options_of().items() if name not in taken]
    parameters = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default if each.default is not MISSING else inspect.Parameter.empty,
        )
        for each in more
    ]
    function.__signature__ = inspect.Signature([*own, *parameters])  # type: ignore[attr-defined]
    described = "\n".join(
        f"    {each.name} : {declared(each).kind}\n"
        + fill(_plain(declared(each).help), 106, initial_indent=" " * 8, subsequent_indent=" " * 8)
        for each in options_of().values()
    )
    function.__doc__ = (function.__doc__ or "").replace("    {options}", described)
    return function


def _plain(text: str) -> str:
    return text.format(
        aliases="an alias of the command line", measures="See the page of measures for all names"
    )
