"""What a comparison was asked for, in one record that can be checked and typed again."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from thetahat.errors import UsageError

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options of a comparison that its result depends on; the parameters of ``compare``."""

    models: tuple[Any, ...] | None = None
    baseline: str = "dummy"
    metric: str = "auto"
    resampling: str = "auto"
    interval: str = "auto"
    pairs: str = "auto"
    level: float = 0.95
    margin: float | None = None
    correction: Literal["holm", "none"] = "holm"
    bayes: bool = False
    rows_needed: bool = False
    tune: tuple[str, ...] = ("auto",)
    tune_rule: Literal["best", "one-se"] = "best"
    task: Literal["auto", "classification", "regression"] = "auto"
    group: str | None = None
    time: str | None = None
    drop: Collection[str] = ()
    missing: Literal["impute", "drop", "error"] = "impute"
    sep: str | None = None
    encoding: str | None = None
    na_values: Collection[str] | None = None
    max_rows: int | None = None
    time_limit: float | None = None
    seed: int = 0
    strict: bool = False

    def check(self) -> None:
        """Refuse what cannot be meant, whatever the table.

        Raises
        ------
        UsageError
            Names the argument.
        """
        if not 0.5 < self.level < 1:
            raise UsageError(f"level: must lie between 0.5 and 1, not {self.level:g}")
        if self.margin is not None and not self.margin > 0:
            raise UsageError(f"margin: must be positive, not {self.margin:g}")
        if self.correction not in ("holm", "none"):
            raise UsageError(f"correction: choose holm or none, not {self.correction!r}")
        if self.tune_rule not in ("best", "one-se"):
            raise UsageError(f"tune_rule: choose best or one-se, not {self.tune_rule!r}")
        if self.max_rows is not None and self.max_rows < 2:
            raise UsageError(f"max_rows: must be at least 2, not {self.max_rows}")
        if self.time_limit is not None and not self.time_limit > 0:
            raise UsageError(f"time_limit: must be positive, not {self.time_limit:g}")
        if self.seed < 0:
            raise UsageError(f"seed: must not be negative, not {self.seed}")
        if self.group is not None and self.time is not None:
            raise UsageError("group, time: name one of them, not both")

    def command(self, data: Any, target: str) -> str:
        """Return the command line that gives the same result, as far as a command line can.

        An estimator given as an object stands as its class, and a frame as ``DATA``.
        """
        source = str(data) if isinstance(data, str | Path) else "DATA"
        words = ["thetahat", "compare", source, "--target", target]
        for model in self.models or ():
            words += ["--models", _typed(model)]
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            name = "--" + field.name.replace("_", "-")
            if value == field.default and field.name != "seed":
                continue
            if value is True:
                words.append(name)
            elif isinstance(value, Collection) and not isinstance(value, str):
                # A set has another order in another process.
                listed = sorted(map(str, value)) if isinstance(value, AbstractSet) else map(str, value)
                words += [word for one in listed for word in (name, one)]
            else:
                words += [name, format(value, "g") if isinstance(value, float) else str(value)]
        return shlex.join(words)


def _typed(model: Any) -> str:
    if isinstance(model, str):
        return model
    if isinstance(model, tuple) and len(model) == 2:
        model = model[1]
    kind = type(getattr(model, "estimator", model))
    return f"{kind.__module__}:{kind.__qualname__}"
