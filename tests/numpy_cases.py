"""Calls of NumPy's functions, by function: the arguments that a property test tries, and the shapes of the operands.

A case is ``(f, shapes)``: `f` takes arrays of these shapes and calls NumPy. `test_modes.py` runs each case on plain
arrays, which gives NumPy's own number, and on variables.
"""

import itertools
from typing import Any

import numpy as np

S, V, M, C = (), (3,), (2, 3), (2, 3, 2)
AXES = {1: [None, 0, -1], 2: [None, 0, -1, (0, 1), (1, 0)], 3: [None, 1, -1, (0, 2), (-1, 1)]}
MASK = np.array([[True, False, True], [False, True, True]])
CASES: dict[str, Any] = {}


def case(name, f, *shapes):
    CASES.setdefault(name, []).append((f, shapes))


def every(name, *shapes, **choices):
    """All combinations of these arguments."""
    function = find(name)
    for values in itertools.product(*choices.values()):
        named = dict(zip(choices, values, strict=True))
        case(name, lambda *xs, function=function, named=named: function(*xs, **named), *shapes)


def find(name):
    module, _, own = name.rpartition(".")
    return getattr(getattr(np, module) if module else np, own, None)


# ------------------------------------------------------------------------------------------------------ reductions

for name in ("sum", "prod", "mean", "max", "amax", "min", "amin", "ptp", "var", "std"):
    for shape in (V, M, C):
        every(name, shape, axis=AXES[len(shape)], keepdims=[False, True])
    case(name, find(name), S)
for name in ("sum", "prod", "mean", "var", "std"):
    every(name, M, axis=[None, 0, 1], where=[MASK])
    case(name, lambda x, name=name: find(name)(x, 1, np.float64), M)
for name in ("sum", "prod", "max", "min"):
    every(name, M, axis=[None, -1], initial=[0.25])
    case(name, lambda x, name=name: find(name)(x, 0, initial=-9.0 if name == "max" else 9.0, where=MASK), M)
for name in ("var", "std"):
    every(name, M, axis=[None, 1], ddof=[1], keepdims=[False, True])
    every(name, M, axis=[1], correction=[1])
    case(name, lambda x, name=name: find(name)(x, 1, mean=np.mean(x, 1, keepdims=True)), M)
for name in ("nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd"):
    every(name, M, axis=[None, 0, -1], keepdims=[False, True])
    case(name, lambda x, name=name: find(name)(np.where(MASK, x, np.nan), axis=1), M)
every("average", M, axis=[None, 0, 1], keepdims=[False, True])
case("average", lambda x, w: np.average(x, 1, w * w + 1), M, V)
case("average", lambda x, w: np.average(x, weights=w * w + 1, returned=True), M, M)
case("average", lambda x, w: np.average(x, axis=(2, 0), weights=w * w + 1), C, (2, 2))
for shape in (V, M, C, (4,), (2, 2, 2)):
    every("median", shape, axis=AXES[len(shape)], keepdims=[False, True])
every("quantile", M, q=[0.0, 0.3, [0.1, 0.9]], axis=[None, 0, (1, 0)], keepdims=[False, True])
every("percentile", C, q=[50, [[0, 20], [75, 100]]], axis=[None, 1])
for name in ("cumsum", "cumprod"):
    every(name, C, axis=[None, 0, 1, -1])
    every(name, V, axis=[None, 0, -1])
for name in ("cumulative_sum", "cumulative_prod"):
    if find(name):
        every(name, C, axis=[0, -1], include_initial=[False, True])
every("diff", M, n=[0, 1, 2], axis=[0, -1])
case("diff", lambda x, y: np.diff(x, prepend=y, append=1.0), M, (2, 1))
case("ediff1d", np.ediff1d, M)
every("gradient", (3, 4), axis=[None, 0, -1, (0, 1)], edge_order=[1, 2])
case("gradient", lambda x: np.gradient(x, 0.5, [0.0, 1.0, 3.0, 4.0]), (3, 4))
every("trapezoid", M, axis=[0, -1], dx=[1.0, 0.5])
case("trapezoid", lambda y, x: np.trapezoid(y, x), M, V)
case("trapezoid", lambda y, x: np.trapezoid(y, x, axis=0), M, M)

# ----------------------------------------------------------------------------------------------------------- moves

case("reshape", lambda x: np.reshape(x, (3, -1)), C)
case("reshape", lambda x: np.reshape(x, -1), C)
case("ravel", np.ravel, C)
case("transpose", np.transpose, C)
for axes in itertools.permutations(range(3)):
    case("transpose", lambda x, a=axes: np.transpose(x, a), C)
    case("transpose", lambda x, a=axes: np.transpose(x, [i - 3 for i in a]), C)
for name in ("matrix_transpose", "linalg.matrix_transpose"):
    if find(name):
        case(name, find(name), C)
every("swapaxes", C, axis1=[0, -1], axis2=[1, -2])
for pair in ((0, -1), (-1, 0), ((0, 1), (-1, 0)), (1, 1)):
    case("moveaxis", lambda x, p=pair: np.moveaxis(x, *p), C)
every("rollaxis", C, axis=[0, 1, -1], start=[0, 1, 3, -1])
every("expand_dims", M, axis=[0, -1, (0, 2), (1, -1)])
case("squeeze", np.squeeze, (1, 3, 1))
every("squeeze", (1, 3, 1), axis=[0, -1, (0, 2)])
case("broadcast_to", lambda x: np.broadcast_to(x, (4, 2, 3)), (2, 1))
case("broadcast_to", lambda x: np.broadcast_to(x, 3), S)
case("broadcast_arrays", lambda x, y: list(np.broadcast_arrays(x, y)), (2, 1), V)
for n in (1, 2, 3):
    for one in (S, V, M, C):
        case(f"atleast_{n}d", find(f"atleast_{n}d"), one)
    case(f"atleast_{n}d", lambda x, y, n=n: list(find(f"atleast_{n}d")(x, y)), V, S)
case("copy", np.copy, M)
if find("astype"):
    case("astype", lambda x: np.astype(x, np.float64), M)
case("real", np.real, M)
for axis in (0, 1, -1, -3, None):
    case("concatenate", lambda x, y, axis=axis: np.concatenate([x, y, x], axis), C, C)
case("concatenate", lambda x, y: np.concatenate((x, y), axis=1), M, (2, 1))
case("concatenate", lambda x, y: np.concatenate((x, y, [[1.0, 2.0, 3.0]]), dtype=np.float64), M, (4, 3))
for axis in (0, 1, -1):
    case("stack", lambda x, y, axis=axis: np.stack([x, y], axis=axis), M, M)
case("vstack", lambda x, y: np.vstack([x, y]), V, M)
case("vstack", lambda x, y: np.vstack((x, y)), V, V)
case("hstack", lambda x, y: np.hstack([x, y]), M, (2, 1))
case("hstack", lambda x, y: np.hstack([x, y]), V, S)
case("dstack", lambda x, y: np.dstack([x, y]), M, M)
case("dstack", lambda x, y: np.dstack([x, y]), V, V)
case("column_stack", lambda x, y: np.column_stack([x, y]), (2,), M)
for axis in (None, 0, -1):
    case("append", lambda x, y, axis=axis: np.append(x, y, axis), M, M)
case("block", lambda x, y: np.block([[x, y], [y, x]]), M, M)
case("block", lambda x, y: np.block([x, y]), V, (2,))
case("block", lambda x, y: np.block([[x], [y]]), V, M)
case("array_split", lambda x: np.array_split(x, 2, -1), M)
case("array_split", lambda x: np.array_split(x, [1, 2]), (4,))
case("split", lambda x: np.split(x, 3, 1), M)
case("split", lambda x: np.split(x, [1], axis=-2), M)
case("hsplit", lambda x: np.hsplit(x, 3), M)
case("hsplit", lambda x: np.hsplit(x, [1]), V)
case("vsplit", lambda x: np.vsplit(x, 2), M)
case("dsplit", lambda x: np.dsplit(x, 2), C)
if find("unstack"):
    every("unstack", C, axis=[0, -1])
every("repeat", M, repeats=[2, [1, 2, 0, 1, 3, 1]], axis=[None])
every("repeat", M, repeats=[2, [3, 0, 1]], axis=[-1])
for reps in (2, (2, 1), (3, 1, 2), (1,), (0, 1), 1):
    case("tile", lambda x, reps=reps: np.tile(x, reps), M)
for given in ((1,), (-2,), ((1, 2),), (1, 0), ((1, -1), (0, 1)), (2, (0, 1))):
    case("roll", lambda x, given=given: np.roll(x, *given), M)
case("resize", lambda x: np.resize(x, (3, 4)), M)
every("flip", C, axis=[None, 0, -1, (0, 2)])
case("fliplr", np.fliplr, M)
case("flipud", np.flipud, C)
every("rot90", C, k=[0, 1, 2, 3, -1], axes=[(0, 1), (2, 0), (-1, 1)])
for width in (1, (1, 2), ((0, 1), (2, 0))):
    for mode in ("constant", "edge", "reflect", "symmetric", "wrap"):
        case("pad", lambda x, w=width, mode=mode: np.pad(x, w, mode), (3, 4))
case("pad", lambda x: np.pad(x, ((1, 0), (0, 2)), constant_values=((1, 2), (3, 4))), M)
case("pad", lambda x: np.pad(x, 1, constant_values=2.5), M)
windows = np.lib.stride_tricks.sliding_window_view
case("lib.stride_tricks.sliding_window_view", lambda x: windows(x, (2, 1)), M)
case("lib.stride_tricks.sliding_window_view", lambda x: windows(x, 2, -1), M)
case("lib.stride_tricks.sliding_window_view", lambda x: windows(x, (2, 2), axis=(2, 0)), C)

# -------------------------------------------------------------------------------------------------------- choosing

case("where", lambda x, y: np.where(MASK, x, y), M, V)
case("where", lambda x, y: np.where([True, False, True], x, y), S, M)
case("clip", lambda x: np.clip(x, -0.5, 0.5), M)
case("clip", lambda x: np.clip(x, None, 0.5), M)
case("clip", lambda x: np.clip(x, 0.1, None), M)
case("clip", lambda x, y: np.clip(x, y, y + 0.5), M, V)
if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
    case("clip", lambda x: np.clip(x, min=-0.5, max=0.5), M)
ODD = np.array([[0.0, np.inf, np.nan], [-np.inf, 0.0, 0.0]])
case("nan_to_num", lambda x: np.nan_to_num(np.where(ODD == 0, x, ODD), nan=2.0, posinf=3.0, neginf=4.0), M)
case("select", lambda x, y: np.select([MASK, ~MASK], [x, y]), M, V)
case("select", lambda x, y: np.select([MASK, MASK], [x, y], default=1.5), M, M)
case("choose", lambda x, y: np.choose(MASK.astype(int), [x, y]), M, V)
case("choose", lambda x, y: np.choose([0, 3, -1], [x, y], mode="wrap"), V, V)
for index in ([0, 2, 2], [[0, 1], [-1, 0]], 1):
    case("take", lambda x, i=index: np.take(x, i), M)
    case("take", lambda x, i=index: np.take(x, i, axis=-1), M)
case("take", lambda x: np.take(x, [0, 7, -9], mode="clip"), M)
case("take", lambda x: np.take(x, [0, 7, -9], 1, mode="wrap"), M)
case("take_along_axis", lambda x: np.take_along_axis(x, np.array([[0, 0, 2], [1, 1, 1]]), 1), M)
case("take_along_axis", lambda x: np.take_along_axis(x, np.array([0, 0, 5]), None), M)
case("compress", lambda x: np.compress([True, False, True], x, axis=1), M)
case("extract", lambda x: np.extract(MASK, x), M)
case("delete", lambda x: np.delete(x, 1, axis=1), M)
case("delete", lambda x: np.delete(x, [0, -1]), M)
every("sort", C, axis=[None, 0, 1, -1])
case("partition", lambda x: np.sort(np.partition(x, 2)[:, :2]), (2, 5))  # NumPy does not promise their order
case("partition", lambda x: np.partition(x, 1, 0)[1], (3, 2))
case("partition", lambda x: np.partition(x, 3, None)[3], M)
case("unique", np.unique, M)
every("diagonal", C, offset=[0, 1, -1], axis1=[0, -1], axis2=[1])
every("diag", V, k=[0, 1, -2])
every("diag", M, k=[0, 1, -1])
every("diagflat", M, k=[0, 1])
for name in ("tril", "triu"):
    every(name, C, k=[0, 1, -1])
    every(name, V, k=[0])
case("interp", lambda x, f: np.interp(x, [-1.0, 0.1, 1.2], f), M, V)
case("interp", lambda x, p, f: np.interp(x, np.cumsum(p * p + 0.3) - 1.0, f, left=-5.0, right=5.0), M, V, V)
every("meshgrid", V, (2,), sparse=[False, True], indexing=["xy", "ij"])
every("vander", V, N=[None, 2, 4], increasing=[False, True])

# -------------------------------------------------------------------------------------------------------- products

for shapes in (((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3, 2)), (S, M), (M, S), ((3,), (2, 3, 4))):
    case("dot", np.dot, *shapes)
for shapes in (((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 2, 3)), (S, M)):
    case("inner", np.inner, *shapes)
case("vdot", np.vdot, M, M)
case("outer", np.outer, M, V)
for over in (0, 1, ((1,), (0,)), ([0], [1]), (-1, 0)):
    case("tensordot", lambda x, y, over=over: np.tensordot(x, y, over), (2, 3, 3), (3, 2, 3) if over != 0 else (2,))
case("tensordot", np.tensordot, (2, 3, 4), (3, 4, 2))
case("einsum", lambda x, y: np.einsum("ij,jk->ik", x, y, optimize=True), M, (3, 2))
case("einsum", lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]), M, (3, 2))
case("einsum", lambda x, y: np.einsum(x, [..., 1], y, [1]), M, V)
case("einsum", lambda x, y: np.einsum("i,i", x, y), (2,), (1,))
case("einsum", lambda x, y: np.einsum(",ij->ji", x, y), S, M)
case("einsum", lambda x: np.einsum("ii->i", x), (3, 3))
case("kron", np.kron, M, (2, 2))
case("kron", np.kron, V, M)
case("cross", np.cross, V, V)
case("cross", np.cross, M, V)
case("cross", lambda x, y: np.cross(x, y, axis=0), (3, 2), (3, 2))
case("cross", lambda x, y: np.cross(x, y, axisa=0, axisc=0), (3, 2), (2, 3))
every("convolve", (5,), (3,), mode=["full", "same", "valid"])
every("convolve", (2,), (4,), mode=["full", "same", "valid"])
every("trace", (3, 3, 2), offset=[0, 1, -1], axis1=[0], axis2=[1, -1])
every("cov", M, rowvar=[True, False], bias=[False, True])
case("cov", lambda x, y: np.cov(x, y), V, V)
case("corrcoef", np.corrcoef, (2, 5))
case("polyval", np.polyval, V, M)
for name, both in (
    ("outer", (V, (2,))), ("tensordot", ((2, 3), (3, 2))), ("matmul", (M, (3, 2))), ("vecdot", (M, V)),
    ("cross", (M, M)),
    ("trace", ((2, 3, 3),)), ("diagonal", ((2, 3, 3),)),
):  # fmt: skip
    if find(f"linalg.{name}"):
        if name == "tensordot":
            case(f"linalg.{name}", lambda x, y: np.linalg.tensordot(x, y, axes=1), *both)
        else:
            case(f"linalg.{name}", find(f"linalg.{name}"), *both)
