"""A process that may read our own code and nothing else, with bounds on its time, its memory and all it could write.

Text of a policy never becomes code but through the languages' emitters; this
is the wall behind that wall. The bounds are the kernel's. What is refused
besides is refused where Python asks for it: Python's audit events cannot be
taken back once they are heard.
"""

from __future__ import annotations

import os
import resource
import sys
import sysconfig
from pathlib import Path
from typing import Any, Final

_REFUSED: Final = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "os.kill",
    "os.putenv",
    "os.remove",
    "os.rename",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "os.chown",
    "os.mkdir",
    "os.rmdir",
    "os.mkfifo",
    "ctypes.",
    "shutil.",
    "ftplib.",
    "http.",
    "urllib.",
    "smtplib.",
    "sqlite3.",
    "signal.pthread_kill",
    "mmap.",
)
_READING: Final = ("open", "os.listdir", "os.scandir")
_ZONES: Final = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")
"""Expressions ask for the time in a zone; these are where Python looks for them."""
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def bound(cpu_s: int, memory_bytes: int) -> None:
    """Bound this process: seconds of CPU from now on, memory beyond what it has; no file grows, and no core is left."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + cpu_s, spent + cpu_s + 1))
    size = _size()
    if size:
        resource.setrlimit(resource.RLIMIT_AS, (size + memory_bytes, size + memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def confine() -> None:
    """Refuse files but our own code, the network, and other processes, from now on and for good."""
    allowed = tuple(dict.fromkeys(os.path.realpath(path) + os.sep for path in _own()))

    def listen(event: str, args: tuple[Any, ...]) -> None:
        if event in _READING:
            if not _may_read(args, allowed):
                raise PermissionError(f"a trial may not read `{args[0]!r}`")
        elif event.startswith(_REFUSED):
            raise PermissionError(f"a trial may not do `{event}`")

    sys.addaudithook(listen)


def _own() -> list[str]:
    """Where code is read from, and time zones."""
    installed = [path for name, path in sysconfig.get_paths().items() if name in ("stdlib", "platstdlib", "purelib")]
    return [*installed, *(path for path in sys.path if path), *_ZONES]


def _may_read(args: tuple[Any, ...], allowed: tuple[str, ...]) -> bool:
    path = args[0] if args else None
    if isinstance(path, int):
        return True  # it is open already
    if len(args) > 2 and isinstance(args[2], int) and args[2] & _WRITES:
        return False
    if path is None or not isinstance(path, str | bytes | os.PathLike):
        return False
    return (os.path.realpath(os.fsdecode(path)) + os.sep).startswith(allowed)


def _size() -> int:
    """The virtual memory that this process has; 0 where the system does not say, and does not bound it."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0
