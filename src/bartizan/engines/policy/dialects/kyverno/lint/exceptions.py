"""What is wrong with PolicyExceptions, seen beside the policies that they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kyverno.exceptions import decode_exception
from bartizan.engines.policy.remark import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bartizan.base.json import JsonObject

UNREADABLE: Final = "unreadable-policy"
STRAY: Final = "stray-exception"


def lint_exception(document: JsonObject, policies: Mapping[str, frozenset[str]]) -> Iterator[Remark]:
    """What is wrong with one exception; `policies` are the rules of each that is there, autogen's among them.

    Where no policies were given, none can be missed.
    """
    try:
        spec = decode_exception(document)
    except SpecError as error:
        yield Remark(UNREADABLE, "error", error.pointer, error.message, error.hint, "")
        return
    for index, entry in enumerate(spec.exceptions if policies else ()):
        at = f"/spec/exceptions/{index}"
        rules = policies.get(entry.policy_name)
        if rules is None:
            message = f"no policy `{entry.policy_name}` among those given"
            hint = did_you_mean(entry.policy_name, policies) if len(policies) < 20 else "Check its name."
            yield Remark(STRAY, "warning", f"{at}/policyName", message, hint, entry.policy_name)
            continue
        for place, name in enumerate(entry.rule_names):
            if not any(wildcard.match(name, rule) for rule in rules):
                message = f"policy `{entry.policy_name}` has no rule `{name}`"
                yield Remark(STRAY, "error", f"{at}/ruleNames/{place}", message, did_you_mean(name, rules), name)
