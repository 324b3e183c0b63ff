"""What Prometheus reads, judged by Prometheus's own tool; and the dashboard and alerts that ask for it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.conformance import missing
from tests.plane.conftest import NOW

from bartizan.stores.outbox import post
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser
    from tests.stores.fleet import World

    from bartizan.plane.site import Site

MONITORING = Path(__file__).parents[2] / "monitoring"
_RANGE = re.compile(r"\$__rate_interval")


def promtool(*arguments: str, given: str | None = None) -> str:
    """Ask Prometheus's tool; what it says must be approval."""
    program = shutil.which("promtool")
    if program is None:
        missing("promtool is not installed: `apt-get install prometheus`, or `make deps`")
    done = subprocess.run([str(program), *arguments], input=given, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def values(text: str, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """The samples of a metric, by labels."""
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def expressions() -> list[str]:
    """Every query of the dashboard, as Prometheus reads it."""
    board = json.loads((MONITORING / "grafana.json").read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return [_RANGE.sub("5m", one).replace("$cluster", ".*") for one in found]


def test_metrics_are_in_the_form_that_prometheus_asks_for(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    browser = signed_in("viewer")
    browser.get("/")
    promtool("check", "metrics", given=browser.get("/metrics"))


def test_metrics_say_what_the_pages_say(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    text = signed_in("viewer").get("/metrics")
    failing = values(text, "bartizan_failing_pairs")
    assert failing[("cluster", "one"), ("severity", "critical")] == 2
    assert failing[("cluster", "two"), ("severity", "medium")] == 1
    # of three pods one passes the critical rule (10 each), two the medium one (2), two the low one (1), one is waived
    assert values(text, "bartizan_pass_rate_ratio")[(("cluster", "one"),)] == pytest.approx(16 / 38)
    assert values(text, "bartizan_exception_share_ratio")[(("cluster", "one"),)] == pytest.approx(1 / 9)


def test_who_sees_one_cluster_reads_metrics_of_one(signed_in: Callable[..., Browser], world: World) -> None:
    del world
    text = signed_in("viewer", Grant(clusters=("two",))).get("/metrics")
    assert {dict(labels)["cluster"] for labels in values(text, "bartizan_cluster_objects")} == {"two"}
    assert not values(text, "bartizan_database_bytes")


def test_alerts_are_rules_that_prometheus_takes(tmp_path: Path) -> None:
    promtool("check", "rules", str(MONITORING / "alerts.yaml"))
    promtool("test", "rules", str(MONITORING / "alerts_test.yaml"))
    rules = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(expressions())]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", str(tmp_path / "panels.yaml"))


def test_dashboard_and_alerts_ask_for_metrics_that_are_there(
    signed_in: Callable[..., Browser], world: World, site: Site
) -> None:
    del world
    site.store.write(lambda connection: post(connection, "key", "ops", {}, NOW))
    browser = signed_in()
    browser.get("/")
    families = text_string_to_metric_families(browser.get("/metrics"))
    there = {sample.name for family in families for sample in family.samples}
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    asked = [rule["expr"] for group in groups for rule in group["rules"]] + expressions()
    wanted = {name for one in asked for name in re.findall(r"\bbartizan_\w+", one)}
    assert wanted <= there


def test_readiness_follows_the_database(nobody: Browser) -> None:
    assert nobody.get("/healthz") == "alive\n"
    assert nobody.get("/readyz") == "ready\n"
