"""The file a test names as its `context`."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.conformance import conformance_dir

from bartizan.app.policy_tests.context import read_context
from bartizan.app.policy_tests.files import read_test_files
from bartizan.base.errors import SpecError


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"kind": "Values"}, "`Values` is no context"),
        ({"kind": "Context", "spec": {"resources": [1]}}, "an object of a context has no kind"),
        ({"kind": "Context", "spec": {"resources": [{"kind": "Pod"}]}}, "an object of a context has no kind"),
        ({"kind": "Context", "spec": {"images": [1]}}, "/spec/images/0"),
        ({"kind": "Context", "spec": 1}, "/spec"),
        ([], "must be"),
    ],
    ids=["another kind", "no object", "no version", "no image", "no spec", "a list"],
)
def test_refused(document: Any, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_context(document)
    assert said in f"{caught.value} {caught.value.pointer}"


def test_empty_context_holds_nothing() -> None:
    assert read_context({"kind": "Context"}) == ((), {})


@pytest.mark.parametrize("suite", ["kyverno-cli", "kyverno-policies"])
def test_context_files_of_a_suite_are_read_whole(suite: str) -> None:
    seen = 0
    for path in sorted(conformance_dir(suite).rglob("kyverno-test.yaml")):
        if "\ncontext:" not in f"\n{path.read_text()}":
            continue
        for test in read_test_files(path):
            file = path.parent / yaml.safe_load(path.read_text())["context"]
            spec = yaml.safe_load(file.read_text())["spec"]
            assert [item.body for item in test.context.resources] == spec.get("resources", [])
            assert list(test.context.images) == [item["image"] for item in spec.get("images", ())]
            seen += 1
    assert seen > 3
