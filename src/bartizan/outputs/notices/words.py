"""What a notice says in words, the same in every form: harmless, on one line, and short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.model.notice import EVENT_KINDS
from bartizan.model.severity import Severity
from bartizan.outputs.text import encodable, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.model.notice import Item, Notice

HEADLINE: Final = 140
"""Characters of a headline: the shortest limit (Slack's) is 150."""
NAME: Final = 120
"""Characters of one name: a check, a cluster, a namespace."""
PLACE: Final = 250
MESSAGE: Final = 400

_PHRASES: Final[Mapping[str, tuple[str, str, str]]] = {
    "first-check": ("1 finding at the first check", "1 finding at a first check", "{} findings at the first check"),
    "opened": ("1 finding opened", "1 finding opened", "{} findings opened"),
    "reopened": ("1 finding is back", "1 finding is back", "{} findings are back"),
    "fixed": ("1 finding fixed or gone", "1 finding fixed or gone", "{} findings fixed or gone"),
    "waived": ("1 finding accepted", "1 finding accepted", "{} findings accepted"),
    "cluster-unknown": ("unknown, nothing heard of it", "1 cluster is unknown", "{} clusters are unknown"),
    "cluster-late": ("its report is late", "1 cluster is late", "{} clusters are late"),
    "cluster-back": ("heard of again", "1 cluster is back", "{} clusters are back"),
    "score-fell": ("its score fell", "1 score fell", "{} scores fell"),
    "score-rose": ("its score rose", "1 score rose", "{} scores rose"),
    "waiver-asked": ("a waiver is asked for", "1 waiver is asked for", "{} waivers are asked for"),
    "waiver-expiring": ("a waiver ends soon", "1 waiver ends soon", "{} waivers end soon"),
    "waiver-ended": ("a waiver has ended", "1 waiver has ended", "{} waivers have ended"),
    "test": ("this is a test", "this is a test", "this is a test"),
}
"""By kind: one in the cluster a notice is about, one in the fleet, and many."""
_MARKS: Final[Mapping[str, str]] = {
    "first-check": "open",
    "opened": "opened",
    "reopened": "is back",
    "fixed": "fixed",
    "waived": "accepted",
    "cluster-unknown": "unknown",
    "cluster-late": "late",
    "cluster-back": "back",
    "score-fell": "fell",
    "score-rose": "rose",
    "waiver-asked": "asked for",
    "waiver-expiring": "ends soon",
    "waiver-ended": "ended",
    "digest": "",
    "test": "test",
}


class Line(NamedTuple):
    """One listed thing: what happened to what, where, and what is said of it. `link` is empty where there is none."""

    mark: str
    title: str
    where: str
    text: str
    link: str


def short(text: str, most: int) -> str:
    """A text on one line, harmless, of at most `most` characters."""
    text = encodable(one_line(text[: 4 * most])).strip()
    return text if len(text) <= most else f"{text[: most - 1]}…"


def headline(notice: Notice) -> str:
    """What happened, and where, in one line."""
    where = short(notice.cluster, NAME // 2) if notice.cluster else "the fleet"
    if notice.cluster and notice.namespace:
        where = f"{where}, namespace {short(notice.namespace, NAME // 4)}"
    said = ", ".join(phrases(notice))
    if notice.severities:
        said = f"{said} ({severities(notice)})"
    start = "Digest of " if notice.kind == "digest" else ""
    return short(f"{start}{where}: {said}", HEADLINE)


def phrases(notice: Notice) -> list[str]:
    """What happened, a phrase for each kind, the most urgent first."""
    found = []
    for kind in (*EVENT_KINDS, "test"):
        count = notice.counts.get(kind, 0)
        here, one, many = _PHRASES[kind]
        if count:
            found.append(many.format(f"{count:,}") if count > 1 else here if notice.cluster else one)
    return found or ["nothing happened"]


def severities(notice: Notice) -> str:
    """How bad what is new is: `2 critical, 1 high`."""
    by_worst = sorted(Severity, reverse=True)
    counts = [(one.label, notice.severities.get(one.label, 0)) for one in by_worst]
    return ", ".join(f"{count:,} {label}" for label, count in counts if count)


def lines(notice: Notice) -> list[Line]:
    """What is listed."""
    return [_line(item) for item in notice.items]


def _line(item: Item) -> Line:
    mark = _MARKS[item.kind]
    if item.kind in ("first-check", "opened", "reopened"):
        mark = f"{item.severity.label} {mark}"
    return Line(mark, short(item.title, NAME) or "-", short(item.where, PLACE), short(item.text, MESSAGE), item.link)


def more(notice: Notice) -> str:
    """How much is not listed; empty where all is."""
    left = sum(notice.counts.values()) - len(notice.items)
    return f"and {left:,} more" if left > 0 and notice.items else ""


def facts(notice: Notice) -> list[tuple[str, str]]:
    """The names that belong to a notice, each with what it is a name of."""
    names = {
        "Cluster": notice.cluster or ", ".join(short(one, NAME // 2) for one in notice.clusters[:5]),
        "Namespace": notice.namespace,
        "Team": notice.team,
        "Frameworks": ", ".join(short(one, NAME // 2) for one in notice.frameworks[:5]),
        "Rule": notice.rule,
        "At": notice.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
    }
    told = ((name, short(value, PLACE)) for name, value in names.items())
    return [(name, value) for name, value in told if value]


def plain(notice: Notice) -> str:
    """The whole notice as plain text of several lines."""
    said = [headline(notice), ""]
    for line in lines(notice):
        said.append(f"- {line.mark}: {line.title}, {line.where}" if line.where else f"- {line.mark}: {line.title}")
        said += [f"  {part}" for part in (line.text, line.link) if part]
    said += [more(notice)] if more(notice) else []
    said += ["", *(f"{name}: {value}" for name, value in facts(notice))]
    said += ["", notice.link] if notice.link else []
    return "\n".join(said)
