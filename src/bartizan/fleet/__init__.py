"""Many clusters as one: who is a member, how much of it can be believed, what a policy set asks of it. Pure."""

from bartizan.fleet.comparison import Comparison, Side, compare
from bartizan.fleet.enrolment import (
    Admitted,
    Invitation,
    JoinRequest,
    Member,
    Refused,
    join,
    name_from,
    name_problem,
    reporter,
)
from bartizan.fleet.recheck import Drift, Reach, Recheck, drift, reach_of, recheck
from bartizan.fleet.state import LATE_LEASES, lease_of, state

__all__ = [
    "LATE_LEASES",
    "Admitted",
    "Comparison",
    "Drift",
    "Invitation",
    "JoinRequest",
    "Member",
    "Reach",
    "Recheck",
    "Refused",
    "Side",
    "compare",
    "drift",
    "join",
    "lease_of",
    "name_from",
    "name_problem",
    "reach_of",
    "recheck",
    "reporter",
    "state",
]
