"""The numbers of the instructions that a program is made of."""

from __future__ import annotations

__all__ = ["COMMUTES", "ELEMENTWISE", "WIDTH"]

#: Whole numbers an instruction takes.
WIDTH = 24

PRODUCT = 0
BIAS_RELU = 1
BIAS_ADD = 2
RELU_BACK = 3
RELU_BACK_SUM = 4
SUM = 5
MAX = 6
NLL = 7
ZERO = 8
PLACE = 9

#: Elementwise operations by name; their instructions start here.
FIRST_ELEMENTWISE = 16
_NAMES = (
    "copy add subtract multiply divide maximum minimum negative exp log sqrt square reciprocal tanh "
    "expit absolute sign log1p expm1 sin cos logaddexp log_expit power greater greater_equal less "
    "less_equal tanh_slope expit_slope keep_greater keep_greater_equal select"
).split()
ELEMENTWISE = {name: FIRST_ELEMENTWISE + i for i, name in enumerate(_NAMES)}
COMMUTES = frozenset({"add", "multiply", "maximum", "minimum"})
