"""Whole processes, timed: wall, CPU and peak memory, by the operating system's own account."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Measure(NamedTuple):
    """The best of some runs. `peak_mib` is the largest of the process and its children's residents."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run(command: list[str], output: Path, runs: int, before: Callable[[], None] = lambda: None) -> Measure:
    """Run a command several times, its output to a file, each time after `before`; the quickest counts."""
    measures = []
    for _ in range(runs):
        before()
        measures.append(_once(command, output))
    return min(measures)


# a child's peak is at least its parent's at the fork, so that the one who starts it must be small
_STARTER = (
    "import os, sys, time\n"
    "start = time.perf_counter()\n"
    "child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)\n"
    "_, status, usage = os.wait4(child, 0)\n"
    "wall = time.perf_counter() - start\n"
    "code = os.waitstatus_to_exitcode(status)\n"
    "print(code, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=open(os.environ['BENCH_FIGURES'], 'w'))\n"
)


def _once(command: list[str], output: Path) -> Measure:
    figures = output.with_suffix(".figures")
    starter = [sys.executable, "-S", "-E", "-c", _STARTER, *command]
    with output.open("wb") as out, output.with_suffix(".err").open("wb") as err:
        environment = {**os.environ, "BENCH_FIGURES": str(figures)}
        subprocess.run(starter, stdout=out, stderr=err, check=True, env=environment)
    code, wall, cpu, peak = figures.read_text().split()
    if int(code) > 2:
        raise RuntimeError(f"{command[0]} ended with {code}: {output.with_suffix('.err').read_text()[-500:]}")
    return Measure(float(wall), float(cpu), int(peak) / 1024)
