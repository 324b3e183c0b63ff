"""Work shared among processes: each piece once, in order, and nothing lost in silence."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.conformance import ROOT

_PROGRAM = """
import msgspec, os, time
from bartizan.app.parallel import share

class Piece(msgspec.Struct):
    number: int
    process: int

first = os.getpid()

def work(number):
    time.sleep(0.002)  # so that everybody has some
    if {fails}:
        raise ValueError(f"piece {{number}} is broken")
    return Piece(number, os.getpid())

pieces = list(share(work, {number}, {workers}, Piece))
assert [piece.number for piece in pieces] == list(range({number})), pieces
print(len({{piece.process for piece in pieces}}))
"""


def run(number: int, workers: int, fails: str = "False") -> subprocess.CompletedProcess[str]:
    """Share pieces in a process of its own, for that is what is forked."""
    program = _PROGRAM.format(number=number, workers=workers, fails=fails)
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "src")},
    )


@pytest.mark.parametrize(("number", "workers"), [(1, 2), (2, 8), (100, 2), (1000, 5)])
def test_every_piece_comes_once_and_in_order(number: int, workers: int) -> None:
    done = run(number, workers)
    assert done.returncode == 0, done.stderr
    assert 1 <= int(done.stdout) <= min(number, workers)


def test_a_worker_that_fails_is_no_silence() -> None:
    done = run(50, 2, fails="os.getpid() != first")
    assert done.returncode == 1
    assert "is broken" in done.stderr
    assert "WorkerError: a worker process did not finish" in done.stderr


def test_a_failure_of_its_own_ends_all() -> None:
    done = run(50, 3, fails="os.getpid() == first")
    assert done.returncode == 1
    assert "ValueError: piece" in done.stderr


def test_too_many_pieces_are_refused() -> None:
    done = run(5000, 2)
    assert "5000 pieces are too many to share" in done.stderr
