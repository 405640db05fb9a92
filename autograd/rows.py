"""The kinds of rows, for operations of your own. `autograd.ops.rows` describes them.

>>> cube = Elementwise("cube", lambda x: x * x * x, lambda out, x: 3 * x * x, doc="The third power.")
>>> cube(2.0)
8.0
"""

from autograd.ops.rows import Elementwise as Elementwise
from autograd.ops.rows import Fused as Fused
from autograd.ops.rows import General as General
from autograd.ops.rows import Linear as Linear
from autograd.ops.rows import Op as Op
from autograd.ops.rows import Reduction as Reduction
from autograd.ops.rows import operand_names as operand_names
