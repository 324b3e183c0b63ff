"""PagerDuty: Events API v2. One incident for what is wrong, by its key, until nothing of it is left.

https://developer.pagerduty.com/docs/events-api-v2/trigger-events
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from bartizan.model.severity import Severity
from bartizan.outputs.notices.payload import of_json
from bartizan.outputs.notices.words import facts, headline, lines, more, phrases, severities, short

if TYPE_CHECKING:
    from bartizan.model.notice import Action, Notice
    from bartizan.outputs.notices.payload import Payload

ENQUEUE: Final = "https://events.pagerduty.com/v2/enqueue"
_DEDUP: Final = 255
_SEVERITIES: Final = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
    Severity.INFO: "info",
}


def pagerduty(notice: Notice, key: str, routing_key: str, action: Action) -> Payload:
    """The event of a notice; only a trigger says more than which incident it is about."""
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": dedup_key(notice.incident or key),
    }
    if action == "trigger":
        event |= {"client": "Bartizan", "payload": _payload(notice, key)}
        if notice.link:
            event |= {"client_url": notice.link, "links": [{"href": notice.link, "text": "Open in Bartizan"}]}
    return of_json(event, key)


def dedup_key(incident: str) -> str:
    """The key of an incident, of at most 255 characters; what is longer is told apart by a hash."""
    plain = short(incident, len(incident) + 1)
    if plain == incident and len(incident) <= _DEDUP:
        return incident
    return f"{plain[:180]}#{sha256(incident.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _payload(notice: Notice, key: str) -> dict[str, Any]:
    items = [line._asdict() for line in lines(notice)]
    details: dict[str, Any] = {
        "happened": phrases(notice),
        "new": severities(notice),
        "items": items,
        "not listed": more(notice),
        "key": key,
        **{name.lower(): value for name, value in facts(notice)},
    }
    names = {"component": short(notice.namespace, 200), "group": short(notice.team, 200)}
    return {
        "summary": headline(notice),
        "source": short(notice.cluster, 200) or "bartizan",
        "severity": _SEVERITIES[notice.severity],
        "timestamp": notice.at.isoformat(),
        "class": notice.kind,
        "custom_details": details,
        **{name: value for name, value in names.items() if value},
    }
