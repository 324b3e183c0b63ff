"""One rich report that every renderer is shown by: all results, files and live objects, problems, waivers, odd text."""

from __future__ import annotations

from datetime import UTC, date, datetime

from bartizan.base.location import Location
from bartizan.findings import fingerprint
from bartizan.findings.tally import count
from bartizan.model.finding import Finding, Result, RuleId, RuleInfo
from bartizan.model.report import Note, Problem, Report
from bartizan.model.resource import ResourceId
from bartizan.model.severity import Severity
from bartizan.model.waiver import Waiver

LATEST = RuleInfo(
    RuleId("disallow-latest-tag", "require-image-tag"),
    title="images without a fixed tag",
    severity=Severity.MEDIUM,
    category="Best Practices",
    why="A tag that moves makes a rollback run other code than it did before.",
    fix="Name a version, or better a digest: `image: registry.example/web:1.4.2`.",
    frameworks=("nsa-hardening:image-provenance",),
    source=Location("policies/latest.yaml", 9, 5),
)
PRIVILEGED = RuleInfo(
    RuleId("privileged-container", "privileged-container"),
    title="containers that own their node",
    severity=Severity.CRITICAL,
    category="Pod Security",
    origin="check",
    why="A privileged process is root on the node, and on every pod that runs there.",
    fix="Remove `privileged: true`; add the one capability that is really needed.",
    frameworks=("cis-1.12:5.2.2", "pss:baseline"),
)
PROBES = RuleInfo(
    RuleId("require-probes", "validate-probes"),
    title="containers nobody asks whether they are well",
    severity=Severity.LOW,
    category="Best Practices",
    why="Without a probe, traffic goes to a process that hangs.",
    fix="Add a `readinessProbe` that asks what a request would need.",
)
OWNER = RuleInfo(
    RuleId("require-labels", "check-owner"),
    title="objects without an owner",
    severity=Severity.INFO,
    category="Housekeeping",
    scored=False,
)
HOST_PATH = RuleInfo(
    RuleId("disallow-host-path", "host-path"),
    title="volumes that reach into the node",
    severity=Severity.HIGH,
    category="Pod Security",
    why="A host path shows the node's files to the pod.",
    fix="Use an `emptyDir`, a `configMap` or a claim.",
    frameworks=("pss:baseline",),
)

WEB = ResourceId("apps", "v1", "Deployment", "shop", "web")
WORKER = ResourceId("apps", "v1", "Deployment", "shop", "worker")
BACKUP = ResourceId("batch", "v1", "CronJob", "data", "backup")
AGENT = ResourceId("apps", "v1", "DaemonSet", "kube-system", "node-agent")
ADMIN = ResourceId("rbac.authorization.k8s.io", "v1", "ClusterRole", "", "helpers-admin")
SERVICE = ResourceId("", "v1", "Service", "shop", "web")
ODD = ResourceId("", "v1", "ConfigMap", "größe", "名前|<b>`x`</b>\x1b[31m&amp;")


def finding(  # noqa: PLR0913 (a record's fields, named at the call)
    rule: RuleInfo,
    resource: ResourceId,
    result: Result,
    message: str,
    pointer: str = "",
    *,
    at: Location | None = None,
    excerpt: str = "",
    evidence: str = "",
    waived_by: str = "",
) -> Finding:
    """A finding as the scan makes it."""
    mark = fingerprint(rule.id, resource, pointer)
    return Finding(
        rule, resource, result, rule.severity, message, pointer, at, excerpt, evidence, mark, waived_by=waived_by
    )


FINDINGS = (
    finding(
        LATEST,
        WEB,
        "fail",
        "An image tag is required, and `latest` is none.",
        "/spec/template/spec/containers/0/image",
        at=Location("k8s/web.yaml", 19, 11),
        excerpt="          image: registry.example/web:latest # the newest",
        evidence="registry.example/web:latest",
    ),
    finding(
        LATEST,
        WEB,
        "fail",
        "An image tag is required, and `latest` is none.",
        "/spec/template/spec/containers/1/image",
        at=Location("k8s/web.yaml", 27, 11),
        excerpt="          image: registry.example/proxy",
        evidence="registry.example/proxy",
    ),
    finding(
        PRIVILEGED,
        WEB,
        "fail",
        "Container `web` is privileged.",
        "/spec/template/spec/containers/0/securityContext/privileged",
        at=Location("k8s/web.yaml", 24, 13),
        excerpt="            privileged: true",
        evidence="true",
    ),
    finding(PROBES, WEB, "pass", "Readiness and liveness are asked for."),
    finding(
        OWNER,
        WEB,
        "warn",
        "The label `owner` says whom to call at night, and it is missing here; add it to the object itself and to "
        "the pod template, for pods are what an alert names.",
        "/metadata/labels",
        at=Location("k8s/web.yaml", 5, 3),
        excerpt="  labels:",
    ),
    finding(
        PROBES,
        BACKUP,
        "error",
        "the rule could not run: unknown function `to_secods` in `{{ to_secods(request.object.spec) }}`",
        at=Location("k8s/backup.yaml", 1, 1),
        excerpt="apiVersion: batch/v1",
    ),
    finding(PROBES, SERVICE, "skip", "the rule is about pods"),
    finding(
        HOST_PATH,
        AGENT,
        "fail",
        "Volume `root` mounts `/` of the node.",
        "/spec/template/spec/volumes/0/hostPath",
        evidence='{"path":"/"}',
    ),
    finding(
        OWNER,
        ODD,
        "fail",
        'Line one\nLine two | <script>alert("1")</script> `code` ]]> @team %0A::error::x \x1b[2J\u202egnp.exe',
        "/data/a~1b",
        at=Location("k8s/größe ü.yaml", 3, 3),
        excerpt='  名: "wide <b> \x07"',
    ),
)

WAIVED = (
    finding(
        HOST_PATH,
        WORKER,
        "fail",
        "Volume `cache` mounts `/var/cache` of the node.",
        "/spec/template/spec/volumes/1/hostPath",
        at=Location("k8s/worker.yaml", 40, 9),
        excerpt="        hostPath: {path: /var/cache}",
        waived_by="worker-cache",
    ),
)

REPORT = Report(
    tool_version="1.2.3",
    at=datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC),
    sources=("k8s", "context prod"),
    rules=(LATEST, PRIVILEGED, PROBES, OWNER, HOST_PATH),
    resources=(WEB, BACKUP, SERVICE, WORKER, AGENT, ADMIN, ODD),
    findings=FINDINGS,
    counts=count(FINDINGS),
    problems=(
        Problem(
            "input",
            "mapping key `name` is written twice",
            at=Location("k8s/broken.yaml", 7, 3),
            hint="Remove one of the two.",
            excerpt="    7 |   name: twice\n          ^",
        ),
        Problem("world", "listing `secrets` failed: 403 Forbidden", hint="Grant `list` on `secrets`."),
    ),
    waived=WAIVED,
    notes=(
        Note(
            "expired-waiver",
            "waiver `old-agent` of platform ended on 2026-02-28 and no longer applies",
            hint="Mend what it covered, or ask platform to renew it: migration to the new agent",
        ),
        Note(
            "unused-waiver",
            "waiver `gone` of shop met no finding",
            hint="Remove it if the finding was mended, or correct what it selects.",
        ),
    ),
    waivers=(
        Waiver(
            "worker-cache",
            "the cache is warmed by the node image",
            "team-shop",
            date(2026, 6, 30),
            policy="disallow-host-path",
            namespace="shop",
        ),
    ),
)
"""The sample."""
