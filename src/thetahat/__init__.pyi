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
    "DataError",
    "Problem",
    "ResultFileError",
    "Severity",
    "ThetaHatError",
    "ThetaHatWarning",
    "UsageError",
]
