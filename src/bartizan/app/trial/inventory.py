"""A policy judged over pieces of an inventory: the part that runs in the confined process."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import orjson

from bartizan.app.asking import Asker
from bartizan.app.trial.trying import NotCalled, compile_text
from bartizan.app.trial.wire import CHANGE, REFUSED, Begun, Judged, Rule
from bartizan.engines.policy.chain import asked
from bartizan.model.ledger import Verdict
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.resource import resource_from

if TYPE_CHECKING:
    from bartizan.app.trial.trying import Compiled
    from bartizan.app.trial.wire import Item, Piece
    from bartizan.engines.policy import plan
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request

_LONGEST: Final = 300
"""Characters of a message: a table shows no more."""
_REASONS: Final = 5000
"""Messages of a piece: a page shows some of each rule."""
_TOLD: Final = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.ERROR})


class Judge:
    """The rules of one text, asked of one object after another."""

    def __init__(self, text: str) -> None:
        self._compiled = compile_text(text)
        self._rules = self._compiled.policies.rules
        self._world = NotCalled()

    def begun(self) -> Begun:
        """What there is to ask, and of which kinds."""
        return _begun(self._compiled)

    def judge(self, piece: Piece) -> Judged:
        """Ask every rule of every object, each as it is: what one rule changes no other sees."""
        verdicts: list[bytes] = []
        why: list[tuple[int, int, str]] = []
        for number, item in enumerate(piece.items):
            verdicts.append(bytes(self._judge(number, item, why)))
        return Judged(verdicts, why)

    def _judge(self, number: int, item: Item, why: list[tuple[int, int, str]]) -> bytearray:
        body = orjson.loads(zlib.decompress(item.body))
        resource = resource_from(body)
        asker = Asker(namespaces={resource.id.namespace: item.namespace_labels})
        request = asker.plain(resource)
        said = bytearray(len(self._rules))
        for column, rule in enumerate(self._rules):
            if rule.kinds is not None and resource.id.kind not in rule.kinds:
                continue
            outcome = asked(rule.run, request, self._world)
            said[column] = code = _code(rule, outcome, request)
            if code & ~REFUSED in _TOLD and len(why) < _REASONS:
                why.append((number, column, _message(outcome)[:_LONGEST]))
        return said


def _begun(compiled: Compiled) -> Begun:
    rules = compiled.policies.rules
    kinds = (
        None if any(rule.kinds is None for rule in rules) else sorted({k for rule in rules for k in rule.kinds or ()})
    )
    told = [Rule(str(rule.info.id), rule.does, int(rule.info.severity)) for rule in rules]
    return Begun(told, kinds, compiled.policies.wants_namespaces, compiled.problems, compiled.notes)


def _code(rule: plan.Rule, outcome: Outcome | None, request: Request) -> int:
    match outcome:
        case Failed():
            verdict = Verdict.FAIL if rule.info.scored else Verdict.WARN
            return verdict | (REFUSED if rule.action(request) == "Enforce" else 0)
        case Passed(_, changes):
            return CHANGE if changes else Verdict.PASS
        case Skipped():
            return Verdict.SKIP
        case Broken():
            return Verdict.ERROR
        case None:
            return Verdict.NONE


def _message(outcome: Outcome | None) -> str:
    match outcome:
        case Failed(message) | Passed(message):
            return message
        case Skipped(because):
            return because
        case Broken(error):
            return error
        case None:
            return ""
