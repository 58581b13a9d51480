"""What came of a case: a result that holds, a word of warning, an error with a cause, or a fault."""

from __future__ import annotations

import linecache
import time
import traceback
import warnings
from dataclasses import dataclass
from typing import Any

from tests.torture.subjects import SUBJECTS
from tests.torture.tables import Case, build

__all__ = ["Outcome", "ours", "outcome", "peers"]

# What NumPy itself says of numbers that are none, and says clearly.
CLEAR = (
    "could not convert string to float",
    "inhomogeneous",
    "complex",
    "must be a real number",
    "'NoneType'",
)
# A check of scikit-learn's that names the argument is as good as one of ours.
OUR_ROOTS = ("thetahat", "sklearn")
PEER_ROOTS = ("sklearn", "statsmodels", "scipy")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Kind, in {"converged", "said", "refused", "crash", "false success"}, the words for it, and seconds."""

    kind: str
    words: str
    seconds: float

    @property
    def fault(self) -> bool:
        """Whether this must not be."""
        return self.kind in ("crash", "false success")


def refusal(error: BaseException, roots: tuple[str, ...]) -> bool:
    """Whether an error was raised on purpose, where the argument's name was known."""
    if not isinstance(error, ValueError | TypeError) or len(str(error)) < 10:
        return False
    if any(clear in str(error) for clear in CLEAR):
        return True
    last = traceback.extract_tb(error.__traceback__)[-1]
    module = last.filename.replace("\\", "/")
    raised = linecache.getline(last.filename, last.lineno or 0).lstrip().startswith("raise")
    return raised and any(f"/{root}/" in module for root in roots)


def _judge(run: Any, case: Case, classes: bool, roots: tuple[str, ...]) -> Outcome:
    table = build(case, classes)
    begun = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            claim = run(table, case)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
            words = (
                f"{type(error).__name__} at {where}: {str(error).splitlines()[0][:160] if str(error) else ''}"
            )
            kind = "refused" if refusal(error, roots) else "crash"
            return Outcome(kind, words, time.perf_counter() - begun)
    seconds = time.perf_counter() - begun
    # Warnings of arithmetic say nothing of the result; the others do.
    spoken = [
        w for w in caught if not issubclass(w.category, RuntimeWarning | FutureWarning | DeprecationWarning)
    ]
    spoken = [w for w in spoken if "DataConversion" not in w.category.__name__]
    if not claim.converged or spoken:
        return Outcome("said", str(spoken[0].message)[:160] if spoken else "by its status", seconds)
    if claim.wrong is not None:
        return Outcome("false success", claim.wrong, seconds)
    return Outcome("converged", "", seconds)


def ours(case: Case) -> Outcome:
    """Try it on ours."""
    subject = SUBJECTS[case.subject]
    return _judge(subject.run, case, subject.classes, OUR_ROOTS)


def peers(case: Case) -> Outcome | None:
    """Try it on the peer, where there is one."""
    subject = SUBJECTS[case.subject]
    return None if subject.peer is None else _judge(subject.peer, case, subject.classes, PEER_ROOTS)


def outcome(case: Case) -> tuple[Outcome, Outcome | None]:
    """Try it on both."""
    return ours(case), peers(case)
