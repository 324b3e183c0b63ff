"""Running the command as people do: another process, its output, its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
_BARTIZAN = Path(sys.executable).with_name("bartizan")


class Done(NamedTuple):
    """What a run of the command left."""

    code: int
    out: str
    err: str


def bartizan(*arguments: str | Path, text: str | None = None, cwd: Path | None = None) -> Done:
    """Run the command; a minute is far more than any of these takes, so that nothing hangs."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [str(_BARTIZAN), *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env=environment,
    )
    return Done(done.returncode, done.stdout, done.stderr)
