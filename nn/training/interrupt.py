"""`Interrupt`: Ctrl-C as a flag to look at between steps; raised at any instruction, it would leave half an update."""

from __future__ import annotations

import signal
import threading


class Interrupt:
    """Context in which the first Ctrl-C only sets `pressed`; a second one raises KeyboardInterrupt, as ever.

    It changes nothing outside the main thread, and where the program has a handler of its own.

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
        signal.signal(signal.SIGINT, signal.default_int_handler)  # for the second
        self.pressed = True

    def __exit__(self, *_: object) -> None:
        if self.ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
