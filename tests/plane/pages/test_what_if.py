"""What-if: a policy over the inventory, beside what is so now; of a team's own objects alone, and stopped when told."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.plane.pages.test_playground import POLICY
from tests.stores.fleet import observed, pod, rules

from bartizan.app.trial.jobs import Job, Jobs
from bartizan.plane.pages.playground import room_of
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plane.conftest import Browser
    from tests.stores.fleet import World

    from bartizan.plane.site import Site

NAMED = POLICY.replace("images", "roots").replace("- name: tagged", "- name: roots")
"""A policy whose rule has the name of one that is asked now."""


def over(browser: Browser, where: str) -> str:
    """The page of a job when it is over."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        page = browser.get(where)
        if 'hx-trigger="every' not in page:
            return page
        time.sleep(0.05)
    raise AssertionError("the job does not end")


def numbers(page: str, rule: str) -> list[str]:
    """The numbers of a rule's row."""
    row = re.search(rf'<th scope="row">{rule}</th>(.*?)</tr>', page, re.DOTALL)
    assert row is not None
    return [text.strip() for text in re.findall(r"<td[^>]*>(.*?)</td>", row.group(1), re.DOTALL)]


@pytest.fixture
def imaged(world: World) -> World:
    """Pods with images: in cluster `one` one of them has a tag."""
    asked = rules("roots:critical")
    for cluster in ("one", "two"):
        seen: list[Any] = []
        for name, namespace, team, image, verdict in (
            ("web", "shop", "payments", "nginx", "f"),
            ("db", "shop", "payments", "postgres:15" if cluster == "one" else "postgres", "p"),
            ("job", "batch", "data", "job:1", "f"),
        ):
            body = pod(name, namespace, spec={"containers": [{"name": "app", "image": image}]})
            seen.append(observed(body, asked, verdict, team))
        world.keep(asked, *seen, cluster=cluster, hours=49)
    return world


def test_a_new_policy_is_judged_over_everything(imaged: World, signed_in: Callable[..., Browser]) -> None:
    del imaged
    browser = signed_in()
    page = over(browser, browser.post("/what-if", policy=POLICY))
    assert ">done<" in page
    assert "6 of 6 objects" in page
    # would fail, be refused; new, fail now, mended; pass, change, unknown
    assert numbers(page, "images/tagged") == [
        "3", "3", "3", "not asked", "\N{EN DASH}", "3", "0", "0",
    ]  # fmt: skip
    assert "name a tag" in page
    assert "shop" in page
    assert "batch" not in page


def test_a_changed_policy_is_compared_to_what_is_so_now(imaged: World, signed_in: Callable[..., Browser]) -> None:
    """`web` fails before and after in both, `db` of `two` would newly fail, and `job` would be mended in both."""
    del imaged
    browser = signed_in()
    page = over(browser, browser.post("/what-if", policy=NAMED))
    assert numbers(page, "roots") == ["3", "3", "1", "4", "2", "3", "0", "0"]


@pytest.mark.parametrize(
    ("grant", "objects", "failing"),
    [
        pytest.param(Grant(("two",)), "3 of 3", "2", id="a cluster"),
        pytest.param(Grant(teams=("data",)), "2 of 2", "0", id="a team"),
        pytest.param(Grant(("one",), ("shop",)), "2 of 2", "1", id="a namespace"),
        pytest.param(Grant(("none",)), "0 of 0", "0", id="nothing"),
    ],
)
def test_only_what_the_viewer_sees_is_judged(
    imaged: World, signed_in: Callable[..., Browser], grant: Grant, objects: str, failing: str
) -> None:
    del imaged
    browser = signed_in("viewer", grant)
    page = over(browser, browser.post("/what-if", policy=POLICY))
    assert f"{objects} objects" in page
    assert numbers(page, "images/tagged")[0] == failing


def test_a_job_is_its_owners_alone(imaged: World, signed_in: Callable[..., Browser]) -> None:
    del imaged
    ada, bob = signed_in(name="ada"), signed_in(name="bob")
    where = ada.post("/what-if", policy=POLICY)
    over(ada, where)
    assert where in ada.get("/what-if")
    bob.get(where, 404)
    bob.post(f"{where}/cancel", 404)
    assert where not in bob.get("/what-if")


def test_who_sees_less_now_sees_nothing_of_what_they_saw(
    site: Site, imaged: World, signed_in: Callable[..., Browser]
) -> None:
    del imaged
    ada = signed_in(name="ada")
    where = ada.post("/what-if", policy=POLICY)
    over(ada, where)
    with site.store.writing() as connection:
        connection.exec_driver_sql("""UPDATE role SET "grant" = '{"clusters": ["one"]}'""")
    ada.get(where, 404)
    assert where not in ada.get("/what-if")


def test_what_asks_for_more_than_the_object_is_unknown_and_no_pass(
    imaged: World, signed_in: Callable[..., Browser]
) -> None:
    del imaged
    asks = NAMED.replace("    validate:", "    context: [{name: c, configMap: {name: a, namespace: b}}]\n    validate:")
    asks = asks.replace("*:*", "{{ c.data.x }}")
    browser = signed_in()
    page = over(browser, browser.post("/what-if", policy=asks))
    assert numbers(page, "roots") == ["0", "0", "0", "4", "0", "0", "0", "6"]
    assert "not called here: ConfigMap" in page


def test_a_broken_policy_is_told(imaged: World, signed_in: Callable[..., Browser]) -> None:
    del imaged
    browser = signed_in()
    page = over(browser, browser.post("/what-if", policy=POLICY.replace("match:", "mtch:")))
    assert "Policy, line 7" in page
    assert "no policy in this text" in browser.post("/what-if", 400, policy=" ")
    assert "more than 256 KiB" in browser.post("/what-if", 400, policy="#" * (257 << 10))


def test_one_at_a_time_for_each_and_two_for_all(site: Site) -> None:
    jobs = Jobs()

    class Waiting(Job):
        def run(self, _store: Any) -> None:
            self.state = "running"
            self._cancelled.wait(30)
            self.state = "cancelled"

    made = [Waiting(owner, EVERYTHING, POLICY, site.now()) for owner in ("a", "b", "c")]
    jobs.start(made[0], site.store)
    with pytest.raises(Exception, match="you have a what-if that runs"):
        jobs.start(Waiting("a", EVERYTHING, POLICY, site.now()), site.store)
    jobs.start(made[1], site.store)
    with pytest.raises(Exception, match="too many what-ifs run"):
        jobs.start(made[2], site.store)
    for job in made:
        job.cancel()
    while not made[0].is_over:
        time.sleep(0.01)
    jobs.start(made[2], site.store)
    assert jobs.find("a", made[0].id) is made[0]
    assert jobs.find("b", made[0].id) is None


def test_a_job_is_stopped(site: Site, world: World, signed_in: Callable[..., Browser]) -> None:
    asked = rules("roots")
    for batch in range(4):
        seen = [
            observed(pod(f"p{batch}-{n}", spec={"containers": [{"name": "a", "image": "b" * 1000}]}), asked, "p")
            for n in range(500)
        ]
        world.keep(asked, *seen, hours=40 + batch)
    browser = signed_in()
    where = browser.post("/what-if", policy=POLICY)
    assert browser.post(f"{where}/cancel") == where
    page = over(browser, where)
    assert ">cancelled<" in page
    (job,) = room_of(site).jobs.of(next(iter(room_of(site).jobs._jobs.values())).owner)  # noqa: SLF001  whose it is
    assert job.done < job.total or job.total == 0


def test_it_ends_when_the_database_is_away(site: Site, imaged: World, signed_in: Callable[..., Browser]) -> None:
    del imaged, signed_in
    job = Job("a", EVERYTHING, POLICY, site.now())

    class Away:
        def reading(self) -> Any:
            from bartizan.base.errors import StoreError

            raise StoreError("the database does not answer")

    job.run(Away())  # type: ignore[arg-type]  # a store that is away
    assert job.state == "failed"
    assert job.error is not None
    assert job.error.message == "the database does not answer"
