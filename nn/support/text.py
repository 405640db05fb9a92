"""Text that fits where it goes: the engine's own rules, for names and numbers that nn and the demos show."""

from autograd.explaining.text import fitted as fitted
from autograd.explaining.text import legible as legible
from autograd.explaining.text import literal as literal
from autograd.explaining.text import printable as printable
