"""Where the peers' suites are: read where they stand, never copied."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def required() -> bool:
    """Whether a missing part is a failure instead of a skip, as it is in continuous integration."""
    return os.environ.get("BARTIZAN_REQUIRE_ALL") == "1"


def find_conformance(name: str) -> Path | None:
    """The folder of one suite, or `None` where the suites are not there."""
    named = os.environ.get("BARTIZAN_CONFORMANCE")
    candidates = [Path(named)] if named else [up / "shared" / "conformance" for up in (ROOT.parent, ROOT.parent.parent)]
    return next((root / name for root in candidates if (root / name).is_dir()), None)


def conformance_dir(name: str) -> Path:
    """The folder of one suite; skips the test, or fails it where everything is required."""
    found = find_conformance(name)
    if found is None:
        reason = (
            f"the conformance suite `{name}` is not there: put it at ../shared/conformance or set BARTIZAN_CONFORMANCE"
        )
        if required():
            pytest.fail(reason)
        pytest.skip(reason)
    return found
