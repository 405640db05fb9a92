"""`Interrupt`: turns Ctrl-C into a flag that is checked between steps.

An exception could be raised at any instruction, and would leave a half-finished update.
"""

from __future__ import annotations

import signal
import threading


class Interrupt:
    """A context in which the first Ctrl-C only sets `pressed`. A second one raises KeyboardInterrupt.

    It does nothing outside the main thread, or if the program has its own handler.

    >>> with Interrupt() as interrupt:
    ...     interrupt.pressed
    False
    """

    def __init__(self) -> None:
        self.pressed = False

    def __enter__(self) -> Interrupt:
        main = threading.current_thread() is threading.main_thread()
        self.ours = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self.ours:
            signal.signal(signal.SIGINT, self._press)
        return self

    def _press(self, *_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C raises
        self.pressed = True

    def __exit__(self, *_: object) -> None:
        if self.ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
