"""Where in an expression something is wrong, shown to who typed it."""

from __future__ import annotations

from bartizan.outputs.text import columns, printable


def pointed(text: str, message: str, column: int, hint: str) -> str:
    """A message, the line of the expression it is about with a caret, and what to do."""
    parts = [message]
    if column:
        before = text[: column - 1]
        line = text.split("\n")[before.count("\n")]
        ahead = before.rpartition("\n")[2]
        parts += [f"  {printable(line)}", f"  {' ' * columns(printable(ahead))}^"]
    return "\n".join([*parts, f"  hint: {hint}"] if hint else parts)
