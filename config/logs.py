"""Logs: one line an event, whatever stands in it."""

import logging

CONTROLS = {n: f"\\x{n:02x}" for n in (*range(32), 127, 0x85, 0x2028, 0x2029) if n != 9}


class OneLine(logging.Formatter):
    """Writes out the control characters of a message, so that no value can feign a line; only a traceback has several."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        """The line."""
        return super().formatMessage(record).translate(CONTROLS)
