"""What each service takes, as it documents it: schemas as data, and the limits a schema cannot say."""

from __future__ import annotations

import json
import re
from email import policy
from email.parser import BytesParser
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from email.message import EmailMessage

SCHEMAS = Path(__file__).resolve().parents[2] / "cases/notices"
LARGEST = {"slack": 100_000, "teams": 28 * 1024, "pagerduty": 512 * 1024, "xmatters": 1_000_000, "webhook": 1_000_000}
"""Bytes of a request."""
_CODE = re.compile(r"`[^`]*`")
_LINK = re.compile(r"<https?://[^<>|]*\|open>")


@cache
def schema(name: str) -> Draft202012Validator:
    """The schema of a service."""
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text()))


def refusal(name: str, body: bytes) -> str:
    """Why a service would refuse a body; empty where it takes it."""
    if len(body) > LARGEST[name]:
        return f"{len(body)} bytes are too many"
    document = json.loads(body)
    errors = [f"{error.json_path}: {error.message[:300]}" for error in schema(name).iter_errors(document)]
    if name == "slack":
        errors += slack_markup(document)
    return "; ".join(errors[:3])


def slack_markup(document: Any) -> list[str]:
    """Markup in a Slack message that is not ours: what stands outside of code, but for bold marks and our links."""
    wrong = []
    for text in texts_of(document["blocks"], "mrkdwn"):
        outside = _LINK.sub("", _CODE.sub("", text))
        bare = re.sub(r"^\*[a-z ]+\*", "", outside)
        if re.search(r"[*_~`<>]", bare):
            wrong.append(f"markup in {text[:200]!r}")
    return wrong


def texts_of(value: Any, kind: str) -> list[str]:
    """The texts of text objects of a kind."""
    if isinstance(value, list):
        return [text for one in value for text in texts_of(one, kind)]
    if not isinstance(value, dict):
        return []
    mine = [value["text"]] if value.get("type") == kind else []
    return mine + [text for one in value.values() for text in texts_of(one, kind)]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[str, tuple[str, ...]]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add((tag, tuple(sorted(name for name, _ in attrs))))


_TAGS = {
    ("html", ("lang",)), ("head", ()), ("meta", ("charset",)), ("title", ()), ("body", ("style",)), ("h1", ("style",)),
    ("ul", ()), ("li", ()), ("strong", ()), ("a", ("href",)), ("br", ()), ("p", ()), ("table", ()), ("tr", ()),
    ("th", ("scope", "style")), ("td", ()),
}  # fmt: skip  # a list of words
_HEADERS = {
    "subject", "from", "to", "date", "message-id", "auto-submitted", "x-bartizan-key", "mime-version", "content-type",
}  # fmt: skip  # a list of words


def read_mail(raw: bytes) -> EmailMessage:
    """A mail as its reader has it."""
    return BytesParser(policy=policy.default).parsebytes(raw)  # type: ignore[return-value]  # what this policy makes


def mail_refusal(raw: bytes) -> str:
    """What is wrong with a mail; empty where nothing is."""
    message = read_mail(raw)
    if message.defects or {name.lower() for name, _ in message.items()} != _HEADERS:
        return f"headers {message.keys()}, defects {message.defects}"
    parts = [part.get_content_type() for part in message.iter_parts()]
    if parts != ["text/plain", "text/html"]:
        return f"parts {parts}"
    if any(len(line) > 998 for line in raw.splitlines()):
        return "a line is longer than RFC 5322 allows"
    tags = _Tags()
    page = message.get_body(("html",))
    assert page is not None
    tags.feed(page.get_content())
    return f"tags {tags.seen - _TAGS}" if tags.seen - _TAGS else ""
