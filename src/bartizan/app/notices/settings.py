"""Who is told of what, and how: targets and rules, as a plane's settings hold them under `notifications:`.

A secret never stands in the settings: they name the environment variable or
the file that has it. The address of a chat's webhook is such a secret, for
whoever knows it may write there.
"""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec

from bartizan.base.errors import SpecError
from bartizan.base.pointer import escape
from bartizan.base.suggest import did_you_mean
from bartizan.model.notice import EVENT_KINDS, NoticeKind
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bartizan.base.json import Json

DEFAULT_KINDS: Final[tuple[NoticeKind, ...]] = (
    "first-check",
    "opened",
    "reopened",
    "fixed",
    "waived",
    "cluster-unknown",
    "cluster-back",
    "score-fell",
)
"""What a rule tells that names no kinds: what goes wrong, and that it is over."""

_LONGEST: Final = timedelta(days=31)


class _Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", kw_only=True):
    """What every target has. `rate` is in messages a minute."""

    name: str
    rate: int = 30


class _ByUrl(_Target, frozen=True, kw_only=True):
    """A target that is an address; `insecure` allows one without TLS beyond this machine."""

    url: str = ""
    url_env: str = ""
    url_file: str = ""
    insecure: bool = False


class Slack(_ByUrl, frozen=True, tag="slack"):
    """An incoming webhook of Slack."""


class Teams(_ByUrl, frozen=True, tag="teams"):
    """A webhook of a Teams workflow ("When a Teams webhook request is received")."""


class PagerDuty(_ByUrl, frozen=True, tag="pagerduty"):
    """A service of PagerDuty with an Events API v2 integration; the secret is its integration key."""

    secret_env: str = ""
    secret_file: str = ""


class XMatters(_ByUrl, frozen=True, tag="xmatters"):
    """An HTTP trigger of an xMatters flow; with `user`, the secret is its password."""

    recipients: tuple[str, ...] = ()
    user: str = ""
    secret_env: str = ""
    secret_file: str = ""


class Webhook(_ByUrl, frozen=True, tag="webhook"):
    """Any program that takes JSON; the secret signs each request."""

    secret_env: str = ""
    secret_file: str = ""


class Email(_Target, frozen=True, tag="email", rename={"sender": "from"}, kw_only=True):
    """Mail through an SMTP server. With `user`, the secret is its password. Without `port`, it is the usual one."""

    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 0
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    secret_env: str = ""
    secret_file: str = ""


Target: TypeAlias = Slack | Teams | PagerDuty | XMatters | Webhook | Email


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is told to whom. Names are wildcards, and none choose all.

    Severity, frameworks and namespaces choose findings, teams also waivers,
    clusters everything. `by` is what one notice and one incident are about.
    `window` is for how long what happens is gathered into one notice;
    `every` and `hour` (UTC) are when a digest is sent.
    """

    name: str
    targets: tuple[str, ...]
    severity: str = "info"
    frameworks: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    kinds: tuple[str, ...] = DEFAULT_KINDS
    by: Literal["cluster", "namespace", "team", "check"] = "cluster"
    mode: Literal["at-once", "digest"] = "at-once"
    window: str = "30s"
    every: str = "1d"
    hour: int = 8

    @property
    def least(self) -> Severity:
        """The severity from which on findings are told."""
        return Severity.parse(self.severity, Severity.INFO)

    @property
    def period(self) -> timedelta:
        """How long what happens is gathered."""
        return _duration(self.every if self.mode == "digest" else self.window) or timedelta()


class Notifications(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All targets and rules. `plane_url` is where links lead; without it there are none.

    `score_points` is by how many points of a hundred a score moves to be
    told; `expiring` is how long before its end a waiver is.
    """

    targets: tuple[Target, ...] = ()
    rules: tuple[Rule, ...] = ()
    plane_url: str = ""
    score_points: int = 5
    expiring: str = "7d"

    @property
    def by_name(self) -> dict[str, Target]:
        """The targets by their names."""
        return {one.name: one for one in self.targets}

    @property
    def soon(self) -> timedelta:
        """How long before its end a waiver is said to end."""
        return _duration(self.expiring) or timedelta()


NOBODY: Final = Notifications()
"""The settings of who wants to hear nothing."""


def read_notifications(value: Json) -> Notifications:
    """Read what stands under `notifications:`; nothing there tells nobody.

    Raises:
        SpecError: with the JSON pointer, below `notifications`, of what is wrong.
    """
    if value is None:
        return NOBODY
    try:
        read = msgspec.convert(value, Notifications)
    except msgspec.ValidationError as error:
        raise _unfit(str(error)) from error
    _check_unique("targets", [one.name for one in read.targets])
    _check_unique("rules", [one.name for one in read.rules])
    for index, target in enumerate(read.targets):
        _check_target(target, f"/targets/{index}")
    for index, rule in enumerate(read.rules):
        _check_rule(rule, read.by_name, f"/rules/{index}")
    if read.plane_url:
        _check_url(read.plane_url, "/plane_url", insecure=True)
    _check_duration(read.expiring, "/expiring", least=timedelta(hours=1))
    if not 1 <= read.score_points <= 100:
        raise SpecError("`score_points` is not between 1 and 100", hint="Write `5`.", pointer="/score_points")
    return read


_WHERE: Final = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_STEP: Final = re.compile(r"\[(?P<index>\d+)\]|\.(?P<name>[^.\[]+)")
_UNKNOWN: Final = re.compile(r"unknown field `(?P<name>[^`]*)`")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}", re.ASCII)
_DURATION: Final = re.compile(r"(\d{1,6})(s|m|h|d)", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_ADDRESS: Final = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[A-Za-z0-9.-]+", re.ASCII)
_FIELDS: Final = frozenset(
    name
    for kind in (Slack, Teams, PagerDuty, XMatters, Webhook, Email, Rule, Notifications)
    for name in (field.encode_name for field in msgspec.structs.fields(kind))
)


def _unfit(said: str) -> SpecError:
    place = _WHERE.search(said)
    clause = said[: place.start()] if place else said
    pointer = "".join(f"/{m['index'] or escape(m['name'])}" for m in _STEP.finditer(place["path"])) if place else ""
    unknown = _UNKNOWN.search(clause.replace("Object contains ", ""))
    if unknown:
        pointer += f"/{escape(unknown['name'])}"
        hint = did_you_mean(unknown["name"], _FIELDS)
    else:
        hint = _HINTS.get(pointer.rpartition("/")[2], "See the how-to page on notifications.")
    clause = clause[:1].lower() + clause[1:]
    return SpecError(f"notifications: {clause}", hint=hint, pointer=pointer)


_HINTS: Final = {
    "kind": "Kinds of targets are slack, teams, pagerduty, xmatters, email and webhook.",
    "mode": "Modes are `at-once` and `digest`.",
    "by": "One notice is about a `cluster`, `namespace`, `team` or `check`.",
    "tls": "Use `starttls`, `implicit` or `none`.",
}
"""By field, what it may hold."""


def _check_unique(what: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        pointer = f"/{what}/{index}/name"
        if not _NAME.fullmatch(name):
            hint = "Use up to 63 letters, digits, blanks, dots, `-` and `_`."
            raise SpecError(f"`{name[:80]}` is no name", hint=hint, pointer=pointer)
        if name in names[:index]:
            hint = "Give each a name of its own."
            raise SpecError(f"two {what} are called `{name}`", hint=hint, pointer=pointer)


def _check_target(target: Target, pointer: str) -> None:
    if not 1 <= target.rate <= 6000:
        hint = "Write how many messages a minute it may get, such as `30`."
        raise SpecError(f"the rate of `{target.name}` is not between 1 and 6000", hint=hint, pointer=f"{pointer}/rate")
    match target:
        case Email():
            _check_email(target, pointer)
        case Slack() | Teams():
            if target.url:
                hint = "Name the variable that has it in `url_env`, or the file in `url_file`."
                said = f"the address of `{target.name}` is a secret: who knows it can write there"
                raise SpecError(said, hint=hint, pointer=f"{pointer}/url")
            _check_one(target, ("url_env", "url_file"), pointer)
        case PagerDuty():
            _check_one(target, ("secret_env", "secret_file"), pointer)
            _check_one(target, ("url", "url_env", "url_file"), pointer, least=0)
        case XMatters():
            _check_one(target, ("url", "url_env", "url_file"), pointer)
            _check_one(target, ("secret_env", "secret_file"), pointer, least=bool(target.user))
        case Webhook():
            _check_one(target, ("url", "url_env", "url_file"), pointer)
            _check_one(target, ("secret_env", "secret_file"), pointer)
    if not isinstance(target, Email) and target.url:
        _check_url(target.url, f"{pointer}/url", insecure=target.insecure)


def _check_one(target: Target, names: tuple[str, ...], pointer: str, *, least: int = 1) -> None:
    given = [name for name in names if getattr(target, name)]
    if least <= len(given) <= 1:
        return
    said = (
        f"`{target.name}` has both `{given[0]}` and `{given[1]}`" if given else f"`{target.name}` has no `{names[0]}`"
    )
    raise SpecError(said, hint=f"Give one of {', '.join(f'`{name}`' for name in names)}.", pointer=pointer)


def _check_email(target: Email, pointer: str) -> None:
    for field, addresses in (("from", (target.sender,)), ("to", target.to)):
        for address in addresses:
            if not _ADDRESS.fullmatch(address):
                hint = "Write it as `name@example.com`."
                raise SpecError(f"`{address}` is no address of mail", hint=hint, pointer=f"{pointer}/{field}")
    if not target.to:
        raise SpecError(
            f"`{target.name}` has nobody in `to`", hint="Name one address at least.", pointer=f"{pointer}/to"
        )
    if not 0 <= target.port < 65536 or not target.host.strip():
        hint = "Write `host: smtp.example.com`, and `port` where it is not the usual one."
        raise SpecError(f"`{target.name}` names no server", hint=hint, pointer=f"{pointer}/host")
    _check_one(target, ("secret_env", "secret_file"), pointer, least=bool(target.user))
    if target.user and target.tls == "none":
        hint = "Use `tls: starttls` or `tls: implicit`."
        raise SpecError(f"`{target.name}` would send its password in the clear", hint=hint, pointer=f"{pointer}/tls")


def _check_rule(rule: Rule, targets: Mapping[str, Target], pointer: str) -> None:
    if not rule.targets:
        hint = "Name one of the targets."
        raise SpecError(f"rule `{rule.name}` tells nobody", hint=hint, pointer=f"{pointer}/targets")
    _check_known(rule.targets, targets, f"{pointer}/targets", f"rule `{rule.name}` names no known target")
    _check_known(rule.kinds, EVENT_KINDS, f"{pointer}/kinds", f"rule `{rule.name}` names no known kind")
    pagers = [name for name in rule.targets if isinstance(targets[name], PagerDuty)]
    if pagers and rule.mode == "digest":
        said = f"rule `{rule.name}` would page `{pagers[0]}` with a digest"
        raise SpecError(said, hint="Use `mode: at-once` for it.", pointer=f"{pointer}/mode")
    words = [one.label for one in Severity]
    _check_known((rule.severity,), words, f"{pointer}/severity", f"rule `{rule.name}` names no known severity")
    _check_duration(rule.window, f"{pointer}/window", least=timedelta())
    _check_duration(rule.every, f"{pointer}/every", least=timedelta(minutes=1))
    if not 0 <= rule.hour < 24:
        hint = "Write an hour of the day, in UTC, from 0 to 23."
        raise SpecError(f"rule `{rule.name}` has no hour `{rule.hour}`", hint=hint, pointer=f"{pointer}/hour")


def _check_known(words: Iterable[str], known: Iterable[str], pointer: str, said: str) -> None:
    known = tuple(known)
    for word in words:
        if word not in known:
            raise SpecError(f"{said}: `{word}`", hint=did_you_mean(word, known), pointer=pointer)


def _check_duration(words: str, pointer: str, *, least: timedelta) -> None:
    found = _duration(words)
    if found is None or not least <= found <= _LONGEST:
        hint = "Write it as `30s`, `15m`, `12h` or `7d`, up to 31 days."
        raise SpecError(f"`{words}` is no time that fits here", hint=hint, pointer=pointer)


def _duration(words: str) -> timedelta | None:
    match = _DURATION.fullmatch(words)
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


def check_url(url: str, *, insecure: bool) -> str:
    """What is wrong with the address of a target, as a clause; nothing where it is fine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
        return "is no URL that begins with `https://`"
    if parts.scheme == "http" and not insecure and not _is_here(host):
        return "would send what it says in the clear"
    return ""


def _check_url(url: str, pointer: str, *, insecure: bool) -> None:
    wrong = check_url(url, insecure=insecure)
    if wrong:
        hint = "Use `https://`, or say `insecure: true` where the way there is trusted."
        raise SpecError(f"`{url}` {wrong}", hint=hint, pointer=pointer)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
