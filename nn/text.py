"""Text that fits where it goes: the engine's own rules, for names and numbers that nn and the demos show."""

from autograd.seeing.text import fitted as fitted
from autograd.seeing.text import legible as legible
from autograd.seeing.text import literal as literal
from autograd.seeing.text import printable as printable
