"""Context managers that also decorate: functions, generators and coroutines alike.

`contextlib.ContextDecorator` wraps the call. The call of a generator function only makes the generator, and that of a
coroutine function only the coroutine: their code runs later, outside. A `Context` is entered each time that the code
goes on, and left each time that it pauses. So it holds for that code, and for nothing that runs in between.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ContextDecorator
from functools import wraps
from typing import Any


class Context(ContextDecorator):
    """The base of `no_grad` and `anomaly`: a context manager that needs no arguments."""

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, *error: object) -> None:
        raise NotImplementedError

    def _recreate_cm(self) -> Any:
        return type(self)()  # a decorated function may call itself

    def __call__(self, function: Callable[..., Any]) -> Any:
        """The function with this context around all of its code."""
        if inspect.isasyncgenfunction(function):
            return wraps(function)(self._async_generator(function))
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                return await self._awaited(function(*args, **kwargs))

            return coroutine
        if inspect.isgeneratorfunction(function):

            @wraps(function)
            def generator(*args: Any, **kwargs: Any) -> Any:
                return (yield from self._resumed(function(*args, **kwargs)))

            return generator
        return super().__call__(function)

    def _resumed(self, steps: Any) -> Generator[Any, Any, Any]:
        """What a generator, or a coroutine, yields, with this context around each of its steps."""
        go, given = steps.send, None
        while True:
            try:
                with self._recreate_cm():
                    item = go(given)
            except StopIteration as stop:
                return stop.value
            try:
                go, given = steps.send, (yield item)
            except GeneratorExit:
                with self._recreate_cm():
                    steps.close()
                raise
            except BaseException as error:
                go, given = steps.throw, error

    @types.coroutine
    def _awaited(self, steps: Any) -> Generator[Any, Any, Any]:
        return (yield from self._resumed(steps))

    def _async_generator(self, function: Callable[..., AsyncGenerator[Any, Any]]) -> Callable[..., Any]:
        async def generator(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            steps = function(*args, **kwargs)
            go: Callable[[Any], Any] = steps.asend
            given: Any = None
            while True:
                try:
                    item = await self._awaited(go(given))
                except StopAsyncIteration:
                    return
                try:
                    go, given = steps.asend, (yield item)
                except GeneratorExit:
                    await self._awaited(steps.aclose())
                    raise
                except BaseException as error:
                    go, given = steps.athrow, error

        return generator
