"""The doors of agents: who comes in, and what is told to who does not. Nothing that is sent is a server error."""

from __future__ import annotations

import os
import threading
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from tests.stores.fleet import START, observed, pod, rules
from tests.stores.ledger import assert_counts_hold

from bartizan.app.reporting import joining
from bartizan.app.reporting.packing import pack_batch
from bartizan.app.reporting.wire import MEDIA, PACKED_BYTES, RAW_BYTES, digest_of, pack, packed
from bartizan.plane.people import entering
from bartizan.stores import clusters
from bartizan.stores.reports import Batch
from bartizan.stores.schema import audit, cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.agent.serving import Clock, Plane
    from tests.stores.postgresql import Server

_RULES = rules("roots", "limits:low")
_STREAM = "0" * 32
_ZEROS = b"\0" * (1 << 20)


_CLIENTS: list[httpx2.Client] = []


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    while _CLIENTS:
        _CLIENTS.pop().close()


class Caller:
    """A program that has a token, or thinks so."""

    def __init__(self, plane: Plane, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = httpx2.Client(base_url=plane.url, headers=headers, timeout=30)
        _CLIENTS.append(self.client)

    def post(self, path: str, told: Any) -> httpx2.Response:
        """Send JSON."""
        return self.client.post(path, content=msgspec.json.encode(told))

    def hello(self, name: str = "", stream: str = _STREAM, identity: str = "cluster:one") -> httpx2.Response:
        """Say who this is."""
        told = {"cluster": name, "identity": identity, "stream": stream, "version": "1"}
        return self.post("/api/v1/agent/hello", told)

    def put(self, number: int | str, content: bytes, stream: str = _STREAM, **headers: str) -> httpx2.Response:
        """Send a message of a stream."""
        sent = {"Content-Type": MEDIA, "Content-Encoding": "gzip", **headers}
        return self.client.put(f"/api/v1/agent/streams/{stream}/{number}", content=content, headers=sent)


def _join(plane: Plane, name: str = "one", secret: str = "", identity: str = "") -> tuple[httpx2.Response, str]:
    token = name.encode().hex().ljust(40, "0")
    ask = {"name": name, "identity": identity or f"cluster:{name}", "token": token}
    return Caller(plane, secret or plane.invite()).post("/api/v1/agent/join", ask), token


@pytest.fixture
def caller(plane: Plane) -> Caller:
    """An agent of the cluster `one` that has begun a stream and taught its rules."""
    answer, token = _join(plane)
    assert answer.status_code == 201
    made = Caller(plane, token)
    assert made.hello().status_code == 200
    digest = digest_of(_RULES)
    sent = {"Content-Type": MEDIA, "Content-Encoding": "gzip"}
    assert made.client.put(f"/api/v1/agent/rules/{digest}", content=pack(_RULES), headers=sent).status_code == 204
    return made


def _told(*names: str, at: Any = START) -> bytes:
    batch = Batch("", "", 1, at, _RULES, tuple(observed(pod(name), _RULES, "fp") for name in names))
    return pack(pack_batch(batch, b"key").messages[0])


def _count(plane: Plane) -> int:
    with plane.store.reading() as connection:
        return int(connection.execute(text("SELECT count(*) FROM resource")).scalar_one())


def test_a_join_token_works_once_and_a_lost_answer_can_be_asked_for_again(plane: Plane) -> None:
    secret = plane.invite()
    first, _ = _join(plane, "one", secret)
    again, _ = _join(plane, "one", secret)
    other, _ = _join(plane, "two", secret)
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 401)
    assert first.json()["rejoined"] is False
    with plane.store.reading() as connection:
        acts = connection.execute(select(audit.c.action).order_by(audit.c.id)).scalars().all()
    assert acts == ["join-token.make", "cluster.join"]


@pytest.mark.parametrize(
    ("name", "identity", "invited", "reason"),
    [
        pytest.param("one", "cluster:other", "", "taken", id="a name that another cluster has"),
        pytest.param("uno", "cluster:one", "", "known", id="a cluster that is a member under another name"),
        pytest.param("Not a name", "cluster:x", "", "name", id="no name"),
        pytest.param("three", "cluster:x", "four", "name", id="a name the token is not for"),
    ],
)
def test_who_may_not_join_is_told_why(plane: Plane, name: str, identity: str, invited: str, reason: str) -> None:
    _join(plane)
    answer, _ = _join(plane, name, plane.invite(invited), identity)
    assert answer.status_code == 403
    assert answer.json()["reason"] == reason


def test_a_join_token_ends_and_can_be_withdrawn(plane: Plane, clock: Clock) -> None:
    old, withdrawn = plane.invite(), plane.invite()
    with plane.store.writing() as connection:
        found = joining.invitations(connection, clock())
        assert len(found) == 2
        assert joining.withdraw(connection, "tests", found[0].number, clock())
    assert _join(plane, "one", withdrawn)[0].status_code == 401
    clock.now += timedelta(days=2)
    assert _join(plane, "one", old)[0].status_code == 401


def test_wrong_tokens_open_nothing(plane: Plane, caller: Caller) -> None:
    """Those of nobody, of people, join tokens, and an agent's at the doors of people."""
    persons = entering.first_link(plane.site).partition("=")[2]
    for token in ("", "nothing", persons, plane.invite()):
        other = Caller(plane, token)
        for answer in (
            other.hello(),
            other.put(1, _told("web")),
            other.client.get("/api/v1/agent/waivers"),
            other.post("/api/v1/agent/heartbeats", {}),
            other.post("/api/v1/agent/token", {"token": "x" * 40}),
        ):
            assert answer.status_code == 401, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
    assert caller.post("/api/v1/join-tokens", {}).status_code == 401
    assert caller.client.get("/", follow_redirects=False).headers["location"] == "/sign-in"
    assert _count(plane) == 0


def test_a_token_speaks_for_its_own_cluster_alone(plane: Plane, caller: Caller) -> None:
    _, token = _join(plane, "two")
    other = Caller(plane, token)
    assert other.hello("one", identity="cluster:two").status_code == 403
    assert other.hello("two", identity="cluster:one").status_code == 403
    assert other.put(1, _told("web")).json()["status"] == "superseded"  # that stream is another's
    assert caller.hello("one").status_code == 200
    with plane.store.reading() as connection:
        held = dict(connection.execute(select(cluster.c.name, cluster.c.objects)).all())
    assert held == {"one": 0, "two": 0}


def test_a_cluster_that_left_or_was_revoked_is_not_heard(plane: Plane, caller: Caller, clock: Clock) -> None:
    clusters.leave(plane.store, "one", clock())
    assert caller.put(1, _told("web")).status_code == 401
    assert _join(plane, secret=plane.invite("one"))[0].json()["rejoined"] is True
    assert caller.put(1, _told("web")).json()["status"] == "kept"
    plane.store.write(lambda connection: joining.revoke(connection, "tests", "one", clock()))
    assert caller.put(2, _told("db")).status_code == 401
    again, _ = _join(plane, secret=plane.invite("one"))
    assert (again.status_code, again.json()["reason"]) == (403, "token")  # it needs a new one


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param(b"", 400, id="nothing"),
        pytest.param(b"\x1f\x8b", 400, id="the beginning of a gzip"),
        pytest.param(packed(b"{}")[:-1], 400, id="all but the end of a gzip"),
        pytest.param(packed(b"{}") + b"more", 400, id="more than a gzip"),
        pytest.param(packed(b"{}"), 400, id="no kind"),
        pytest.param(packed(b'{"type":"told","at":"2026-01-01T00:00:00","rules":""}'), 400, id="a time of no zone"),
        pytest.param(packed(b"[" * 100_000), 400, id="brackets without end"),
        pytest.param(
            packed(b'{"type":"told","at":"2026-01-01T00:00:00Z","rules":"' + b"0" * 32 + b'"}'), 428, id="unknown rules"
        ),
        pytest.param(packed(_ZEROS * 17), 413, id="a bomb"),
        pytest.param(os.urandom(PACKED_BYTES + 1), 413, id="too many bytes"),
    ],
)
def test_what_is_malformed_is_refused(plane: Plane, caller: Caller, content: bytes, status: int) -> None:
    try:
        answer = caller.put(1, content)
    except httpx2.WriteError:  # the plane stopped reading, as it should
        assert status == 413
    else:
        assert answer.status_code == status, answer.text
    assert caller.put(1, _told("web")).json() == {"status": "kept", "sequence": 1}
    assert _count(plane) == 1


def test_a_bomb_of_bombs_costs_no_more_than_the_limit() -> None:
    import tracemalloc

    from bartizan.app.reporting.wire import TooLargeError, unpacked

    bomb = zlib.compress(_ZEROS * 1000, 9, 31)
    tracemalloc.start()
    with pytest.raises(TooLargeError):
        unpacked(bomb, "gzip")
    assert tracemalloc.get_traced_memory()[1] < 3 * RAW_BYTES
    tracemalloc.stop()


_DEEP = b'{"kind":"Pod","metadata":{"name":"x"},"a":' + b'{"a":' * 300 + b"1" + b"}" * 301
OBJECTS = [
    pytest.param(b"[]", id="a list"),
    pytest.param(b"1", id="a number"),
    pytest.param(b"{}", id="nothing in it"),
    pytest.param(_DEEP, id="nested deeper than any"),
    pytest.param(b'{"kind":"Pod","metadata":{"name":"' + b"x" * 2000 + b'"}}', id="a name without end"),
]


@pytest.mark.parametrize("content", OBJECTS)
def test_an_object_that_is_none_is_refused(plane: Plane, caller: Caller, content: bytes) -> None:
    told = b'{"type":"told","at":"2026-01-01T00:00:00Z","rules":"%s","observed":[{"body":%s,"verdicts":"AQE="}]}'
    answer = caller.put(1, packed(told % (digest_of(_RULES).encode(), content)))
    assert answer.status_code == 400
    assert _count(plane) == 0


def test_names_of_html_sql_and_nothing_are_kept_as_they_are(plane: Plane, caller: Caller) -> None:
    names = ["<script>alert(1)</script>", "'; DROP TABLE resource; --", "nul\0in", "\u202egnp.exe", "\U0001f600"]
    assert caller.put(1, _told(*names)).json()["status"] == "kept"
    with plane.store.reading() as connection:
        found = set(connection.execute(text("SELECT name FROM resource")).scalars())
    assert found == {name.replace("\0", "\ufffd") for name in names}


def test_numbers_out_of_order_and_told_twice_count_once(plane: Plane, caller: Caller) -> None:
    told = []
    for number in (2, 1, 1, 3, 2, 2, 0, 9, 3):
        answer = caller.put(number, _told(f"p{number}"))
        told.append((number, answer.status_code, answer.json()["status"], answer.json().get("sequence", 0)))
    assert told == [
        (2, 409, "gap", 0),
        (1, 200, "kept", 1),
        (1, 200, "repeated", 1),
        (3, 409, "gap", 1),
        (2, 200, "kept", 2),
        (2, 200, "repeated", 2),
        (0, 200, "repeated", 2),
        (9, 409, "gap", 2),
        (3, 200, "kept", 3),
    ]
    assert _count(plane) == 3
    assert_counts_hold(plane.store)


def test_what_a_report_changed_is_told_once(plane: Plane, caller: Caller) -> None:
    heard = []
    plane.site.rooms["moved"] = lambda cluster, moves: heard.append((cluster, moves.opened, moves.came))
    for _ in range(2):
        caller.put(1, _told("web", "db"))
    assert heard == [("one", 2, 2)]


def test_another_stream_ends_the_one_before(plane: Plane, caller: Caller) -> None:
    assert caller.put(1, _told("web")).json()["status"] == "kept"
    assert caller.hello(stream="1" * 32).json()["sequence"] == 0
    assert caller.put(2, _told("db")).json()["status"] == "superseded"
    assert caller.put(1, _told("db"), stream="1" * 32).json()["status"] == "kept"
    assert caller.hello().json()["sequence"] == 0
    assert _count(plane) == 2


def test_a_clock_that_is_ahead_says_nothing_of_the_future(plane: Plane, caller: Caller, clock: Clock) -> None:
    caller.put(1, _told("web", at=START + timedelta(days=400)))
    with plane.store.reading() as connection:
        assert connection.execute(select(cluster.c.last_seen)).scalar_one() == clock()


def test_a_message_of_another_version_is_kept_by_its_sender(caller: Caller) -> None:
    answer = caller.put(1, _told("web"), **{"Content-Type": "application/vnd.bartizan.report.v2+json"})
    assert answer.status_code == 415
    assert MEDIA in answer.json()["detail"]


def test_a_plane_that_has_its_hands_full_asks_to_come_again(plane: Plane, caller: Caller) -> None:
    turns = plane.site.rooms.setdefault("report turns", threading.BoundedSemaphore(4))
    held = 0
    while turns.acquire(blocking=False):
        held += 1
    answer = caller.put(1, _told("web"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    turns.release(held)
    assert caller.put(1, _told("web")).json()["status"] == "kept"


def test_a_database_that_is_away_is_said_and_waited_for(
    request: pytest.FixtureRequest, plane: Plane, caller: Caller
) -> None:
    """Its server ends all connections, and takes none for a while."""
    if plane.store.dialect == "postgresql":
        server: Server = request.getfixturevalue("server")
        name = plane.store.engine.url.database
        server.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608  ours
        answer = caller.put(1, _told("web"))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        server.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert caller.put(1, _told("web")).json()["status"] == "kept"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_FIELDS = st.sampled_from(
    ["type", "at", "rules", "observed", "gone", "seen", "in_check", "name", "identity", "token", "cluster", "stream",
     "version", "lease_s", "interval_s", "problems", "lag_s", "complete", "objects", "body", "verdicts", "started_at",
     "policy_digest", "evaluator", "ended_at", "hours"]
)  # fmt: skip
_VALUES = _JSON | st.sampled_from(
    [
        "told",
        "begin",
        "end",
        "2026-01-01T00:00:00Z",
        digest_of(_RULES),
        _STREAM,
        60,
        "nul\0",
        True,
        [["", "v1", "Pod", "", "x"]],
    ]
)
_PATHS = st.sampled_from(
    ["/agent/join", "/agent/hello", "/agent/heartbeats", "/agent/token", f"/agent/streams/{_STREAM}/1",
     f"/agent/rules/{_STREAM}", "/agent/streams/%00/1", f"/agent/streams/{_STREAM}/99999999999999999999999"]
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=_PATHS, told=st.dictionaries(_FIELDS, _VALUES, max_size=9) | _JSON)
def test_nothing_that_is_sent_is_a_server_error(caller: Caller, path: str, told: Any) -> None:
    method = "PUT" if "/streams/" in path or "/rules/" in path else "POST"
    content = msgspec.json.encode(told)
    answer = caller.client.request(method, f"/api/v1{path}", content=content, headers={"Content-Type": MEDIA})
    assert answer.status_code < 500, answer.text


def test_a_person_lets_clusters_in_where_they_may(plane: Plane, clock: Clock) -> None:
    from bartizan.stores import people
    from bartizan.stores.scope import Grant

    def token_of(role: str, grant: Grant) -> Caller:
        secret = os.urandom(20).hex()

        def work(connection: Any) -> None:
            number = people.add_account(connection, secret[:6], clock())
            people.give_role(connection, role, grant, number)
            people.add_token(connection, secret, clock(), name="t", account=number, scopes=["read", "operate"])

        plane.store.write(work)
        return Caller(plane, secret)

    fleet, mine, reader = (
        token_of("operator", Grant()),
        token_of("operator", Grant(("one",))),
        token_of("viewer", Grant()),
    )
    team = token_of("operator", Grant(("one",), teams=("payments",)))
    assert fleet.post("/api/v1/join-tokens", {}).status_code == 201
    assert mine.post("/api/v1/join-tokens", {}).status_code == 403
    made = mine.post("/api/v1/join-tokens", {"name": "one", "hours": 1})
    assert made.status_code == 201
    assert reader.post("/api/v1/join-tokens", {"name": "one"}).status_code == 403
    assert team.post("/api/v1/join-tokens", {"name": "one"}).status_code == 403
    assert fleet.post("/api/v1/join-tokens", {"hours": 1e300}).status_code == 400
    assert _join(plane, "one", made.json()["token"])[0].status_code == 201
    handed = Caller(plane, mine.post("/api/v1/clusters/one/agent-tokens", {}).json()["token"])
    assert handed.hello().status_code == 200
    assert mine.client.delete("/api/v1/clusters/one/agent-tokens").json() == {
        "revoked": 1
    }  # the first ended at the hello
    assert handed.hello().status_code == 401
