"""The part of OCSF 1.9 that our events use, written after schema.ocsf.io: names, types and enumerations."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


def _list(of: Any) -> dict[str, Any]:
    return {"type": "array", "items": of, "minItems": 1}


_TEXT = {"type": "string"}
_NAME = {"type": "string", "minLength": 1}
_TIME = {"type": "integer", "minimum": 0}
_CHECK = _object(
    "uid name",
    uid=_NAME,
    name=_NAME,
    desc=_TEXT,
    severity_id={"enum": [0, 1, 2, 3, 4, 5, 6, 99]},
    standards=_list(_NAME),
    status_id={"enum": [0, 1, 2, 3, 99]},
    status=_NAME,
)

COMPLIANCE_FINDING = Draft202012Validator(
    _object(
        "activity_id category_uid class_uid compliance finding_info metadata severity_id time type_uid",
        activity_id={"enum": [0, 1, 2, 3, 99]},
        activity_name=_NAME,
        category_uid={"const": 2},
        category_name={"const": "Findings"},
        class_uid={"const": 2003},
        class_name={"const": "Compliance Finding"},
        type_uid={"enum": [200300, 200301, 200302, 200303, 200399]},
        type_name=_NAME,
        time=_TIME,
        severity_id={"enum": [0, 1, 2, 3, 4, 5, 6, 99]},
        severity=_NAME,
        status_id={"enum": [0, 1, 2, 3, 4, 5, 6, 99]},
        status=_NAME,
        status_detail=_NAME,
        message=_TEXT,
        metadata=_object(
            "product version",
            version={"const": "1.9.0"},
            product=_object("vendor_name", name=_NAME, vendor_name=_NAME, version=_NAME),
            logged_time=_TIME,
        ),
        finding_info=_object(
            "uid title",
            uid=_NAME,
            title=_NAME,
            desc=_TEXT,
            created_time=_TIME,
            first_seen_time=_TIME,
            last_seen_time=_TIME,
            analytic=_object("type_id", name=_NAME, uid=_NAME, type_id={"const": 1}, type={"const": "Rule"}),
        ),
        compliance=_object(
            "checks",
            standards=_list(_NAME),
            control=_NAME,
            requirements={"type": "array", "items": _NAME},
            status_id={"enum": [0, 1, 2, 3, 99]},
            status=_NAME,
            checks=_list(_CHECK),
        ),
        resources=_list(
            _object(
                "uid",
                uid=_NAME,
                name=_TEXT,
                type=_TEXT,
                region=_NAME,
                version=_TEXT,
                namespace=_NAME,
                labels=_list(_NAME),
            )
        ),
        observables=_list(
            _object("type_id", name=_NAME, type_id={"const": 10}, type={"const": "Resource UID"}, value=_NAME)
        ),
        evidences=_list(_object("data", data={"type": "object"})),
        remediation=_object("desc", desc=_NAME),
    )
)
