"""A refusal as programs read it: a problem document (RFC 9457), in the words that people get too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from starlette.responses import Response

from bartizan.base.errors import BartizanError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM: Final = "application/problem+json"


class Problem(msgspec.Struct, frozen=True):
    """What went wrong: `title` says it in one clause, `detail` what to do next."""

    title: str
    status: int
    detail: str = ""
    type: str = "about:blank"


class RefusedError(BartizanError):
    """A request that is refused for a reason that has a status of its own in HTTP."""

    def __init__(self, status: int, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


def problem(error: BartizanError, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Tell an error."""
    told = msgspec.json.encode(Problem(error.message, status, error.hint))
    return Response(told, status, headers, media_type=PROBLEM)
