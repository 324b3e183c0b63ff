"""Every regular expression answers hostile text in time that grows as the text does."""

from __future__ import annotations

import pkgutil
import re
import time
from importlib import import_module
from pathlib import Path

import pytest

import bartizan

_LENGTH = 20_000
_MOST_S = 0.4
"""What a linear one takes in a hundredth of, and one that is quadratic takes several times."""
_PIECES = ["1", "0", "a", "(", "{", "{{", "{{a", " ", "a ", "- ", "\n", "a-", "a.", "a/", "-", "\\", '"', "'", "[ "]
_PIECES += [
    "['a',",
    "a,",
    "=,",
    "<",
    "|| ",
    ">1 ",
    "$(",
    "!",
    "& ",
    "(a",
    "a in ",
    "a in (",
    "\t",
    "#",
    "&a ",
    "a_",
    "`",
]
_PIECES += [
    "-----BEGIN CERTIFICATE-----",
    "-----BEGIN ",
    "request.object.",
    "1h",
    "1.",
    "a__",
    "@",
    "a: ",
    "\r\n",
    "0x",
]
_HOSTILE = [piece * (_LENGTH // len(piece)) + end for piece in _PIECES for end in ("", "x", "!")]
_ALEMBICS = "bartizan.stores.migrations.env"
"""Alembic runs this file; it cannot be imported."""
_USES = {"match": ("match",), "fullmatch": ("fullmatch",), "findall": ("findall", "finditer", "search", "sub", "split")}


def _patterns() -> list[object]:
    found = []
    for module in pkgutil.walk_packages(bartizan.__path__, "bartizan."):
        if module.name == _ALEMBICS:
            continue
        loaded = import_module(module.name)
        text = Path(str(loaded.__file__)).read_text()
        for name, value in vars(loaded).items():
            if isinstance(value, re.Pattern) and f"{name}: Final = re.compile" in text.replace("\n", " "):
                uses = [use for use, words in _USES.items() if any(f"{name}.{word}" in text for word in words)]
                found.append(pytest.param(value, uses, id=f"{module.name}.{name}"))
    return found


@pytest.mark.parametrize(("pattern", "uses"), _patterns())
def test_time_grows_as_the_text_does(pattern: re.Pattern[str] | re.Pattern[bytes], uses: list[str]) -> None:
    for text in _HOSTILE:
        given = text.encode() if isinstance(pattern.pattern, bytes) else text
        for use in uses:
            start = time.process_time()
            getattr(pattern, use)(given)
            spent = time.process_time() - start
            assert spent < _MOST_S, f"{use} of {text[:30]!r}… takes {spent:.1f} s"
