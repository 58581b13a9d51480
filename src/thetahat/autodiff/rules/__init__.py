"""Tables of derivative rules, one file a family of operations; importing the package fills the tables."""

from thetahat.autodiff.rules import elementwise, linear_algebra, log_domain, reductions, shapes, special

__all__ = ["elementwise", "linear_algebra", "log_domain", "reductions", "shapes", "special"]
