"""One notice sent to one target, and what became of it.

What a target answers is hostile too: little of it is read, within a time,
and what is kept of it is one line, without the secrets that we sent.
"""

from __future__ import annotations

import logging
import os
import smtplib
import socket
import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.app.notices.settings import Email, PagerDuty, Slack, Teams, Webhook, XMatters, check_url
from bartizan.base.errors import SourceError, reason_of
from bartizan.outputs.notices.mail import mail
from bartizan.outputs.notices.pagerduty import ENQUEUE, pagerduty
from bartizan.outputs.notices.payload import Payload
from bartizan.outputs.notices.slack import slack
from bartizan.outputs.notices.teams import teams
from bartizan.outputs.notices.webhook import webhook
from bartizan.outputs.notices.words import short
from bartizan.outputs.notices.xmatters import xmatters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import httpx2

    from bartizan.app.notices.settings import Target
    from bartizan.model.notice import Notice

TIMEOUT_S: Final = 10.0
"""For each step of a request: to connect, to send, to be answered."""
LONGEST_S: Final = 20.0
"""For a whole request over HTTP, however slowly its answer drips."""
_ANSWER: Final = 2048
"""Bytes of an answer that are read."""
_SECRET: Final = 64 * 1024
_TRY_AGAIN: Final = frozenset({408, 425, 429})
_SAID: Final = 300
_SHORTEST_SECRET: Final = 4
_PORTS: Final = {"starttls": 587, "implicit": 465, "none": 25}
_LONGEST_WAIT_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways out: a client for HTTP, the environment that secrets are named in, and the trust that TLS rests on."""

    http: httpx2.Client
    environment: Mapping[str, str]
    tls: ssl.SSLContext


class Outcome(NamedTuple):
    """What became of a message. `error` is empty where it arrived; `after_s` is how long the target wants peace."""

    error: str = ""
    permanent: bool = False
    after_s: float | None = None
    note: str = ""


@contextmanager
def open_ways(environment: Mapping[str, str] = os.environ, tls: ssl.SSLContext | None = None) -> Iterator[Ways]:
    """Open the ways out, until the block ends. Proxies and own authorities come from the environment, as elsewhere."""
    import httpx2

    for name in ("httpx2", "httpcore2"):  # they log addresses and headers, and both hold secrets here
        logging.getLogger(name).setLevel(logging.WARNING)
    trust = tls or ssl.create_default_context()
    with httpx2.Client(timeout=httpx2.Timeout(TIMEOUT_S), verify=trust, follow_redirects=False) as client:
        yield Ways(client, environment, trust)


def send(target: Target, notice: Notice, key: str, at: datetime, ways: Ways) -> Outcome:
    """Send a notice to a target, under the message's key."""
    secrets: list[str] = []
    try:
        if isinstance(target, Email):
            return _harmless(_mail(target, notice, key, ways, secrets), secrets)
        url = _url(target, ways.environment, secrets)
        return _harmless(_post(url, _payload(target, notice, key, at, ways, secrets), ways), secrets)
    except SourceError as error:  # a secret that is not there today may be there in an hour
        return Outcome(short(f"{error.message}; {error.hint}" if error.hint else error.message, _SAID))


def _payload(
    target: Slack | Teams | PagerDuty | XMatters | Webhook,
    notice: Notice,
    key: str,
    at: datetime,
    ways: Ways,
    secrets: list[str],
) -> Payload:
    match target:
        case Slack():
            return slack(notice, key)
        case Teams():
            return teams(notice, key)
        case PagerDuty():
            return pagerduty(notice, key, _secret(target, ways.environment, secrets), notice.action or "trigger")
        case XMatters():
            made = xmatters(notice, key, target.recipients)
            return made if not target.user else _with_login(made, target, ways.environment, secrets)
        case Webhook():
            return webhook(notice, key, _secret(target, ways.environment, secrets).encode(), at)


def _with_login(made: Payload, target: XMatters, environment: Mapping[str, str], secrets: list[str]) -> Payload:
    from base64 import b64encode

    login = b64encode(f"{target.user}:{_secret(target, environment, secrets)}".encode()).decode()
    secrets.append(login)
    return Payload(made.body, {**made.headers, "Authorization": f"Basic {login}"})


def _post(url: str, payload: Payload, ways: Ways) -> Outcome:
    import httpx2

    ends = time.monotonic() + LONGEST_S
    try:
        with ways.http.stream("POST", url, content=payload.body, headers=dict(payload.headers)) as answer:
            said = b""
            for chunk in answer.iter_raw(_ANSWER):
                said += chunk
                if len(said) >= _ANSWER or time.monotonic() > ends:
                    break
            return _judged(answer, said[:_ANSWER])
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return Outcome(f"it does not answer: {str(error) or type(error).__name__}")


def _judged(answer: httpx2.Response, body: bytes) -> Outcome:
    status = answer.status_code
    if 200 <= status < 300:
        return Outcome()
    said = f"HTTP {status}: {body.decode('utf-8', 'replace')}" if body.strip() else f"HTTP {status}"
    permanent = 300 <= status < 500 and status not in _TRY_AGAIN
    return Outcome(said, permanent, None if permanent else _wanted_pause(answer.headers.get("retry-after", "")))


def _wanted_pause(header: str) -> float | None:
    """Seconds, from a number or a date (RFC 9110, 10.2.3)."""
    header = header.strip()
    if header.isascii() and header.isdecimal():
        return min(float(header), _LONGEST_WAIT_S)
    try:
        moment = parsedate_to_datetime(header).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return min(max(moment - time.time(), 0.0), _LONGEST_WAIT_S)


def _mail(target: Email, notice: Notice, key: str, ways: Ways, secrets: list[str]) -> Outcome:
    message = mail(notice, key, target.sender, target.to)
    password = _secret(target, ways.environment, secrets) if target.user else ""
    try:
        with _connected(target, ways.tls) as server:
            if target.user:
                server.login(target.user, password)
            refused = server.send_message(message, target.sender, list(target.to))
    except UnicodeError:  # `smtplib` logs in with ASCII alone
        return Outcome("the user or the password for the mail server is not ASCII", permanent=True)
    except OSError as error:
        return _unsent(error)
    return Outcome(note=f"refused: {', '.join(sorted(refused))}" if refused else "")


def _unsent(error: OSError) -> Outcome:
    """Why a mail was not sent. `smtplib` calls its own errors errors of the system."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            said = "; ".join(f"{name}: {code} {_text(text)}" for name, (code, text) in recipients.items())
            return _mail_refused([code for code, _ in recipients.values()], said)
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=text):
            return _mail_refused([code], f"{code} {_text(text)}")
        case smtplib.SMTPException():
            return Outcome(f"the mail server does not answer as it should: {error}")
        case _:
            return Outcome(f"the mail server does not answer: {reason_of(error)}")


@contextmanager
def _connected(target: Email, tls: ssl.SSLContext) -> Iterator[smtplib.SMTP]:
    port = target.port or _PORTS[target.tls]
    name = "localhost" if target.host in ("localhost", "127.0.0.1", "::1") else socket.gethostname()
    if target.tls == "implicit":
        with smtplib.SMTP_SSL(target.host, port, local_hostname=name, timeout=TIMEOUT_S, context=tls) as server:
            yield server
        return
    with smtplib.SMTP(target.host, port, local_hostname=name, timeout=TIMEOUT_S) as server:
        if target.tls == "starttls":
            server.starttls(context=tls)
        yield server


def _mail_refused(codes: Sequence[int], said: str) -> Outcome:
    """4yz is for now and 5yz for good (RFC 5321, 4.2.1); a login that is refused is set right by people, in time."""
    return Outcome(f"the mail server refused it: {said}", permanent=all(code >= 500 and code != 535 for code in codes))


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


def _url(
    target: Slack | Teams | PagerDuty | XMatters | Webhook, environment: Mapping[str, str], secrets: list[str]
) -> str:
    if target.url:
        return target.url
    if not (target.url_env or target.url_file):
        return ENQUEUE
    url = _read(target.url_env, target.url_file, environment)
    wrong = check_url(url, insecure=target.insecure)
    secrets += [url, url.partition("://")[2].partition("/")[2]]
    if wrong:
        raise SourceError(f"the address of `{target.name}` {wrong}", hint="Copy it again from the service.")
    return url


def _secret(target: PagerDuty | XMatters | Webhook | Email, environment: Mapping[str, str], secrets: list[str]) -> str:
    found = _read(target.secret_env, target.secret_file, environment)
    secrets.append(found)
    return found


def _read(variable: str, path: str, environment: Mapping[str, str]) -> str:
    """A secret from where the settings say it is."""
    if variable:
        found = environment.get(variable, "").strip()
        if not found or not found.isprintable():
            raise SourceError(f"the variable `{variable}` holds no secret", hint="Set it where the plane runs.")
        return found
    try:
        with Path(path).open("rb") as file:
            found = file.read(_SECRET).decode().strip()
    except OSError as error:
        raise SourceError(f"`{path}` cannot be read: {reason_of(error)}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"`{path}` is not text") from error
    if not found or not found.isprintable():
        raise SourceError(f"`{path}` holds no secret", hint="Write it there, on one line.")
    return found


def _harmless(outcome: Outcome, secrets: Sequence[str]) -> Outcome:
    """An outcome without the secrets that an answer may repeat."""
    error, note = outcome.error, outcome.note
    for secret in sorted((one for one in secrets if len(one) >= _SHORTEST_SECRET), key=len, reverse=True):
        error, note = error.replace(secret, "…"), note.replace(secret, "…")
    return outcome._replace(error=short(error, _SAID), note=short(note, _SAID))
