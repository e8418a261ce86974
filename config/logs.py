"""Logs: one line an event, whatever stands in it."""

import logging
from collections.abc import Iterator
from typing import Any

CONTROLS = {n: f"\\x{n:02x}" for n in (*range(32), 127, 0x85, 0x2028, 0x2029) if n != 9}
LEFT_OUT = "(left out: it may quote a row)"


class OneLine(logging.Formatter):
    """Writes out the control characters of a message, so that no value can feign a line; only a traceback has several."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        """The line."""
        return super().formatMessage(record).translate(CONTROLS)

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802 - as logging has it
        """The traceback, without the rows that PostgreSQL quotes in it."""
        text = super().formatException(ei)
        for quoted in _quoted(ei[1]):
            text = text.replace(quoted, LEFT_OUT)
        return text


def _quoted(error: BaseException | None) -> Iterator[str]:
    """What PostgreSQL says beside its message, in each error of a chain."""
    while error is not None:
        diagnosis = getattr(error, "diag", None)
        yield from filter(None, (getattr(diagnosis, name, None) for name in ("message_detail", "context")))
        error = error.__cause__ or error.__context__
