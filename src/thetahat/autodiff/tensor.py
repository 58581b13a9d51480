"""The traced array: NumPy and SciPy functions meet it and find the rule through one table.

Subclass of nothing in NumPy: it answers ``__array_ufunc__`` and ``__array_function__``, and refuses
``__array__``, because a conversion to a plain array would drop the gradient without a word.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from thetahat.autodiff.tape import Node
from thetahat.errors import UsageError

__all__ = ["FUNCTIONS", "METHODS", "UFUNCS", "UFUNC_METHODS", "Tensor", "accepted_keywords", "plain"]

#: What each ufunc does with traced inputs: ``(*inputs) -> traced or plain``.
UFUNCS: dict[Any, Callable[..., Any]] = {}
#: What a method of a ufunc does: ``(ufunc, "reduce") -> function of NumPy's own signature``.
UFUNC_METHODS: dict[tuple[Any, str], Callable[..., Any]] = {}
#: What each dispatching NumPy function does, with NumPy's own signature.
FUNCTIONS: dict[Any, Callable[..., Any]] = {}
#: The array methods of a tensor, each the NumPy function of that name.
METHODS: dict[str, Callable[..., Any]] = {}

_DOOR = "thetahat.autodiff.primitive"

# What cannot dispatch, by the module and name of the function that asked for a plain array.
_OURS = {
    "logsumexp": "logsumexp",
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "softplus": "softplus",
    "polygamma": "polygamma",
    "multigammaln": "multigammaln",
    "cholesky": "cholesky",
    "cho_factor": "cholesky",
    "cho_solve": "cho_solve",
    "solve_triangular": "solve_triangular",
    "solve": "np.linalg.solve",
    "inv": "np.linalg.inv",
    "det": "np.linalg.det",
    "eigh": "np.linalg.eigh",
    "eigvalsh": "np.linalg.eigvalsh",
    "svd": "np.linalg.svd",
    "svdvals": "np.linalg.svdvals",
    "qr": "np.linalg.qr",
    "norm": "np.linalg.norm",
}

_REFUSED_KEYWORDS = {
    "out": "it would write into an array; use the returned value",
    "where": "use np.where(mask, f(x), fallback)",
    "dtype": "use x.astype(dtype) before the call",
    "casting": "leave it out",
    "subok": "leave it out",
    "signature": "leave it out",
    "order": "leave it out",
}


def plain(x: Any) -> Any:
    """Return the value of a traced array, its gradient dropped on purpose; anything else unchanged.

    Lists and tuples are searched, since NumPy's functions take sequences of arrays.
    """
    if isinstance(x, Node):
        return x.value
    if type(x) in (list, tuple):
        return type(x)(plain(item) for item in x)
    return x


class Tensor(Node, NDArrayOperatorsMixin):
    """An array whose history is recorded, so that it can be differentiated.

    Made by the transformations (:func:`thetahat.autodiff.grad` and its like), never by hand. It has
    the attributes and methods of a NumPy array, is immutable, and works with plain NumPy and SciPy
    functions.
    """

    __slots__ = ()
    __array_priority__ = 1000.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.value.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.value.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.value.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Number of numbers."""
        return self.value.size  # type: ignore[no-any-return]

    @property
    def T(self) -> Any:
        """The axes in reverse order."""
        return self if self.ndim < 2 else FUNCTIONS[np.transpose](self)

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return FUNCTIONS[np.swapaxes](self, -1, -2)

    @property
    def real(self) -> Any:
        """The tensor itself: complex numbers are refused on the tape."""
        return self

    @property
    def flat(self) -> Any:
        """Iterator over the numbers, each traced."""
        return iter(FUNCTIONS[np.ravel](self))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs:
            _refuse_keywords(f"np.{ufunc.__name__}", kwargs, method)
        if method == "__call__":
            rule = UFUNCS.get(ufunc)
            if rule is None:
                raise UsageError(
                    f"The ufunc {ufunc.__name__} has no derivative rule. Give one with {_DOOR}, or drop "
                    "the gradient on purpose with thetahat.autodiff.stop_gradient."
                )
            return rule(*[_as_operand(x) for x in inputs], **kwargs)
        special = UFUNC_METHODS.get((ufunc, method)) or UFUNC_METHODS.get((None, method))
        if special is None:
            cure = (
                "it writes in place; build a new array with np.where or np.concatenate"
                if method == "at"
                else "use the NumPy function that says the same (np.sum, np.cumsum, np.max, …)"
            )
            raise UsageError(f"np.{ufunc.__name__}.{method} has no derivative rule: {cure}.")
        if (ufunc, method) in UFUNC_METHODS:
            return special(*inputs, **kwargs)
        return special(ufunc, *inputs, **kwargs)

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        rule = FUNCTIONS.get(func)
        if rule is None:
            name = _qualified(func)
            raise UsageError(
                f"{name} has no derivative rule. Give one with {_DOOR}, or drop the gradient on purpose "
                "with thetahat.autodiff.stop_gradient."
            )
        if kwargs and not kwargs.keys() <= accepted_keywords(rule):
            _refuse_keywords(_qualified(func), kwargs, "__call__", accepted_keywords(rule))
            kwargs = {key: kwargs[key] for key in kwargs if key in accepted_keywords(rule)}
        return rule(*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise UsageError(_conversion_message())

    def __getattr__(self, name: str) -> Any:
        method = METHODS.get(name)
        if method is not None:
            return functools.partial(method, self)
        if name in _WRITING_METHODS:
            return functools.partial(_refuse_writing_method, name)
        raise AttributeError(f"A traced array has no attribute {name!r}.")

    def __getitem__(self, key: Any) -> Any:
        return METHODS["__getitem__"](self, key)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise UsageError(
            "t[…] = value writes in place, which a traced array refuses: its history would be wrong. "
            "Build a new array: np.where(mask, value, t), np.concatenate, or thetahat.autodiff.array([...])."
        )

    def _refuse_in_place(self, other: Any, sign: str, plain_operator: Callable[[Any, Any], Any]) -> Any:
        # A NumPy scalar is immutable, so `total += x` only binds the name anew: nothing is written.
        if self.shape == ():
            return plain_operator(self, other)
        raise UsageError(
            f"t {sign}= value writes in place, which a traced array refuses: other names may hold the "
            f"same array. Write t = t {sign} value."
        )

    def __iadd__(self, other: Any) -> Any:
        return self._refuse_in_place(other, "+", np.add)

    def __isub__(self, other: Any) -> Any:
        return self._refuse_in_place(other, "-", np.subtract)

    def __imul__(self, other: Any) -> Any:
        return self._refuse_in_place(other, "*", np.multiply)

    def __itruediv__(self, other: Any) -> Any:
        return self._refuse_in_place(other, "/", np.true_divide)

    def __ifloordiv__(self, other: Any) -> Any:
        return self._refuse_in_place(other, "//", np.floor_divide)

    def __ipow__(self, other: Any) -> Any:
        return self._refuse_in_place(other, "**", np.power)

    def __imod__(self, other: Any) -> Any:
        return self._refuse_in_place(other, "%", np.remainder)

    def __imatmul__(self, other: Any) -> Any:
        return self._refuse_in_place(other, "@", np.matmul)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        if self.shape == ():
            raise TypeError("A traced scalar cannot be iterated over.")
        return (self[i] for i in range(len(self.value)))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> NoReturn:
        raise UsageError(
            "float(t) would drop the gradient; the math module and t.item() do it too. Use NumPy's "
            "function (np.log for math.log), or thetahat.autodiff.stop_gradient to drop it on purpose."
        )

    def __int__(self) -> NoReturn:
        raise UsageError(
            "int(t) would drop the gradient. Use thetahat.autodiff.stop_gradient to drop it on purpose."
        )

    def __complex__(self) -> NoReturn:
        raise UsageError("complex(t): complex numbers are refused on the tape. Keep their two parts.")

    def item(self, *_: Any) -> NoReturn:
        """Refuse: it would drop the gradient."""
        self.__float__()

    def tolist(self) -> Any:
        """Return nested lists of traced scalars."""
        return self if self.shape == () else [row.tolist() for row in self]

    def __round__(self, digits: int = 0) -> Any:
        return np.round(self.value, digits)

    def __repr__(self) -> str:
        return f"Tensor({self.value!r}, made by {'the caller' if self.op is None else self.op.name})"

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: Any) -> Tensor:
        return self


def _refuse_writing_method(name: str, *_: Any, **__: Any) -> NoReturn:
    raise UsageError(
        f".{name}() writes in place, which a traced array refuses: its history would be wrong. "
        "Build a new array (np.sort(t), np.where(mask, new, t), np.concatenate)."
    )


_WRITING_METHODS = frozenset(
    {"fill", "itemset", "partition", "put", "resize", "setfield", "setflags", "sort", "byteswap"}
)


def _as_operand(x: Any) -> Any:
    """Turn a list or a frame into an array and refuse complex numbers; scalars keep their weak type."""
    if isinstance(x, (Node, float, int)):
        return x
    array = x if isinstance(x, np.ndarray | np.generic) else np.asarray(x)
    if array.dtype.kind == "c":
        raise UsageError("Complex numbers are refused on the tape. Keep the real and imaginary parts apart.")
    return array


def _qualified(func: Callable[..., Any]) -> str:
    return f"{func.__module__}.{func.__name__}".replace("numpy", "np", 1)


@functools.cache
def accepted_keywords(rule: Callable[..., Any]) -> frozenset[str]:
    """Return the keywords that a rule takes."""
    parameters = inspect.signature(rule).parameters.values()
    return frozenset(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))


def _refuse_keywords(
    name: str, kwargs: dict[str, Any], method: str, accepted: frozenset[str] = frozenset()
) -> None:
    for key, value in kwargs.items():
        if key in accepted or value is None or value is np._NoValue:
            continue
        if key == "where" and value is True:
            continue
        if method not in ("__call__", "outer") and key in ("axis", "keepdims", "initial"):
            continue
        label = name if method == "__call__" else f"{name}.{method}"
        cure = _REFUSED_KEYWORDS.get(key, "write it with other NumPy functions")
        raise UsageError(f"{label} does not take {key}= with a traced array: {cure}.")


def _conversion_message() -> str:
    """Say which function asked for a plain array, and what to call instead."""
    frame = sys._getframe(2)
    asked = None
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(("scipy", "numpy", "thetahat.autodiff.tensor")):
            break
        name = frame.f_code.co_name
        if module.startswith("scipy") and not name.startswith(("_", "<", "asarray", "wrapper")):
            asked = name
        if frame.f_back is None:
            break
        frame = frame.f_back
    if asked in _OURS:
        ours = _OURS[asked]
        ours = ours if ours.startswith(("np.", "fancy")) else f"thetahat.autodiff.{ours}"
        return f"scipy's {asked} cannot take a traced array. Call {ours} instead."
    if asked is not None:
        return (
            f"scipy's {asked} cannot take a traced array: it converts to a plain array, which drops the "
            f"gradient. Give it a rule with {_DOOR}."
        )
    return (
        "A traced array cannot become a plain array: the gradient would be dropped. For np.array([t, …]) "
        "and np.asarray call thetahat.autodiff.array; for writing into an array use np.where or "
        "np.concatenate; for scipy's logsumexp, softmax and linalg call thetahat.autodiff.logsumexp, "
        "softmax, cholesky, solve_triangular or np.linalg; to drop the gradient on purpose call "
        "thetahat.autodiff.stop_gradient."
    )
