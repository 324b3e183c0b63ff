"""xMatters: what the HTTP trigger of a flow takes, as properties that its steps can use.

`signal` tells a flow whether to open or to end its event, `dedup_key` which.
https://help.xmatters.com/ondemand/flowdesigner/http-triggers.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.model.severity import Severity
from bartizan.outputs.notices.pagerduty import dedup_key
from bartizan.outputs.notices.payload import of_json
from bartizan.outputs.notices.words import facts, headline, plain, severities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.model.notice import Notice
    from bartizan.outputs.notices.payload import Payload

_PRIORITIES: Final = {Severity.CRITICAL: "HIGH", Severity.HIGH: "HIGH", Severity.MEDIUM: "MEDIUM"}
_LONGEST: Final = 20_000
"""Characters of one property."""


def xmatters(notice: Notice, key: str, recipients: Sequence[str] = ()) -> Payload:
    """The request of a notice. Without recipients, the flow says who is told."""
    properties: dict[str, Any] = {name.lower(): value for name, value in facts(notice)}
    properties |= {
        "summary": headline(notice),
        "details": plain(notice)[:_LONGEST],
        "kind": notice.kind,
        "severity": notice.severity.label,
        "severities": severities(notice),
        "counts": ", ".join(f"{kind}: {count}" for kind, count in notice.counts.items()),
        "signal": notice.action or "trigger",
        "dedup_key": dedup_key(notice.incident or key),
        "link": notice.link,
        "key": key,
    }
    document: dict[str, Any] = {"properties": properties, "priority": _PRIORITIES.get(notice.severity, "LOW")}
    if recipients:
        document["recipients"] = [{"targetName": name} for name in recipients]
    return of_json(document, key)
