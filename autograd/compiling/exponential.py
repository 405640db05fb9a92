"""The exponential function as C that compilers turn into vectors. The C library's takes one number at a time.

x is k ln 2 + r with a whole k and |r| < 0.35. exp(r) is a polynomial, and 2^k two factors, so that subnormal results
come out right. What is beyond the bounds overflows to infinity or to 0 by itself; nan stays.

>>> print(exponential("f").splitlines()[0])
static inline real value_exp(real x) {
"""

from __future__ import annotations

import math

DOUBLE = {
    "whole": "long long", "low": "-746.0", "high": "710.0", "shift": "6755399441055744.0",
    "above": "0.693147180369123816490", "below": "1.90821492927058770002e-10", "bits": "0x4338000000000000LL",
    "bias": "1023", "places": "52",
}  # fmt: skip
SINGLE = {
    "whole": "int", "low": "-104.0f", "high": "89.0f", "shift": "12582912.0f", "above": "0.693359375f",
    "below": "-2.12194440e-4f", "bits": "0x4B400000", "bias": "127", "places": "23",
}  # fmt: skip
"""ln 2 is `above` + `below`: k times the first is exact. `shift` is what rounds a number to a whole one."""


def exponential(suffix: str) -> str:
    """The function `value_exp` for double, or with the suffix f for float."""
    form, terms = (SINGLE, 8) if suffix else (DOUBLE, 14)
    polynomial = f"1.0{suffix}"
    for n in range(terms - 1, 0, -1):
        polynomial = f"1.0{suffix} + r * {1 / n!r}{suffix} * ({polynomial})"
    return "\n".join(
        [
            "static inline real value_exp(real x) {",
            f"    const real y = x > {form['high']} ? {form['high']} : x < {form['low']} ? {form['low']} : x;",
            f"    const real t = y * {1 / math.log(2)!r}{suffix} + {form['shift']}, k = t - {form['shift']};",
            f"    const real r = y - k * {form['above']} - k * {form['below']};",
            f"    union {{ real number; {form['whole']} bits; }} whole = {{t}}, left, right;",
            f"    whole.bits -= {form['bits']};",
            "    left.bits = whole.bits >> 1;",
            f"    right.bits = (whole.bits - left.bits + {form['bias']}) << {form['places']};",
            f"    left.bits = (left.bits + {form['bias']}) << {form['places']};",
            f"    return ({polynomial}) * left.number * right.number;",
            "}",
        ]
    )
