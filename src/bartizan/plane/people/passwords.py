"""Passwords of local accounts: kept as what scrypt makes of them, which is slow on purpose.

scrypt with N = 2^15, r = 8, p = 3 takes 32 MiB and about a quarter of a
second; OWASP's password storage cheat sheet names it among equals. Two at a
time, so that guessing fills neither the memory nor both cores of a process.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from base64 import b64decode, b64encode
from threading import BoundedSemaphore
from typing import Final

from bartizan.base.errors import SpecError

SHORTEST: Final = 12
LONGEST: Final = 200
_COST: Final = (15, 8, 3)
"""Logarithm of N, r and p."""
_AT_A_TIME: Final = BoundedSemaphore(2)
_SALT_BYTES: Final = 16


def hashed(password: str) -> str:
    """What is kept of a password; the cost stands in it, so that a later release can raise it."""
    salt = secrets.token_bytes(_SALT_BYTES)
    cost = "$".join(map(str, _COST))
    return f"scrypt${cost}${b64encode(salt).decode()}${b64encode(_derived(password, salt, _COST)).decode()}"


def fits(password: str, kept: str) -> bool:
    """Whether a password is the one that was kept. Where none is kept it is no, after the same time."""
    known = kept or _NOBODYS
    _, *cost, salt, digest = known.split("$")
    numbers = (int(cost[0]), int(cost[1]), int(cost[2]))
    same = hmac.compare_digest(_derived(password[:LONGEST], b64decode(salt), numbers), b64decode(digest))
    return same and bool(kept)


def is_of_old(kept: str) -> bool:
    """Whether a hash was made at another cost than today's."""
    return not kept.startswith("scrypt${}${}${}$".format(*_COST))


def check(password: str, name: str) -> None:
    """Refuse a password that is too easily guessed.

    Raises:
        SpecError: it is too short, too long, the name itself or little but one character.
    """
    if len(password) < SHORTEST:
        raise SpecError(f"a password has at least {SHORTEST} characters", hint="Take a few words that do not belong.")
    if len(password) > LONGEST:
        raise SpecError(f"a password has at most {LONGEST} characters", hint="Take a shorter one.")
    plain = password.casefold()
    if len(set(plain)) < 5 or plain.replace(name.casefold(), "") in ("", "bartizan") or plain in _COMMON:
        raise SpecError("this password is too easily guessed", hint="Take a few words that do not belong.")


def _derived(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = 1 << cost[0], cost[1], cost[2]
    words = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")  # as NIST SP 800-63B asks
    with _AT_A_TIME:
        return hashlib.scrypt(words, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=32)


_COMMON: Final = frozenset(
    {"administrator", "correcthorsebatterystaple", "password1234", "passwordpassword", "qwertyuiop123", "123456789012"}
)
_NOBODYS: Final = "scrypt$15$8$3$" + "$".join(b64encode(bytes(size)).decode() for size in (_SALT_BYTES, 32))
"""For names that nobody has: as slow as a real one, and fits nothing."""
