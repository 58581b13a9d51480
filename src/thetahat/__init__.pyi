from . import autodiff
from .comparison.calibrate import Calibration, calibrate
from .comparison.cluster import on_cluster
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
from .estimation.partitions import fit_partitions
from .estimation.saving import load, save
from .estimation.stream_model import StreamFit, load_stream_fit, predict_stream
from .estimation.streaming import fit_stream
from .likelihood.mle import Conditional, mle
from .likelihood.ranking import Ranking, rank_families
from .likelihood.result import Hypothesis, LikelihoodResult
from .linear.classifiers import LogisticRegression
from .linear.formula import Regression, regress
from .linear.prediction import PredictionInterval, predict_interval
from .linear.regressors import LinearRegression, PoissonRegression, Ridge
from .linear.sgd import SGDClassifier, SGDRegressor
from .measures.measure import Measure
from .networks.classifier import MLPClassifier
from .networks.diagnosis import Diagnosis
from .networks.estimator import Network
from .networks.history import History
from .networks.own import train
from .networks.regressor import MLPRegressor, PredictedDistribution
from .numerics.moments import moments
from .pca.classes import PCA, IncrementalPCA
from .pca.inference import ComponentsResult, NumberOfComponents, choose_components
from .pca.kernel import KernelPCA
from .resampling.assess import Assessment, assess
from .resampling.bootstrap import Bootstrap, Jackknife, bootstrap, jackknife
from .resampling.capacity import CapacityCurve, capacity_curve
from .resampling.decomposition import Decomposition, decompose
from .resampling.learning import LearningCurve, learning_curve
from .svm.classification import SVC
from .svm.leave_one_out import leave_one_out
from .svm.novelty import OneClassSVM
from .svm.probability import held_out_probability
from .svm.regression import SVR
from .tables.streaming import BatchSource, open_source

__version__: str

__all__ = [
    "Assessment",
    "BatchSource",
    "Bernoulli",
    "Beta",
    "Binomial",
    "Bootstrap",
    "Calibration",
    "CapacityCurve",
    "Categorical",
    "Code",
    "Comparison",
    "ComponentsResult",
    "Conditional",
    "DataError",
    "Decomposition",
    "Diagnosis",
    "Divergence",
    "Exponential",
    "Gamma",
    "History",
    "Hypothesis",
    "IncrementalPCA",
    "Jackknife",
    "KernelPCA",
    "Laplace",
    "LearningCurve",
    "LikelihoodResult",
    "LinearRegression",
    "LogNormal",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "Mixture",
    "Measure",
    "Model",
    "MultivariateNormal",
    "NegativeBinomial",
    "Network",
    "Normal",
    "NumberOfComponents",
    "OneClassSVM",
    "PCA",
    "Poisson",
    "PoissonRegression",
    "PredictedDistribution",
    "PredictionInterval",
    "Problem",
    "Ranking",
    "Regression",
    "ResultFileError",
    "Ridge",
    "SGDClassifier",
    "SGDRegressor",
    "SVC",
    "SVR",
    "Severity",
    "StreamFit",
    "StudentT",
    "ThetaHatError",
    "ThetaHatWarning",
    "Uniform",
    "UsageError",
    "Weibull",
    "assess",
    "autodiff",
    "bootstrap",
    "calibrate",
    "capacity_curve",
    "choose_components",
    "compare",
    "cross_entropy",
    "decompose",
    "fit_partitions",
    "fit_stream",
    "held_out_probability",
    "jackknife",
    "kl_divergence",
    "learning_curve",
    "leave_one_out",
    "load",
    "load_stream_fit",
    "mle",
    "moments",
    "on_cluster",
    "open_source",
    "predict_interval",
    "predict_stream",
    "rank_families",
    "regress",
    "save",
    "train",
]
