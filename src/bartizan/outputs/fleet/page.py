"""A report to print and to hand on: the numbers, the frameworks and the findings on one page that asks for nothing.

It has no script, and its content policy allows its one style by its hash:
markup that slipped in with a name could do nothing. Findings are written as
they are read, under headings that are printed on each sheet.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bartizan.findings.score import percent
from bartizan.outputs.html import prose, text
from bartizan.outputs.sarif import justification
from bartizan.outputs.shape import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from bartizan.findings.score import Score
    from bartizan.outputs.fleet.rows import Context, FrameworkRow, Row

_STYLE: Final = Path(__file__).with_name("report.css")
_NUMBERS: Final = ("Pass rate", "Coverage", "Exception share")
_SAID: Final = {"pass": "met", "fail": "not met", "other": "not known"}


def write(rows: Iterable[Row], context: Context, out: TextIO) -> None:
    """Write the report."""
    out.write(_head(context))
    out.writelines(_numbers(context))
    out.writelines(_frameworks(context.frameworks))
    out.writelines(_findings(rows, context))
    out.writelines(_formula(context))
    version = text(context.tool_version)
    out.write(f'<footer class="soft"><p>Written by Bartizan {version}.</p></footer>\n</body>\n</html>\n')


def _head(context: Context) -> str:
    style = _STYLE.read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    at = rfc3339(context.at)
    chosen = "; ".join(f"{name}: {value}" for name, value in context.chosen.items()) or "all that is open"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>Compliance of {text(context.part)}, {at[:10]}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"<header><h1>Compliance of {text(context.part)}</h1>\n"
        f'<p class="soft">As of <time datetime="{at}">{at[:10]} {at[11:16]} UTC</time>. '
        f"Findings chosen by {text(chosen)}.</p></header>\n"
    )


def _numbers(context: Context) -> Iterator[str]:
    if not context.scores:
        return
    (_, whole), *others = context.scores
    yield '<dl class="figures">'
    yield from (
        f"<div><dt>{name}</dt><dd>{_share(value)}</dd></div>" for name, value in zip(_NUMBERS, whole, strict=True)
    )
    yield "</dl>\n"
    if others:
        yield "<h2>Clusters</h2>\n<table><thead><tr><th scope='col'>Cluster</th>"
        yield "".join(f'<th scope="col" class="number">{name}</th>' for name in _NUMBERS)
        yield "</tr></thead><tbody>\n"
        yield from (f'<tr><th scope="row">{text(name)}</th>{_cells(score)}</tr>\n' for name, score in others)
        yield "</tbody></table>\n"


def _frameworks(frameworks: tuple[FrameworkRow, ...]) -> Iterator[str]:
    if not frameworks:
        return
    yield "<h2>Frameworks</h2>\n<table><thead><tr><th scope='col'>Framework</th>"
    yield "".join(f'<th scope="col" class="number">{name}</th>' for name in _NUMBERS)
    yield "</tr></thead><tbody>\n"
    yield from (f'<tr><th scope="row">{text(one.title)}</th>{_cells(one.score)}</tr>\n' for one in frameworks)
    yield "</tbody></table>\n"
    for one in frameworks:
        yield f"<h2>{text(one.title)}</h2>\n<table><thead><tr>"
        heads = ("Control", "Title", "State", "Failing", "Pass rate", "Coverage")
        yield "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr></thead><tbody>\n"
        for control in one.controls:
            yield f'<tr><th scope="row"><code>{text(control.id)}</code></th><td>{text(control.title)}</td>'
            yield f'<td>{_SAID[control.reason]}</td><td class="number">{control.failing:,}</td>'
            yield f'<td class="number">{control.pass_rate}</td><td class="number">{control.coverage}</td></tr>\n'
        yield "</tbody></table>\n"


def _findings(rows: Iterable[Row], context: Context) -> Iterator[str]:
    yield '<h2 class="new">Findings</h2>\n<table><thead><tr>'
    heads = ("Severity", "Finding", "Rule", "Object", "Cluster", "First seen")
    yield "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr></thead><tbody>\n"
    total = 0
    waivers = dict(context.waivers)
    for row in rows:
        total += 1
        finding = row.finding
        label = finding.severity.label
        state = "" if row.state == "open" else f'<br><span class="soft">{row.state}</span>'
        yield f'<tr><td><span class="{label}">{label}</span>{state}</td><td>{prose(finding.message)}'
        if finding.pointer:
            yield f'<br><code class="soft">{text(finding.pointer)}</code>'
        if finding.waived_by:
            yield f'<br><span class="soft">{text(justification(finding.waived_by, waivers))}</span>'
        if finding.rule.fix:
            yield f"<br><strong>Fix:</strong> {prose(finding.rule.fix)}"
        yield f"</td><td>{text(str(finding.rule.id))}</td><td>{text(str(finding.resource))}</td>"
        yield f"<td>{text(row.cluster)}</td><td>{row.first_seen.date().isoformat()}</td></tr>\n"
    if not total:
        yield '<tr><td colspan="6">Nothing of this kind.</td></tr>\n'
    yield f'</tbody></table>\n<p class="soft">{total:,} in all.</p>\n'


def _formula(context: Context) -> Iterator[str]:
    if context.formula:
        yield '<h2>How the numbers are worked out</h2>\n<dl class="formula">'
        yield from (f"<dt>{text(name)}</dt><dd>{text(words)}</dd>" for name, words in context.formula.items())
        yield "</dl>\n"


def _cells(score: Score) -> str:
    return "".join(f'<td class="number">{_share(value)}</td>' for value in score)


def _share(value: object) -> str:
    said = percent(value)  # type: ignore[arg-type]  # a fraction or nothing, out of a named tuple
    return f"{said} %" if said else "\N{EN DASH}"
