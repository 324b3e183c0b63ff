"""A question of rights as the SubjectAccessReview that the API server is asked with."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.lookup import AccessQuestion

_TERMS: Final = re.compile(r",(?![^(]*\))")
_AMONG: Final = re.compile(r"(\S+)\s+(in|notin)\s*\(([^)]*)\)")
_EQUALS: Final = re.compile(r"([^\s=!]+)\s*(==|=|!=)\s*(\S*)")
_EXISTS: Final = re.compile(r"(!?)\s*([^\s=!(),]+)")


def access_review(question: AccessQuestion) -> JsonObject:
    """The review to post."""
    spec: JsonObject = {"user": question.user, "groups": list(question.groups)}
    if question.uid:
        spec["uid"] = question.uid
    if question.extra:
        spec["extra"] = {key: _texts(value) for key, value in json.loads(question.extra).items()}
    if question.path:
        spec["nonResourceAttributes"] = {"path": question.path, "verb": question.verb}
    else:
        spec["resourceAttributes"] = _resource(question)
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _resource(question: AccessQuestion) -> JsonObject:
    attributes: JsonObject = {"verb": question.verb, "group": question.group, "version": "*"}
    for name in ("resource", "subresource", "namespace", "name"):
        value = getattr(question, name)
        if value:
            attributes[name] = value
    for field, text in (("fieldSelector", question.field_selector), ("labelSelector", question.label_selector)):
        requirements = list(_requirements(text)) if text else []
        if requirements and None not in requirements:  # the server leaves a selector that it cannot read out as well
            attributes[field] = {"requirements": requirements}
    return attributes


def _requirements(text: str) -> Iterator[JsonObject | None]:
    """The requirements of a selector; `None` for one that is none."""
    for term in _TERMS.split(text):
        part = term.strip()
        among, equals, exists = (pattern.fullmatch(part) for pattern in (_AMONG, _EQUALS, _EXISTS))
        if among:
            values = [value.strip() for value in among.group(3).split(",")]
            yield {"key": among.group(1), "operator": "In" if among.group(2) == "in" else "NotIn", "values": values}
        elif equals:
            operator = "NotIn" if equals.group(2) == "!=" else "In"
            yield {"key": equals.group(1), "operator": operator, "values": [equals.group(3)]}
        elif exists:
            yield {"key": exists.group(2), "operator": "DoesNotExist" if exists.group(1) else "Exists"}
        else:
            yield None
