"""What scikit-learn lets a person rely on beyond its own checks: a function of a learner a promise."""

from tests.torture.promises import company, objects, routing, tables, truth
from tests.torture.promises.registry import PARTS, PROMISES, Promise

__all__ = ["PARTS", "PROMISES", "Promise", "company", "objects", "routing", "tables", "truth"]
