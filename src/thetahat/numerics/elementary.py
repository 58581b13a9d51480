"""Exponential, logarithm and hyperbolic tangent in operations that vector units have, for lack of a library.

The reduction is that of Cody and Waite, the polynomials those of Moshier's Cephes; errors are within
two units in the last place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from thetahat.numerics.compiled import contracting_kernel, kernel

__all__ = ["exponential", "exponential_within", "log_one_plus", "logarithm", "tangent"]


@contracting_kernel
def _within32(x: Any) -> Any:
    # Adding 1.5 · 2²³ rounds to a whole number, which is then in the low bits.
    shifted = np.float32(x * np.float32(1.44269504) + np.float32(12582912.0))
    k = shifted - np.float32(12582912.0)
    r = x - k * np.float32(0.693359375) + k * np.float32(2.12194440e-4)
    # In pairs (Estrin), since who waits for one exponential waits for the longest chain of its operations.
    r2 = r * r
    low = r2 * (r * np.float32(1.6666665459e-1) + np.float32(5.0000001201e-1)) + (r + np.float32(1))
    top = r2 * (r * np.float32(1.9875691500e-4) + np.float32(1.3981999507e-3))
    y = low + r2 * r2 * (top + (r * np.float32(8.3334519073e-3) + np.float32(4.1665795894e-2)))
    return y * np.int32((shifted.view(np.int32) + np.int32(127)) << np.int32(23)).view(np.float32)


@kernel
def _exponential32(x: Any) -> Any:
    """Return e^x in single precision, of the nearest x from −87.3 to 88.3."""
    return _within32(min(max(x, np.float32(-87.3)), np.float32(88.3)))


@kernel
def _within64(x: Any) -> Any:
    k = np.floor(x * 1.4426950408889634 + 0.5)
    r = x - k * 6.93145751953125e-1 - k * 1.42860682030941723212e-6
    s = r * r
    p = r * ((1.26177193074810590878e-4 * s + 3.02994407707441961300e-2) * s + 9.99999999999999999910e-1)
    q = (
        (3.00198505138664455042e-6 * s + 2.52448340349684104192e-3) * s + 2.27265548208155028766e-1
    ) * s + 2.0
    y = 1.0 + 2.0 * (p / (q - p))
    return y * np.int64((np.int64(k) + np.int64(1023)) << np.int64(52)).view(np.float64)


@kernel
def _exponential64(x: Any) -> Any:
    """Return e^x in double precision, of the nearest x from −708 to 709."""
    return _within64(min(max(x, -708.0), 709.0))


@kernel
def _tangent32(x: Any) -> Any:
    """Return tanh x in single precision."""
    a = abs(x)
    e = _exponential32(np.float32(-2) * a)
    far = (np.float32(1) - e) / (np.float32(1) + e)
    z = x * x
    p = np.float32(-5.70498872745e-3)
    p = p * z + np.float32(2.06390887954e-2)
    p = p * z + np.float32(-5.37397155531e-2)
    p = p * z + np.float32(1.33314422036e-1)
    p = p * z + np.float32(-3.33332819422e-1)
    near = a + a * z * p
    t = near if a < np.float32(0.625) else far
    return t if x >= np.float32(0) else -t


@kernel
def _tangent64(x: Any) -> Any:
    """Return tanh x in double precision."""
    a = abs(x)
    e = _exponential64(-2.0 * a)
    far = (1.0 - e) / (1.0 + e)
    z = x * x
    p = (-9.64399179425052238628e-1 * z - 9.92877231001918586564e1) * z - 1.61468768441708447952e3
    q = ((z + 1.12811678491632931402e2) * z + 2.23548839060100448583e3) * z + 4.84406305325125486048e3
    near = a + a * z * (p / q)
    t = near if a < 0.625 else far
    return t if x >= 0.0 else -t


@kernel
def _logarithm32(x: Any) -> Any:
    """Return log x in single precision, of a positive x that is not denormal."""
    bits = np.float32(x).view(np.int32)
    # Counted from √½, so that the rest lies between √½ and √2.
    power = np.int32(np.int32(bits - np.int32(0x3F3504F3)) >> np.int32(23))
    f = np.int32(bits - np.int32(power << np.int32(23))).view(np.float32) - np.float32(1)
    e = np.float32(power)
    p = np.float32(7.0376836292e-2)
    p = p * f - np.float32(1.1514610310e-1)
    p = p * f + np.float32(1.1676998740e-1)
    p = p * f - np.float32(1.2420140846e-1)
    p = p * f + np.float32(1.4249322787e-1)
    p = p * f - np.float32(1.6668057665e-1)
    p = p * f + np.float32(2.0000714765e-1)
    p = p * f - np.float32(2.4999993993e-1)
    p = p * f + np.float32(3.3333331174e-1)
    z = f * f
    y = p * f * z - np.float32(2.12194440e-4) * e - np.float32(0.5) * z
    return f + y + np.float32(0.693359375) * e


@kernel
def _logarithm64(x: Any) -> Any:
    """Return log x in double precision, of a positive x that is not denormal."""
    bits = np.float64(x).view(np.int64)
    power = (bits - np.int64(0x3FE6A09E667F3BCD)) >> np.int64(52)
    f = np.int64(bits - (power << np.int64(52))).view(np.float64) - 1.0
    e = np.float64(power)
    p = 1.01875663804580931796e-4
    p = p * f + 4.97494994976747001425e-1
    p = p * f + 4.70579119878881725854
    p = p * f + 1.44989225341610930846e1
    p = p * f + 1.79368678507819816313e1
    p = p * f + 7.70838733755885391666
    q = f + 1.12873587189167450590e1
    q = q * f + 4.52279145837532221105e1
    q = q * f + 8.29875266912776603211e1
    q = q * f + 7.11544750618563894466e1
    q = q * f + 2.31251620126765340583e1
    z = f * f
    y = f * (z * p / q) - e * 2.121944400546905827679e-4 - 0.5 * z
    return f + y + e * 0.693359375


@kernel
def _log_one_plus32(x: Any) -> Any:
    """Return log(1 + x) in single precision, of x ≥ 0; exact where 1 + x rounds to 1 (Kahan's way)."""
    u = x + np.float32(1)
    d = u - np.float32(1)
    return _logarithm32(u) * (x / d) if d != np.float32(0) else x


@kernel
def _log_one_plus64(x: Any) -> Any:
    """Return log(1 + x) in double precision, of x ≥ 0."""
    u = x + 1.0
    d = u - 1.0
    return _logarithm64(u) * (x / d) if d != 0.0 else x


def logarithm(x: Any) -> Any:
    """Return log x in the precision of x: compiled code only, positive normal numbers only."""
    raise NotImplementedError


def log_one_plus(x: Any) -> Any:
    """Return log(1 + x) in the precision of x: compiled code only, x ≥ 0 only."""
    raise NotImplementedError


def exponential(x: Any) -> Any:
    """Return e^x in the precision of x: compiled code only."""
    raise NotImplementedError


def exponential_within(x: Any) -> Any:
    """Return e^x in the precision of x, for −87 ≤ x ≤ 88, which is not looked at: compiled code only."""
    raise NotImplementedError


def tangent(x: Any) -> Any:
    """Return tanh x in the precision of x: compiled code only."""
    raise NotImplementedError


def _choosing(single: Any, double: Any) -> Any:
    def in_single(x: Any) -> Any:
        return single(x)

    def in_double(x: Any) -> Any:
        return double(x)

    # The implementation must have the very signature of the typing function, annotations included.
    def implementation(x: Any) -> Any:
        return in_single if x == types.float32 else in_double

    return implementation


_overload: Any = overload
_overload(exponential, jit_options={"error_model": "numpy"})(_choosing(_exponential32, _exponential64))
_overload(exponential_within, jit_options={"error_model": "numpy"})(_choosing(_within32, _within64))
_overload(tangent, jit_options={"error_model": "numpy"})(_choosing(_tangent32, _tangent64))
_overload(logarithm, jit_options={"error_model": "numpy"})(_choosing(_logarithm32, _logarithm64))
_overload(log_one_plus, jit_options={"error_model": "numpy"})(_choosing(_log_one_plus32, _log_one_plus64))
