"""What a fix did, told: patches that other programs take, and for people what was mended, what is left and why."""

from __future__ import annotations

import codecs
import os
from collections import Counter
from difflib import unified_diff
from typing import TYPE_CHECKING, Final, TextIO

from bartizan.model.report import exit_code_of, problem_of
from bartizan.outputs.problems import problem_text
from bartizan.outputs.terminal_ink import COLOR, PLAIN, paragraph
from bartizan.outputs.text import one_line, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from bartizan.base.errors import BartizanError
    from bartizan.model.report import Problem
    from bartizan.model.resource import ResourceId

_WIDTH: Final = 110
_NO_END: Final = "\\ No newline at end of file"
_CODES: Final = {"-": COLOR.error, "+": COLOR.good, "@": COLOR.place}


def patch(name: str, before: bytes, after: bytes) -> Iterator[str]:
    """A unified difference, a line at a time and without line ends, as `patch -p1` and `git apply` take it."""
    place = os.path.relpath(name)
    place = name.lstrip("/") if place.startswith("..") else place
    old, new = (_lines(side) for side in (before, after))
    for line in unified_diff(old, new, fromfile=f"a/{place}", tofile=f"b/{place}"):
        yield line.removesuffix("\n")
        if not line.endswith("\n"):
            yield _NO_END


def _lines(data: bytes) -> list[str]:
    """Lines with their ends, which are line feeds only: a carriage return is part of its line."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    lines = data.decode("utf-16" if wide else "utf-8", errors="backslashreplace").split("\n")
    return [f"{line}\n" for line in lines[:-1]] + [line for line in lines[-1:] if line]


class Narrator:
    """Writes patches to one stream and words to another, and counts what is said at the end."""

    def __init__(self, out: TextIO, words: TextIO, *, color: bool) -> None:
        self._out = out
        self._words = words
        self._color = color
        self._ink = COLOR if color and words.isatty() else PLAIN
        self._files = 0
        self._fixed = 0
        self._left: Counter[str] = Counter()
        self._problems: list[Problem] = []

    def diff(self, name: str, before: bytes, after: bytes) -> None:
        """Write the patch of one file."""
        for number, line in enumerate(patch(name, before, after)):
            if not self._color:
                self._out.write(f"{line}\n")
                continue
            code = COLOR.bold if number < 2 else _CODES.get(line[:1], "")
            self._out.write(f"{code}{printable(line.rstrip(chr(13)))}{COLOR.off if code else ''}\n")
        self._out.flush()

    def file(
        self,
        name: str,
        fixed: Sequence[tuple[str, ResourceId]],
        left: Sequence[tuple[str, ResourceId, str]],
        problems: Iterable[Problem],
        *,
        quiet: bool,
    ) -> None:
        """Say what became of one file."""
        self._files += bool(fixed)
        self._fixed += len(fixed)
        self._left.update(because for _, _, because in left)
        for problem in problems:
            self._problem(problem)
        if quiet or not (fixed or left):
            return
        ink = self._ink
        said = [f"{len(fixed)} fixed" if fixed else "", f"{len(left)} left" if left else ""]
        self._words.write(f"{ink.bold}{printable(name)}{ink.off}: {', '.join(filter(None, said))}\n")
        width = max((len(rule) for rule, _ in fixed), default=0)
        for rule, resource in fixed:
            self._words.write(f"  {ink.good}fixed{ink.off}  {printable(rule):{width}}  {printable(str(resource))}\n")
        groups: dict[str, Counter[str]] = {}
        for rule, _, because in left:
            groups.setdefault(because, Counter())[rule] += 1
        for because, rules in groups.items():
            named = ", ".join(f"{rule} ({count})" if count > 1 else rule for rule, count in rules.items())
            lead = f"{ink.dim}left{ink.off}   {one_line(because)}: "
            self._words.writelines(f"{line}\n" for line in paragraph(lead, printable(named), _WIDTH, "  "))

    def unwritten(self, error: BartizanError) -> None:
        """Say that a file could not be written."""
        self._problem(problem_of(error))

    def end(self, problems: Iterable[Problem], untouched: Iterable[tuple[Path, str]], *, written: bool) -> int:
        """Say what it comes to; the exit code that problems ask for, or 0."""
        for problem in problems:
            self._problem(problem)
        for path, because in untouched:
            self._words.write(f"{printable(str(path))}: not edited, {because}\n")
        verb = "fixed" if written else "would be fixed"
        self._words.write(f"{plural(self._fixed, 'finding')} {verb} in {plural(self._files, 'file')}")
        left = sum(self._left.values())
        self._words.write(f", {left} left\n" if left else "\n")
        for because, count in self._left.most_common():
            self._words.write(f"  {count:4}  {one_line(because)}\n")
        return exit_code_of(self._problems)

    def _problem(self, problem: Problem) -> None:
        self._problems.append(problem)
        self._words.write(f"{problem_text(problem, self._ink)}\n")
