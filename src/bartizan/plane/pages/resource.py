"""One object: its YAML with what is said at its lines, every verdict, what would mend it, its like elsewhere."""

from __future__ import annotations

import shlex
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse, Response

from bartizan.model.ledger import Verdict
from bartizan.outputs.yaml import lines
from bartizan.plane.pages.mending import NO_PATCH, patch
from bartizan.plane.pages.source import Source, ordered, source_of
from bartizan.plane.render import page
from bartizan.plane.site import Asked, NotThereError, Route, missing, numbered
from bartizan.stores.queries import findings, resources
from bartizan.stores.queries.pages import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.stores.queries.resources import ResourceView

_FINDINGS: Final = 200
_ELSEWHERE: Final = 20
_ORDER: Final = (
    Verdict.FAIL, Verdict.ERROR, Verdict.WARN, Verdict.WAIVED, Verdict.STALE, Verdict.PASS, Verdict.SKIP,
)  # fmt: skip  # the order in which they want a look


def _resource(asked: Asked) -> Response:
    number, scope = numbered(asked, "object"), asked.viewer.scope()
    risky = asked.query.get("risky") == "1"
    with asked.site.store.reading() as connection:
        found = resources.one(connection, scope, number)
        if found is None:
            raise missing("object")
        body = resources.body_of(connection, scope, number)
        verdicts = resources.verdicts(connection, scope, number)
        states = ("fixed", "gone") if found.gone_at else ("open", "waived")
        wanted = findings.Wanted(resource=number, states=states)  # type: ignore[arg-type]  # words of the two tuples above
        said = findings.findings(connection, scope, wanted, Page(_FINDINGS)).rows
        named = resources.Wanted(namespace=found.id.namespace, kind=found.id.kind, name=found.id.name)
        like = resources.resources(connection, scope, named, Page(_ELSEWHERE + 1)).rows
    known = body if isinstance(body, dict) else None
    failing = [one.rule for one in said if one.state == "open"]
    return page(
        asked,
        "resource.html",
        found=found,
        source=source_of(known, said) if known else Source((), 0),
        said=said,
        by_verdict=_by_verdict(verdicts),
        patch=patch(known, failing, risky=risky) if known and failing else NO_PATCH,
        risky=risky,
        elsewhere=[one for one in like if one.number != number][:_ELSEWHERE],
        command=command_of(found),
    )


def _by_verdict(verdicts: Mapping[str, Verdict]) -> list[tuple[Verdict, list[str]]]:
    """The rules of each verdict, what wants a look first."""
    found = [(one, sorted(rule for rule, verdict in verdicts.items() if verdict == one)) for one in _ORDER]
    return [(verdict, names) for verdict, names in found if names]


def command_of(found: ResourceView) -> str:
    """How the cluster itself is asked for it."""
    group = f".{found.id.version}.{found.id.group}" if found.id.group else ""
    words = ["kubectl", "--context", found.cluster, "get", f"{found.id.kind.lower()}{group}", found.id.name]
    if found.id.namespace:
        words += ["--namespace", found.id.namespace]
    return shlex.join([*words, "--output", "yaml"])


def _yaml(asked: Asked) -> Response:
    """The whole object as text."""
    number = numbered(asked, "object")
    with asked.site.store.reading() as connection:
        body = resources.body_of(connection, asked.viewer.scope(), number)
    if not isinstance(body, dict):
        raise missing("object")
    try:
        text = "\n".join((*lines(ordered(body)), ""))
    except RecursionError as error:
        raise NotThereError("this object nests too deep to be written", hint="Read it from its cluster.") from error
    headers = {
        "ETag": f'"{blake2b(text.encode(), digest_size=12).hexdigest()}"',
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="object-{number}.yaml"',
    }
    if headers["ETag"] in asked.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return PlainTextResponse(text, headers=headers)


ROUTES = (
    Route("GET", "/resources/{number:int}", _resource),
    Route("GET", "/resources/{number:int}/yaml", _yaml),
)
