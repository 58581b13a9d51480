from .comparison.compare import Comparison, compare
from .comparison.models import Model
from .errors import (
    Code,
    DataError,
    Problem,
    ResultFileError,
    Severity,
    ThetaHatError,
    ThetaHatWarning,
    UsageError,
)

__version__: str

__all__ = [
    "Code",
    "Comparison",
    "DataError",
    "Model",
    "Problem",
    "ResultFileError",
    "Severity",
    "ThetaHatError",
    "ThetaHatWarning",
    "UsageError",
    "compare",
]
