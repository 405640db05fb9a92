"""Matrix products as C: functions that keep a block of the result in registers.

>>> kernel = Kernel(columns=6, out_row=6, left_row=3, left_step=1, right_step=6, sign="=", lanes=4)
>>> kernel.offsets
[0, 2]
>>> "c0 += a0 * b0;" in kernel.text("product1")
True

A block has a few rows and a few vectors of neighbouring columns. Where the columns are no multiple of a vector's
length, the last vector overlaps the one before: both are in one block, so that nothing is added twice.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

ROWS, VECTORS = 4, 4

PREAMBLE = """#if defined(__GNUC__) && !defined(__clang__)
#define FUSED __attribute__((noinline, optimize("fp-contract=fast"))) /* products may round once */
#else
#define FUSED
#endif
typedef real vec2 __attribute__((vector_size(2 * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef real vec4 __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef real vec8 __attribute__((vector_size(8 * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef real vec16 __attribute__((vector_size(16 * sizeof(real)), aligned(sizeof(real)), may_alias));
"""


class Kernel(NamedTuple):
    """A product of matrices whose columns are neighbours in the result and in the right operand.

    `out_row` and the others are strides: of the rows, and of the axis along which the sums go. `sign` is =, += or -=.
    """

    columns: int
    out_row: int
    left_row: int
    left_step: int
    right_step: int
    sign: str
    lanes: int

    @property
    def offsets(self) -> list[int]:
        """Where the vectors of a row begin."""
        return [*range(0, self.columns - self.lanes, self.lanes), self.columns - self.lanes]

    def text(self, name: str) -> str:
        """The function."""
        return "\n".join(
            [
                f"FUSED static void {name}(real *restrict out, const real *a, const real *b, long rows, long steps) {{",
                "    long i = 0;",
                f"    for (; i + {ROWS} <= rows; i += {ROWS}) {{",
                *self.blocks(ROWS),
                "    }",
                "    for (; i < rows; i++) {",
                *self.blocks(1),
                "    }",
                "}",
                "",
            ]
        )

    def blocks(self, rows: int) -> list[str]:
        """The blocks of so many rows."""
        offsets = self.offsets
        count = -(-len(offsets) // VECTORS)
        ends = [len(offsets) * k // count for k in range(count + 1)]
        return [line for start, stop in itertools.pairwise(ends) for line in self.block(rows, offsets[start:stop])]

    def block(self, rows: int, offsets: list[int]) -> list[str]:
        """One block: its sums are in registers."""
        vec = f"vec{self.lanes}"
        cells = [(r, v) for r in range(rows) for v in range(len(offsets))]
        sums = {cell: f"c{k}" for k, cell in enumerate(cells)}
        places = {(r, v): f"*({vec} *)(out + {self.out_row} * (i + {r}) + {offsets[v]})" for r, v in cells}
        step = "-=" if self.sign == "-=" else "+="
        start = {cell: f"({vec}){{0}}" if self.sign == "=" else places[cell] for cell in cells}
        return [
            "        {",
            *(f"            {vec} {sums[cell]} = {start[cell]};" for cell in cells),
            "            for (long k = 0; k < steps; k++) {",
            *(
                f"                const {vec} b{v} = *(const {vec} *)(b + {self.right_step} * k + {offset});"
                for v, offset in enumerate(offsets)
            ),
            *(
                f"                const real a{r} = a[{self.left_row} * (i + {r}) + {self.left_step} * k];"
                for r in range(rows)
            ),
            *(f"                {sums[r, v]} {step} a{r} * b{v};" for r, v in cells),
            "            }",
            *(f"            {places[cell]} = {sums[cell]};" for cell in cells),
            "        }",
        ]


def lanes_of(columns: int, widest: int) -> int:
    """How many numbers a vector has."""
    lanes = 2
    while lanes * 2 <= min(columns, widest):
        lanes *= 2
    return lanes
