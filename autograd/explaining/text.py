"""Text on its way to somebody: what a format, a terminal or a picture cannot hold stands there in another way.

Names and numbers are written with signs (``∂L/∂w₁``), and names are anybody's. Here is what makes them fit: `printable`
for every format, `literal` for matplotlib, and a handler of encoding errors for streams that know fewer signs.
"""

from __future__ import annotations

import codecs
import io
import re
import sys
import unicodedata
from typing import Any

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
EXPONENTS = {sign: chr(digit) for digit, sign in SUPERSCRIPTS.items()}
ASCII = str.maketrans({
    **{letter: name for name, letter in GREEK.items()}, **dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True)),
    "×": "*", "÷": "/", "−": "-", "·": "*", "Σ": "sum", "√": "sqrt", "σ": "sigmoid", "…": "...", "\u0302": "_hat",
    "→": "->", "–": "-", "≤": "<=", "≥": ">=", "∂": "d",
})  # fmt: skip


def printable(text: object) -> str:
    r"""Text that every terminal, page and picture can hold: what cannot be seen stands there as its escape.

    Files of XML refuse control characters, and no encoding takes a lone surrogate.

    >>> printable("ŷ"), printable("\x1b[31m"), printable(3)
    ('ŷ', '\\x1b[31m', '3')
    """
    text = str(text)
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def literal(text: object) -> str:
    r"""Somebody's text for a picture: matplotlib would read what stands between two dollars as a formula.

    It would also leave a curve out of the legend whose name begins with an underscore; a space before it prevents that.

    >>> literal("$ and $"), literal("_loss"), literal("a\tb")
    ('\\$ and \\$', ' _loss', 'a\\tb')
    """
    shown = printable(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def to_ascii(text: str) -> str:
    """The text in ASCII; what has no counterpart there as an escape.

    >>> to_ascii("ŷ·x₁²"), to_ascii("日")
    ('y_hat*x1^2', '\\\\u65e5')
    """
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda found: f"^{found[0].translate(EXPONENTS)}", text)
    known = unicodedata.normalize("NFD", text).translate(ASCII)
    return (known if known.isascii() else text.translate(ASCII)).encode("ascii", "backslashreplace").decode()


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return to_ascii(error.object[error.start : error.end]), error.end


SIGNS = "autograd.signs"
"""The name of the handler of encoding errors, for ``str.encode`` and streams: `to_ascii` of what an encoding lacks."""
codecs.register_error(SIGNS, _in_ascii)


def fitted(text: str, stream: Any) -> str:
    """The text as a stream's encoding can hold it.

    >>> fitted("w·x → ŷ", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    'w·x -> y_hat'
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, SIGNS).decode(encoding)


def legible() -> None:
    """Let standard output and error write in ASCII what their encoding lacks, rather than raise: for commands."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=SIGNS)
