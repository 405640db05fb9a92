"""Written by tests/stubs.py from the table of operations, for type checkers and editors. Not by hand."""

from autograd import ops as ops, testing as testing
from autograd.drawing import DrawingError as DrawingError, draw as draw, steps as steps
from autograd.engine.anomaly import AnomalyError as AnomalyError, anomaly as anomaly
from autograd.engine.custom import custom_op as custom_op
from autograd.engine.modes import no_grad as no_grad
from autograd.engine.tensor import Tensor as Tensor
from autograd.engine.value import Value as Value
from autograd.explaining.describe import describe as describe
from autograd.explaining.explain import explain as explain
from autograd.explaining.tree import tree as tree
from autograd.gradcheck.check import check_gradients as check_gradients
from autograd.ops.symbol import Symbol as Symbol
from autograd.transforms.forward import jvp as jvp
from autograd.transforms.matrices import hessian as hessian, hvp as hvp, jacobian as jacobian
from autograd.transforms.reverse import grad as grad, value_and_grad as value_and_grad, vjp as vjp
from autograd.vectorizing import TraceError as TraceError, Vectorized as Vectorized, vectorize as vectorize

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

_Operand: TypeAlias = Value | Tensor | ArrayLike
_One = TypeVar("_One", float, Value, Tensor)
_Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
_Kind = TypeVar("_Kind", float, Value, Tensor, _Array)

__version__: str
compiled: bool
__all__ = [
    "AnomalyError",
    "DrawingError",
    "Symbol",
    "Tensor",
    "TraceError",
    "Value",
    "Vectorized",
    "acos",
    "add",
    "anomaly",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "astype",
    "atan",
    "atan2",
    "broadcast_to",
    "cbrt",
    "check_gradients",
    "class_labels",
    "clip",
    "concatenate",
    "copysign",
    "cos",
    "cosh",
    "cross_entropy",
    "cumsum",
    "custom_op",
    "deg2rad",
    "degrees",
    "describe",
    "detach",
    "div",
    "dot",
    "draw",
    "dsinc",
    "einsum",
    "elu",
    "equal",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expand_dims",
    "explain",
    "expm1",
    "fabs",
    "flip",
    "floordiv",
    "fmax",
    "fmin",
    "fmod",
    "gelu",
    "getitem",
    "grad",
    "hessian",
    "hvp",
    "hypot",
    "identity",
    "isnan",
    "jacobian",
    "jvp",
    "leaky_relu",
    "linear",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_softmax",
    "logaddexp",
    "logaddexp2",
    "logsumexp",
    "matmul",
    "max_pool",
    "maximum",
    "mean",
    "minimum",
    "mul",
    "neg",
    "no_grad",
    "norm",
    "outer",
    "overlap_add",
    "pad",
    "power",
    "powlog",
    "prod",
    "rad2deg",
    "radians",
    "reciprocal",
    "relu",
    "remainder",
    "reshape",
    "scatter",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinc",
    "sinh",
    "sliding_window_view",
    "softmax",
    "softplus",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "steps",
    "sub",
    "swapaxes",
    "take_along_axis",
    "tan",
    "tanh",
    "transpose",
    "tree",
    "value_and_grad",
    "var",
    "vectorize",
    "vjp",
    "where",
]

@overload
def abs(x: _Kind) -> _Kind:
    """Magnitude; slope 0 at 0.

    >>> abs(-2.0)
    2.0
    """
    ...
@overload
def abs(x: Any) -> Any:
    """Magnitude; slope 0 at 0.

    >>> abs(-2.0)
    2.0
    """
    ...
@overload
def acos(x: _Kind) -> _Kind:
    """Inverse cosine, in radians.

    >>> acos(1.0)
    0.0
    """
    ...
@overload
def acos(x: Any) -> Any:
    """Inverse cosine, in radians.

    >>> acos(1.0)
    0.0
    """
    ...
@overload
def add(x: Tensor, y: _Operand) -> Tensor:
    """Sum of two.

    >>> add(2.0, 3.0)
    5.0
    """
    ...
@overload
def add(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def add(x: Value, y: Value | float) -> Value: ...
@overload
def add(x: Value | float, y: Value) -> Value: ...
@overload
def add(x: float, y: float) -> float: ...
@overload
def add(x: Any, y: Any) -> Any:
    """Sum of two.

    >>> add(2.0, 3.0)
    5.0
    """
    ...
@overload
def arccos(x: _Kind) -> _Kind:
    """Inverse cosine, in radians.

    >>> acos(1.0)
    0.0
    """
    ...
@overload
def arccos(x: Any) -> Any:
    """Inverse cosine, in radians.

    >>> acos(1.0)
    0.0
    """
    ...
@overload
def arccosh(x: _Kind) -> _Kind:
    """Inverse hyperbolic cosine.

    >>> arccosh(1.0)
    0.0
    """
    ...
@overload
def arccosh(x: Any) -> Any:
    """Inverse hyperbolic cosine.

    >>> arccosh(1.0)
    0.0
    """
    ...
@overload
def arcsin(x: _Kind) -> _Kind:
    """Inverse sine, in radians.

    >>> asin(0.0)
    0.0
    """
    ...
@overload
def arcsin(x: Any) -> Any:
    """Inverse sine, in radians.

    >>> asin(0.0)
    0.0
    """
    ...
@overload
def arcsinh(x: _Kind) -> _Kind:
    """Inverse hyperbolic sine.

    >>> arcsinh(0.0)
    0.0
    """
    ...
@overload
def arcsinh(x: Any) -> Any:
    """Inverse hyperbolic sine.

    >>> arcsinh(0.0)
    0.0
    """
    ...
@overload
def arctan(x: _Kind) -> _Kind:
    """Inverse tangent, in radians.

    >>> atan(0.0)
    0.0
    """
    ...
@overload
def arctan(x: Any) -> Any:
    """Inverse tangent, in radians.

    >>> atan(0.0)
    0.0
    """
    ...
@overload
def arctan2(y: Tensor, x: _Operand) -> Tensor:
    """Angle of the point (x, y), in radians; y comes first.

    >>> atan2(0.0, 1.0)
    0.0
    """
    ...
@overload
def arctan2(y: _Operand, x: Tensor) -> Tensor: ...
@overload
def arctan2(y: Value, x: Value | float) -> Value: ...
@overload
def arctan2(y: Value | float, x: Value) -> Value: ...
@overload
def arctan2(y: float, x: float) -> float: ...
@overload
def arctan2(y: Any, x: Any) -> Any:
    """Angle of the point (x, y), in radians; y comes first.

    >>> atan2(0.0, 1.0)
    0.0
    """
    ...
@overload
def arctanh(x: _Kind) -> _Kind:
    """Inverse hyperbolic tangent.

    >>> arctanh(0.0)
    0.0
    """
    ...
@overload
def arctanh(x: Any) -> Any:
    """Inverse hyperbolic tangent.

    >>> arctanh(0.0)
    0.0
    """
    ...
@overload
def asin(x: _Kind) -> _Kind:
    """Inverse sine, in radians.

    >>> asin(0.0)
    0.0
    """
    ...
@overload
def asin(x: Any) -> Any:
    """Inverse sine, in radians.

    >>> asin(0.0)
    0.0
    """
    ...
@overload
def astype(x: Tensor, /, dtype: DTypeLike) -> Tensor:
    """The same numbers as float32 or float64.

    >>> astype([1.0], np.float32).dtype
    dtype('float32')
    """
    ...
@overload
def astype(x: Any, /, dtype: DTypeLike) -> Any:
    """The same numbers as float32 or float64.

    >>> astype([1.0], np.float32).dtype
    dtype('float32')
    """
    ...
@overload
def atan(x: _Kind) -> _Kind:
    """Inverse tangent, in radians.

    >>> atan(0.0)
    0.0
    """
    ...
@overload
def atan(x: Any) -> Any:
    """Inverse tangent, in radians.

    >>> atan(0.0)
    0.0
    """
    ...
@overload
def atan2(y: Tensor, x: _Operand) -> Tensor:
    """Angle of the point (x, y), in radians; y comes first.

    >>> atan2(0.0, 1.0)
    0.0
    """
    ...
@overload
def atan2(y: _Operand, x: Tensor) -> Tensor: ...
@overload
def atan2(y: Value, x: Value | float) -> Value: ...
@overload
def atan2(y: Value | float, x: Value) -> Value: ...
@overload
def atan2(y: float, x: float) -> float: ...
@overload
def atan2(y: Any, x: Any) -> Any:
    """Angle of the point (x, y), in radians; y comes first.

    >>> atan2(0.0, 1.0)
    0.0
    """
    ...
@overload
def broadcast_to(x: Tensor, /, shape: int | Sequence[int]) -> Tensor:
    """Repeated along new axes and axes of length 1.

    >>> broadcast_to(1.0, (2, 3)).shape
    (2, 3)
    """
    ...
@overload
def broadcast_to(x: Any, /, shape: int | Sequence[int]) -> Any:
    """Repeated along new axes and axes of length 1.

    >>> broadcast_to(1.0, (2, 3)).shape
    (2, 3)
    """
    ...
@overload
def cbrt(x: _Kind) -> _Kind:
    """Cube root, of negative numbers too; slope inf at 0.

    >>> cbrt(-8.0)
    -2.0
    """
    ...
@overload
def cbrt(x: Any) -> Any:
    """Cube root, of negative numbers too; slope inf at 0.

    >>> cbrt(-8.0)
    -2.0
    """
    ...
from autograd.ops import class_labels as class_labels
@overload
def clip(x: Tensor, low: _Operand = ..., high: _Operand = ...) -> Tensor:
    """x limited to [low, high]; slope 1 at a bound; high if low > high.

    >>> clip(5.0, 0.0, 1.0)
    1.0
    """
    ...
@overload
def clip(x: _Operand, low: Tensor, high: _Operand = ...) -> Tensor: ...
@overload
def clip(x: _Operand, low: _Operand, high: Tensor) -> Tensor: ...
@overload
def clip(x: Value, low: Value | float = ..., high: Value | float = ...) -> Value: ...
@overload
def clip(x: Value | float, low: Value, high: Value | float = ...) -> Value: ...
@overload
def clip(x: Value | float, low: Value | float, high: Value) -> Value: ...
@overload
def clip(x: float, low: float = ..., high: float = ...) -> float: ...
@overload
def clip(x: Any, low: Any = ..., high: Any = ...) -> Any:
    """x limited to [low, high]; slope 1 at a bound; high if low > high.

    >>> clip(5.0, 0.0, 1.0)
    1.0
    """
    ...
@overload
def concatenate(arrays: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Joined along an existing axis. All other lengths must agree.

    >>> concatenate([np.ones(2), np.zeros(1)])
    array([1., 1., 0.])
    """
    ...
@overload
def concatenate(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Joined along an existing axis. All other lengths must agree.

    >>> concatenate([np.ones(2), np.zeros(1)])
    array([1., 1., 0.])
    """
    ...
@overload
def copysign(x: Tensor, y: _Operand) -> Tensor:
    """The magnitude of x with the sign of y.

    >>> copysign(2.0, -0.0)
    -2.0
    """
    ...
@overload
def copysign(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def copysign(x: Value, y: Value | float) -> Value: ...
@overload
def copysign(x: Value | float, y: Value) -> Value: ...
@overload
def copysign(x: float, y: float) -> float: ...
@overload
def copysign(x: Any, y: Any) -> Any:
    """The magnitude of x with the sign of y.

    >>> copysign(2.0, -0.0)
    -2.0
    """
    ...
@overload
def cos(x: _Kind) -> _Kind:
    """Cosine, of radians.

    >>> cos(0.0)
    1.0
    """
    ...
@overload
def cos(x: Any) -> Any:
    """Cosine, of radians.

    >>> cos(0.0)
    1.0
    """
    ...
@overload
def cosh(x: _Kind) -> _Kind:
    """Hyperbolic cosine.

    >>> cosh(0.0)
    1.0
    """
    ...
@overload
def cosh(x: Any) -> Any:
    """Hyperbolic cosine.

    >>> cosh(0.0)
    1.0
    """
    ...
@overload
def cross_entropy(logits: Tensor, labels: Any) -> Tensor:
    """Mean over rows of ``-log_softmax(logits)[label]``: logits (n, classes), labels (n,) integers; see `class_labels`.

    >>> cross_entropy(np.array([[0.0, 0.0]]), [1])
    np.float64(0.6931471805599453)
    """
    ...
@overload
def cross_entropy(logits: Any, labels: Any) -> Any:
    """Mean over rows of ``-log_softmax(logits)[label]``: logits (n, classes), labels (n,) integers; see `class_labels`.

    >>> cross_entropy(np.array([[0.0, 0.0]]), [1])
    np.float64(0.6931471805599453)
    """
    ...
@overload
def cumsum(x: Tensor, /, axis: int | Sequence[int] | None = None) -> Tensor:
    """Running sum along an axis; of the flattened array by default.

    >>> cumsum([1.0, 2.0]).tolist()
    [1.0, 3.0]
    """
    ...
@overload
def cumsum(x: Any, /, axis: int | Sequence[int] | None = None) -> Any:
    """Running sum along an axis; of the flattened array by default.

    >>> cumsum([1.0, 2.0]).tolist()
    [1.0, 3.0]
    """
    ...
@overload
def deg2rad(x: _Kind) -> _Kind:
    """Radians of an angle in degrees.

    >>> deg2rad(180.0)
    3.141592653589793
    """
    ...
@overload
def deg2rad(x: Any) -> Any:
    """Radians of an angle in degrees.

    >>> deg2rad(180.0)
    3.141592653589793
    """
    ...
@overload
def degrees(x: _Kind) -> _Kind:
    """Degrees of an angle in radians.

    >>> rad2deg(0.0)
    0.0
    """
    ...
@overload
def degrees(x: Any) -> Any:
    """Degrees of an angle in radians.

    >>> rad2deg(0.0)
    0.0
    """
    ...
from autograd.ops import detach as detach
@overload
def div(x: Tensor, y: _Operand) -> Tensor:
    """Quotient; x / 0 is inf or nan.

    >>> div(1.0, 0.0)
    inf
    """
    ...
@overload
def div(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def div(x: Value, y: Value | float) -> Value: ...
@overload
def div(x: Value | float, y: Value) -> Value: ...
@overload
def div(x: float, y: float) -> float: ...
@overload
def div(x: Any, y: Any) -> Any:
    """Quotient; x / 0 is inf or nan.

    >>> div(1.0, 0.0)
    inf
    """
    ...
@overload
def dot(x: Sequence[Value], y: Any, bias: Any = None) -> Value:
    """Sum of products, plus a bias. Two sequences of Values give one n-ary node; arrays work as in `numpy.dot`.

    >>> dot([1.0, 2.0], [3.0, 4.0], 0.5)
    11.5
    """
    ...
@overload
def dot(x: Any, y: Sequence[Value], bias: Any = None) -> Value: ...
@overload
def dot(x: Tensor, y: Any, bias: Any = None) -> Tensor: ...
@overload
def dot(x: Any, y: Tensor, bias: Any = None) -> Tensor: ...
@overload
def dot(x: Any, y: Any, bias: Any = None) -> Any:
    """Sum of products, plus a bias. Two sequences of Values give one n-ary node; arrays work as in `numpy.dot`.

    >>> dot([1.0, 2.0], [3.0, 4.0], 0.5)
    11.5
    """
    ...
@overload
def dsinc(n: _Operand, x: Tensor) -> Tensor:
    """The n-th derivative of sinc.

    >>> dsinc(1, 0.0)
    0.0
    """
    ...
@overload
def dsinc(n: float, x: Value) -> Value: ...
@overload
def dsinc(n: float, x: float) -> float: ...
@overload
def dsinc(n: Any, x: Any) -> Any:
    """The n-th derivative of sinc.

    >>> dsinc(1, 0.0)
    0.0
    """
    ...
from autograd.ops import einsum as einsum
@overload
def elu(x: Tensor, alpha: _Operand = 1.0) -> Tensor:
    """x where positive, alpha * (exp(x) - 1) elsewhere (Clevert et al., 2015).

    >>> elu(2.0)
    2.0
    """
    ...
@overload
def elu(x: _Operand, alpha: Tensor) -> Tensor: ...
@overload
def elu(x: Value, alpha: Value | float = 1.0) -> Value: ...
@overload
def elu(x: Value | float, alpha: Value) -> Value: ...
@overload
def elu(x: float, alpha: float = 1.0) -> float: ...
@overload
def elu(x: Any, alpha: Any = 1.0) -> Any:
    """x where positive, alpha * (exp(x) - 1) elsewhere (Clevert et al., 2015).

    >>> elu(2.0)
    2.0
    """
    ...
from autograd.ops import equal as equal
@overload
def erf(x: _Kind) -> _Kind:
    """Error function.

    >>> erf(0.0)
    0.0
    """
    ...
@overload
def erf(x: Any) -> Any:
    """Error function.

    >>> erf(0.0)
    0.0
    """
    ...
@overload
def erfc(x: _Kind) -> _Kind:
    """1 - erf(x), exact for large x.

    >>> erfc(0.0)
    1.0
    """
    ...
@overload
def erfc(x: Any) -> Any:
    """1 - erf(x), exact for large x.

    >>> erfc(0.0)
    1.0
    """
    ...
@overload
def exp(x: _Kind) -> _Kind:
    """e to the power x.

    >>> exp(0.0)
    1.0
    """
    ...
@overload
def exp(x: Any) -> Any:
    """e to the power x.

    >>> exp(0.0)
    1.0
    """
    ...
@overload
def exp2(x: _Kind) -> _Kind:
    """2 to the power x.

    >>> exp2(3.0)
    8.0
    """
    ...
@overload
def exp2(x: Any) -> Any:
    """2 to the power x.

    >>> exp2(3.0)
    8.0
    """
    ...
@overload
def expand_dims(x: _Kind, axis: int | Sequence[int]) -> _Kind:
    """Insert an axis of length 1 at each position given. Positions count the axes of the result.

    >>> expand_dims(np.ones(3), 0).shape
    (1, 3)
    """
    ...
@overload
def expand_dims(x: Any, axis: int | Sequence[int]) -> Any:
    """Insert an axis of length 1 at each position given. Positions count the axes of the result.

    >>> expand_dims(np.ones(3), 0).shape
    (1, 3)
    """
    ...
@overload
def expm1(x: _Kind) -> _Kind:
    """exp(x) - 1, exact near 0.

    >>> expm1(1e-20)
    1e-20
    """
    ...
@overload
def expm1(x: Any) -> Any:
    """exp(x) - 1, exact near 0.

    >>> expm1(1e-20)
    1e-20
    """
    ...
@overload
def fabs(x: _Kind) -> _Kind:
    """Magnitude; slope 0 at 0.

    >>> abs(-2.0)
    2.0
    """
    ...
@overload
def fabs(x: Any) -> Any:
    """Magnitude; slope 0 at 0.

    >>> abs(-2.0)
    2.0
    """
    ...
@overload
def flip(x: _Kind, axis: int | Sequence[int] | None = None) -> _Kind:
    """Elements in reverse order along the axes; along all by default.

    >>> flip(np.array([1.0, 2.0]))
    array([2., 1.])
    """
    ...
@overload
def flip(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Elements in reverse order along the axes; along all by default.

    >>> flip(np.array([1.0, 2.0]))
    array([2., 1.])
    """
    ...
@overload
def floordiv(x: Tensor, y: _Operand) -> Tensor:
    """Quotient, rounded down.

    >>> floordiv(-7.0, 2.0)
    -4.0
    """
    ...
@overload
def floordiv(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def floordiv(x: Value, y: Value | float) -> Value: ...
@overload
def floordiv(x: Value | float, y: Value) -> Value: ...
@overload
def floordiv(x: float, y: float) -> float: ...
@overload
def floordiv(x: Any, y: Any) -> Any:
    """Quotient, rounded down.

    >>> floordiv(-7.0, 2.0)
    -4.0
    """
    ...
@overload
def fmax(x: Tensor, y: _Operand) -> Tensor:
    """The larger of two, ignoring a nan; equal operands share the gradient.

    >>> fmax(2.0, nan)
    2.0
    """
    ...
@overload
def fmax(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def fmax(x: Value, y: Value | float) -> Value: ...
@overload
def fmax(x: Value | float, y: Value) -> Value: ...
@overload
def fmax(x: float, y: float) -> float: ...
@overload
def fmax(x: Any, y: Any) -> Any:
    """The larger of two, ignoring a nan; equal operands share the gradient.

    >>> fmax(2.0, nan)
    2.0
    """
    ...
@overload
def fmin(x: Tensor, y: _Operand) -> Tensor:
    """The smaller of two, ignoring a nan; equal operands share the gradient.

    >>> fmin(2.0, nan)
    2.0
    """
    ...
@overload
def fmin(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def fmin(x: Value, y: Value | float) -> Value: ...
@overload
def fmin(x: Value | float, y: Value) -> Value: ...
@overload
def fmin(x: float, y: float) -> float: ...
@overload
def fmin(x: Any, y: Any) -> Any:
    """The smaller of two, ignoring a nan; equal operands share the gradient.

    >>> fmin(2.0, nan)
    2.0
    """
    ...
@overload
def fmod(x: Tensor, y: _Operand) -> Tensor:
    """Remainder of x / y, with the sign of x.

    >>> fmod(-7.0, 2.0)
    -1.0
    """
    ...
@overload
def fmod(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def fmod(x: Value, y: Value | float) -> Value: ...
@overload
def fmod(x: Value | float, y: Value) -> Value: ...
@overload
def fmod(x: float, y: float) -> float: ...
@overload
def fmod(x: Any, y: Any) -> Any:
    """Remainder of x / y, with the sign of x.

    >>> fmod(-7.0, 2.0)
    -1.0
    """
    ...
@overload
def gelu(x: _Kind) -> _Kind:
    """x times the normal distribution function of x, exact (Hendrycks and Gimpel, 2016).

    >>> gelu(0.0)
    0.0
    """
    ...
@overload
def gelu(x: Any) -> Any:
    """x times the normal distribution function of x, exact (Hendrycks and Gimpel, 2016).

    >>> gelu(0.0)
    0.0
    """
    ...
@overload
def getitem(x: Tensor, /, index: Any) -> Tensor:
    """Part of an array: integers, slices, None, ellipsis, integer arrays (with repeats) and masks.

    >>> getitem([1.0, 2.0], 1)
    2.0
    """
    ...
@overload
def getitem(x: Any, /, index: Any) -> Any:
    """Part of an array: integers, slices, None, ellipsis, integer arrays (with repeats) and masks.

    >>> getitem([1.0, 2.0], 1)
    2.0
    """
    ...
@overload
def hypot(x: Tensor, y: _Operand) -> Tensor:
    """sqrt(x**2 + y**2) without overflow; slopes 0 at (0, 0).

    >>> hypot(3.0, 4.0)
    5.0
    """
    ...
@overload
def hypot(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def hypot(x: Value, y: Value | float) -> Value: ...
@overload
def hypot(x: Value | float, y: Value) -> Value: ...
@overload
def hypot(x: float, y: float) -> float: ...
@overload
def hypot(x: Any, y: Any) -> Any:
    """sqrt(x**2 + y**2) without overflow; slopes 0 at (0, 0).

    >>> hypot(3.0, 4.0)
    5.0
    """
    ...
@overload
def identity(x: _Kind) -> _Kind:
    """The same number, as a new variable.

    >>> identity(2.0)
    2.0
    """
    ...
@overload
def identity(x: Any) -> Any:
    """The same number, as a new variable.

    >>> identity(2.0)
    2.0
    """
    ...
from autograd.ops import isnan as isnan
@overload
def leaky_relu(x: Tensor, slope: _Operand = 0.01) -> Tensor:
    """x where positive, slope * x elsewhere.

    >>> leaky_relu(-2.0, 0.5)
    -1.0
    """
    ...
@overload
def leaky_relu(x: _Operand, slope: Tensor) -> Tensor: ...
@overload
def leaky_relu(x: Value, slope: Value | float = 0.01) -> Value: ...
@overload
def leaky_relu(x: Value | float, slope: Value) -> Value: ...
@overload
def leaky_relu(x: float, slope: float = 0.01) -> float: ...
@overload
def leaky_relu(x: Any, slope: Any = 0.01) -> Any:
    """x where positive, slope * x elsewhere.

    >>> leaky_relu(-2.0, 0.5)
    -1.0
    """
    ...
@overload
def linear(x: Tensor, w: _Operand, b: _Operand, /) -> Tensor:
    """x @ w + b: rows of x (…, n), weights (n, m), biases (m,).

    >>> linear([[1.0, 2.0]], [[3.0], [4.0]], [0.5]).tolist()
    [[11.5]]
    """
    ...
@overload
def linear(x: _Operand, w: Tensor, b: _Operand, /) -> Tensor: ...
@overload
def linear(x: _Operand, w: _Operand, b: Tensor, /) -> Tensor: ...
@overload
def linear(x: Any, w: Any, b: Any, /) -> Any:
    """x @ w + b: rows of x (…, n), weights (n, m), biases (m,).

    >>> linear([[1.0, 2.0]], [[3.0], [4.0]], [0.5]).tolist()
    [[11.5]]
    """
    ...
@overload
def log(x: _Kind) -> _Kind:
    """Natural logarithm.

    >>> log(0.0)
    -inf
    """
    ...
@overload
def log(x: Any) -> Any:
    """Natural logarithm.

    >>> log(0.0)
    -inf
    """
    ...
@overload
def log10(x: _Kind) -> _Kind:
    """Logarithm to base 10.

    >>> log10(1000.0)
    3.0
    """
    ...
@overload
def log10(x: Any) -> Any:
    """Logarithm to base 10.

    >>> log10(1000.0)
    3.0
    """
    ...
@overload
def log1p(x: _Kind) -> _Kind:
    """log(1 + x), exact near 0.

    >>> log1p(1e-20)
    1e-20
    """
    ...
@overload
def log1p(x: Any) -> Any:
    """log(1 + x), exact near 0.

    >>> log1p(1e-20)
    1e-20
    """
    ...
@overload
def log2(x: _Kind) -> _Kind:
    """Logarithm to base 2.

    >>> log2(8.0)
    3.0
    """
    ...
@overload
def log2(x: Any) -> Any:
    """Logarithm to base 2.

    >>> log2(8.0)
    3.0
    """
    ...
@overload
def log_softmax(x: _Kind, axis: Any = -1) -> _Kind:
    """The logarithm of softmax. It is exact even where softmax underflows or all numbers share a large offset.

    >>> log_softmax(np.array([0.0, -1e4]))
    array([     0., -10000.])
    """
    ...
@overload
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """The logarithm of softmax. It is exact even where softmax underflows or all numbers share a large offset.

    >>> log_softmax(np.array([0.0, -1e4]))
    array([     0., -10000.])
    """
    ...
@overload
def logaddexp(x: Tensor, y: _Operand) -> Tensor:
    """log(exp(x) + exp(y)) without overflow; slopes 0 where both are -inf.

    >>> logaddexp(1000.0, 1000.0)
    1000.6931471805599
    """
    ...
@overload
def logaddexp(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def logaddexp(x: Value, y: Value | float) -> Value: ...
@overload
def logaddexp(x: Value | float, y: Value) -> Value: ...
@overload
def logaddexp(x: float, y: float) -> float: ...
@overload
def logaddexp(x: Any, y: Any) -> Any:
    """log(exp(x) + exp(y)) without overflow; slopes 0 where both are -inf.

    >>> logaddexp(1000.0, 1000.0)
    1000.6931471805599
    """
    ...
@overload
def logaddexp2(x: Tensor, y: _Operand) -> Tensor:
    """log2(2**x + 2**y) without overflow; slopes 0 where both are -inf.

    >>> logaddexp2(1000.0, 1000.0)
    1001.0
    """
    ...
@overload
def logaddexp2(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def logaddexp2(x: Value, y: Value | float) -> Value: ...
@overload
def logaddexp2(x: Value | float, y: Value) -> Value: ...
@overload
def logaddexp2(x: float, y: float) -> float: ...
@overload
def logaddexp2(x: Any, y: Any) -> Any:
    """log2(2**x + 2**y) without overflow; slopes 0 where both are -inf.

    >>> logaddexp2(1000.0, 1000.0)
    1001.0
    """
    ...
@overload
def logsumexp(x: _Array, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) without overflow. Its gradient is the softmax, and 0 where all are -inf.

    >>> logsumexp([0.0, 0.0])
    0.6931471805599453
    """
    ...
@overload
def logsumexp(x: _One, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> _One: ...
@overload
def logsumexp(x: Iterable[Value], /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value: ...
@overload
def logsumexp(x: Any, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) without overflow. Its gradient is the softmax, and 0 where all are -inf.

    >>> logsumexp([0.0, 0.0])
    0.6931471805599453
    """
    ...
@overload
def matmul(a: Tensor, b: _Operand, /) -> Tensor:
    """Matrix product of (…, n, k) and (…, k, m). Batches broadcast; a 1-D operand is a row or a column.

    >>> matmul([1.0, 2.0], [3.0, 4.0])
    11.0
    """
    ...
@overload
def matmul(a: _Operand, b: Tensor, /) -> Tensor: ...
@overload
def matmul(a: Any, b: Any, /) -> Any:
    """Matrix product of (…, n, k) and (…, k, m). Batches broadcast; a 1-D operand is a row or a column.

    >>> matmul([1.0, 2.0], [3.0, 4.0])
    11.0
    """
    ...
@overload
def max(x: _Array, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Largest element, nan if one is nan; ties share the gradient evenly.

    >>> max([1.0, 2.0])
    2.0
    """
    ...
@overload
def max(x: _One, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> _One: ...
@overload
def max(x: Iterable[Value], /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value: ...
@overload
def max(x: Any, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Largest element, nan if one is nan; ties share the gradient evenly.

    >>> max([1.0, 2.0])
    2.0
    """
    ...
@overload
def max_pool(x: Tensor, /, window_shape: int | Sequence[int] = 2, axis: int | Sequence[int] | None = None, stride: int | Sequence[int] | None = None, dilation: int | Sequence[int] = 1) -> Tensor:
    """Largest element of each window, see sliding_window_view. Windows do not overlap, unless a stride is given.

    >>> max_pool([[1.0, 2.0], [4.0, 3.0]]).tolist()
    [[4.0]]
    """
    ...
@overload
def max_pool(x: Any, /, window_shape: int | Sequence[int] = 2, axis: int | Sequence[int] | None = None, stride: int | Sequence[int] | None = None, dilation: int | Sequence[int] = 1) -> Any:
    """Largest element of each window, see sliding_window_view. Windows do not overlap, unless a stride is given.

    >>> max_pool([[1.0, 2.0], [4.0, 3.0]]).tolist()
    [[4.0]]
    """
    ...
@overload
def maximum(x: Tensor, y: _Operand) -> Tensor:
    """The larger of two; equal operands share the gradient, a nan passes it to both.

    >>> maximum(2.0, 3.0)
    3.0
    """
    ...
@overload
def maximum(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def maximum(x: Value, y: Value | float) -> Value: ...
@overload
def maximum(x: Value | float, y: Value) -> Value: ...
@overload
def maximum(x: float, y: float) -> float: ...
@overload
def maximum(x: Any, y: Any) -> Any:
    """The larger of two; equal operands share the gradient, a nan passes it to both.

    >>> maximum(2.0, 3.0)
    3.0
    """
    ...
@overload
def mean(x: _Array, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Mean over the axes; nan for no elements.

    >>> mean([1.0, 2.0])
    1.5
    """
    ...
@overload
def mean(x: _One, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> _One: ...
@overload
def mean(x: Iterable[Value], /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value: ...
@overload
def mean(x: Any, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Mean over the axes; nan for no elements.

    >>> mean([1.0, 2.0])
    1.5
    """
    ...
@overload
def min(x: _Array, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Smallest element, nan if one is nan; ties share the gradient evenly.

    >>> min([1.0, 2.0])
    1.0
    """
    ...
@overload
def min(x: _One, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> _One: ...
@overload
def min(x: Iterable[Value], /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value: ...
@overload
def min(x: Any, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Smallest element, nan if one is nan; ties share the gradient evenly.

    >>> min([1.0, 2.0])
    1.0
    """
    ...
@overload
def minimum(x: Tensor, y: _Operand) -> Tensor:
    """The smaller of two; equal operands share the gradient, a nan passes it to both.

    >>> minimum(2.0, 3.0)
    2.0
    """
    ...
@overload
def minimum(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def minimum(x: Value, y: Value | float) -> Value: ...
@overload
def minimum(x: Value | float, y: Value) -> Value: ...
@overload
def minimum(x: float, y: float) -> float: ...
@overload
def minimum(x: Any, y: Any) -> Any:
    """The smaller of two; equal operands share the gradient, a nan passes it to both.

    >>> minimum(2.0, 3.0)
    2.0
    """
    ...
@overload
def mul(x: Tensor, y: _Operand) -> Tensor:
    """Product of two.

    >>> mul(2.0, 3.0)
    6.0
    """
    ...
@overload
def mul(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def mul(x: Value, y: Value | float) -> Value: ...
@overload
def mul(x: Value | float, y: Value) -> Value: ...
@overload
def mul(x: float, y: float) -> float: ...
@overload
def mul(x: Any, y: Any) -> Any:
    """Product of two.

    >>> mul(2.0, 3.0)
    6.0
    """
    ...
@overload
def neg(x: _Kind) -> _Kind:
    """Negative.

    >>> neg(2.0)
    -2.0
    """
    ...
@overload
def neg(x: Any) -> Any:
    """Negative.

    >>> neg(2.0)
    -2.0
    """
    ...
@overload
def norm(x: _Array, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Euclidean length over the axes; slope 0 at the zero vector.

    >>> norm([3.0, 4.0])
    5.0
    """
    ...
@overload
def norm(x: _One, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> _One: ...
@overload
def norm(x: Iterable[Value], /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value: ...
@overload
def norm(x: Any, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Euclidean length over the axes; slope 0 at the zero vector.

    >>> norm([3.0, 4.0])
    5.0
    """
    ...
@overload
def outer(x: Tensor, y: Any) -> Tensor:
    """Every element of one times every element of the other, shape (x.size, y.size).

    >>> outer(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([[3., 4.],
           [6., 8.]])
    """
    ...
@overload
def outer(x: Any, y: Tensor) -> Tensor: ...
@overload
def outer(x: Any, y: Any) -> Any:
    """Every element of one times every element of the other, shape (x.size, y.size).

    >>> outer(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([[3., 4.],
           [6., 8.]])
    """
    ...
@overload
def overlap_add(x: Tensor, /, shape: int | Sequence[int], axis: int | Sequence[int] | None = None, stride: int | Sequence[int] | None = 1, dilation: int | Sequence[int] = 1) -> Tensor:
    """Windows added at their places; the transpose of sliding_window_view. `shape` is that of the result.

    >>> overlap_add([[1.0, 2.0], [3.0, 4.0]], 3).tolist()
    [1.0, 5.0, 4.0]
    """
    ...
@overload
def overlap_add(x: Any, /, shape: int | Sequence[int], axis: int | Sequence[int] | None = None, stride: int | Sequence[int] | None = 1, dilation: int | Sequence[int] = 1) -> Any:
    """Windows added at their places; the transpose of sliding_window_view. `shape` is that of the result.

    >>> overlap_add([[1.0, 2.0], [3.0, 4.0]], 3).tolist()
    [1.0, 5.0, 4.0]
    """
    ...
@overload
def pad(x: Tensor, /, width: int | Sequence[int] | Sequence[Sequence[int]]) -> Tensor:
    """x with zeros around it. The width is a number, a pair, or one pair an axis, as in `numpy.pad`.

    >>> pad([1.0], 1).tolist()
    [0.0, 1.0, 0.0]
    """
    ...
@overload
def pad(x: Any, /, width: int | Sequence[int] | Sequence[Sequence[int]]) -> Any:
    """x with zeros around it. The width is a number, a pair, or one pair an axis, as in `numpy.pad`.

    >>> pad([1.0], 1).tolist()
    [0.0, 1.0, 0.0]
    """
    ...
@overload
def power(x: Tensor, y: _Operand) -> Tensor:
    """x to the power y. A negative base with a fractional power gives nan, not a complex number.

    >>> power(-8.0, 1 / 3)
    nan
    """
    ...
@overload
def power(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def power(x: Value, y: Value | float) -> Value: ...
@overload
def power(x: Value | float, y: Value) -> Value: ...
@overload
def power(x: float, y: float) -> float: ...
@overload
def power(x: Any, y: Any) -> Any:
    """x to the power y. A negative base with a fractional power gives nan, not a complex number.

    >>> power(-8.0, 1 / 3)
    nan
    """
    ...
@overload
def powlog(n: _Operand, x: Tensor, y: _Operand) -> Tensor:
    """x**y * log(x)**n: the n-th derivative of `power` by y. It is 0 where n > 0, x = 0 and y >= 0.

    >>> powlog(1, 2.0, 3.0)
    5.545177444479562
    """
    ...
@overload
def powlog(n: _Operand, x: _Operand, y: Tensor) -> Tensor: ...
@overload
def powlog(n: float, x: Value, y: Value | float) -> Value: ...
@overload
def powlog(n: float, x: Value | float, y: Value) -> Value: ...
@overload
def powlog(n: float, x: float, y: float) -> float: ...
@overload
def powlog(n: Any, x: Any, y: Any) -> Any:
    """x**y * log(x)**n: the n-th derivative of `power` by y. It is 0 where n > 0, x = 0 and y >= 0.

    >>> powlog(1, 2.0, 3.0)
    5.545177444479562
    """
    ...
@overload
def prod(x: _Array, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Product over the axes; 1 for no elements.

    >>> prod([2.0, 3.0])
    6.0
    """
    ...
@overload
def prod(x: _One, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> _One: ...
@overload
def prod(x: Iterable[Value], /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value: ...
@overload
def prod(x: Any, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Product over the axes; 1 for no elements.

    >>> prod([2.0, 3.0])
    6.0
    """
    ...
@overload
def rad2deg(x: _Kind) -> _Kind:
    """Degrees of an angle in radians.

    >>> rad2deg(0.0)
    0.0
    """
    ...
@overload
def rad2deg(x: Any) -> Any:
    """Degrees of an angle in radians.

    >>> rad2deg(0.0)
    0.0
    """
    ...
@overload
def radians(x: _Kind) -> _Kind:
    """Radians of an angle in degrees.

    >>> deg2rad(180.0)
    3.141592653589793
    """
    ...
@overload
def radians(x: Any) -> Any:
    """Radians of an angle in degrees.

    >>> deg2rad(180.0)
    3.141592653589793
    """
    ...
@overload
def reciprocal(x: _Kind) -> _Kind:
    """One over x.

    >>> reciprocal(4.0)
    0.25
    """
    ...
@overload
def reciprocal(x: Any) -> Any:
    """One over x.

    >>> reciprocal(4.0)
    0.25
    """
    ...
@overload
def relu(x: _Kind) -> _Kind:
    """max(x, 0); slope 0 at 0.

    >>> relu(-2.0)
    0.0
    """
    ...
@overload
def relu(x: Any) -> Any:
    """max(x, 0); slope 0 at 0.

    >>> relu(-2.0)
    0.0
    """
    ...
@overload
def remainder(x: Tensor, y: _Operand) -> Tensor:
    """Remainder of x / y, with the sign of y.

    >>> remainder(-7.0, 2.0)
    1.0
    """
    ...
@overload
def remainder(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def remainder(x: Value, y: Value | float) -> Value: ...
@overload
def remainder(x: Value | float, y: Value) -> Value: ...
@overload
def remainder(x: float, y: float) -> float: ...
@overload
def remainder(x: Any, y: Any) -> Any:
    """Remainder of x / y, with the sign of y.

    >>> remainder(-7.0, 2.0)
    1.0
    """
    ...
@overload
def reshape(x: Tensor, /, shape: int | Sequence[int]) -> Tensor:
    """The same elements in another shape; a length of -1 is computed from the others.

    >>> reshape([1.0, 2.0], (2, 1)).shape
    (2, 1)
    """
    ...
@overload
def reshape(x: Any, /, shape: int | Sequence[int]) -> Any:
    """The same elements in another shape; a length of -1 is computed from the others.

    >>> reshape([1.0, 2.0], (2, 1)).shape
    (2, 1)
    """
    ...
@overload
def scatter(x: Tensor, /, index: Any, shape: int | Sequence[int]) -> Tensor:
    """Zeros of a shape with x added at an index; repeated indices accumulate. The transpose of getitem.

    >>> scatter([1.0, 2.0], [0, 0], (2,)).tolist()
    [3.0, 0.0]
    """
    ...
@overload
def scatter(x: Any, /, index: Any, shape: int | Sequence[int]) -> Any:
    """Zeros of a shape with x added at an index; repeated indices accumulate. The transpose of getitem.

    >>> scatter([1.0, 2.0], [0, 0], (2,)).tolist()
    [3.0, 0.0]
    """
    ...
@overload
def sigmoid(x: _Kind) -> _Kind:
    """Logistic function, 1 / (1 + exp(-x)).

    >>> sigmoid(0.0)
    0.5
    """
    ...
@overload
def sigmoid(x: Any) -> Any:
    """Logistic function, 1 / (1 + exp(-x)).

    >>> sigmoid(0.0)
    0.5
    """
    ...
@overload
def sign(x: _Kind) -> _Kind:
    """-1, 0 or 1.

    >>> sign(-2.0)
    -1.0
    """
    ...
@overload
def sign(x: Any) -> Any:
    """-1, 0 or 1.

    >>> sign(-2.0)
    -1.0
    """
    ...
@overload
def silu(x: _Kind) -> _Kind:
    """x * sigmoid(x), also called swish.

    >>> silu(0.0)
    0.0
    """
    ...
@overload
def silu(x: Any) -> Any:
    """x * sigmoid(x), also called swish.

    >>> silu(0.0)
    0.0
    """
    ...
@overload
def sin(x: _Kind) -> _Kind:
    """Sine, of radians.

    >>> sin(0.0)
    0.0
    """
    ...
@overload
def sin(x: Any) -> Any:
    """Sine, of radians.

    >>> sin(0.0)
    0.0
    """
    ...
@overload
def sinc(x: _Kind) -> _Kind:
    """sin(pi x) / (pi x), and 1 at 0.

    >>> sinc(0.0)
    1.0
    """
    ...
@overload
def sinc(x: Any) -> Any:
    """sin(pi x) / (pi x), and 1 at 0.

    >>> sinc(0.0)
    1.0
    """
    ...
@overload
def sinh(x: _Kind) -> _Kind:
    """Hyperbolic sine.

    >>> sinh(0.0)
    0.0
    """
    ...
@overload
def sinh(x: Any) -> Any:
    """Hyperbolic sine.

    >>> sinh(0.0)
    0.0
    """
    ...
@overload
def sliding_window_view(x: Tensor, /, window_shape: int | Sequence[int], axis: int | Sequence[int] | None = None, stride: int | Sequence[int] | None = 1, dilation: int | Sequence[int] = 1) -> Tensor:
    """All windows, as a view; the axes of a window come last. A window starts at every `stride`-th place along each `axis`, and takes every `dilation`-th element from there.

    >>> sliding_window_view([1.0, 2.0, 3.0], 2).tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    ...
@overload
def sliding_window_view(x: Any, /, window_shape: int | Sequence[int], axis: int | Sequence[int] | None = None, stride: int | Sequence[int] | None = 1, dilation: int | Sequence[int] = 1) -> Any:
    """All windows, as a view; the axes of a window come last. A window starts at every `stride`-th place along each `axis`, and takes every `dilation`-th element from there.

    >>> sliding_window_view([1.0, 2.0, 3.0], 2).tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    ...
@overload
def softmax(x: _Kind, axis: Any = -1) -> _Kind:
    """exp(x) divided by its sum along the axis. The largest element is subtracted first, so that nothing overflows.

    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    ...
@overload
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) divided by its sum along the axis. The largest element is subtracted first, so that nothing overflows.

    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    ...
@overload
def softplus(x: _Kind) -> _Kind:
    """log(1 + exp(x)), exact everywhere.

    >>> softplus(800.0)
    800.0
    """
    ...
@overload
def softplus(x: Any) -> Any:
    """log(1 + exp(x)), exact everywhere.

    >>> softplus(800.0)
    800.0
    """
    ...
@overload
def split(x: Tensor, sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Parts along an axis: `sections` is a number of equal parts, or the indices at which to cut.

    >>> [part.tolist() for part in split(np.array([1.0, 2.0, 3.0]), [1])]
    [[1.0], [2.0, 3.0]]
    """
    ...
@overload
def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> Any:
    """Parts along an axis: `sections` is a number of equal parts, or the indices at which to cut.

    >>> [part.tolist() for part in split(np.array([1.0, 2.0, 3.0]), [1])]
    [[1.0], [2.0, 3.0]]
    """
    ...
@overload
def sqrt(x: _Kind) -> _Kind:
    """Square root; slope inf at 0.

    >>> sqrt(9.0)
    3.0
    """
    ...
@overload
def sqrt(x: Any) -> Any:
    """Square root; slope inf at 0.

    >>> sqrt(9.0)
    3.0
    """
    ...
@overload
def square(x: _Kind) -> _Kind:
    """x times x.

    >>> square(3.0)
    9.0
    """
    ...
@overload
def square(x: Any) -> Any:
    """x times x.

    >>> square(3.0)
    9.0
    """
    ...
@overload
def squeeze(x: _Kind, axis: int | Sequence[int] | None = None) -> _Kind:
    """Axes of length 1 removed: all of them, or those named.

    >>> squeeze(np.ones((1, 3))).shape
    (3,)
    """
    ...
@overload
def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Axes of length 1 removed: all of them, or those named.

    >>> squeeze(np.ones((1, 3))).shape
    (3,)
    """
    ...
@overload
def stack(arrays: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Joined along a new axis. All shapes must agree.

    >>> stack([np.ones(2), np.zeros(2)]).shape
    (2, 2)
    """
    ...
@overload
def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Joined along a new axis. All shapes must agree.

    >>> stack([np.ones(2), np.zeros(2)]).shape
    (2, 2)
    """
    ...
@overload
def std(x: _Array, /, axis: int | Sequence[int] | None = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """Standard deviation; slope 0 where all are equal.

    >>> std([1.0, 3.0])
    1.0
    """
    ...
@overload
def std(x: _One, /, axis: int | Sequence[int] | None = None, ddof: int = 0, keepdims: bool = False) -> _One: ...
@overload
def std(x: Iterable[Value], /, axis: int | Sequence[int] | None = None, ddof: int = 0, keepdims: bool = False) -> Value: ...
@overload
def std(x: Any, /, axis: int | Sequence[int] | None = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """Standard deviation; slope 0 where all are equal.

    >>> std([1.0, 3.0])
    1.0
    """
    ...
@overload
def sub(x: Tensor, y: _Operand) -> Tensor:
    """Difference.

    >>> sub(2.0, 3.0)
    -1.0
    """
    ...
@overload
def sub(x: _Operand, y: Tensor) -> Tensor: ...
@overload
def sub(x: Value, y: Value | float) -> Value: ...
@overload
def sub(x: Value | float, y: Value) -> Value: ...
@overload
def sub(x: float, y: float) -> float: ...
@overload
def sub(x: Any, y: Any) -> Any:
    """Difference.

    >>> sub(2.0, 3.0)
    -1.0
    """
    ...
@overload
def sum(x: _Array, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Sum over the axes; 0 for no elements.

    >>> sum([1.0, 2.0])
    3.0
    """
    ...
@overload
def sum(x: _One, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> _One: ...
@overload
def sum(x: Iterable[Value], /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value: ...
@overload
def sum(x: Any, /, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Sum over the axes; 0 for no elements.

    >>> sum([1.0, 2.0])
    3.0
    """
    ...
@overload
def swapaxes(x: _Kind, axis1: int, axis2: int) -> _Kind:
    """Two axes exchanged.

    >>> swapaxes(np.ones((2, 3)), 0, 1).shape
    (3, 2)
    """
    ...
@overload
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    >>> swapaxes(np.ones((2, 3)), 0, 1).shape
    (3, 2)
    """
    ...
@overload
def take_along_axis(x: _Kind, indices: Any, axis: int) -> _Kind:
    """The elements of `x` that `indices` names along an axis. `indices` are integers, with as many dimensions as `x`.

    >>> take_along_axis(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]]), axis=1)
    array([[2.],
           [3.]])
    """
    ...
@overload
def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
    """The elements of `x` that `indices` names along an axis. `indices` are integers, with as many dimensions as `x`.

    >>> take_along_axis(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]]), axis=1)
    array([[2.],
           [3.]])
    """
    ...
@overload
def tan(x: _Kind) -> _Kind:
    """Tangent, of radians.

    >>> tan(0.0)
    0.0
    """
    ...
@overload
def tan(x: Any) -> Any:
    """Tangent, of radians.

    >>> tan(0.0)
    0.0
    """
    ...
@overload
def tanh(x: _Kind) -> _Kind:
    """Hyperbolic tangent.

    >>> tanh(0.0)
    0.0
    """
    ...
@overload
def tanh(x: Any) -> Any:
    """Hyperbolic tangent.

    >>> tanh(0.0)
    0.0
    """
    ...
@overload
def transpose(x: Tensor, /, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order; reversed by default.

    >>> transpose([[1.0, 2.0]]).shape
    (2, 1)
    """
    ...
@overload
def transpose(x: Any, /, axes: Sequence[int] | None = None) -> Any:
    """The axes in another order; reversed by default.

    >>> transpose([[1.0, 2.0]]).shape
    (2, 1)
    """
    ...
@overload
def var(x: _Array, /, axis: int | Sequence[int] | None = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """Variance: of the population (ddof=0), or estimated from a sample (ddof=1).

    >>> var([1.0, 3.0])
    1.0
    """
    ...
@overload
def var(x: _One, /, axis: int | Sequence[int] | None = None, ddof: int = 0, keepdims: bool = False) -> _One: ...
@overload
def var(x: Iterable[Value], /, axis: int | Sequence[int] | None = None, ddof: int = 0, keepdims: bool = False) -> Value: ...
@overload
def var(x: Any, /, axis: int | Sequence[int] | None = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """Variance: of the population (ddof=0), or estimated from a sample (ddof=1).

    >>> var([1.0, 3.0])
    1.0
    """
    ...
@overload
def where(condition: _Operand, x: Tensor, y: _Operand) -> Tensor:
    """x where the condition holds, else y. Both are computed. If one has an infinite slope where it is not chosen, the gradient becomes nan: guard the operand as well, ``where(x > 0, log(where(x > 0, x, 1)), 0)``.

    >>> where(True, 2.0, 3.0)
    2.0
    """
    ...
@overload
def where(condition: _Operand, x: _Operand, y: Tensor) -> Tensor: ...
@overload
def where(condition: float, x: Value, y: Value | float) -> Value: ...
@overload
def where(condition: float, x: Value | float, y: Value) -> Value: ...
@overload
def where(condition: float, x: float, y: float) -> float: ...
@overload
def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y. Both are computed. If one has an infinite slope where it is not chosen, the gradient becomes nan: guard the operand as well, ``where(x > 0, log(where(x > 0, x, 1)), 0)``.

    >>> where(True, 2.0, 3.0)
    2.0
    """
    ...
