"""Mail: the same in plain text and in HTML, for whichever a reader's program shows.

`Message-ID` comes from the message's key, so that programs show one that
came twice once. What goes into a header is one line of printable text.
"""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING

from bartizan.outputs.notices.words import facts, headline, lines, more, plain, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bartizan.model.notice import Notice
    from bartizan.outputs.notices.words import Line


def mail(notice: Notice, key: str, sender: str, to: Sequence[str]) -> EmailMessage:
    """The mail of a notice."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = short(f"Bartizan: {headline(notice)}", 180)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Date"] = format_datetime(notice.at)
    message["Message-ID"] = f"<{key}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    message["X-Bartizan-Key"] = key
    message.set_content(plain(notice) + "\n", charset="utf-8", cte="quoted-printable")
    message.add_alternative(_page(notice), subtype="html", charset="utf-8", cte="quoted-printable")
    return message


def _page(notice: Notice) -> str:
    return "\n".join(
        (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Bartizan</title></head>',
            '<body style="font-family:sans-serif;line-height:1.4">',
            f'<h1 style="font-size:1.2em">{escape(headline(notice))}</h1>',
            "<ul>",
            *(_item(line) for line in lines(notice)),
            "</ul>",
            *_rest(notice),
            "</body></html>\n",
        )
    )


def _item(line: Line) -> str:
    title = f"<strong>{escape(line.title)}</strong>"
    if line.link:
        title = f'<a href="{escape(line.link)}">{title}</a>'
    where = f" {escape(line.where)}" if line.where else ""
    text = f"<br>{escape(line.text)}" if line.text else ""
    return f"<li>{escape(line.mark)}: {title}{where}{text}</li>"


def _rest(notice: Notice) -> Iterator[str]:
    if more(notice):
        yield f"<p>{escape(more(notice))}</p>"
    head = '<th scope="row" style="text-align:left;padding-right:1em">'
    rows = "".join(f"<tr>{head}{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts(notice))
    yield f"<table>{rows}</table>"
    if notice.link:
        yield f'<p><a href="{escape(notice.link)}">Open in Bartizan</a></p>'
