"""Whole processes, timed: wall, CPU and peak memory, by the operating system's own account."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Measure(NamedTuple):
    """The best of some runs. `peak_mib` is the largest of the process and its children's residents."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run(command: list[str], output: Path, runs: int) -> Measure:
    """Run a command several times, its output to a file; the quickest counts."""
    return min(_once(command, output) for _ in range(runs))


def _once(command: list[str], output: Path) -> Measure:
    with output.open("wb") as out, output.with_suffix(".err").open("wb") as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode > 2:
        raise RuntimeError(
            f"{command[0]} ended with {process.returncode}: {output.with_suffix('.err').read_text()[-500:]}"
        )
    return Measure(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
