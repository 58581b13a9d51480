"""Every measure by name: a line here makes one known to verdicts, tuning, curves, the page and the JSON.

What computes a measure is imported when it is first asked for, so that help texts can list the names at once.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from thetahat.errors import UsageError

if TYPE_CHECKING:
    from thetahat.measures.measure import Measure, Target, Task

__all__ = ["MEASURES", "USUAL", "Entry", "canonical", "choose_measure", "choose_measures", "listed_names"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A measure that can be named.

    Parameters
    ----------
    name : str
        Its name.
    task : {"classification", "regression"}
        What it is for.
    where : str
        ``"module:function"`` of this package; the function is called with the target and the argument.
    others : tuple of str
        Other names, with the argument where one of them has it: ``"roc-auc-ovr-weighted:weighted"``.
    form : str
        How it is typed where it takes an argument: ``"pinball:Q"``.
    """

    name: str
    task: Task
    where: str
    others: tuple[str, ...] = ()
    form: str = ""

    def make(self, target: Target, argument: str) -> Measure:
        """Return the measure; ``argument`` is what follows the colon, or ""."""
        module, _, function = self.where.partition(":")
        made: Measure = getattr(importlib.import_module(f"thetahat.measures.{module}"), function)(
            target, argument
        )
        return made


def _entries() -> tuple[Entry, ...]:
    of_classes: Task = "classification"
    of_numbers: Task = "regression"
    return (
        Entry("error", of_classes, "errors:error", ("accuracy", "error-rate", "zero-one")),
        Entry("log-loss", of_classes, "errors:log_loss", ("logloss", "log", "neg-log-loss", "cross-entropy")),
        Entry("brier", of_classes, "brier:brier", ("brier-score", "brier-loss", "neg-brier-score")),
        Entry(
            "auc",
            of_classes,
            "auc:auc",
            ("roc-auc", "roc-auc-ovr", "roc-auc-ovr-weighted:weighted"),
            "auc[:weighted]",
        ),
        Entry("average-precision", of_classes, "average_precision:average_precision", ("ap",)),
        Entry("f1", of_classes, "f1:f1", ("f1-binary",)),
        Entry("f1-macro", of_classes, "f1:f1_macro", ("macro-f1",)),
        Entry("f1-weighted", of_classes, "f1:f1_weighted", ("weighted-f1",)),
        Entry("balanced-accuracy", of_classes, "f1:balanced_accuracy", ("bacc",)),
        Entry("mcc", of_classes, "agreement:mcc", ("matthews", "matthews-corrcoef")),
        Entry(
            "kappa",
            of_classes,
            "agreement:kappa",
            ("quadratic-kappa", "quadratic-weighted-kappa", "qwk", "cohen-kappa:unweighted"),
            "kappa[:linear|:unweighted]",
        ),
        Entry("cost", of_classes, "cost:cost", ("costs", "mean-cost")),
        Entry(
            "squared-error",
            of_numbers,
            "distances:squared_error",
            ("squared", "mse", "rmse", "neg-mean-squared-error", "neg-root-mean-squared-error"),
        ),
        Entry(
            "absolute-error",
            of_numbers,
            "distances:absolute_error",
            ("absolute", "mae", "neg-mean-absolute-error"),
        ),
        Entry("r2", of_numbers, "r2:r2", ("r2-score", "r-squared")),
        Entry("pinball", of_numbers, "pinball:pinball", ("quantile", "quantile-loss"), "pinball:Q"),
        Entry(
            "poisson-deviance",
            of_numbers,
            "deviances:poisson_deviance",
            ("poisson", "neg-mean-poisson-deviance"),
        ),
        Entry("gamma-deviance", of_numbers, "deviances:gamma_deviance", ("gamma", "neg-mean-gamma-deviance")),
        Entry(
            "squared-log-error",
            of_numbers,
            "relative:squared_log_error",
            (
                "msle",
                "rmsle",
                "neg-mean-squared-log-error",
                "neg-root-mean-squared-log-error",
            ),
        ),
        Entry("mape", of_numbers, "relative:mape", ("neg-mean-absolute-percentage-error",)),
    )


MEASURES: Mapping[str, Entry] = MappingProxyType({entry.name: entry for entry in _entries()})
# Each name with the entry it stands for and the argument it brings.
_NAMES: Mapping[str, tuple[Entry, str]] = MappingProxyType(
    {
        other.partition(":")[0]: (entry, other.partition(":")[2])
        for entry in MEASURES.values()
        for other in (entry.name, *entry.others)
    }
)
USUAL: Mapping[Task, str] = MappingProxyType({"classification": "error", "regression": "squared-error"})


def choose_measure(asked: Any, target: Target) -> Measure:
    """Return the measure that was asked for, ready for this target.

    Parameters
    ----------
    asked : str, Measure or callable
        ``"auto"``, which is the usual one of the task; a name, ``_`` equal to ``-`` and case ignored; the
        name of a scorer of scikit-learn; ``"package.module:function"``; a measure; a scorer; or a function
        of (y, prediction), see :meth:`~thetahat.measures.measure.Measure.of_rows`.
    target : Target
        What it is for.

    Raises
    ------
    UsageError
        There is no such measure, or it belongs to the other task.
    """
    from thetahat.measures.measure import Measure

    if isinstance(asked, str):
        measure = _called(asked.strip(), target)
    elif isinstance(asked, Measure):
        measure = asked
    else:
        measure = _of_callable(asked)
    if measure.task is not None and measure.task != target.task:
        raise UsageError(_other_task(measure.name, measure.task, target))
    return measure.bound(target)


def choose_measures(asked: Any, target: Target) -> tuple[Measure, ...]:
    """Return the measures that were asked for, in their order.

    Parameters
    ----------
    asked : str, Measure, callable, or list, tuple or array of them
        What :func:`choose_measure` takes; a text may hold several names with commas between.
    target : Target
        What they are for.

    Raises
    ------
    UsageError
        None was asked for, one was asked for twice, or one does not exist.
    """
    if isinstance(asked, Mapping | AbstractSet):
        raise UsageError(
            f"metric: a {type(asked).__name__} has no order, and the first measure carries the verdict; "
            "give a list"
        )
    listed = isinstance(asked, Iterable) and not callable(asked) and not isinstance(asked, str)
    many = list(asked) if listed else [asked]
    each_asked: list[Any] = []
    for one in many:
        each_asked += [name.strip() for name in one.split(",")] if isinstance(one, str) else [one]
    each_asked = [one for one in each_asked if one != ""]
    if not each_asked:
        raise UsageError("metric: no measure was given; leave it out for the usual one, or name at least one")
    measures = tuple(choose_measure(one, target) for one in each_asked)
    names = [measure.name for measure in measures]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"metric: {name} was given more than once; name each measure once")
    return measures


def _usual(task: Task) -> str:
    return ", ".join(each.form or each.name for each in MEASURES.values() if each.task == task)


def _other_task(name: str, task: Task, target: Target) -> str:
    return f"metric: {name} is for a {task}, and this is a {target.task}; choose one of {_usual(target.task)}"


def _called(asked: str, target: Target) -> Measure:
    name, colon, argument = asked.lower().replace("_", "-").partition(":")
    if name == "auto" and not colon:
        name = USUAL[target.task]
    if name in _NAMES:
        entry, implied = _NAMES[name]
        if entry.task != target.task:
            raise UsageError(_other_task(entry.name, entry.task, target))
        if argument and (implied or not entry.form):
            raise UsageError(f"metric: {name} takes no argument, and {asked!r} has one")
        return entry.make(target, argument or implied)
    if colon:
        from thetahat.measures.imported import import_function

        return _of_callable(import_function(asked), asked)
    from thetahat.measures.scorers import of_scorer, scorer_called

    scorer = scorer_called(name)
    if scorer is not None:
        return of_scorer(scorer[0], name, scorer[1])
    near = difflib.get_close_matches(name, _NAMES, n=1)
    close = f" (did you mean {near[0]}?)" if near else ""
    raise UsageError(f"metric: there is no {asked!r}{close}; choose one of auto, {_usual(target.task)}")


def _of_callable(asked: Any, name: str | None = None) -> Measure:
    from thetahat.measures.measure import Measure
    from thetahat.measures.scorers import is_scorer, of_scorer

    if isinstance(asked, Measure):
        return asked
    if is_scorer(asked):
        return of_scorer(asked)
    if not callable(asked) or isinstance(asked, type):
        place = f" at {name}" if name else ""
        raise UsageError(
            f"metric: {asked!r}{place} is no measure; give a name, a Measure, a function of "
            "(y, prediction), or a scorer from sklearn.metrics.make_scorer"
        )
    if str(getattr(asked, "__module__", "")).startswith("sklearn.metrics"):
        function = getattr(asked, "__name__", "it")
        raise UsageError(
            f"metric: {function} of scikit-learn takes no prediction; give make_scorer({function}, ...)"
        )
    return Measure.of_function(asked)


def canonical(asked: str, task: Task | None = None) -> str:
    """Return the name under which a measure is saved, of any name that it is known by.

    Parameters
    ----------
    asked : str
        A name.
    task : {"classification", "regression"}, optional
        Whose usual measure ``"auto"`` is.
    """
    name, colon, argument = asked.strip().lower().replace("_", "-").partition(":")
    if name == "auto" and not colon and task is not None:
        return USUAL[task]
    if name not in _NAMES:
        return _canonical_elsewhere(asked.strip(), name, colon)
    from thetahat.measures.measure import Target

    entry, implied = _NAMES[name]
    argument = argument or implied
    if not argument:
        return entry.name
    try:
        # The measure itself knows how its argument is written: pinball:.9 is saved as pinball:0.9.
        return entry.make(Target(entry.task), argument).name
    except UsageError:
        return f"{entry.name}:{argument}"


def _canonical_elsewhere(asked: str, name: str, colon: str) -> str:
    from thetahat.measures.scorers import scorer_called

    if colon:
        return asked.rpartition(":")[2]
    return asked if scorer_called(name) is None else name


def listed_names() -> str:
    """Return the names of all measures, those of classes first."""
    return ", ".join(entry.form or entry.name for entry in MEASURES.values())
