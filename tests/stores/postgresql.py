"""A real PostgreSQL for tests: in a temporary folder, behind a socket in it, gone with the process that asked.

It refuses to run as root, as the server itself does: a test as root starts
it as the user that Debian's package makes, or as nobody.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.conformance import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

HOW_TO_GET_IT = "PostgreSQL is not installed: run `make deps`, or install Debian's package `postgresql`"
_OPTIONS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=60 -c shared_buffers=256MB"


class Server(NamedTuple):
    """A running server. `socket` is the folder it listens in."""

    programs: Path
    folder: Path
    socket: Path
    user: str

    def url(self, database: str) -> str:
        """Where a database of it is."""
        return f"postgresql://{self.user}@/{database}?host={self.socket}"

    def sql(self, statement: str, database: str = "postgres") -> None:
        """Run one statement, by the server's own client."""
        _run(self, "psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", "-h", str(self.socket), "-d", database, "-c", statement)

    def start(self, options: str = _OPTIONS) -> None:
        """Start it, and wait until it answers."""
        log = str(self.folder / "log")
        _run(
            self,
            "pg_ctl",
            "start",
            "-w",
            "-D",
            str(self.folder / "data"),
            "-l",
            log,
            "-o",
            f"{options} -k {self.socket}",
        )

    def stop(self) -> None:
        """Stop it at once: nothing of it is wanted."""
        _run(self, "pg_ctl", "stop", "-m", "immediate", "-D", str(self.folder / "data"))

    def remove(self) -> None:
        """Stop it and take its folder away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def programs() -> Path | None:
    """The folder of the server's programs, the newest where there are several; nothing where it is not installed."""
    found = [Path(path).resolve().parent for path in [shutil.which("initdb"), shutil.which("pg_ctl")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "psql").exists()), None)


@contextmanager
def running() -> Iterator[Server]:
    """A server for as long as the block runs; where PostgreSQL is not installed, the test is skipped or fails."""
    if programs() is None:
        missing(HOW_TO_GET_IT)
    server = start()
    try:
        yield server
    finally:
        server.remove()


def start(options: str = _OPTIONS) -> Server:
    """Make a server and start it.

    The folder is of its own, not pytest's: the path of a socket has at most
    107 characters, and pytest's folders are closed to other users.
    """
    where = programs()
    assert where is not None, HOW_TO_GET_IT
    folder = Path(tempfile.mkdtemp(prefix="bartizan-postgresql-"))
    server = Server(where, folder, folder, _user())
    if os.geteuid() == 0:
        shutil.chown(folder, server.user)
    _run(
        server, "initdb", "-A", "trust", "-U", server.user, "-E", "UTF8", "--locale=C.UTF-8", "-D", str(folder / "data")
    )
    server.start(options)
    return server


def _user() -> str:
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _run(server: Server, program: str, *arguments: str) -> None:
    command = [str(server.programs / program), *arguments]
    if program == "psql":
        command[1:1] = ["-U", server.user]
    user = server.user if os.geteuid() == 0 else None
    # to a file and not to a pipe: the server that pg_ctl leaves behind would keep a pipe open
    with (server.folder / "talk").open("wb") as talk:
        result = subprocess.run(
            command,
            check=False,
            stdout=talk,
            stderr=talk,
            user=user,
            extra_groups=[] if user else None,
            cwd=server.folder,
        )
    if result.returncode:
        raise RuntimeError(f"{program} failed: {(server.folder / 'talk').read_text(errors='replace')[-2000:]}")
