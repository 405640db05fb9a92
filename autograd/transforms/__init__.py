"""Transformations of functions: `grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`, to any order, in any mixture.

Each takes a function and returns a function. Arguments and results may be numbers, arrays, Values, Tensors, and
lists, tuples and dictionaries of them; a module's parameters too. What goes in as plain numbers comes out as plain
numbers; what goes in as Values or Tensors comes out as part of the graph, so transformations compose:
``grad(grad(f))``, ``jvp`` of ``grad``, ``grad`` of ``jvp``. Nobody's `.grad` is touched.

>>> grad(grad(lambda x: x**3 * 2.0))(1.0)
12.0
"""

from autograd.transforms.forward import jvp as jvp
from autograd.transforms.matrices import hessian as hessian, hvp as hvp, jacobian as jacobian
from autograd.transforms.reverse import grad as grad, value_and_grad as value_and_grad, vjp as vjp
