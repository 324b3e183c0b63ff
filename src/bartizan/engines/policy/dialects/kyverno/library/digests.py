"""`hash`: digests of texts, in hexadecimal; for names and comparisons, none keeps a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.lang.cel import Overload
from bartizan.lang.cel.types import STRING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _digest(algorithm: str) -> Callable[[str], str]:
    def call(text: str) -> str:
        import hashlib  # brings OpenSSL, and few policies digest anything

        return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()

    return call


_NAMES: Final = {name: (Overload((STRING,), STRING, _digest(name)),) for name in ("md5", "sha1", "sha256")}

FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    **_NAMES,
    **{f"hash.{name}": overloads for name, overloads in _NAMES.items()},
}
