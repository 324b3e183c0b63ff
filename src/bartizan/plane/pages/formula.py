"""How the three numbers are worked out, in the words and weights that they are worked out with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.findings.score import FORMULA, WEIGHTS
from bartizan.model.ledger import CAUSES, Verdict
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route

if TYPE_CHECKING:
    from starlette.responses import Response

_VERDICTS = (
    (Verdict.PASS, "judged, and content", "pass rate, coverage"),
    (Verdict.FAIL, "judged, and not content", "pass rate, coverage"),
    (Verdict.WARN, "judged by a rule that is not scored", "coverage"),
    (Verdict.WAIVED, "failed, and accepted until a date", "exception share, coverage"),
    (Verdict.ERROR, "the rule could not run: not known", "against coverage"),
    (Verdict.STALE, "not judged for too long: not known", "against coverage"),
    (Verdict.SKIP, "the rule does not apply", "nothing"),
)
_CAUSES = {
    "findings": "objects changed, and what is said of them did",
    "rules": "a rule or its parameters changed, came or went",
    "scope": "objects came or went",
    "exceptions": "waivers were granted or ended",
    "freshness": "objects were not judged for too long, or were again",
}


def _formula(asked: Asked) -> Response:
    return page(
        asked,
        "formula.html",
        formula=FORMULA,
        weights=WEIGHTS,
        verdicts=_VERDICTS,
        causes=[(cause, _CAUSES[cause]) for cause in CAUSES],
    )


ROUTES = (Route("GET", "/formula", _formula),)
