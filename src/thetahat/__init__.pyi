from .comparison.compare import compare
from .comparison.models import Model
from .comparison.result import Comparison
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
