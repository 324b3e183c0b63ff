"""What an agent says of itself: one JSON object a line, on standard error."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Final

import orjson

_BUILT_IN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Put the event first and whatever was passed in `extra` beside it."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"event": record.getMessage(), "level": record.levelname.lower(), "at": at}
        line |= {key: value for key, value in vars(record).items() if key not in _BUILT_IN}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def log_to_stderr() -> None:
    """Begin to log; what requests say of themselves is left out."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logger = logging.getLogger("bartizan")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
