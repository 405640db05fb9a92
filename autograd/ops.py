"""The table of operations: every value and every derivative in this project, one row each.

Read `autograd.rows` for what a row is. Nothing else in the project knows a derivative formula; to add an operation,
add a row. Rules call other rows (`cos(x)`, `where(...)`) rather than NumPy, so that they are differentiable in turn;
`out` is the row's own result. Where a derivative is not unique (relu at 0, a tie of maximum) the rule chooses as the
large frameworks do; `tests/test_edge_cases.py` holds the choices.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Sequence
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import kernels
from autograd.arrays import to_array
from autograd.rows import (
    REALS,
    Elementwise,
    Fused,
    Linear,
    Op,
    Reduction,
    Traced,
    box,
    fixed_axis,
    normalize_axis,
    permutation,
    shape_of,
    unbroadcast,
)

inf, nan = math.inf, math.nan
POSITIVE = (0.0, inf)
LOG2 = math.log(2.0)
LOG10 = math.log(10.0)
DEGREE = math.pi / 180


def detach(x: Any) -> Any:
    """`x` as a constant: the numbers of a node, anything else as it is.

    >>> detach(2.0)
    2.0
    """
    if isinstance(x, np.ndarray) and x.dtype == object:
        out = box(np.frompyfunc(detach, 1, 1)(x))  # which unpacks an array without axes
        return out if builtins.any(isinstance(item, Traced) for item in out.flat) else out.astype(float)
    return x.detach() if isinstance(x, Traced) else x  # type: ignore[attr-defined]


def isnan(x: Any) -> Any:
    """Whether the number is nan.

    >>> isnan(math.nan)
    True
    """
    x = detach(x)
    return np.frompyfunc(operator.ne, 2, 1)(x, x) if isinstance(x, np.ndarray) and x.dtype == object else x != x


def equal(x: Any, y: Any) -> Any:
    """Whether the numbers are equal (`==` on nodes compares identity).

    >>> equal(2.0, 2.0)
    True
    """
    x, y = detach(x), detach(y)
    traced = builtins.any(isinstance(a, np.ndarray) and a.dtype == object for a in (x, y))
    return np.frompyfunc(operator.eq, 2, 1)(x, y) if traced else x == y


def _is_text(x: Any) -> bool:
    """Whether `x` is a name in a formula that is to be read, or compiled for floats: one branch is taken.

    >>> _is_text(2.0)
    False
    """
    return not getattr(x, "_branches", True)


def _guarded(x: Any, wrong: Any, instead: Any) -> Any:
    """`x`, and another number where it is wrong to go on with `x`: there the rule would multiply 0 by infinity.

    Arrays compute the branch that is not taken too, and so do derivatives of a rule. A formula does not show this.

    >>> _guarded(0.0, True, 1.0)
    1.0
    """
    return x if _is_text(x) else where(wrong, instead, x)


def _within(x: Any, bound: float) -> Any:
    """`x` within ``[-bound, bound]``; beyond, the rule that asks for it gives the same number to the last digit.

    The rule's own derivatives are 0 beyond, where they would be 0 times infinity. A formula does not show this.

    >>> _within(50.0, 40.0)
    40.0
    """
    return x if _is_text(x) else clip(x, -bound, bound)


# fmt: off
# ---------------------------------------------------------------------------------------------------- arithmetic

add = Elementwise(
    "add", lambda x, y: x + y,
    lambda out, x, y: 1,
    lambda out, x, y: 1,
    array=np.add, infix="+", doc="Sum of two.", example="add(2.0, 3.0) = 5.0",
)
sub = Elementwise(
    "sub", lambda x, y: x - y,
    lambda out, x, y: 1,
    lambda out, x, y: -1,
    array=np.subtract, infix="-", doc="Difference.", example="sub(2.0, 3.0) = -1.0",
)
mul = Elementwise(
    "mul", lambda x, y: x * y,
    lambda out, x, y: y,
    lambda out, x, y: x,
    array=np.multiply, infix="*", doc="Product of two.", example="mul(2.0, 3.0) = 6.0",
)
div = Elementwise(
    "div", lambda x, y: x / y,
    lambda out, x, y: 1 / y,
    lambda out, x, y: -out / y,
    array=np.true_divide, infix="/", doc="Quotient; x / 0 is inf or nan.", example="div(1.0, 0.0) = inf",
)
floordiv: Elementwise = Elementwise(
    "floordiv", operator.floordiv,
    lambda out, x, y: 0,
    lambda out, x, y: 0,
    array=np.floor_divide, infix="//", kinks=(0.0,),
    doc="Quotient, rounded down.", example="floordiv(-7.0, 2.0) = -4.0",
)
remainder = Elementwise(
    "remainder", operator.mod,
    lambda out, x, y: 1,
    lambda out, x, y: -floordiv(x, y),
    array=np.remainder, infix="%", kinks=(0.0,),
    doc="What is left of x beyond the multiples of y; it has the sign of y.", example="remainder(-7.0, 2.0) = 1.0",
)
fmod = Elementwise(
    "fmod", math.fmod,
    lambda out, x, y: 1,
    lambda out, x, y: -_turns(detach(x), detach(y)),
    array=np.fmod, kinks=(0.0,),
    doc="What is left of x beyond the multiples of y; it has the sign of x.", example="fmod(-7.0, 2.0) = -1.0",
)
power: Elementwise = Elementwise(
    "power", math.pow,
    lambda out, x, y: y * power(_base(x, y), y - 1),
    lambda out, x, y: _by_exponent(out, x, y),
    array=np.power, infix="**", domain=(POSITIVE, REALS),
    doc="x to the power y; nan, never complex, for a negative base with a fractional power.",
    example="power(-8.0, 1 / 3) = nan",
)
powlog: Elementwise = Elementwise(
    "powlog",
    lambda n, x, y: where(equal(x, 0) & (y >= 0) & (n > 0), 0.0, power(x, y) * power(log(x), n)),
    None,
    lambda out, n, x, y: (
        y * powlog(n, _base(x, y), y - 1)
        + n * powlog(where(equal(n, 0), 0, n - 1), where(equal(n, 0), 1, _base(x, y)), y - 1)
    ),
    lambda out, n, x, y: powlog(n + 1, x, y),
    domain=(POSITIVE, (1.0, inf), REALS),
    doc="x**y * log(x)**n, and 0 for n > 0 where x is 0 and y is not negative: the derivatives of `power` by y.",
    example="powlog(1, 2.0, 3.0) = 5.545177444479562",
)
identity = Elementwise(
    "identity", lambda x: x, lambda out, x: 1,
    array=np.positive, doc="The same number, as a variable of its own.", example="identity(2.0) = 2.0",
)
neg = Elementwise(
    "neg", lambda x: -x, lambda out, x: -1,
    array=np.negative, infix="-", doc="Negative.", example="neg(2.0) = -2.0",
)
square = Elementwise(
    "square", lambda x: x * x, lambda out, x: 2 * x,
    array=np.square, doc="x times x.", example="square(3.0) = 9.0",
)
reciprocal = Elementwise(
    "reciprocal", lambda x: 1 / x, lambda out, x: -out * out,
    array=np.reciprocal, kinks=(0.0,), doc="One over x.", example="reciprocal(4.0) = 0.25",
)
abs = Elementwise(
    "abs", math.fabs, lambda out, x: sign(x),
    array=np.abs, kinks=(0.0,), doc="Magnitude; slope 0 at 0.", example="abs(-2.0) = 2.0",
)
sign: Elementwise = Elementwise(
    "sign", lambda x: where(x > 0, 1.0, where(x < 0, -1.0, x * 0)), lambda out, x: 0,
    array=np.sign, kinks=(0.0,), doc="-1, 0 or 1.", example="sign(-2.0) = -1.0",
)
copysign: Elementwise = Elementwise(
    "copysign", math.copysign,
    lambda out, x, y: sign(x) * copysign(1.0, y),
    lambda out, x, y: 0,
    array=np.copysign, kinks=(0.0,), doc="The magnitude of x with the sign of y.", example="copysign(2.0, -0.0) = -2.0",
)
hypot = Elementwise(
    "hypot", math.hypot,
    lambda out, x, y: x / where(equal(out, 0), 1, out),
    lambda out, x, y: y / where(equal(out, 0), 1, out),
    array=np.hypot, doc="sqrt(x**2 + y**2) without overflow; slopes 0 at (0, 0).", example="hypot(3.0, 4.0) = 5.0",
)


def _turns(x: Any, y: Any) -> Any:
    """How often y goes into x, rounded towards 0."""
    return sign(x) * sign(y) * floordiv(abs(x), abs(y))


def _base(x: Any, y: Any) -> Any:
    """The base of the slope ``y * x ** (y - 1)``: 1 for 0 ** 0, whose slope is 0, not 0 times infinity."""
    return x if isinstance(y, (int, float)) and y else where(equal(x, 0) & equal(y, 0), 1, x)


def _by_exponent(out: Any, x: Any, y: Any) -> Any:
    """The slope ``out * log(x)``, 0 for a power of 0; its own derivatives are in `powlog`."""
    if _is_text(x) or not (isinstance(x, Traced) or isinstance(y, Traced)):
        return where(equal(x, 0) & (y >= 0), 0, out * log(x))
    return powlog(1, x, y)


# -------------------------------------------------------------------------------------- exponentials, logarithms

exp = Elementwise(
    "exp", math.exp, lambda out, x: out,
    array=np.exp, doc="e to the power x.", example="exp(0.0) = 1.0",
)
expm1 = Elementwise(
    "expm1", math.expm1, lambda out, x: exp(x),
    array=np.expm1, doc="exp(x) - 1, exact near 0.", example="expm1(1e-20) = 1e-20",
)
exp2 = Elementwise(
    "exp2", math.exp2, lambda out, x: out * LOG2,
    array=np.exp2, doc="2 to the power x.", example="exp2(3.0) = 8.0",
)
log: Elementwise = Elementwise(
    "log", math.log, lambda out, x: 1 / x,
    array=np.log, domain=(POSITIVE,), doc="Natural logarithm.", example="log(0.0) = -inf",
)
log1p = Elementwise(
    "log1p", math.log1p, lambda out, x: 1 / (1 + x),
    array=np.log1p, domain=((-1.0, inf),), doc="log(1 + x), exact near 0.", example="log1p(1e-20) = 1e-20",
)
log2 = Elementwise(
    "log2", math.log2, lambda out, x: 1 / (x * LOG2),
    array=np.log2, domain=(POSITIVE,), doc="Logarithm to base 2.", example="log2(8.0) = 3.0",
)
log10 = Elementwise(
    "log10", math.log10, lambda out, x: 1 / (x * LOG10),
    array=np.log10, domain=(POSITIVE,), doc="Logarithm to base 10.", example="log10(1000.0) = 3.0",
)
sqrt = Elementwise(
    "sqrt", math.sqrt, lambda out, x: 0.5 / out,
    array=np.sqrt, domain=(POSITIVE,), doc="Square root; slope inf at 0.", example="sqrt(9.0) = 3.0",
)
cbrt = Elementwise(
    "cbrt", math.cbrt, lambda out, x: power(abs(x), -2 / 3) / 3,
    array=np.cbrt, kinks=(0.0,), doc="Cube root, of negative numbers too; slope inf at 0.", example="cbrt(-8.0) = -2.0",
)
logaddexp = Elementwise(
    "logaddexp",
    lambda x, y: where(equal(x, y), x + LOG2, maximum(x, y) + log1p(exp(-abs(x - y)))),
    lambda out, x, y: sigmoid(_gap(x, y)),
    lambda out, x, y: sigmoid(_gap(y, x)),
    array=np.logaddexp, doc="log(exp(x) + exp(y)) without overflow; slopes 0 where both are -inf.",
    example="logaddexp(1000.0, 1000.0) = 1000.6931471805599",
)
logaddexp2 = Elementwise(
    "logaddexp2",
    lambda x, y: where(equal(x, y), x + 1, maximum(x, y) + log1p(exp2(-abs(x - y))) / LOG2),
    lambda out, x, y: sigmoid(_gap(x, y) * LOG2),
    lambda out, x, y: sigmoid(_gap(y, x) * LOG2),
    array=np.logaddexp2, doc="log2(2**x + 2**y) without overflow; slopes 0 where both are -inf.",
    example="logaddexp2(1000.0, 1000.0) = 1001.0",
)


def _gap(x: Any, y: Any) -> Any:
    """``x - y``, and -inf between -inf and -inf: nothing there moves what they are together."""
    return where(equal(x, y) & equal(x, 2 * x) & (x < 0), x, x - y)  # -inf alone is below 0 and twice itself


# --------------------------------------------------------------------------------- trigonometric and hyperbolic

sin = Elementwise(
    "sin", math.sin, lambda out, x: cos(x),
    array=np.sin, doc="Sine, of radians.", example="sin(0.0) = 0.0",
)
cos: Elementwise = Elementwise(
    "cos", math.cos, lambda out, x: -sin(x),
    array=np.cos, doc="Cosine, of radians.", example="cos(0.0) = 1.0",
)
tan = Elementwise(
    "tan", math.tan, lambda out, x: 1 + out * out,
    array=np.tan, domain=((-math.pi / 2, math.pi / 2),), doc="Tangent, of radians.", example="tan(0.0) = 0.0",
)
asin = Elementwise(
    "asin", math.asin, lambda out, x: 1 / sqrt(1 - x * x),
    array=np.arcsin, domain=((-1.0, 1.0),), doc="Inverse sine, in radians.", example="asin(0.0) = 0.0",
)
acos = Elementwise(
    "acos", math.acos, lambda out, x: -1 / sqrt(1 - x * x),
    array=np.arccos, domain=((-1.0, 1.0),), doc="Inverse cosine, in radians.", example="acos(1.0) = 0.0",
)
atan = Elementwise(
    "atan", math.atan, lambda out, x: 1 / (1 + square(_within(x, 1e160))),
    array=np.arctan, doc="Inverse tangent, in radians.", example="atan(0.0) = 0.0",
)
atan2 = Elementwise(
    "atan2", math.atan2,
    lambda out, y, x: _over_square(x, hypot(x, y)),
    lambda out, y, x: -_over_square(y, hypot(x, y)),
    array=np.arctan2, domain=(REALS, POSITIVE),
    doc="Angle of the point (x, y), in radians; y comes first.", example="atan2(0.0, 1.0) = 0.0",
)
arcsinh = Elementwise(
    "arcsinh", math.asinh, lambda out, x: 1 / hypot(clip(x, -1e300, 1e300), 1),
    array=np.arcsinh, doc="Inverse hyperbolic sine.", example="arcsinh(0.0) = 0.0",
)
arccosh = Elementwise(
    "arccosh", math.acosh, lambda out, x: power(x - 1, -0.5) * power(x + 1, -0.5),
    array=np.arccosh, domain=((1.0, inf),), doc="Inverse hyperbolic cosine.", example="arccosh(1.0) = 0.0",
)
arctanh = Elementwise(
    "arctanh", math.atanh, lambda out, x: 0.5 / (1 - x) + 0.5 / (1 + x),
    array=np.arctanh, domain=((-1.0, 1.0),), doc="Inverse hyperbolic tangent.", example="arctanh(0.0) = 0.0",
)
deg2rad = Elementwise(
    "deg2rad", lambda x: x * DEGREE, lambda out, x: DEGREE,
    array=np.deg2rad, doc="Radians of an angle in degrees.", example="deg2rad(180.0) = 3.141592653589793",
)
rad2deg = Elementwise(
    "rad2deg", lambda x: x * (180 / math.pi), lambda out, x: 180 / math.pi,
    array=np.rad2deg, doc="Degrees of an angle in radians.", example="rad2deg(0.0) = 0.0",
)
sinc = Elementwise(
    "sinc",
    lambda x: where(equal(x, 0), 1.0, sin(math.pi * x) / (math.pi * x)),
    lambda out, x: dsinc(1, x),
    array=np.sinc, doc="sin(pi x) / (pi x), and 1 at 0.", example="sinc(0.0) = 1.0",
)
dsinc: Elementwise = Elementwise(
    "dsinc", lambda n, x: float(kernels.dsinc(float(n), float(x))),
    None,
    lambda out, n, x: dsinc(n + 1, x),
    array=kernels.dsinc, domain=((1.0, 1.0), REALS),
    doc="The n-th derivative of sinc.", example="dsinc(1, 0.0) = 0.0",
)


def _over_square(x: Any, r: Any) -> Any:
    """``x / r**2``, where that is neither too large nor too small though ``r**2`` is."""
    return x / r / r


sinh = Elementwise(
    "sinh", math.sinh, lambda out, x: cosh(x),
    array=np.sinh, doc="Hyperbolic sine.", example="sinh(0.0) = 0.0",
)
cosh: Elementwise = Elementwise(
    "cosh", math.cosh, lambda out, x: sinh(x),
    array=np.cosh, doc="Hyperbolic cosine.", example="cosh(0.0) = 1.0",
)
tanh = Elementwise(
    "tanh", math.tanh, lambda out, x: 1 - out * out,
    array=np.tanh, doc="Hyperbolic tangent.", example="tanh(0.0) = 0.0",
)

# ---------------------------------------------------------------------------------------------------- activations

sigmoid: Elementwise = Elementwise(
    "sigmoid", lambda x: 1 / (1 + exp(-x)), lambda out, x: out * (1 - out),
    doc="Logistic function, 1 / (1 + exp(-x)).", example="sigmoid(0.0) = 0.5",
)
softplus = Elementwise(
    "softplus", lambda x: where(x > 0, x, 0.0) + log1p(exp(-abs(x))), lambda out, x: sigmoid(x),
    array=lambda x: np.logaddexp(x, np.zeros((), np.result_type(x))),
    doc="log(1 + exp(x)), exact everywhere.", example="softplus(800.0) = 800.0",
)
relu = Elementwise(
    "relu", lambda x: where(x <= 0, 0.0, x), lambda out, x: sign(out),
    array=kernels.relu, kinks=(0.0,), doc="max(x, 0); slope 0 at 0.", example="relu(-2.0) = 0.0",
)
leaky_relu = Elementwise(
    "leaky_relu", lambda x, slope: where(x > 0, x, slope * x),
    lambda out, x, slope: where(x > 0, 1, slope),
    lambda out, x, slope: where(x > 0, 0, x),
    defaults=(0.01,), kinks=(0.0,),
    doc="x where positive, slope * x elsewhere.", example="leaky_relu(-2.0, 0.5) = -1.0",
)
elu = Elementwise(
    "elu", lambda x, alpha: where(x > 0, x, alpha * expm1(x)),
    lambda out, x, alpha: where(x > 0, 1, alpha * exp(_guarded(x, x > 0, 0))),
    lambda out, x, alpha: where(x > 0, 0, expm1(_guarded(x, x > 0, 0))),
    defaults=(1.0,), kinks=(0.0,),
    doc="x where positive, alpha * (exp(x) - 1) elsewhere (Clevert et al., 2015).", example="elu(2.0) = 2.0",
)
erf = Elementwise(
    "erf", math.erf, lambda out, x: 2 / math.sqrt(math.pi) * exp(-square(_within(x, 40))),
    array=lambda x: kernels.from_math(math.erf, x), doc="Error function.", example="erf(0.0) = 0.0",
)
erfc = Elementwise(
    "erfc", math.erfc, lambda out, x: -2 / math.sqrt(math.pi) * exp(-square(_within(x, 40))),
    array=lambda x: kernels.from_math(math.erfc, x), doc="1 - erf(x), exact for large x.", example="erfc(0.0) = 1.0",
)
gelu = Elementwise(
    # beyond 40 the factor is 0 or 1 to the last digit: the bound keeps inf * 0 away and changes nothing
    "gelu", lambda x: maximum(x, -40) * _normal_cdf(x),
    lambda out, x: _normal_cdf(x) + _bell(clip(x, -40, 40)),
    doc="x times the normal distribution function of x, exact (Hendrycks and Gimpel, 2016).", example="gelu(0.0) = 0.0",
)
silu = Elementwise(
    "silu", lambda x: maximum(x, -800) * sigmoid(x),
    lambda out, x: sigmoid(x) * (1 + clip(x, -800, 800) * sigmoid(-x)),
    doc="x * sigmoid(x), also called swish.", example="silu(0.0) = 0.0",
)


def _bell(x: Any) -> Any:
    return x * exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _normal_cdf(x: Any) -> Any:
    return 0.5 * erfc(x * -math.sqrt(0.5))


# ---------------------------------------------------------------------------------------------- choosing elements

maximum: Elementwise = Elementwise(
    "maximum", lambda x, y: where((x >= y) | isnan(x), x, y),
    lambda out, x, y: where(x < y, 0, where(equal(x, y), 0.5, 1)),
    lambda out, x, y: where(y < x, 0, where(equal(x, y), 0.5, 1)),
    array=np.maximum, doc="The larger; a tie shares its gradient, a nan gives it to both.",
    example="maximum(2.0, 3.0) = 3.0",
)
minimum = Elementwise(
    "minimum", lambda x, y: where((x <= y) | isnan(x), x, y),
    lambda out, x, y: where(x > y, 0, where(equal(x, y), 0.5, 1)),
    lambda out, x, y: where(y > x, 0, where(equal(x, y), 0.5, 1)),
    array=np.minimum, doc="The smaller; a tie shares its gradient, a nan gives it to both.",
    example="minimum(2.0, 3.0) = 2.0",
)
fmax = Elementwise(
    "fmax", lambda x, y: where((x >= y) | isnan(y), x, y),
    lambda out, x, y: where((x > y) | isnan(y), 1, where(equal(x, y), 0.5, 0)),
    lambda out, x, y: where((y > x) | isnan(x), 1, where(equal(x, y), 0.5, 0)),
    array=np.fmax, doc="The larger; a tie shares its gradient, a nan loses.", example="fmax(2.0, nan) = 2.0",
)
fmin = Elementwise(
    "fmin", lambda x, y: where((x <= y) | isnan(y), x, y),
    lambda out, x, y: where((x < y) | isnan(y), 1, where(equal(x, y), 0.5, 0)),
    lambda out, x, y: where((y < x) | isnan(x), 1, where(equal(x, y), 0.5, 0)),
    array=np.fmin, doc="The smaller; a tie shares its gradient, a nan loses.", example="fmin(2.0, nan) = 2.0",
)
clip: Elementwise = Elementwise(
    "clip", lambda x, low, high: minimum(maximum(x, low), high),
    lambda out, x, low, high: where((x < low) | (x > high), 0, 1),
    lambda out, x, low, high: where((x >= low) | (low > high), 0, 1),
    lambda out, x, low, high: where((x <= high) & (low <= high), 0, 1),
    array=kernels.clip, defaults=(-inf, inf), example="clip(5.0, 0.0, 1.0) = 1.0",
    doc="x kept within [low, high]; slope 1 at a bound; high where the bounds cross.",
)
where: Elementwise = Elementwise(
    "where", lambda condition, x, y: x if condition else y,
    None,
    lambda out, condition, x, y: where(condition, 1, 0),
    lambda out, condition, x, y: where(condition, 0, 1),
    array=np.where,
    doc="x where the condition holds, else y. Both are computed: guard a function's operand as well as its result"
    " (``where(x > 0, log(where(x > 0, x, 1)), 0)``), or an infinite slope of the branch not taken becomes nan.",
    example="where(True, 2.0, 3.0) = 2.0",
)

# NumPy's names of rows that have another: as functions, as methods, and for NumPy's function of that name
arcsin, arccos, arctan, arctan2, fabs, radians, degrees = asin, acos, atan, atan2, abs, deg2rad, rad2deg

# ------------------------------------------------------------------------------------------------------ reductions

sum = Reduction(
    "sum", np.sum, lambda out, x, axis: 1,
    reads=False, doc="Sum over the axes; 0 of nothing.", example="sum([1.0, 2.0]) = 3.0",
)
mean = Reduction(
    "mean", lambda x, axis=None, keepdims=False: kernels.mean(x, axis, keepdims),
    lambda out, x, axis: kernels.ratio(1, kernels.count(x, axis)),
    reads=False, doc="Mean over the axes; nan of nothing.", example="mean([1.0, 2.0]) = 1.5",
)
max = Reduction(
    "max", np.max, lambda out, x, axis: _share(equal(x, out), axis),
    doc="Largest element; ties share the gradient evenly, a nan wins.", example="max([1.0, 2.0]) = 2.0",
)
min = Reduction(
    "min", np.min, lambda out, x, axis: _share(equal(x, out), axis),
    doc="Smallest element; ties share the gradient evenly, a nan wins.", example="min([1.0, 2.0]) = 1.0",
)
prod = Reduction(
    "prod", np.prod, lambda out, x, axis: _product_of_others(x, axis),
    doc="Product over the axes; 1 of nothing.", example="prod([2.0, 3.0]) = 6.0",
)
var = Reduction(
    "var", lambda x, axis=None, ddof=0, keepdims=False: kernels.var(x, axis, ddof, keepdims),
    lambda out, x, axis, ddof=0: (x - mean(x, axis, keepdims=True)) * kernels.ratio(2, kernels.count(x, axis) - ddof),
    params=("ddof",),
    doc="Variance, of the population (ddof=0) or a sample's estimate (ddof=1).", example="var([1.0, 3.0]) = 1.0",
)
std = Reduction(
    "std", lambda x, axis=None, ddof=0, keepdims=False: np.sqrt(kernels.var(x, axis, ddof, keepdims)),
    lambda out, x, axis, ddof=0: (
        (x - mean(x, axis, keepdims=True))
        / where(equal(out, 0), 1, out)
        * kernels.ratio(1, kernels.count(x, axis) - ddof)
    ),
    params=("ddof",), doc="Standard deviation; slope 0 where constant.", example="std([1.0, 3.0]) = 1.0",
)
logsumexp = Reduction(
    "logsumexp", lambda x, axis=None, keepdims=False: kernels.logsumexp(x, axis, keepdims),
    lambda out, x, axis: _shares(out, x, axis),
    doc="log(sum(exp(x))) without overflow; its gradient is the softmax, and 0 where all are -inf.",
    example="logsumexp([0.0, 0.0]) = 0.6931471805599453",
)
norm = Reduction(
    "norm", lambda x, axis=None, keepdims=False: np.sqrt(np.sum(x * x, axis, keepdims=keepdims)),
    lambda out, x, axis: x / where(equal(out, 0), 1, out),
    doc="Euclidean length over the axes; slope 0 at the zero vector.", example="norm([3.0, 4.0]) = 5.0",
)


def _shares(out: Any, x: Any, axis: Any) -> Any:
    """The softmax; 0 where all are -inf, so that what is masked as a whole moves nothing."""
    nothing = equal(out, -inf)
    if isinstance(nothing, np.ndarray) and nothing.dtype == bool and not nothing.any():
        return softmax(x, axis)
    return where(nothing, 0, softmax(where(nothing, 0, x), axis))


def _share(hit: Any, axis: Any) -> Any:
    """One, split evenly among the elements that hit."""
    return hit / hit.sum(axis=axis, keepdims=True)


def _product_of_others(x: Any, axis: Sequence[int]) -> Any:
    """For each element the product of all the others: right with zeros, where ``out / x`` is not.

    Products of everything before and everything after, each by doubling (Hillis and Steele, 1986).
    """
    axes = tuple(axis)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    front = transpose(x, (*rest, *axes))
    flat = front.reshape((*front.shape[: len(rest)], -1))
    n = flat.shape[-1]

    def before(lane: Any) -> Any:
        one = np.ones_like(detach(lane[..., :1]))
        lane = concatenate([one, lane[..., : n - 1]], axis=-1)
        step = 1
        while step < n:
            lane = lane * concatenate([np.ones_like(detach(lane[..., :step])), lane[..., : n - step]], axis=-1)
            step *= 2
        return lane

    if n == 0:
        return x
    others = before(flat) * flip(before(flip(flat, -1)), -1)
    order = np.argsort((*rest, *axes))
    return transpose(others.reshape(front.shape), tuple(int(i) for i in order))


# fmt: on
# -------------------------------------------------------------------------------------------- linear: products


def _matmul_left(g: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return _column(g) * b if a.ndim > 1 else g * b
    if a.ndim == 1:
        return unbroadcast((_row(g) @ b.swapaxes(-1, -2))[..., 0, :], a)
    return g @ b.swapaxes(-1, -2)


def _matmul_right(g: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        return _column(a) * _row(g) if b.ndim > 1 else g * a
    if b.ndim == 1:
        return kernels.rows(a).swapaxes(0, 1) @ g.reshape(-1)
    if b.ndim == 2:  # one product, rather than one for each matrix of the batch and then their sum
        return kernels.sum_of_outer_products(a, g)
    return a.swapaxes(-1, -2) @ g


def _row(x: Any) -> Any:
    return x[..., None, :]


def _column(x: Any) -> Any:
    return x[..., None]


matmul = Linear(
    "matmul",
    kernels.matmul,
    _matmul_left,
    _matmul_right,
    reads=True,
    infix="@",
    doc="Matrix product of (…, n, k) and (…, k, m), batches broadcast; a 1-D operand is a row or a column.",
    example="matmul([1.0, 2.0], [3.0, 4.0]) = 11.0",
)


def _einsum_transpose(i: int, g: Any, *operands: Any, subscripts: str) -> Any:
    """The cotangent of operand i is itself one einsum.

    A letter that only this operand has (or that others have with length 1) was summed: a vector of ones spreads the
    cotangent over it. A letter that it has twice picked a diagonal: an identity matrix puts the cotangent back on it.
    """
    terms, result = kernels.einsum_terms(subscripts, [x.ndim for x in operands])
    sizes: dict[str, int] = {}
    for term, x in zip(terms, operands, strict=True):
        for letter, n in zip(term, x.shape, strict=True):
            sizes[letter] = builtins.max(sizes.get(letter, 1), n) if n else 0
    dtype = detach(operands[i]).dtype
    others = [(terms[j], operands[j]) for j in range(len(operands)) if j != i]
    known = set(result)  # the letters whose axis the cotangent gets at its full length
    known.update(letter for term, x in others for letter, n in zip(term, x.shape, strict=True) if n == sizes[letter])
    target, extras = "", []
    for letter in terms[i]:
        if letter in target:
            fresh = next(c for c in kernels.LETTERS if c not in sizes)
            sizes[fresh] = sizes[letter]
            extras.append((letter + fresh, np.eye(sizes[letter], dtype=dtype)))
            target += fresh
        else:
            if letter not in known:
                extras.append((letter, np.ones(sizes[letter], dtype=dtype)))
            target += letter
    inputs = [(result, g), *others, *extras]
    formula = ",".join(term for term, _ in inputs) + "->" + target
    return _einsum(*(x for _, x in inputs), subscripts=formula)


_einsum = Linear(
    "einsum",
    lambda *arrays, subscripts: np.einsum(subscripts, *arrays, optimize=len(arrays) > 1),
    _einsum_transpose,
    arity=-1,
    params=("subscripts",),
    reads=True,
    doc="Einstein summation.",
)


def einsum(subscripts: str, *operands: Any) -> Any:
    """Products and sums named by letters, as `numpy.einsum`: ``'ij,jk->ik'``; ellipses and repeated letters work.

    >>> einsum("i,j->ij", np.array([1.0, 2.0]), np.array([3.0]))
    array([[3.],
           [6.]])
    """
    operands = tuple(x if isinstance(x, Traced) else np.asarray(x) for x in operands)
    if (n := subscripts.partition("->")[0].count(",") + 1) != len(operands):
        raise ValueError(f"einsum {subscripts!r} names {n} operands, got {len(operands)}")
    return _einsum(*operands, subscripts=subscripts)


_dot = Linear(
    "dot",
    lambda *items: math.fsum(x * y for x, y in _pairs(items)) + (items[-1] if len(items) % 2 else 0.0),
    lambda i, g, *items: g * items[j] if (j := _partner(i, len(items))) is not None else g,
    arity=-1,
    reads=True,
    doc="Sum of products of scalars: n factors, their n partners, and perhaps a bias.",
)


def _pairs(items: Sequence[Any]) -> Any:
    n = len(items) // 2
    return zip(items[:n], items[n : 2 * n], strict=True)


def _partner(i: int, count: int) -> int | None:
    n = count // 2
    return None if i == 2 * n else (i + n) % (2 * n)


def dot(x: Any, y: Any, bias: Any = None) -> Any:
    """Sum of products, plus a bias: of two sequences of Values (one n-ary node), or of arrays as `numpy.dot`.

    >>> dot([1.0, 2.0], [3.0, 4.0], 0.5)
    11.5
    """
    sequences = [side for side in (x, y) if isinstance(side, (list, tuple))]
    kinds = {kind for side in sequences for kind in set(map(type, side)) if issubclass(kind, Traced)}
    if kinds:
        kinds |= {type(bias)} if isinstance(bias, Traced) else set()
        return builtins.max(kinds, key=lambda kind: kind._priority)._dot(x, y, bias)  # type: ignore[attr-defined]
    if isinstance(x, (list, tuple)) and isinstance(y, (list, tuple)):
        x, y = np.asarray(x), np.asarray(y)
        out = float(x @ y) if x.ndim == y.ndim == 1 else x @ y
    elif np.ndim(detach(x)) == 0 or np.ndim(detach(y)) == 0:
        out = mul(x, y)
    elif np.ndim(detach(y)) <= 2:
        out = matmul(x, y)
    else:
        k = kernels.LETTERS[: np.ndim(detach(y))]
        out = einsum(f"...Z,{k[:-2]}Z{k[-1]}->...{k[:-2]}{k[-1]}", x, y)
    return out if bias is None else out + bias


def outer(x: Any, y: Any) -> Any:
    """Every element of one times every element of the other, shape (x.size, y.size).

    >>> outer(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([[3., 4.],
           [6., 8.]])
    """
    return mul(reshape(x, (-1, 1)), reshape(y, (1, -1)))


# ------------------------------------------------------------------------------------------------- linear: moves


reshape = Linear(
    "reshape",
    lambda x, shape: x.reshape(shape),
    lambda g, x, shape: g.reshape(x.shape),
    params=("shape",),
    canonical=lambda x, shape: {"shape": kernels.fixed_shape(shape)},
    doc="The same elements in another shape; -1 stands for what is left.",
    example="reshape([1.0, 2.0], (2, 1)).shape = (2, 1)",
)
transpose: Linear = Linear(
    "transpose",
    lambda x, axes=None: x.transpose(axes),
    lambda g, x, axes=None: transpose(g, None if axes is None else tuple(int(i) for i in np.argsort(axes))),
    params=("axes",),
    canonical=lambda x, axes=None: {"axes": None if axes is None else permutation(axes, len(shape_of(x)))},
    doc="The axes in another order; reversed by default.",
    example="transpose([[1.0, 2.0]]).shape = (2, 1)",
)
broadcast_to = Linear(
    "broadcast_to",
    lambda x, shape: np.broadcast_to(x, shape),
    lambda g, x, shape: g,  # unbroadcast does the rest
    params=("shape",),
    canonical=lambda x, shape: {"shape": kernels.fixed_shape(shape)},
    doc="Repeated along new axes and axes of length 1.",
    example="broadcast_to(1.0, (2, 3)).shape = (2, 3)",
)
getitem: Linear = Linear(
    "getitem",
    lambda x, index: x[index],
    lambda g, x, index: scatter(g, index, x.shape),
    params=("index",),
    canonical=lambda x, index: {"index": kernels.fixed_index(index)},
    doc="Part of an array: integers, slices, None, ellipsis, integer arrays (with repeats) and masks.",
    example="getitem([1.0, 2.0], 1) = 2.0",
)
scatter: Linear = Linear(
    "scatter",
    lambda x, index, shape: kernels.scatter(x, index, shape),
    lambda g, x, index, shape: getitem(g, index),
    params=("index", "shape"),
    canonical=lambda x, index, shape: {"index": kernels.fixed_index(index), "shape": kernels.fixed_shape(shape)},
    doc="Zeros of a shape with x added at an index; repeated places accumulate. The transpose of getitem.",
    example="scatter([1.0, 2.0], [0, 0], (2,)).tolist() = [3.0, 0.0]",
)
_concatenate = Linear(
    "concatenate",
    lambda *arrays, axis: np.concatenate(arrays, axis),
    lambda i, g, *arrays, axis: _part(g, i, arrays, axis),
    arity=-1,
    params=("axis",),
    doc="Joined along an axis.",
)
pad = Linear(
    "pad",
    lambda x, width: np.pad(x, width),
    lambda g, x, width: g[kernels.inside(x.shape, width)],
    params=("width",),
    canonical=lambda x, width: {"width": kernels.fixed_width(width)},
    doc="Zeros around: a number, a pair, or a pair an axis, as in `numpy.pad`.",
    example="pad([1.0], 1).tolist() = [0.0, 1.0, 0.0]",
)
cumsum: Linear = Linear(
    "cumsum",
    lambda x, axis=None: np.cumsum(x, axis),
    lambda g, x, axis=None: flip(cumsum(flip(g, axis or 0), axis or 0), axis or 0).reshape(x.shape),
    params=("axis",),
    canonical=lambda x, axis=None: {"axis": fixed_axis(axis)},
    doc="Running sum along an axis; of the flattened array by default.",
    example="cumsum([1.0, 2.0]).tolist() = [1.0, 3.0]",
)
astype = Linear(
    "astype",
    lambda x, dtype: x.astype(dtype),
    lambda g, x, dtype: g,  # unbroadcast returns it in the operand's dtype
    params=("dtype",),
    doc="The same numbers as float32 or float64.",
    example="astype([1.0], np.float32).dtype = dtype('float32')",
)


def _part(g: Any, i: int, arrays: Sequence[Any], axis: int) -> Any:
    """The stretch of a concatenation that came from operand i."""
    start = builtins.sum(x.shape[axis] for x in arrays[:i])
    index = [slice(None)] * g.ndim
    index[axis] = slice(start, start + arrays[i].shape[axis])
    return g[tuple(index)]


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    >>> swapaxes(np.ones((2, 3)), 0, 1).shape
    (3, 2)
    """
    axes = list(range(len(shape_of(x))))
    (i,), (j,) = normalize_axis(axis1, len(axes)), normalize_axis(axis2, len(axes))
    axes[i], axes[j] = axes[j], axes[i]
    return transpose(x, tuple(axes))


def expand_dims(x: Any, axis: int | Sequence[int]) -> Any:
    """A new axis of length 1 at each place named, counted in the result.

    >>> expand_dims(np.ones(3), 0).shape
    (1, 3)
    """
    given = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    shape = list(shape_of(x))
    for i in sorted(normalize_axis(given, len(shape) + len(given))):
        shape.insert(i, 1)
    return reshape(x, tuple(shape))


def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Axes of length 1 removed: all of them, or those named.

    >>> squeeze(np.ones((1, 3))).shape
    (3,)
    """
    shape = shape_of(x)
    ones = [i for i, n in enumerate(shape) if n == 1]
    axes = ones if axis is None else normalize_axis(axis, len(shape))
    for i in axes:
        if shape[i] != 1:
            raise ValueError(f"cannot squeeze axis {i} of length {shape[i]} in shape {shape}")
    return reshape(x, tuple(n for i, n in enumerate(shape) if i not in axes))


def flip(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Elements in reverse order along the axes; along all by default.

    >>> flip(np.array([1.0, 2.0]))
    array([2., 1.])
    """
    ndim = len(shape_of(x))
    axes = normalize_axis(axis, ndim)
    return getitem(x, tuple(slice(None, None, -1 if i in axes else None) for i in range(ndim)))


def concatenate(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Joined along an existing axis. All other lengths must agree.

    >>> concatenate([np.ones(2), np.zeros(1)])
    array([1., 1., 0.])
    """
    if len(arrays) == 0:
        raise ValueError("concatenate needs at least one array")
    shapes = [shape_of(x) for x in arrays]
    if builtins.any(len(shape) == 0 for shape in shapes):
        raise ValueError(f"concatenate takes arrays of one dimension or more, got shapes {shapes}; use stack")
    (axis,) = normalize_axis(axis, len(shapes[0]))
    rests = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    if len(rests) > 1 or len({len(shape) for shape in shapes}) > 1:
        raise ValueError(f"concatenate along axis {axis}: shapes {shapes} differ elsewhere")
    return _concatenate(*arrays, axis=axis)


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Joined along a new axis. All shapes must agree.

    >>> stack([np.ones(2), np.zeros(2)]).shape
    (2, 2)
    """
    arrays = [box(x) if isinstance(x, Traced) and not x._stacks else x for x in arrays]  # Values, as objects
    shapes = {shape_of(x) for x in arrays}
    if len(shapes) != 1:
        raise ValueError(f"stack needs arrays of one shape, got {sorted(shapes) or 'nothing'}")
    return concatenate([expand_dims(x, axis) for x in arrays], axis)


def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Parts along an axis: a number of equal ones, or cut at the places given.

    >>> [part.tolist() for part in split(np.array([1.0, 2.0, 3.0]), [1])]
    [[1.0], [2.0, 3.0]]
    """
    shape = shape_of(x)
    (axis,) = normalize_axis(axis, len(shape))
    n = shape[axis]
    if isinstance(sections, (int, np.integer)):
        if sections < 1 or n % sections:
            raise ValueError(f"cannot split an axis of length {n} into {sections} equal parts")
        cuts = [n // int(sections) * i for i in range(1, int(sections))]
    else:
        cuts = [int(i) for i in sections]
    lead = (slice(None),) * axis
    bounds = zip([0, *cuts], [*cuts, n], strict=True)
    return [getitem(x, (*lead, slice(start, stop))) for start, stop in bounds]


def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
    """For each place of `indices` (integers, same number of dimensions) the element of `x` it names along an axis.

    >>> take_along_axis(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]]), axis=1)
    array([[2.],
           [3.]])
    """
    indices = np.asarray(indices)
    shape = shape_of(x)
    if indices.ndim != len(shape) or indices.dtype.kind not in "iu":
        raise ValueError(
            f"take_along_axis of shape {shape} takes integer indices of {len(shape)} dimensions,"
            f" got {indices.dtype} of shape {indices.shape}"
        )
    (axis,) = normalize_axis(axis, len(shape))
    grid: list[Any] = [
        np.arange(n).reshape([-1 if j == i else 1 for j in range(len(shape))]) for i, n in enumerate(shape)
    ]
    grid[axis] = indices
    return getitem(x, tuple(grid))


# -------------------------------------------------------------------------------- fused: compositions, by hand


linear = Fused(
    "linear",
    lambda x, w, b: matmul(x, w) + b,
    kernels.affine,
    lambda g, out, x, w, b: kernels.matmul(g, w.T),
    lambda g, out, x, w, b: kernels.sum_of_outer_products(x, g),
    lambda g, out, x, w, b: kernels.rows(g).sum(axis=0),
    reads=((1,), (0,), ()),
    doc="x @ w + b: rows of x (…, n), weights (n, m), biases (m,).",
    example="linear([[1.0, 2.0]], [[3.0], [4.0]], [0.5]).tolist() = [[11.5]]",
)


def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) divided by its sum along the axis; the largest element is subtracted first, so nothing overflows.

    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    return _along(_softmax, x, axis)


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """The logarithm of softmax, exact where softmax underflows, and however large the numbers' common offset is.

    >>> log_softmax(np.array([0.0, -1e4]))
    array([     0., -10000.])
    """
    return _along(_log_softmax, x, axis)


def _along(row: Fused, x: Any, axis: Any) -> Any:
    """A fused row on anything; lists and object arrays of Values go through what it is composed of."""
    axis = fixed_axis(axis)
    if isinstance(x, (list, tuple)):
        x = stack(x) if builtins.any(isinstance(item, Traced) and item._stacks for item in x) else np.asarray(x)
    if isinstance(x, np.ndarray) and x.dtype == object:
        return row.composition(x, axis)
    return row(x, axis=axis)


def _exp_of_shifted(x: Any, axis: Any) -> tuple[Any, Any]:
    shifted = x - x.max(axis, keepdims=True, initial=-inf)  # of lanes without elements, too
    return shifted, np.exp(shifted)


def _largest(x: Any, axis: Any) -> Any:
    """The largest of each lane as a constant; 0 where there are no elements."""
    x = detach(x)
    return max(x, axis, keepdims=True) if np.size(x) else 0.0


def _softmax_composed(x: Any, axis: Any = -1) -> Any:
    e = exp(sub(x, _largest(x, axis)))
    return div(e, sum(e, axis, keepdims=True))


def _softmax_value(x: Any, axis: Any = -1) -> Any:
    _, e = _exp_of_shifted(x, axis)
    e /= e.sum(axis, keepdims=True)
    return e


_softmax = Fused(
    "softmax",
    _softmax_composed,
    _softmax_value,
    lambda g, out, x, axis=-1: out * (g - (out * g).sum(axis=axis, keepdims=True)),
    params=("axis",),
    reads=((),),
    doc="exp(x) divided by its sum along the axis.",
    example="softmax([0.0, 0.0]).tolist() = [0.5, 0.5]",
)


def _log_softmax_composed(x: Any, axis: Any = -1) -> Any:
    x = sub(x, _largest(x, axis))
    return sub(x, logsumexp(x, axis, keepdims=True))


def _log_softmax_value(x: Any, axis: Any = -1) -> Any:
    shifted, e = _exp_of_shifted(x, axis)
    shifted -= np.log(e.sum(axis, keepdims=True))
    return shifted


_log_softmax = Fused(
    "log_softmax",
    _log_softmax_composed,
    _log_softmax_value,
    lambda g, out, x, axis=-1: g - exp(out) * g.sum(axis=axis, keepdims=True),
    params=("axis",),
    reads=((),),
    doc="The logarithm of softmax.",
    example="log_softmax([0.0, -1e4]).tolist() = [0.0, -10000.0]",
)


def class_labels(labels: Any, shape: Sequence[int], name: str) -> Any:
    """Labels (n,) for scores of shape (n, classes), checked, as an array of their own that nobody can change.

    Backward reads them again, and a wrong one would be an index that exists: so everything that is not one whole number
    a row is refused. Raises ValueError for shapes that do not fit and an empty batch, TypeError for a dtype that is not
    an integer's, IndexError for a label outside [0, classes). `name` is that of the caller, for its messages.

    >>> class_labels([1, 0], (2, 3), "my_loss")
    array([1, 0])
    """
    given = to_array(labels, name)
    if len(shape) != 2 or given.shape != tuple(shape[:1]):
        hint = "give one integer a row"
        if len(shape) == 1:
            hint = "for a single sample add an axis to both, as logits[None] or [logits]"
            hint = "the logits come first, then the labels" if given.ndim == 2 else hint
        elif shape[1:] == (1,) and given.shape[:1] == shape[:1]:
            hint = "one output a row is the score of two classes: use binary_cross_entropy, or an output for each class"
        elif given.shape == tuple(shape):
            hint = "turn one-hot rows into integers: labels.argmax(1)"
        elif given.shape == (*shape[:1], 1):
            hint = "drop the last axis: labels.reshape(-1), or labels[:, 0]"
        raise ValueError(
            f"{name} takes logits (n, classes) and labels (n,), got shapes {tuple(shape)} and {given.shape}: {hint}"
        )
    if 0 in shape:
        raise ValueError(f"{name} of an empty batch (shape {tuple(shape)}) is not defined")
    if given.dtype.kind not in "iu":
        names = "names, labels = np.unique(labels, return_inverse=True) numbers names"
        raise TypeError(
            f"{name} takes labels of an integer dtype, got {given.dtype}; if they hold whole numbers, convert them: "
            f"labels.astype(int){f'; {names}' if given.dtype.kind in 'USO' else ''}"
        )
    for row in (int(given.argmin()), int(given.argmax())):  # cheaper than min and max
        if not 0 <= given.item(row) < shape[1]:
            raise IndexError(
                f"{name}: label {given.item(row)} in row {row} names none of the {shape[1]} classes "
                f"(0 to {shape[1] - 1}){'; of one output a row it is binary_cross_entropy' if shape[1] == 1 else ''}"
            )
    own = np.array(given, dtype=np.intp)
    own.setflags(write=False)
    return own


def cross_entropy(logits: Any, labels: Any) -> Any:
    """Mean over rows of ``-log_softmax(logits)[label]``: logits (n, classes), labels (n,) integers; see `class_labels`.

    >>> cross_entropy(np.array([[0.0, 0.0]]), [1])
    np.float64(0.6931471805599453)
    """
    if isinstance(logits, (list, tuple)):
        logits = stack(logits) if builtins.any(isinstance(row, Traced) for row in logits) else np.asarray(logits)
    labels = class_labels(labels, shape_of(logits), "cross_entropy")
    if isinstance(logits, np.ndarray) and logits.dtype == object:
        return _cross_entropy_composed(logits, labels)
    return _cross_entropy(logits, labels)


def _cross_entropy_composed(logits: Any, labels: Any, **_: Any) -> Any:
    return -mean(take_along_axis(log_softmax(logits), labels[:, None], axis=1))


def _classes_first(logits: Any) -> tuple[Any, Any, Any]:
    """Each row less its largest number, the exponentials of that, and their sums.

    Classes come first, rows second: NumPy is quicker at sums of long rows than of short ones.
    """
    shifted = logits.T.copy()
    shifted -= shifted.max(axis=0)
    e = np.exp(shifted)
    return shifted, e, e.sum(axis=0)


def _cross_entropy_value(logits: Any, labels: Any, saved: Any = None) -> Any:
    shifted, e, total = _classes_first(logits)
    if saved is not None:
        saved += e, total
    return (np.log(total) - shifted[labels, np.arange(len(labels))]).sum() / len(labels)


def _cross_entropy_vjp(g: Any, out: Any, logits: Any, labels: Any, saved: Any = None) -> Any:
    e, total = saved or _classes_first(logits)[1:]
    n = len(labels)
    grad = e / total
    grad[labels, np.arange(n)] -= 1
    grad *= g / n
    return grad.T.copy()


_cross_entropy = Fused(
    "cross_entropy",
    _cross_entropy_composed,
    _cross_entropy_value,
    _cross_entropy_vjp,
    None,
    saves=True,
    reads=((), ()),  # the labels are nobody else's
    doc="Mean over rows of -log_softmax(logits)[label]: logits (n, classes), labels (n,) integers.",
    example="cross_entropy(np.array([[0.0, 0.0]]), [1]).round(6) = np.float64(0.693147)",
)

ROWS: dict[str, Op] = {row.name: row for row in list(globals().values()) if isinstance(row, Op)}
"""Every row by name."""

for _op in ROWS.values():
    _op.__module__ = __name__  # where pickle looks for it


def _bind_to_numpy() -> None:
    """Give each elementwise row its rules for arrays: the same code, where a row's name means NumPy's function."""
    names = {**globals(), "equal": np.equal, "isnan": np.isnan, "detach": lambda x: x}

    def bound(rule: Any) -> Any:
        ours = isinstance(rule, FunctionType) and rule.__module__ == __name__
        return FunctionType(rule.__code__, names, rule.__name__, rule.__defaults__) if ours else rule

    helpers = [_is_text, _guarded, _within, _turns, _base, _by_exponent, _gap, _over_square, _normal_cdf, _bell]
    names |= {helper.__name__: bound(helper) for helper in helpers}
    for row in ROWS.values():
        if isinstance(row, Elementwise):
            array = bound(row.array)
            if row.arity > 1 and array is not row.array:
                array = kernels.of_one_dtype(array)
            names[row.name] = row.array = row.forward = array
            row.array_partials = tuple(map(bound, row.partials))
    for row in ROWS.values():
        if isinstance(row, Elementwise) and hasattr(row.array, "__code__") and not _takes_arrays(row):
            names[row.name] = row.array = row.forward = partial(kernels.from_math, row.value)


def _takes_arrays(row: Elementwise) -> bool:
    """Not so a value that asks its operands for their numbers: a function of `math`, a condition of Python's."""
    try:
        with np.errstate(all="ignore"):
            row.array(*[np.ones(2)] * row.arity)
    except (TypeError, ValueError):
        return False
    return True


_bind_to_numpy()

if not TYPE_CHECKING:  # type checkers take every public name
    __all__ = [name for name, x in globals().items() if name[0] != "_" and getattr(x, "__module__", "") == __name__]

    def __dir__():
        return sorted(__all__)
