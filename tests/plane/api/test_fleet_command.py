"""`bartizan fleet` against a plane that serves: what people type, what they get, and what is kept of it."""

from __future__ import annotations

import json
import stat
import threading
import time
from io import StringIO
from typing import TYPE_CHECKING

import pytest
import uvicorn
from tests.plane.api.test_reading import HOSTILE
from tests.stores.fleet import World, observed, pod, rules

from bartizan.app.fleet_login import checked_url, find_login
from bartizan.base.errors import SpecError
from bartizan.cli.main import main
from bartizan.plane.application import application
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.plane.api.conftest import Program

    from bartizan.plane.site import Site

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def served(site: Site, world: World) -> Iterator[str]:
    """The URL of a plane that serves the fleet."""
    del world
    server = uvicorn.Server(uvicorn.Config(application(site), port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def typed(
    served: str,
    program: Callable[..., Program],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Callable[..., tuple[int, str, str]]:
    """Type a command as somebody. Returns its exit code, and what it wrote on both streams."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("BARTIZAN_URL", served)
    monkeypatch.chdir(tmp_path)

    def type_(*words: str, as_: Program | None = None) -> tuple[int, str, str]:
        monkeypatch.setenv("BARTIZAN_TOKEN", (as_ or program()).token)
        with pytest.raises(SystemExit) as ended:
            main(["fleet", *words])
        out, err = capfdbinary.readouterr()
        return int(ended.value.code or 0), out.decode(), err.decode()

    return type_


def test_a_login_is_kept_for_oneself(
    typed: Callable[..., tuple[int, str, str]],
    served: str,
    program: Callable[..., Program],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    token = program(name="ann").token
    monkeypatch.setattr("sys.stdin", StringIO(f"{token}\n"))
    code, out, err = typed("login", served, "--token-stdin")
    assert (code, out) == (0, "")
    assert token not in err
    file = tmp_path / "config" / "bartizan" / "fleet.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    home = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert find_login(home).token == token
    with pytest.raises(SpecError, match="no token is known"):
        find_login({**home, "BARTIZAN_URL": "https://other.example"})
    monkeypatch.setattr("sys.stdin", StringIO("wrong\n"))
    code, _, err = typed("login", served, "--token-stdin")
    assert code == 3
    assert "nobody is signed in" in err
    assert find_login(home).token == token


def test_a_token_is_sent_to_no_such_place(url: str) -> None:
    del url  # of the store
    for place in ("http://plane.example", "plane", "ftp://x", "https://", "https://a:b@c", "http://[x"):
        with pytest.raises(SpecError):
            checked_url(place)


def test_what_is_read_is_what_the_plane_says(
    typed: Callable[..., tuple[int, str, str]], program: Callable[..., Program], tmp_path: Path
) -> None:
    asking = program()
    code, out, _ = typed("status")
    assert code == 0
    assert asking.get("/scores")["items"][0]["score"]["pass_rate"]["percent"] in out
    assert json.loads(typed("clusters", "-o", "json")[1]) == asking.get("/clusters")["items"]
    lines = typed("findings", "--cluster", "one", "--severity", "critical")[1].splitlines()
    assert lines[0].split() == ["SEVERITY", "CLUSTER", "NAMESPACE", "OBJECT", "RULE", "MESSAGE"]
    assert len(lines) == 1 + len(asking.get("/findings", cluster="one", severity="critical")["items"])
    assert len(typed("findings", "--limit", "2")[1].splitlines()) == 3
    for form in ("csv", "sarif", "ndjson"):
        sent = asking.send("GET", f"/export/findings?format={form}&namespace=shop").content.decode()
        assert typed("findings", "--namespace", "shop", "-o", form)[1] == sent
        assert typed("export", "findings", "--namespace", "shop", "-f", form, "--out", "x")[0] == 0
        assert (tmp_path / "x").read_bytes().decode() == sent
    assert typed("findings", "--namespace", "-", "-o", "ndjson")[1] == ""
    assert json.loads(typed("score", "--of", "team", "-o", "json")[1]) == asking.get("/scores", of="team")["items"]
    assert "payments" in typed("score", "--of", "team")[1]
    assert "+0.00" in typed("why", "--since", "2026-03-01", "--until", "2026-03-03")[1]
    assert "web" in typed("search", "web")[1]


def test_an_export_of_scores_is_worked_out_again(typed: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    assert typed("export", "scores", "--since", "2026-03-01", "--out", "scores.json")[0] == 0
    kept = (tmp_path / "scores.json").read_text()
    assert typed("score", "--recompute", "scores.json") == (0, kept, "")
    (tmp_path / "scores.json").write_text(kept.replace('"percent": "', '"percent": "9', 1))
    code, out, err = typed("score", "--recompute", "scores.json")
    assert (code, out) == (1, kept)
    assert "not what follows" in err


def test_decisions_are_made_by_two(typed: Callable[..., tuple[int, str, str]], program: Callable[..., Program]) -> None:
    ann, bob = program("viewer", name="ann"), program("approver", name="bob")
    asked = (
        "waivers",
        "ask",
        "--cluster",
        "one",
        "--rule",
        "roots",
        "--reason",
        "a node agent",
        "--until",
        "2026-06-30",
    )
    assert typed(*asked, as_=ann)[0] == 0
    number = str(ann.get("/waivers")["items"][0]["number"])
    assert typed("waivers", "approve", number, as_=ann)[0] == 3
    assert typed("waivers", "approve", number, "--comment", "well", as_=bob)[0] == 0
    assert typed("waivers", "refuse", number, as_=bob)[0] == 2
    assert "roots" in typed("waivers", "list", as_=ann)[1]
    assert typed("waivers", "end", number, as_=ann)[0] == 0
    assert typed("waivers", "list", as_=ann)[1].splitlines()[1:] == []
    control = next(one for one in bob.get("/frameworks/kubernetes-checklist")["controls"] if one["manual"])
    words = ("--statement", "so", "--evidence", "there", "--until", "2026-06-30")
    assert typed("attest", "kubernetes-checklist", control["id"], *words, as_=bob)[0] == 0
    assert len(bob.get("/attestations")["items"]) == 1
    assert typed("join", "three", "--label", "env=prod")[0] == 0
    assert typed("leave", "three")[0] == 0


def test_what_is_wrong_is_said(typed: Callable[..., tuple[int, str, str]], program: Callable[..., Program]) -> None:
    for words, code, said in (
        (("findings", "--cluster", "nope"), 2, "there is no cluster `nope` here"),
        (("export", "findings", "-f", "junit"), 2, "Name the `cluster`."),
        (("why", "--since", "soon"), 2, "is no day"),
        (("join", "a b"), 2, "is not what it must be"),
        (("export", "findings", "--since", "7d"), 2, "findings are of now"),
        (("score", "--recompute", "nope.json"), 2, "cannot be read"),
    ):
        ended, _, err = typed(*words)
        assert (ended, said in err) == (code, True), err
    part = program("viewer", Grant(teams=("data",)))
    code, _, err = typed("leave", "one", as_=part)
    assert (code, "may not operate" in err) == (3, True)


def test_a_plane_that_is_away_is_said_so(
    typed: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bartizan.app.fleet_client._PAUSE_S", 0.01)
    monkeypatch.setenv("BARTIZAN_URL", "http://127.0.0.1:1")
    code, _, err = typed("status")
    assert (code, "does not answer" in err) == (3, True)


def test_a_terminal_is_not_repainted_by_names(typed: Callable[..., tuple[int, str, str]], world: World) -> None:
    asked = rules("roots:critical")
    for name in HOSTILE:
        world.keep(asked, observed(pod(name, name), asked, "f", name, message=name), cluster="one", hours=31)
    for words in (("findings", "--limit", "100"), ("score", "--of", "team"), ("search", "is")):
        out = typed(*words)[1]
        assert not any(char in out for char in "\x1b\x07\u202e")
        assert out.count("\n") == len(out.split("\n")) - 1
