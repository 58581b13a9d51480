from . import autodiff
from .comparison.compare import compare
from .comparison.models import Model
from .comparison.result import Comparison
from .distributions import (
    Bernoulli,
    Beta,
    Binomial,
    Categorical,
    Divergence,
    Exponential,
    Gamma,
    Laplace,
    LogNormal,
    Mixture,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Poisson,
    StudentT,
    Uniform,
    Weibull,
    cross_entropy,
    kl_divergence,
)
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
from .likelihood.mle import Conditional, mle
from .likelihood.ranking import Ranking, rank_families
from .likelihood.result import LikelihoodResult
from .numerics.moments import moments

__version__: str

__all__ = [
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Code",
    "Comparison",
    "Conditional",
    "DataError",
    "Divergence",
    "Exponential",
    "Gamma",
    "Laplace",
    "LikelihoodResult",
    "LogNormal",
    "Mixture",
    "Model",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "Poisson",
    "Problem",
    "Ranking",
    "ResultFileError",
    "Severity",
    "StudentT",
    "ThetaHatError",
    "ThetaHatWarning",
    "Uniform",
    "UsageError",
    "Weibull",
    "autodiff",
    "compare",
    "cross_entropy",
    "kl_divergence",
    "mle",
    "moments",
    "rank_families",
]
