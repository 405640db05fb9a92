"""Text made safe for output, for all of `nn` and the demos. The rules are in `autograd.explaining.text`."""

from autograd.explaining.text import fitted as fitted
from autograd.explaining.text import legible as legible
from autograd.explaining.text import literal as literal
from autograd.explaining.text import printable as printable
