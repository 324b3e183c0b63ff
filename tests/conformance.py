"""What tests find outside the repository: the peers' suites, read where they stand and never copied, and programs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest
from tools import gobuild

ROOT = Path(__file__).resolve().parent.parent


def required() -> bool:
    """Whether a missing part is a failure instead of a skip, as it is in continuous integration."""
    return os.environ.get("BARTIZAN_REQUIRE_ALL") == "1"


def missing(reason: str) -> NoReturn:
    """Skip the test, saying what to install; or fail it where everything is required."""
    (pytest.fail if required() else pytest.skip)(reason)


def built(*modules: str) -> dict[str, Path]:
    """The programs of Go modules, built if they are not there; skips the test where that cannot be."""
    if not required() and shutil.which("go") is None and any(gobuild.find(module) is None for module in modules):
        pytest.skip(f"{', '.join(modules)} must be built for this: install Go 1.26 or newer")
    return {program: path for module in modules for program, path in gobuild.ensure(module).items()}


def peer(module: str) -> dict[str, Path]:
    """The programs of another project, to compare with; skips the test where they are not built.

    What they say is a comparison and no part of ours, so that nobody must
    build them, who else would wait many minutes for it.
    """
    found = gobuild.find(module)
    if found is None:
        pytest.skip(f"{module} is not built, to compare with: `python tools/gobuild.py {module}`")
    return found


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
        missing(reason)
    return found
