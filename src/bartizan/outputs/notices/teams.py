"""Microsoft Teams: an Adaptive Card, in the message that a workflow's webhook takes.

A TextBlock reads Markdown, and there is no way to escape it that holds in
every client; a TextRun reads none. So all words stand in runs. Nobody is
called by `<at>`, for that needs an entity beside it, and there is none.
https://adaptivecards.io/explorer/TextRun.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.model.severity import Severity
from bartizan.outputs.notices.payload import of_json
from bartizan.outputs.notices.words import facts, headline, lines, more

if TYPE_CHECKING:
    from bartizan.model.notice import Notice
    from bartizan.outputs.notices.payload import Payload
    from bartizan.outputs.notices.words import Line

LARGEST: Final = 28_000
"""Bytes of a message: the documented limit is 28 KB."""
_SCHEMA: Final = "http://adaptivecards.io/schemas/adaptive-card.json"
_VERSION: Final = "1.4"
_COLOURS: Final = {Severity.CRITICAL: "attention", Severity.HIGH: "attention", Severity.MEDIUM: "warning"}


def teams(notice: Notice, key: str) -> Payload:
    """The message of a notice; items are left out where it would be too large."""
    listed = [_item(line) for line in lines(notice)]
    while True:
        made = of_json(_message(notice, listed), key)
        if len(made.body) <= LARGEST or not listed:
            return made
        listed = listed[:-1]


def _message(notice: Notice, listed: list[dict[str, Any]]) -> dict[str, Any]:
    colour = _COLOURS.get(notice.severity, "default")
    head = _runs({"text": headline(notice), "size": "large", "weight": "bolder", "color": colour})
    left = more(notice)
    if len(listed) < len(notice.items):
        left = f"and {sum(notice.counts.values()) - len(listed):,} more"
    body = [head, *listed]
    body += [_runs({"text": left, "isSubtle": True})] if left else []
    body += [_runs({"text": f"{name}: ", "isSubtle": True}, {"text": value}) for name, value in facts(notice)]
    card: dict[str, Any] = {
        "$schema": _SCHEMA,
        "type": "AdaptiveCard",
        "version": _VERSION,
        "fallbackText": headline(notice),
        "msteams": {"width": "Full"},
        "body": body,
    }
    if notice.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": notice.link}]
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "summary": headline(notice), "attachments": [content]}


def _item(line: Line) -> dict[str, Any]:
    run: dict[str, Any] = {"text": line.title, "weight": "bolder"}
    if line.link:
        run["selectAction"] = {"type": "Action.OpenUrl", "url": line.link}
    runs = [{"text": f"{line.mark}: "}, run]
    runs += [{"text": f" {line.where}"}] if line.where else []
    runs += [{"text": f": {line.text}", "isSubtle": True}] if line.text else []
    return _runs(*runs)


def _runs(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", **run} for run in runs]}
