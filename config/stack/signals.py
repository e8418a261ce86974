"""What Ctrl-C and the signals that end us do, for the length of a block."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, FrameType | None], object]


@contextmanager
def signals_to(handler: Handler) -> Iterator[None]:
    """Hand each signal that would end us to the handler."""
    before = {number: signal.signal(number, handler) for number in ENDING}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def interrupt(*_: object) -> None:
    """The handler that treats every such signal as Ctrl-C."""
    raise KeyboardInterrupt
