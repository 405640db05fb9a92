"""Reading and writing files, for all of `nn` and the demos. The rules are in `autograd.files`."""

import os
from typing import TypeAlias

from autograd.files import check_writable as check_writable
from autograd.files import clear_leftovers as clear_leftovers
from autograd.files import read as read
from autograd.files import replacing as replacing
from autograd.files import write as write

PathLike: TypeAlias = str | os.PathLike[str]
