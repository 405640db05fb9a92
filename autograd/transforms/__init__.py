"""Transformations of functions: `grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`, to any order, in any mixture.

A function's arguments and results may be numbers, arrays, Values, Tensors, and lists, tuples and dictionaries of them.
An argument may also be a module, which stands for its parameters. Plain numbers give plain numbers. Values and Tensors
give results that are part of the graph. So transformations compose: ``grad(grad(f))``, ``jvp`` of ``grad``, ``grad`` of
``jvp``. No transformation changes a `.grad`.

>>> grad(grad(lambda x: x**3 * 2.0))(1.0)
12.0
"""

from autograd.transforms.forward import jvp as jvp
from autograd.transforms.matrices import hessian as hessian, hvp as hvp, jacobian as jacobian
from autograd.transforms.reverse import grad as grad, value_and_grad as value_and_grad, vjp as vjp
