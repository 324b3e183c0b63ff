"""Slack: Block Kit through an incoming webhook, with the fallback text that notifications show.

Slack reads `&`, `<` and `>` as markup, by which `<!here>` calls a channel:
they are escaped as it asks for. What is between backticks it reads as text,
so hostile words stand there, with their own backticks replaced.
https://docs.slack.dev/messaging/formatting-message-text, https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.outputs.notices.payload import of_json
from bartizan.outputs.notices.words import facts, headline, lines, more, plain

if TYPE_CHECKING:
    from bartizan.model.notice import Notice
    from bartizan.outputs.notices.payload import Payload
    from bartizan.outputs.notices.words import Line

_HEADER: Final = 150
_SECTION: Final = 3000
_CONTEXT: Final = 2000
_FALLBACK: Final = 3500
"""Characters; Slack cuts at 40,000 and asks for less than 4,000."""
_NO_TICK: Final = "\N{MODIFIER LETTER GRAVE ACCENT}"
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def slack(notice: Notice, key: str) -> Payload:
    """The message of a notice."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": escaped(headline(notice), _HEADER), "emoji": False}}
    ]
    blocks += [_section(_said(line)) for line in lines(notice)]
    if more(notice):
        blocks.append(_section(more(notice)))
    names = " · ".join(f"{name}: {code(value, 150)}" for name, value in facts(notice))
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": names, "verbatim": True}]})
    if notice.link:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Open", "emoji": False}, "url": notice.link}
        blocks.append({"type": "actions", "elements": [button]})
    text = escaped(plain(notice), _FALLBACK)
    return of_json({"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False, "blocks": blocks}, key)


def escaped(text: str, most: int) -> str:
    """A text as Slack wants it, of at most `most` characters after escaping, never cut within an escape."""
    parts: list[str] = []
    left = most - 1
    for char in text:
        part = _ESCAPES.get(char, char)
        left -= len(part)
        if left < 0:
            return "".join([*parts, "…"])
        parts.append(part)
    return "".join(parts)


def code(text: str, most: int) -> str:
    """A text in which Slack reads no markup; empty where it is."""
    return f"`{escaped(text.replace('`', _NO_TICK), most - 2)}`" if text else ""


def _said(line: Line) -> str:
    link = f" <{escaped(line.link, 500)}|open>" if line.link and len(line.link) < 400 and "|" not in line.link else ""
    where = f" {code(line.where, 900)}" if line.where else ""
    text = f"\n{code(line.text, 1200)}" if line.text else ""
    return f"*{line.mark}* {code(line.title, 300)}{where}{link}{text}"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_SECTION], "verbatim": True}}
