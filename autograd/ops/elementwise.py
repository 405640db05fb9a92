"""Elementwise operations: every value and every derivative, one row each.

`autograd.ops.rows` says what a row is. Derivative formulas are in these rows and nowhere else. To add an operation, add
a row. A rule calls other rows (`cos(x)`, `where(...)`) instead of NumPy, so that it can be differentiated again. `out`
is the row's own result. Some derivatives are not unique, such as relu at 0 or a tie of maximum: there the rule chooses
as the large frameworks do. `tests/test_edge_cases.py` lists the choices.
"""

from __future__ import annotations

import builtins
import math
import operator
from typing import Any

import numpy as np

from autograd.ops import kernels
from autograd.ops.rows import REALS, Elementwise
from autograd.ops.shapes import box
from autograd.ops.traced import Traced

inf, nan = math.inf, math.nan
POSITIVE = (0.0, inf)
LOG2 = math.log(2.0)
LOG10 = math.log(10.0)
DEGREE = math.pi / 180


def detach(x: Any) -> Any:
    """`x` without its graph: the numbers of a variable. Anything else is returned unchanged.

    >>> detach(2.0)
    2.0
    """
    if isinstance(x, np.ndarray) and x.dtype == object:
        out = box(np.frompyfunc(detach, 1, 1)(x))  # box, since frompyfunc unpacks an array without axes
        return out if builtins.any(isinstance(item, Traced) for item in out.flat) else out.astype(float)
    return x.detach() if isinstance(x, Traced) else x  # type: ignore[attr-defined]


def isnan(x: Any) -> Any:
    """True where the number is nan.

    >>> isnan(math.nan)
    True
    """
    x = detach(x)
    return np.frompyfunc(operator.ne, 2, 1)(x, x) if isinstance(x, np.ndarray) and x.dtype == object else x != x


def equal(x: Any, y: Any) -> Any:
    """True where the numbers are equal. (`==` on nodes compares identity.)

    >>> equal(2.0, 2.0)
    True
    """
    x, y = detach(x), detach(y)
    traced = builtins.any(isinstance(a, np.ndarray) and a.dtype == object for a in (x, y))
    return np.frompyfunc(operator.eq, 2, 1)(x, y) if traced else x == y


def _is_text(x: Any) -> bool:
    """True if `x` is a Symbol: the rule is being written as a formula, in which only one branch is computed.

    >>> _is_text(2.0)
    False
    """
    return not getattr(x, "_branches", True)


def _guarded(x: Any, wrong: Any, instead: Any) -> Any:
    """`x`, replaced by `instead` where `wrong` holds, so that the rule never multiplies 0 by infinity.

    Arrays compute both branches of a `where`, and so do derivatives of a rule. Formulas leave the replacement out.

    >>> _guarded(0.0, True, 1.0)
    1.0
    """
    return x if _is_text(x) else where(wrong, instead, x)


def _within(x: Any, bound: float) -> Any:
    """`x` clipped to ``[-bound, bound]``. The rule that calls this has the same value for all `x` beyond the bound.

    Clipping makes the rule's own derivatives 0 there. Without it they would be 0 times infinity, which is nan. Formulas
    leave it out.

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
    doc="Remainder of x / y, with the sign of y.", example="remainder(-7.0, 2.0) = 1.0",
)
fmod = Elementwise(
    "fmod", math.fmod,
    lambda out, x, y: 1,
    lambda out, x, y: -_turns(detach(x), detach(y)),
    array=np.fmod, kinks=(0.0,),
    doc="Remainder of x / y, with the sign of x.", example="fmod(-7.0, 2.0) = -1.0",
)
power: Elementwise = Elementwise(
    "power", math.pow,
    lambda out, x, y: y * power(_base(x, y), y - 1),
    lambda out, x, y: _by_exponent(out, x, y),
    array=np.power, infix="**", domain=(POSITIVE, REALS),
    doc="x to the power y. A negative base with a fractional power gives nan, not a complex number.",
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
    doc="x**y * log(x)**n: the n-th derivative of `power` by y. It is 0 where n > 0, x = 0 and y >= 0.",
    example="powlog(1, 2.0, 3.0) = 5.545177444479562",
)
identity = Elementwise(
    "identity", lambda x: x, lambda out, x: 1,
    array=np.positive, doc="The same number, as a new variable.", example="identity(2.0) = 2.0",
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
    """``x / y``, rounded towards 0."""
    return sign(x) * sign(y) * floordiv(abs(x), abs(y))


def _base(x: Any, y: Any) -> Any:
    """The base of the slope ``y * x ** (y - 1)``. It is 1 for 0 ** 0, so that the slope is 0, not 0 times infinity."""
    return x if isinstance(y, (int, float)) and y else where(equal(x, 0) & equal(y, 0), 1, x)


def _by_exponent(out: Any, x: Any, y: Any) -> Any:
    """The slope ``out * log(x)``, which is 0 for a power of 0. `powlog` has its derivatives."""
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
    """``x - y``, and -inf where both are -inf: no change of either number changes their sum there."""
    return where(equal(x, y) & equal(x, 2 * x) & (x < 0), x, x - y)  # only -inf is negative and equal to its double


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
    "dsinc", kernels.dsinc_of_numbers,
    None,
    lambda out, n, x: dsinc(n + 1, x),
    array=kernels.dsinc, domain=((1.0, 1.0), REALS),
    doc="The n-th derivative of sinc.", example="dsinc(1, 0.0) = 0.0",
)


def _over_square(x: Any, r: Any) -> Any:
    """``x / r**2``, computed so that ``r**2`` can neither overflow nor underflow."""
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
    doc="Error function.", example="erf(0.0) = 0.0",
)
erfc = Elementwise(
    "erfc", math.erfc, lambda out, x: -2 / math.sqrt(math.pi) * exp(-square(_within(x, 40))),
    doc="1 - erf(x), exact for large x.", example="erfc(0.0) = 1.0",
)
gelu = Elementwise(
    # the bound prevents -inf * 0; it changes no value, since the factor is exactly 0 below -40
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
    array=np.maximum, doc="The larger of two; equal operands share the gradient, a nan passes it to both.",
    example="maximum(2.0, 3.0) = 3.0",
)
minimum = Elementwise(
    "minimum", lambda x, y: where((x <= y) | isnan(x), x, y),
    lambda out, x, y: where(x > y, 0, where(equal(x, y), 0.5, 1)),
    lambda out, x, y: where(y > x, 0, where(equal(x, y), 0.5, 1)),
    array=np.minimum, doc="The smaller of two; equal operands share the gradient, a nan passes it to both.",
    example="minimum(2.0, 3.0) = 2.0",
)
fmax = Elementwise(
    "fmax", lambda x, y: where((x >= y) | isnan(y), x, y),
    lambda out, x, y: where((x > y) | isnan(y), 1, where(equal(x, y), 0.5, 0)),
    lambda out, x, y: where((y > x) | isnan(x), 1, where(equal(x, y), 0.5, 0)),
    array=np.fmax, doc="The larger of two, ignoring a nan; equal operands share the gradient.",
    example="fmax(2.0, nan) = 2.0",
)
fmin = Elementwise(
    "fmin", lambda x, y: where((x <= y) | isnan(y), x, y),
    lambda out, x, y: where((x < y) | isnan(y), 1, where(equal(x, y), 0.5, 0)),
    lambda out, x, y: where((y < x) | isnan(x), 1, where(equal(x, y), 0.5, 0)),
    array=np.fmin, doc="The smaller of two, ignoring a nan; equal operands share the gradient.",
    example="fmin(2.0, nan) = 2.0",
)
clip: Elementwise = Elementwise(
    "clip", lambda x, low, high: minimum(maximum(x, low), high),
    lambda out, x, low, high: where((x < low) | (x > high), 0, 1),
    lambda out, x, low, high: where((x >= low) | (low > high), 0, 1),
    lambda out, x, low, high: where((x <= high) & (low <= high), 0, 1),
    array=kernels.clip, defaults=(-inf, inf), example="clip(5.0, 0.0, 1.0) = 1.0",
    doc="x limited to [low, high]; slope 1 at a bound; high if low > high.",
)
where: Elementwise = Elementwise(
    "where", lambda condition, x, y: x if condition else y,
    None,
    lambda out, condition, x, y: where(condition, 1, 0),
    lambda out, condition, x, y: where(condition, 0, 1),
    array=np.where,
    doc="x where the condition holds, else y. Both are computed. If one has an infinite slope where it is not chosen,"
    " the gradient becomes nan: guard the operand as well, ``where(x > 0, log(where(x > 0, x, 1)), 0)``.",
    example="where(True, 2.0, 3.0) = 2.0",
)

# NumPy's names for some rows. They work as functions, as methods, and through NumPy's own function of that name.
arcsin, arccos, arctan, arctan2, fabs, radians, degrees = asin, acos, atan, atan2, abs, deg2rad, rad2deg
