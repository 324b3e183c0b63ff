"""What happens to findings once they are made: named, waived, compared, counted and grouped. Pure."""

from bartizan.findings.baseline import new_only, read_baseline
from bartizan.findings.copies import Minded, without_copies
from bartizan.findings.fingerprint import fingerprint
from bartizan.findings.tally import count, dedupe, group_by_resource, tally
from bartizan.findings.waive import Acceptance, Waived, waive
from bartizan.findings.waiver_file import read_waivers

__all__ = [
    "Acceptance",
    "Minded",
    "Waived",
    "count",
    "dedupe",
    "fingerprint",
    "group_by_resource",
    "new_only",
    "read_baseline",
    "read_waivers",
    "tally",
    "waive",
    "without_copies",
]
