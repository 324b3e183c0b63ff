"""The line to the plane: certificates are checked, and tokens go nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.agent.serving import Plane, until
from tests.controlplane import pki
from tests.stores.fleet import observed, pod, rules

from bartizan.agent.link import AwayError, Link, checked_url
from bartizan.base.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.agent.cluster import Agent
    from tests.agent.serving import Clock

    from bartizan.stores.open import Store

_RULES = rules("roots")


def test_a_plane_is_believed_by_its_certificate(
    store: Store, clock: Clock, agents: Callable[..., Agent], tmp_path: Path
) -> None:
    authority = pki.make_authority(tmp_path)
    files = pki.issue(tmp_path, authority, "plane", server=True)
    other = tmp_path / "other"
    other.mkdir()
    plane = Plane(store, clock, ssl_certfile=str(files.certificate), ssl_keyfile=str(files.key))
    plane.start()
    try:
        strict = Link(plane.url, lambda: "x", None)
        wrong = Link(plane.url, lambda: "x", pki.make_authority(other).file)
        for link in (strict, wrong):
            with pytest.raises(AwayError, match="CERTIFICATE_VERIFY_FAILED") as caught:
                link.waivers()
            assert "--ca-file" in caught.value.hint
            link.close()
        agent = agents(plane, ca_file=authority.file)
        agent.join(plane.invite())
        agent.start()
        agent.tell(_RULES, observed(pod("web"), _RULES, "f"))
        until(lambda: agent.is_done)
        agent.stop()
    finally:
        plane.cut()


@pytest.mark.parametrize(
    "url", ["plane.example.com", "ftp://plane", "https://", "https://u:p@plane", "https://plane:x"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SpecError, match="no address"):
        checked_url(url)


def test_a_certificate_authority_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("nothing")
    with pytest.raises(SpecError, match="holds no certificates"):
        Link("https://plane.example.com", lambda: "x", tmp_path / "ca")
