"""Who looks and sends is killed, again and again: everything is told once, and arrives at least once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.app.notices.plane import Plane, web_pod
from tests.stores.fleet import START

from bartizan.app.notices import deliver, look, open_ways, read_notifications
from bartizan.app.notices.delivering import LEASE
from bartizan.stores.open import open_store

if TYPE_CHECKING:
    from tests.app.notices import services

    from bartizan.app.notices import Ways
    from bartizan.stores.open import Store

_ROOT = Path(__file__).parents[3]
_KILLS = 3


def look_and_deliver(url: str, settings: dict[str, Any], minutes: float) -> None:
    """Look and send without end, at a time that does not go on, with words on a line when it begins."""
    store, read = open_store(url), read_notifications(settings)
    now = START + timedelta(minutes=minutes)
    with open_ways({"HOOK_SECRET": "a secret of both"}) as ways:
        os.write(1, b"ready\n")
        while True:
            look(store, read, now)
            deliver(store, read, lambda: now, ways)


def _settings(web: services.Web) -> dict[str, Any]:
    hook = {"name": "hook", "kind": "webhook", "url": f"{web.url}/webhook", "secret_env": "HOOK_SECRET", "rate": 6000}
    rule = {"name": "all", "targets": ["hook"], "by": "namespace", "window": "0s", "kinds": ["opened"]}
    return {"targets": [hook], "rules": [rule]}


def test_whoever_is_killed_everything_is_told_once_and_arrives(
    url: str, store: Store, web: services.Web, ways: Ways
) -> None:
    plane = Plane(store, ways)
    settings = _settings(web)
    plane.settings = read_notifications(settings)
    plane.joined("one")
    web.hold_s = 0.02
    environment = {**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}{os.pathsep}{_ROOT}"}
    for turn in range(_KILLS):
        plane.later(seconds=LEASE.total_seconds() + 60)
        plane.report(*(web_pod("fpp", f"p{turn}", f"n{number}") for number in range(30)))
        minutes = (plane.now - START) / timedelta(minutes=1)
        program = "from tests.app.notices.test_kill import look_and_deliver as run; "
        command = [sys.executable, "-c", f"{program}run({url!r}, {settings!r}, {minutes})"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=_ROOT) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(0.1 * (turn + 1))
            process.send_signal(signal.SIGKILL)
    web.hold_s = 0.0
    for _ in range(4):
        plane.later(seconds=LEASE.total_seconds() + 60).look()
        plane.deliver()
    assert plane.messages("waiting", "dead") == []
    arrived = {one.headers["idempotency-key"]: json.loads(one.body) for one in web.requests}
    opened = [one["notice"]["counts"]["opened"] for one in arrived.values()]
    assert sum(opened) == 30 * _KILLS
    assert set(arrived) == {one.key for one in plane.messages("sent")}


@pytest.mark.parametrize("lookers", [4])
def test_several_who_look_at_once_tell_everything_once(
    store: Store, ways: Ways, web: services.Web, lookers: int
) -> None:
    plane = Plane(store, ways)
    plane.settings = read_notifications(_settings(web))
    plane.joined("one", "two")
    with ThreadPoolExecutor(lookers) as pool:
        for turn in range(5):
            plane.later(minutes=1)
            for name in ("one", "two"):
                plane.report(web_pod("ffp", f"p{turn}"), cluster=name)
            list(pool.map(lambda _: plane.look(), range(lookers)))
    told = [one.message["counts"]["opened"] for one in plane.messages()]
    assert told == [2] * 10
