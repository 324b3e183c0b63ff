"""The confined process: `python -m bartizan.app.trial.worker try`, or `judge`; frames in, frames out, until the end.

`try` reads all code once and waits. Each trial is a child that is forked
from it, so that it begins at once, leaves nothing behind, and is killed when
its time is up; this process has one thread, so that a fork is safe here.
`judge` takes one policy and then pieces of an inventory.
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import signal
import sys
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Final

from bartizan.app.trial.confined import bound, confine
from bartizan.app.trial.inventory import Judge
from bartizan.app.trial.trying import try_texts
from bartizan.app.trial.wire import (
    Begin,
    Begun,
    Bug,
    Judged,
    Piece,
    Spent,
    Told,
    Tried,
    Try,
    framed,
    packed,
    read,
    unpacked,
    write,
)
from bartizan.base.errors import BartizanError

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

TRIAL_CPU_S: Final = 3
TRIAL_WALL_S: Final = 6.0
TRIAL_MEMORY: Final = 384 << 20
JUDGING_CPU_S: Final = 1800
JUDGING_MEMORY: Final = 512 << 20
_IN: Final = 0
_OUT: Final = 1
_LONGEST: Final = 4 << 20
_REQUEST: Final = 64 << 20
_ROOTS: Final = ("bartizan.base", "bartizan.model", "bartizan.lang", "bartizan.engines", "bartizan.sources.yaml")
_WARMING: Final = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: warm}
spec:
  rules:
  - name: warm
    match: {any: [{resources: {kinds: [Pod]}}]}
    context: [{name: n, variable: {jmesPath: "request.object.metadata.name || 'x'"}}]
    validate: {message: "{{ n }}", pattern: {metadata: {name: "?*"}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: warm}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: "has(object.spec) && object.spec.containers.all(c, c.image != '')"}]
"""
_POD: Final = "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: a, image: b}]}}"


def main(mode: str) -> int:
    """Serve until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for who started us
    if mode == "judge":
        return _judge()
    for root in _ROOTS:
        package = importlib.import_module(root)
        for module in pkgutil.walk_packages(package.__path__, f"{root}."):
            importlib.import_module(module.name)
    try_texts(Try(_WARMING, _POD))
    gc.collect()
    gc.freeze()  # children share what is there, and a collection would copy it
    while body := read(_IN, most=_REQUEST):
        write(_OUT, _tried_in_a_child(body))
    return 0


def _judge() -> int:
    begin = unpacked(read(_IN, most=_REQUEST), Begin)
    os.nice(10)  # the pages come first
    bound(JUDGING_CPU_S, JUDGING_MEMORY)
    confine()
    judge: list[Judge] = []

    def begun() -> Begun:
        judge.append(Judge(begin.policy))
        return judge[0].begun()

    write(_OUT, _answer(begun))
    while judge and (body := read(_IN, most=_REQUEST)):
        write(_OUT, _answer(partial(_judged, judge[0], body)))
    return 0


def _judged(judge: Judge, body: bytes) -> Judged:
    return judge.judge(unpacked(body, Piece))


def _tried_in_a_child(body: bytes) -> bytes:
    """The frame that a child answers with; it is killed when its time is up."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _child(body, writing)
    os.close(writing)
    ends = time.monotonic() + TRIAL_WALL_S
    try:
        answer = read(reading, lambda: ends - time.monotonic(), _LONGEST)
    except (TimeoutError, ValueError):
        answer = b""
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if answer:
        return framed(answer)
    ran_out = time.monotonic() >= ends or (
        os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
    )
    return packed(Spent("time") if ran_out else Bug(f"the child ended with status {status}"))


def _child(body: bytes, writing: int) -> None:
    """Try, tell and end; nothing comes back from here."""
    code = 1
    try:
        os.close(_IN)
        os.close(_OUT)
        bound(TRIAL_CPU_S, TRIAL_MEMORY)
        confine()
        write(writing, _answer(lambda: try_texts(unpacked(body, Try))))
        code = 0
    finally:
        os._exit(code)


def _answer(work: Callable[[], msgspec.Struct]) -> bytes:
    """The frame of what `work` gives; what it could not do is an answer too."""
    try:
        return packed(work())
    except BartizanError as error:
        return packed(Tried(problems=[Told(error.message, error.hint)]))
    except RecursionError:
        return packed(Tried(problems=[Told("this nests too deep to be read", "Write it flatter.")]))
    except MemoryError:
        return packed(Spent("memory"))
    except Exception:  # noqa: BLE001  (the outermost frame of a process: a bug is told to who logs it)
        return packed(Bug(traceback.format_exc()[-4000:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
