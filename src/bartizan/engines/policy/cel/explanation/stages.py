"""What the expressions of a policy did, in the order in which people read a policy, each with what it came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.base.pointer import split
from bartizan.engines.policy.cel.explanation.roots import Root, Roots
from bartizan.engines.policy.cel.explanation.steps import explained
from bartizan.engines.policy.cel.explanation.watch import every
from bartizan.engines.policy.explanation.draft import Draft, errors_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bartizan.base.json import Json
    from bartizan.engines.policy.cel.explanation.watch import Event
    from bartizan.engines.policy.cel.listening import Written
    from bartizan.engines.policy.explanation.places import Places

_KINDS: Final[Mapping[str, str]] = {
    "matchConditions": "requirement",
    "celPreconditions": "requirement",
    "conditions": "requirement",
    "targetMatchConstraints": "targets",
    "targetMatchConditions": "requirement",
    "matchImageReferences": "images",
    "images": "images",
    "variables": "variable",
    "validations": "validation",
    "expressions": "validation",
    "mutations": "mutation",
    "generate": "generation",
    "auditAnnotations": "annotation",
}
"""What the lists of expressions in a policy are for, in the order in which they are read."""
_ORDER: Final = tuple(_KINDS)
_TRUTHS: Final = ("requirement", "validation")
_NAMES: Final = ("name", "key")


class Place(NamedTuple):
    """Where an expression stands: in which list of the policy, what it is for, and how it is called."""

    section: str
    kind: str
    label: str

    @property
    def rank(self) -> int:
        """Its place in the order of reading."""
        return _ORDER.index(self.section) if self.section in _ORDER else len(_ORDER)


class Ran:
    """What expressions did in one run; `written` are those of the rule, `document` is the policy they stand in."""

    def __init__(self, events: Sequence[Event], written: Iterable[Written], document: Json, places: Places) -> None:
        self._document = document
        self._places = places
        self._written = {item.at: item for item in written if not item.owner}
        self._events = events
        self._variables: dict[str, Any] = {}
        self._roots: dict[int, Roots] = {}
        for event in self._events:
            self._note(event)

    def _note(self, event: Event) -> None:
        """Which names each expression had in reach: of the policy's variables, those that had been worked out."""
        for inner in every([event]):
            here = dict(self._variables)
            names = {name: Root(value) for name, value in inner.roots.items()}
            self._roots[id(inner)] = Roots(self._places, names, here)
            if self.place(inner.at).kind == "variable" and not inner.error:
                self._variables[self._called(inner.at)] = inner.value

    def place(self, at: str) -> Place:
        """Where an expression stands, as people call it."""
        steps = split(at)
        number = next((place for place, step in enumerate(steps) if step in _KINDS), len(steps) - 1)
        section = steps[number]
        field = steps[-1]
        if field == "messageExpression":
            return Place(section, "message", field)
        index = f"[{steps[number + 1]}]" if len(steps) > number + 1 and steps[number + 1].isdecimal() else ""
        name = self._called(at)
        return Place(section, _KINDS.get(section, "expression"), f"{section}{index}{f' {name}' if name else ''}")

    def _called(self, at: str) -> str:
        """The name that an expression has beside it."""
        beside = _found(self._document, split(at)[:-1])
        named = (beside.get(name) for name in _NAMES) if isinstance(beside, dict) else ()
        return next((name for name in named if isinstance(name, str)), "")

    def stages(self) -> list[Draft]:
        """The expressions of the policy, each as often as it ran, and those that never did."""
        drafts: list[tuple[int, Draft]] = []
        ran: set[str] = set()
        for event in self._events:
            if not event.owner and self.place(event.at).kind != "variable":
                ran.add(event.at)
                drafts.append((self.place(event.at).rank, self._draft(event)))
        for at, written in self._written.items():
            place = self.place(at)
            if at not in ran and place.kind not in ("variable", "message"):
                drafts.append((place.rank, self._unreached(written, place)))
        variables = self._variables_stage()
        if variables is not None:
            drafts.append((_ORDER.index("variables"), variables))
        return [draft for _, draft in sorted(drafts, key=lambda item: item[0])]

    def of_exception(self, name: str) -> list[Draft]:
        """The conditions of an exception, as they ran."""
        found: list[Draft] = []
        for event in self._events:
            if event.owner == name:
                draft = Draft("requirement", f"matchConditions[{len(found)}]", _one_line(event.text))
                found.append(explained(event, self._roots[id(event)], draft, event.text, truth=True))
                _forget_places(found[-1])
        return found

    def _draft(self, event: Event) -> Draft:
        place = self.place(event.at)
        draft = Draft(place.kind, place.label, _one_line(event.text), at=event.at)
        return explained(event, self._roots[id(event)], draft, self._origin(event.at), truth=place.kind in _TRUTHS)

    def _unreached(self, written: Written, place: Place) -> Draft:
        return Draft(place.kind, place.label, _one_line(written.text), verdict="unreached", at=written.at)

    def _variables_stage(self) -> Draft | None:
        """The variables that were worked out with what they came to, and those that nothing asked for."""
        first: dict[str, Event] = {}
        for event in every(self._events):
            if not event.owner and self.place(event.at).kind == "variable":
                first.setdefault(event.at, event)
        children = []
        for at, written in self._written.items():
            place = self.place(at)
            if place.kind == "variable":
                draft = self._draft(first[at]) if at in first else self._unreached(written, place)
                draft.label = self._called(at) or place.label
                children.append(draft)
        if not children:
            return None
        broken = errors_in(children)
        return Draft(
            "variables", "variables", children=children, because=broken, verdict="error" if broken else "value"
        )

    def _origin(self, at: str) -> str:
        text = _found(self._document, split(at))
        return text if isinstance(text, str) else ""


def _found(value: Json, steps: Sequence[str]) -> Json:
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _forget_places(draft: Draft) -> None:
    """What stands in another document than the policy has no place in it."""
    draft.at = ""
    for child in draft.children:
        _forget_places(child)
