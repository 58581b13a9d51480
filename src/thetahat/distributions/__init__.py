"""Parametric families, their divergences, and the output families of conditional models."""

from thetahat.distributions.bernoulli import Bernoulli
from thetahat.distributions.beta import Beta
from thetahat.distributions.binomial import Binomial
from thetahat.distributions.categorical import Categorical
from thetahat.distributions.distribution import Distribution, Support
from thetahat.distributions.divergence import Divergence, cross_entropy, kl_divergence
from thetahat.distributions.exponential import Exponential
from thetahat.distributions.gamma import Gamma
from thetahat.distributions.laplace import Laplace
from thetahat.distributions.lognormal import LogNormal
from thetahat.distributions.mixture import Mixture
from thetahat.distributions.multivariate_normal import MultivariateNormal
from thetahat.distributions.negative_binomial import NegativeBinomial
from thetahat.distributions.normal import Normal
from thetahat.distributions.output import BernoulliOutput, CategoricalOutput, NormalOutput, PoissonOutput
from thetahat.distributions.poisson import Poisson
from thetahat.distributions.student import StudentT
from thetahat.distributions.uniform import Uniform
from thetahat.distributions.weibull import Weibull

__all__ = [
    "Bernoulli",
    "BernoulliOutput",
    "Beta",
    "Binomial",
    "Categorical",
    "CategoricalOutput",
    "Distribution",
    "Divergence",
    "Exponential",
    "Gamma",
    "Laplace",
    "LogNormal",
    "Mixture",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "NormalOutput",
    "Poisson",
    "PoissonOutput",
    "StudentT",
    "Support",
    "Uniform",
    "Weibull",
    "cross_entropy",
    "kl_divergence",
]
