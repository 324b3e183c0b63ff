"""Revisions of real repositories, some of whom are not friendly."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from bartizan.base.errors import SourceError, SpecError
from bartizan.sources.git import check_out, remote_revision, shown

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a branch, a tag and two commits."""
    folder = tmp_path / "repository"
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "main")
    (folder / "web.yaml").write_text("first\n")
    _commit(folder)
    _git(folder, "tag", "-a", "v1", "-m", "the first")
    (folder / "web.yaml").write_text("second\n")
    _commit(folder)
    return folder


def _git(folder: Path, *words: str) -> str:
    person = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    done = subprocess.run(["git", "-C", folder, *person, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _commit(folder: Path) -> str:
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", "a change")
    return _git(folder, "rev-parse", "HEAD")


def test_a_branch_a_tag_and_a_commit_are_checked_out(repository: Path, tmp_path: Path) -> None:
    first, second = _git(repository, "rev-parse", "v1^{}"), _git(repository, "rev-parse", "HEAD")
    _git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    into = tmp_path / "into"
    for ref, commit, text in (("main", second, "second\n"), ("v1", first, "first\n"), ("", second, "second\n")):
        assert check_out(str(repository), ref, into) == commit
        assert (into / "web.yaml").read_text() == text
        assert remote_revision(str(repository), ref) == commit
    assert check_out(str(repository), first, into) == first
    assert remote_revision(str(repository), first) == first


def test_a_checkout_holds_the_revision_and_nothing_else(repository: Path, tmp_path: Path) -> None:
    into = tmp_path / "into"
    check_out(str(repository), "main", into)
    (into / "web.yaml").write_text("changed here")
    (into / "left.yaml").write_text("left here")
    (repository / "web.yaml").rename(repository / "shop.yaml")
    _commit(repository)
    check_out(str(repository), "main", into)
    assert sorted(path.name for path in into.iterdir()) == [".git", "shop.yaml"]


def test_a_link_out_of_the_checkout_is_none(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("of this machine")
    (repository / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    _commit(repository)
    check_out(str(repository), "main", tmp_path / "into")
    link = tmp_path / "into" / "link.yaml"
    assert not link.is_symlink()
    assert "of this machine" not in link.read_text()


def test_no_hook_runs(repository: Path, tmp_path: Path) -> None:
    into, proof = tmp_path / "into", tmp_path / "proof"
    check_out(str(repository), "main", into)
    hook = into / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {proof}\n")
    hook.chmod(0o755)
    check_out(str(repository), "v1", into)
    assert not proof.exists()


@pytest.mark.parametrize("url", ["", "--upload-pack=touch x", "ext::sh -c touch% x", "-c", "fd::7"])
def test_an_address_that_would_run_a_program_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no address"):
        check_out(url, "main", tmp_path / "into")


@pytest.mark.parametrize("ref", ["--output=x", "a..b", "a b", "a:b", "*", "a^{}"])
def test_a_name_that_is_more_than_one_is_refused(ref: str, repository: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no name of a revision"):
        check_out(str(repository), ref, tmp_path / "into")


def test_what_is_not_there_says_so(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="couldn't find remote ref"):
        check_out(str(repository), "nothing", tmp_path / "into")
    assert remote_revision(str(repository), "nothing") == ""
    with pytest.raises(SourceError, match="refused"):
        check_out(str(tmp_path / "nowhere"), "main", tmp_path / "into")


def test_a_password_in_an_address_is_never_shown(tmp_path: Path) -> None:
    url = "http://ann:hunter2@127.0.0.1:1/x.git"
    with pytest.raises(SourceError) as caught:
        check_out(url, "main", tmp_path / "into")
    assert "hunter2" not in str(caught.value)
    assert shown(url) == "http://127.0.0.1:1/x.git"
