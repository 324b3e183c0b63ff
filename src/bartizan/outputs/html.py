"""One self-contained page: to search, filter, print and attach to a ticket.

It asks the network for nothing and says so in its content policy, which
allows the one style and the one script by their hashes; markup that slipped
in with a name could not run. Without the script it shows everything.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bartizan.findings.tally import Group, Tally, group_by_resource, is_open, rules_of, tally
from bartizan.model.severity import Severity
from bartizan.outputs.quote import Quote, quote, quote_of
from bartizan.outputs.sarif import justification
from bartizan.outputs.shape import rfc3339
from bartizan.outputs.text import one_line, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from bartizan.model.finding import Finding, RuleId
    from bartizan.model.report import Problem, Report
    from bartizan.outputs.view import View

_PAGE: Final = Path(__file__).with_name("page")
_CODE: Final = re.compile(r"`([^`]+)`")
_WARNING: Final = '<br><span class="soft">warning</span>'
_LEVELS: Final = ("error", *(severity.label for severity in reversed(Severity)))


def render(report: Report, out: TextIO, view: View | None = None) -> None:  # noqa: ARG001 (the reader's browser decides the looks)
    """Write the page, a resource at a time."""
    figures = tally(report)
    found = [finding for finding in report.findings if is_open(finding)]
    anchors = {rule.id: f"rule-{number}" for number, rule in enumerate(rules_of(report), 1)}
    script = (_PAGE / "report.js").read_text(encoding="utf-8")
    out.write(_head(report, script))
    out.writelines(_overview(report, figures))
    out.writelines(_problems(report.problems))
    if found:
        out.write('<h2 id="findings">Findings</h2>\n')
        out.writelines(_filters(found))
    for group in group_by_resource(found):
        out.writelines(_card(group, anchors))
    out.writelines(_waived(report, anchors))
    out.writelines(_notes(report))
    out.writelines(_rules(report, figures, anchors))
    out.write(f"</main>\n<footer>Written by Bartizan {text(report.tool_version)}.</footer>\n")
    out.write(f"<script>{script}</script>\n</body>\n</html>\n")


def text(value: str) -> str:
    """Make a text plain in HTML, in content and in a quoted attribute."""
    return escape(printable(value))


def prose(value: str) -> str:
    """Make a text plain, but show what it has in backticks as code, and keep its lines."""
    rows = ("".join(_spans(row)) for row in value.strip().splitlines())
    return "<br>".join(rows)


def _spans(row: str) -> Iterator[str]:
    for number, part in enumerate(_CODE.split(row)):
        yield f"<code>{text(part)}</code>" if number % 2 else text(part)


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


def _head(report: Report, script: str) -> str:
    style = (_PAGE / "report.css").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    sources = text(", ".join(report.sources))
    at = rfc3339(report.at)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>Bartizan: {sources}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">Skip to the report</a>\n'
        f'<header>\n<h1>{sources or "Report"}</h1>\n<p class="soft">Scanned '
        f'<time datetime="{at}">{at[:10]} {at[11:16]} UTC</time> with Bartizan {text(report.tool_version)}, '
        f'{plural(len(report.rules), "rule")}</p>\n</header>\n<main id="main">\n'
    )


def _overview(report: Report, figures: Tally) -> Iterator[str]:
    total = len(set(report.resources))
    yield '<ul class="figures" aria-label="Figures">\n'
    yield f"<li><b>{figures.open:,}</b> {'finding' if figures.open == 1 else 'findings'}</li>\n"
    for severity, number in figures.by_severity.items():
        shade = severity.label if number else "zero"
        yield f'<li class="{shade}"><b>{number:,}</b> {severity.label}</li>\n'
    good = "good" if total and figures.clean == total else ""
    yield f'<li class="{good}"><b>{figures.clean:,}</b> of {plural(total, "resource")} clean</li>\n</ul>\n'
    if figures.open:
        yield from _bar(figures)
    counts = report.counts
    words = f"{counts.passed:,} passed, {counts.failed:,} failed, {plural(counts.warned, 'warning')}, "
    words += f"{plural(counts.errors, 'error')}, {counts.skipped:,} skipped, {len(report.waived):,} waived"
    yield f'<p class="soft">Results: {words}.</p>\n'


def _bar(figures: Tally) -> Iterator[str]:
    """The severities' shares, as a picture; the list above says the same in words."""
    yield '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
    start = 0.0
    for severity, number in figures.by_severity.items():
        width = 1000 * number / figures.open
        if number:
            yield f'<rect class="{severity.label}" x="{start:.1f}" width="{width:.1f}" height="10"/>'
        start += width
    yield "</svg>\n"


def _problems(problems: tuple[Problem, ...]) -> Iterator[str]:
    if problems:
        yield f"<h2>Not judged: {plural(len(problems), 'problem')}</h2>\n"
    for problem in problems:
        yield f'<section class="card problem"><p><strong>{prose(problem.message)}</strong></p>'
        if problem.at:
            yield f'<p class="place soft">{text(str(problem.at))}</p>'
        quoted = quote(problem.excerpt, problem.at)
        if quoted:
            yield _quoted(quoted)
        yield f"<p>{prose(problem.hint)}</p></section>\n" if problem.hint else "</section>\n"


def _filters(found: list[Finding]) -> Iterator[str]:
    levels = {_level(finding) for finding in found}
    yield '<form class="filters" hidden aria-label="Filter the findings">\n'
    yield '<input type="search" name="search" placeholder="Search" aria-label="Search in findings">\n'
    yield "<fieldset><legend>Severity</legend>"
    for level in _LEVELS:
        if level in levels:
            yield f'<label><input type="checkbox" name="level" value="{level}" checked> {level}</label>'
    yield "</fieldset>\n"
    yield from _select("policy", "All policies", {finding.rule.id.policy for finding in found})
    yield from _select("namespace", "All namespaces", {finding.resource.namespace for finding in found})
    yield '<button type="reset">Clear</button>\n<output class="soft" aria-live="polite"></output>\n</form>\n'


def _select(name: str, every: str, values: set[str]) -> Iterator[str]:
    yield f'<select name="{name}" aria-label="{name.capitalize()}"><option>{every}</option>'
    yield from (f'<option value="{text(value)}">{text(value) or "(none)"}</option>' for value in sorted(values))
    yield "</select>\n"


def _level(finding: Finding) -> str:
    return "error" if finding.result == "error" else finding.severity.label


def _card(group: Group, anchors: dict[RuleId, str]) -> Iterator[str]:
    rid = group.resource
    name = f"{rid.namespace}/{rid.name}" if rid.namespace else rid.name
    yield f'<section class="card" data-namespace="{text(rid.namespace)}">\n<header>'
    yield f"<h3>{f'{text(rid.kind)} {text(name)}'.lstrip()}</h3>"
    yield f'<span class="place soft">{text(group.file or rid.api_version)}</span>'
    yield f'<span class="soft">{plural(len(group.findings), "finding")}</span></header>\n'
    yield '<table><colgroup><col class="how"><col class="rule"><col></colgroup><thead><tr><th scope="col">Severity</th>'
    yield '<th scope="col">Rule</th><th scope="col">Finding</th></tr></thead><tbody>\n'
    for finding in sorted(group.findings, key=lambda one: -one.severity):
        yield from _row(finding, anchors)
    yield "</tbody></table></section>\n"


def _row(finding: Finding, anchors: dict[RuleId, str]) -> Iterator[str]:
    level = _level(finding)
    yield f'<tr data-level="{level}" data-policy="{text(finding.rule.id.policy)}">'
    yield f'<td><span class="chip {level}">{level}</span>{_WARNING if finding.result == "warn" else ""}</td>'
    yield f'<td><a href="#{anchors[finding.rule.id]}">{text(str(finding.rule.id))}</a></td>'
    yield f"<td><p>{prose(finding.message or finding.rule.title)}</p>"
    place = str(finding.location) if finding.location else finding.pointer
    if place:
        yield f'<p class="place soft">{text(place)}</p>'
    quoted = quote_of(finding)
    if quoted:
        yield _quoted(quoted)
    elif finding.evidence:
        yield f"<p>Found <code>{text(one_line(finding.evidence))}</code></p>"
    if finding.rule.fix and finding.result != "error":
        yield f"<p><strong>Fix:</strong> {prose(finding.rule.fix)}</p>"
    yield "</td></tr>\n"


def _quoted(quoted: Quote) -> str:
    start, end = quoted.marked
    before, marked, after = quoted.text[:start], quoted.text[start:end], quoted.text[end:]
    shown = f"{escape(before)}<mark>{escape(marked)}</mark>{escape(after)}" if marked else escape(quoted.text)
    return f'<pre><span class="number">{quoted.line}</span>{shown}</pre>'


def _waived(report: Report, anchors: dict[RuleId, str]) -> Iterator[str]:
    if not report.waived:
        return
    waivers = {waiver.id: waiver for waiver in report.waivers}
    yield f"<h2>Waived: {plural(len(report.waived), 'finding')}</h2>\n"
    yield '<section class="card"><table><thead><tr><th scope="col">Resource</th><th scope="col">Rule</th>'
    yield '<th scope="col">Accepted because</th></tr></thead><tbody>\n'
    for finding in report.waived:
        yield f"<tr><td>{text(str(finding.resource))}</td>"
        yield f'<td><a href="#{anchors[finding.rule.id]}">{text(str(finding.rule.id))}</a></td>'
        yield f"<td>{prose(justification(finding.waived_by, waivers))}</td></tr>\n"
    yield "</tbody></table></section>\n"


def _notes(report: Report) -> Iterator[str]:
    for note in report.notes:
        yield f'<section class="card note"><p>{prose(note.message)}</p>'
        yield f'<p class="soft">{prose(note.hint)}</p></section>\n'


def _rules(report: Report, figures: Tally, anchors: dict[RuleId, str]) -> Iterator[str]:
    numbers = dict(figures.by_rule)
    rules = sorted(rules_of(report), key=lambda rule: (-numbers.get(rule.id, 0), -rule.severity, rule.id))
    if not rules:
        return
    yield '<h2 id="rules">Rules</h2>\n<section class="card"><table><colgroup><col class="how"><col class="rule"><col>'
    yield '<col class="how"></colgroup><thead><tr><th scope="col">Severity</th><th scope="col">Rule</th>'
    yield '<th scope="col">Why</th><th scope="col" class="number">Findings</th></tr></thead><tbody>\n'
    for rule in rules:
        label = rule.severity.label
        yield f'<tr id="{anchors[rule.id]}"><td><span class="chip {label}">{label}</span></td>'
        yield f'<td>{text(str(rule.id))}<br><span class="soft">{text(rule.category)}</span></td>'
        yield f"<td><p>{prose(rule.title)}</p>"
        yield f"<p>{prose(rule.why)}</p>" if rule.why else ""
        yield f"<p><strong>Fix:</strong> {prose(rule.fix)}</p>" if rule.fix else ""
        yield f'<p class="soft">{text(", ".join(rule.frameworks))}</p>' if rule.frameworks else ""
        yield f'</td><td class="number">{numbers.get(rule.id, 0):,}</td></tr>\n'
    yield "</tbody></table></section>\n"
