"""A process killed while it writes: what it was told is kept is kept, and nothing is there by half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.stores.fleet import World, observed, pod, rules
from tests.stores.ledger import assert_counts_hold

from bartizan.stores.generations import sequence_of
from bartizan.stores.open import open_store

_ROOT = Path(__file__).parents[2]
_SIZE = 40
_RULES = rules("roots", "limits:low")


def report(url: str) -> None:
    """Report without end; each batch that is kept is said on a line of its own."""
    world = World(open_store(url))
    world.sequences["one", "watch"] = sequence_of(world.store, "one", "watch")
    while True:
        turn = world.sequences["one", "watch"]
        verdicts = "fp" if turn % 2 else "pf"
        names = (f"p{number}-{turn if number < 10 else 0}" for number in range(_SIZE))
        world.keep(_RULES, *(observed(pod(name), _RULES, verdicts) for name in names), hours=turn)
        os.write(1, b"%d\n" % (turn + 1))


@pytest.mark.parametrize("wait_s", [0.02, 0.11, 0.23])
def test_nothing_acknowledged_is_lost_and_nothing_is_there_by_half(url: str, wait_s: float) -> None:
    store = open_store(url)
    World(store).join("one")
    environment = {**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}{os.pathsep}{_ROOT}"}
    told = 0
    for _ in range(3):
        command = [sys.executable, "-c", f"from tests.stores.test_kill import report; report({url!r})"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=_ROOT) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(wait_s)
            process.send_signal(signal.SIGKILL)
            said = first + process.stdout.read()
        told = int(said.split(b"\n")[-2])
        kept = sequence_of(store, "one", "watch")
        assert told <= kept <= told + 1
        assert_counts_hold(store)
        with store.reading() as connection:
            steps = connection.execute(text("SELECT count(*) FROM transition")).scalar_one()
            there = connection.execute(text("SELECT count(*) FROM resource")).scalar_one()
        # ten new objects a batch and thirty that stay; each old one closes one finding and opens another a batch
        assert there == 30 + 10 * kept
        assert steps == 10 * kept + 30 + 60 * (kept - 1)
    store.close()
