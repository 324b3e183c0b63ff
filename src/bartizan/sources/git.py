"""A revision of a Git repository, checked out by the `git` program, as shallow as it goes.

Whoever can push to the repository says what is in it: no hook runs, no link
is made that could lead out of the checkout, no submodule is fetched, and
only transports that run no program are spoken.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SourceError, SpecError

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S: Final = 300
"""For one command; a shallow fetch of a large repository over a slow line takes a minute."""
_PROTOCOLS: Final = "file:git:http:https:ssh"
_USER: Final = re.compile(r"(?<=://)[^/@\s]*@")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.symlinks=false",
    "core.fsmonitor=false",
    "submodule.recurse=false",
    "credential.interactive=false",
    "advice.detachedHead=false",
)
_MAX_REASON: Final = 500


def shown(url: str) -> str:
    """An address without the user and password that may be in it."""
    return _USER.sub("", url)


def remote_revision(url: str, ref: str) -> str:
    """The commit that a branch or tag is now; empty where the repository has none of that name.

    Raises:
        SpecError: the address or the name cannot be one.
        SourceError: the repository does not answer.
    """
    _look_at(url, ref)
    if _COMMIT.fullmatch(ref):
        return ref
    said = _git(["ls-remote", "--", url, ref or "HEAD", f"{ref}^{{}}"], url)
    found = {name: commit for commit, _, name in (line.partition("\t") for line in said.splitlines())}
    names = (f"refs/heads/{ref}", f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", ref or "HEAD")
    return next((found[name] for name in names if name in found), "")


def check_out(url: str, ref: str, folder: Path) -> str:
    """Make a folder hold a revision and nothing else. Returns its commit.

    Raises:
        SpecError: the address or the name cannot be one.
        SourceError: the repository does not answer, or has no such revision.
    """
    _look_at(url, ref)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    here = ["-C", str(folder)]
    if not (folder / ".git").is_dir():
        _git([*here, "init", "--quiet"], url)
    _git([*here, "fetch", "--quiet", "--depth=1", "--no-tags", "--force", "--", url, ref or "HEAD"], url)
    _git([*here, "checkout", "--quiet", "--force", "--detach", "FETCH_HEAD"], url)
    _git([*here, "clean", "-ffdxq"], url)
    return _git([*here, "rev-parse", "HEAD"], url).strip()


def _look_at(url: str, ref: str) -> None:
    if not url or url.startswith("-") or "::" in url:
        raise SpecError(f"`{shown(url)}` is no address of a repository", hint="Name a URL or a folder.")
    if ref.startswith("-") or any(char in ref for char in " ~^:?*[\\\n") or ".." in ref:
        raise SpecError(f"`{ref}` is no name of a revision", hint="Name a branch, a tag or a whole commit.")


def _git(arguments: list[str], url: str) -> str:
    """Run git, without a terminal to ask on.

    Raises:
        SourceError: it is not installed, takes too long or refuses.
    """
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    # the user's own settings stay: that is where credentials and proxies are
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": _PROTOCOLS, "LC_ALL": "C"}
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        environment.pop(name, None)
    command = ["git", *settings, *arguments]
    try:
        done = subprocess.run(  # noqa: S603 (no shell, fixed words, and names that were looked at)
            command, capture_output=True, timeout=TIMEOUT_S, check=False, env=environment, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise SourceError("`git` is not installed", hint="Install it, or name a folder.") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"`git` did not finish for `{shown(url)}`", hint="Run it by hand to see why.") from error
    if done.returncode != 0:
        lines = [line.strip() for line in shown(done.stderr.decode(errors="replace")).splitlines() if line.strip()]
        reason = next((line for line in lines if line.startswith("fatal:")), lines[-1] if lines else "no reason given")
        raise SourceError(
            f"`git` refused `{shown(url)}`: {reason[:_MAX_REASON].removeprefix('fatal: ').rstrip('.')}",
            hint="Check the address, the revision and the credentials.",
        )
    return done.stdout.decode(errors="replace")
