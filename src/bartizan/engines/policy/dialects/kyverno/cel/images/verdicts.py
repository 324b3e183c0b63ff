"""What was found out about images, kept from one request to the next: thousands of pods run the same few.

A verdict follows from the answers it was reached by and from the time. So it
is believed again where the same questions have the same answers, and for a
minute: a certificate that expires does so at most that late. Questions are
asked all the same, which costs nothing where whoever answers remembers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.engines.policy.lookup import LookupFailedError

if TYPE_CHECKING:
    from datetime import datetime

    from bartizan.base.json import Json
    from bartizan.engines.policy.lookup import Lookup, Question, RegistryAccess

_GOOD_FOR: Final = timedelta(minutes=1)
_MAX_KEPT: Final = 1024


class Subject(NamedTuple):
    """What a verdict is about. `attestor` is all that is said of them; `attestation` is empty for a signature."""

    image: str
    access: RegistryAccess
    attestor: str
    attestation: str


class Verdict(NamedTuple):
    """Whether an attestor vouches, why not, and what was attested."""

    vouches: bool
    why: str = ""
    payload: Json = None


@dataclass(slots=True)
class Listener:
    """A lookup that remembers what it was asked, and what the answers were."""

    lookup: Lookup
    heard: list[tuple[Question, Json]] = field(default_factory=list)

    def answer(self, question: Question) -> Json:
        """The answer of the lookup.

        Raises:
            LookupFailedError: as the lookup has it.
        """
        answer = self.lookup.answer(question)
        self.heard.append((question, answer))
        return answer


class _Kept(NamedTuple):
    verdict: Verdict
    heard: tuple[tuple[Question, Json], ...]
    at: datetime


class Verdicts:
    """The verdicts of one policy, the newest of them."""

    def __init__(self) -> None:
        self._kept: dict[Subject, _Kept] = {}

    def recall(self, subject: Subject, lookup: Lookup, now: datetime) -> Verdict | None:
        """The verdict about a subject, where it still follows."""
        kept = self._kept.get(subject)
        if kept is None or not timedelta() <= now - kept.at < _GOOD_FOR:
            return None
        try:
            same = all(_is_same(lookup.answer(question), answer) for question, answer in kept.heard)
        except LookupFailedError:
            return None  # whoever verifies asks again, and says what is wrong
        return kept.verdict if same else None

    def keep(self, subject: Subject, verdict: Verdict, listener: Listener, now: datetime) -> None:
        """Keep a verdict; the oldest makes room."""
        self._kept.pop(subject, None)
        while len(self._kept) >= _MAX_KEPT:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[subject] = _Kept(verdict, tuple(listener.heard), now)


def _is_same(one: Json, other: Json) -> bool:
    return one is other or bool(one == other)
