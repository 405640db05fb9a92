"""Text made safe for output: characters that a file format, a terminal or a picture cannot show are replaced.

Formulas use Unicode signs (``∂L/∂w₁``), and users may give names with any characters. `printable` makes text fit every
format, `literal` makes it fit matplotlib, and a handler of encoding errors makes it fit streams of other encodings.
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
    r"""Text in which every character that is not printable is replaced by its escape.

    XML does not allow control characters, and no encoding can write a lone surrogate.

    >>> printable("ŷ"), printable("\x1b[31m"), printable(3)
    ('ŷ', '\\x1b[31m', '3')
    """
    text = str(text)
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def literal(text: object) -> str:
    r"""A user's text for a picture, so that matplotlib shows it as it is.

    matplotlib reads text between two dollars as a formula, so dollars are escaped. It leaves a curve out of the legend
    if its name begins with an underscore, so a space is put before it.

    >>> literal("$ and $"), literal("_loss"), literal("a\tb")
    ('\\$ and \\$', ' _loss', 'a\\tb')
    """
    shown = printable(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def to_ascii(text: str) -> str:
    """The text in ASCII. Characters without a counterpart become escapes.

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
"""An error handler for ``str.encode`` and streams: it writes characters that an encoding lacks by `to_ascii`."""
codecs.register_error(SIGNS, _in_ascii)


def fitted(text: str, stream: Any) -> str:
    """The text with the characters replaced that the stream's encoding lacks.

    >>> fitted("w·x → ŷ", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    'w·x -> y_hat'
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, SIGNS).decode(encoding)


def legible() -> None:
    """Make standard output and error replace characters that their encoding lacks, instead of raising. For commands."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=SIGNS)
