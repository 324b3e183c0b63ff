"""Every page that people look at: whoever adds a page adds a line, and all checks hold for it."""

from __future__ import annotations

from typing import Final, NamedTuple


class Shown(NamedTuple):
    """A page. In `path`, `{finding}` and the like are numbers of the seeded world; see `seed.World.places`.

    `picture` names the screenshot of it in the docs, where it has one.
    """

    path: str
    picture: str = ""


PAGES: Final = (Shown("/", "fleet"),)
