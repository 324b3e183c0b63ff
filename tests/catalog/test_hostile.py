"""No manifest is a bug to any check, alone or beside others."""

from __future__ import annotations

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st
from tests.laws import examples
from tests.spoil import spoil

from bartizan.app.selection import compile_checks
from bartizan.catalog import load_catalog
from bartizan.engines.policy.lookup import Offline
from bartizan.model.request import Request
from bartizan.model.resource import controller_of, resource_from

_CHOSEN = compile_checks(list(load_catalog().checks.values()))
_EXAMPLES = [example.every for check in load_catalog().checks.values() for example in check.examples]


@examples(400)
@given(st.sampled_from(_EXAMPLES), st.booleans(), st.data())
def test_no_manifest_is_a_bug(objects: list[dict[str, object]], live: bool, data: st.DataObject) -> None:
    bodies = deepcopy(objects)
    for body in bodies:
        spoil(body, data)
    resources = [resource_from({**body, "metadata": {"uid": "u"}} if live else body) for body in bodies]
    for resource in resources:
        controller_of(resource.body)
        for rule in _CHOSEN.rules:
            if rule.kinds is None or resource.id.kind in rule.kinds:
                rule.run(Request(resource), Offline())
    for check in _CHOSEN.checks:
        seen = [(one.id, check.observe(one)) for one in resources if one.id.kind in check.kinds]
        facts = [(rid, fact) for rid, fact in seen if fact is not None]
        for conclusion in check.conclude(facts):
            assert conclusion.message
