"""What each metric means, in the words that stand beside it on the page; and the field's buckets.

The thresholds are those of the DORA surveys as the fourkeys project reads
them, with one word for each step.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple


class Bucket(NamedTuple):
    """One step of a scale, the best first."""

    word: str
    threshold: str


class Definition(NamedTuple):
    """A metric in words. `confidence` says of what the share of confident data is a share."""

    id: str
    title: str
    meaning: str
    confidence: str
    buckets: tuple[Bucket, ...] = ()


_WORDS: Final = ("elite", "high", "medium", "low")


def _buckets(*thresholds: str) -> tuple[Bucket, ...]:
    return tuple(Bucket(word, threshold) for word, threshold in zip(_WORDS, thresholds, strict=True))


LEAD_STEPS: Final = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
RECOVER_STEPS: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
FAILURE_STEPS: Final = (15, 45, 60)
"""Per cent."""

_ROLLOUT: Final = (
    "A change is a roll-out of a pod template that the workload has not had before. Scaling, restarting, moving pods "
    "to other nodes and returning to an earlier template are none. It is a deployment once its generation is "
    "observed and every wanted replica, at least one, runs the template and is available."
)

DEFINITIONS: Final[tuple[Definition, ...]] = (
    Definition(
        "deployment-frequency",
        "Deployment frequency",
        f"{_ROLLOUT} Counted by day (UTC), days without one included. The bucket is by the median over the weeks "
        "that end with the window's last day, of the days with a deployment in each; for months, of 30 days, likewise.",
        "The share of the window's time over which we saw the clusters. What we did not see is not counted as quiet: "
        "the frequency is then a lower bound.",
        _buckets(
            "on 3 days or more in the median week",
            "in the median week",
            "in the median month",
            "less often",
        ),
    ),
    Definition(
        "lead-time",
        "Lead time for changes",
        "From the commit to the moment its deployment was healthy, for deployments that say when they were committed, "
        "by an annotation or label. The median; the 95th percentile is the smallest time that at least 95 in 100 "
        "do not exceed.",
        "The share of deployments that carry a commit time that is not later than their roll-out, and that we watched.",
        _buckets("under 1 day", "under 1 week", "under 30 days", "longer"),
    ),
    Definition(
        "artifact-lead-time",
        "Lead time from the image",
        "From the making of the newest image to the moment its deployment was healthy, for deployments without "
        "a commit time. It leaves out the wait from commit to build, and so is weaker and in no bucket.",
        "The share of all deployments that have an image time but no commit time, and that we watched.",
    ),
    Definition(
        "change-failure-rate",
        "Change failure rate",
        "Of the changes that began in the window and are decided, the share that failed: while it was not healthy or "
        "within 24 hours after it became so, an earlier template was set again, its progress deadline passed, its "
        "pods crashed in a loop, a delivery tool called it degraded, or an incident was opened on the workload. A "
        "change is sound when it became healthy and we watched it for those 24 hours, or until the next change, "
        "without a signal. Any other is undecided and counts in neither.",
        "The share of changes that are decided.",
        _buckets("up to 15 %", "up to 45 %", "up to 60 %", "more than 60 %"),
    ),
    Definition(
        "time-to-recover",
        "Time to recover from a failed change",
        "From the first signal that a change failed to the first healthy roll-out of the workload after the last "
        "such signal, whether of the same, a new or an earlier template; where incidents were linked, not before "
        "the last of them was closed. Counted where the first signal is in the window. Those not over yet are "
        "counted beside it and are in no median.",
        "The share of failed changes that are over and whose signals and recovery we watched.",
        _buckets("under 1 hour", "under 1 day", "under 1 week", "longer"),
    ),
    Definition(
        "availability",
        "Availability",
        "The share of wanted replica-time in which replicas were available; and of workload-time, the share with "
        "at least one. Where we did not see, time is unknown: in neither part of the share.",
        "The share of wanted replica-time that we saw.",
    ),
    Definition(
        "time-to-mend",
        "Time to mend a finding",
        "From a finding's opening to its end by a change to what it found, for findings mended in the window, by "
        "severity. A finding whose resource went, or that was waived, is not mended. The age of those open at the "
        "end of the window stands beside it, for a median of the mended says nothing of the left.",
        "The share of mended findings whose opening and end we watched.",
    ),
    Definition(
        "escape-rate",
        "Escape rate",
        "Of the findings that a gate before production judged, the share that it let through: first opened in "
        "production in the window though the gate had passed the change, of those and the ones it caught.",
        "The share of first openings of which we know whether there was a gate.",
    ),
    Definition(
        "waiver-age",
        "Age of waivers",
        "How long ago the waivers in force at the end of the window were granted; a renewal does not make one young. "
        "Those kept beyond their last day are counted apart, as they no longer hold.",
        "All of it: waivers are kept here.",
    ),
    Definition(
        "signed-images",
        "Signed images",
        "Of the images that run at the end of the window, the share whose signature was verified.",
        "The share of images that could be judged and were, since we last lost sight of their cluster.",
    ),
    Definition(
        "network-policies",
        "Pods with a network policy",
        "Of the pods that run at the end of the window, the share that at least one network policy selects.",
        "The share of pods that could be judged and were, since we last lost sight of their cluster.",
    ),
)
