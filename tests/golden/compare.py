"""Golden files: what a person reads, compared verbatim; `make golden` rewrites them and the diff is reviewed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

FOLDER = Path(__file__).resolve().parent


def assert_golden(config: pytest.Config, name: str, text: str) -> None:
    """Compare `text` with the golden file `name`, or write it where `--snapshot-update` asks for that."""
    file = FOLDER / name
    if config.getoption("update_snapshots"):  # the destination of syrupy's `--snapshot-update`
        file.write_text(text, encoding="utf-8", newline="")
    assert file.is_file(), f"no golden file {name}: run `make golden` and review it"
    assert text == file.read_bytes().decode(), (
        f"{name} differs: if that is meant, run `make golden` and review the diff"
    )
