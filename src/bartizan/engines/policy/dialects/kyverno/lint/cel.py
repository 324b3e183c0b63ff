"""What is wrong with policies of `policies.kyverno.io` before they run, and with the exceptions to them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.cel.lint.table import RULES
from bartizan.engines.policy.cel.lint.view import CelView, Collector
from bartizan.engines.policy.cel.listening import listening
from bartizan.engines.policy.dialects.kyverno.cel.exceptions import decode_cel_exception
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy
from bartizan.engines.policy.dialects.kyverno.lint.exceptions import STRAY
from bartizan.engines.policy.dialects.kyverno.lint.view import MAX_DEPTH, is_deep, too_deep
from bartizan.engines.policy.faults import faults
from bartizan.engines.policy.remark import UNREADABLE, Remark, remarks_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from bartizan.base.json import Json, JsonObject
    from bartizan.lang.jmespath import Ambient

ENDED: Final = "ended-exception"
ENDLESS: Final = "endless-exception"


def lint_cel_policy(document: JsonObject, ambient: Ambient) -> list[Remark]:
    """Say what is wrong with a policy in CEL; each expression is looked at, whatever is wrong with the others."""
    if is_deep(document, MAX_DEPTH):
        return [too_deep()]
    collector = Collector()

    def problems(part: Json) -> tuple[SpecError, ...]:
        collector.refusals.clear()
        try:
            with listening(collector):
                compile_cel_policy(part, ambient)
        except SpecError as error:
            return (error, *collector.refusals)
        return tuple(collector.refusals)

    said = tuple(SpecError(item.message, hint=item.hint, pointer=item.pointer) for item in faults(document, problems))
    return remarks_of(RULES, CelView(document, collector.found, said))


def lint_cel_exception(document: JsonObject, policies: Collection[tuple[str, str]], now: datetime) -> Iterator[Remark]:
    """What is wrong with one exception; `policies` are kind and name of each that is there.

    Where no policies were given, none can be missed.
    """
    try:
        spec = decode_cel_exception(document)
    except SpecError as error:
        yield Remark(UNREADABLE, "error", error.pointer, error.message, error.hint, "")
        return
    for index, ref in enumerate(spec.policy_refs if policies else ()):
        if (ref.kind, ref.name) in policies:
            continue
        at = f"/spec/policyRefs/{index}"
        others = [kind for kind, name in policies if name == ref.name]
        if others:
            message = f"`{ref.name}` is a {others[0]}, and no {ref.kind}"
            yield Remark(STRAY, "error", f"{at}/kind", message, f"Write `kind: {others[0]}`.", ref.kind)
        else:
            names = [name for kind, name in policies if kind == ref.kind]
            hint = did_you_mean(ref.name, names) if 0 < len(names) < 20 else "Check its name."
            message = f"no {ref.kind} `{ref.name}` among those given"
            yield Remark(STRAY, "warning", f"{at}/name", message, hint, ref.name)
    yield from _about_its_end(spec.expires_at, now)


def _about_its_end(text: str | None, now: datetime) -> Iterator[Remark]:
    at = "/spec/expiresAt"
    if not text:
        hint = "Write `expiresAt:` with the day on which somebody looks at it again."
        yield Remark(ENDLESS, "note", "/spec", "an exception without an end", hint, "")
        return
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "Write a moment such as 2027-01-31T00:00:00Z."
        yield Remark(UNREADABLE, "error", at, f"`{text}` is no moment", hint, text)
        return
    if moment.tzinfo is None:
        yield Remark(UNREADABLE, "error", at, f"`{text}` has no time zone", "Add `Z` for UTC.", text)
    elif moment < now:
        yield Remark(ENDED, "warning", at, f"it ended at {text}", "Remove it, or give it a later end.", text)
