"""How far from compliant, why that moved, and both worked out again from an export."""

from bartizan.findings.score.export import Day, Team, export, recompute
from bartizan.findings.score.movement import Movement, Movements, Standing, movements, score_of
from bartizan.findings.score.numbers import (
    FORMULA,
    WEIGHTS,
    Attestation,
    Control,
    Framework,
    Score,
    Sums,
    attested_on,
    by_rule,
    control_scores,
    framework_score,
    percent,
    score,
    scores_by,
    severity_score,
    sums,
)
from bartizan.findings.score.shown import Shown, points, shown

__all__ = [
    "FORMULA",
    "WEIGHTS",
    "Attestation",
    "Control",
    "Day",
    "Framework",
    "Movement",
    "Movements",
    "Score",
    "Shown",
    "Standing",
    "Sums",
    "Team",
    "attested_on",
    "by_rule",
    "control_scores",
    "export",
    "framework_score",
    "movements",
    "percent",
    "points",
    "recompute",
    "score",
    "score_of",
    "scores_by",
    "severity_score",
    "shown",
    "sums",
]
