"""Accounts, their roles and those of groups: for who administers the whole fleet.

An administrator of a part could give themselves the rest, so that a part is
not enough here. What one changes of oneself is bounded too: nobody shuts
their own account, nor takes their own last way to administer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from starlette.responses import RedirectResponse

from bartizan.base.errors import SpecError
from bartizan.plane.people.grants import everywhere, grant_of, words_of
from bartizan.plane.people.local import password_link
from bartizan.plane.people.sign_in import EVERYBODY, sign_in_of
from bartizan.plane.recording import recorded
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route, missing
from bartizan.plane.viewer import Role
from bartizan.stores import accounts, people
from bartizan.stores.queries.pages import Page
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.responses import Response

    from bartizan.stores.accounts import AccountView

ROLES: Final[tuple[str, ...]] = get_args(Role)
_LONGEST_NAME: Final = 100
_LONGEST_GROUP: Final = 200


def _people(asked: Asked) -> Response:
    everywhere(asked)
    with asked.site.store.reading() as connection:
        part = accounts.accounts(connection, Page(50, asked.query.get("after", "")))
        groups = accounts.group_roles(connection)
    told = sign_in_of(asked.site)
    return page(
        asked, "people.html", part=part, groups=groups, told=told.roles, issuer=told.issuer, roles=ROLES, words=words_of
    )


def _account(asked: Asked) -> Response:
    everywhere(asked)
    return _account_page(asked, asked.path["number"])


def _account_page(asked: Asked, number: int, link: str = "") -> Response:
    with asked.site.store.reading() as connection:
        found = _found(connection, number)
        tokens = accounts.tokens_of(connection, number)
    words = {"roles": ROLES, "words": words_of, "base": _base(asked)}
    answer = page(asked, "people_account.html", 200, found=found, tokens=tokens, link=link, **words)
    if link:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _add(asked: Asked) -> Response:
    everywhere(asked)
    fields = asked.form()
    name = fields.get("name", "").strip()
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        raise SpecError(f"a name has up to {_LONGEST_NAME} characters that can be seen", hint="Go back and give one.")
    email, role, grant = fields.get("email", "").strip()[:_LONGEST_GROUP], _role(fields), grant_of(fields)

    def work(connection: Connection) -> tuple[int, str]:
        if accounts.named(connection, name) is not None:
            raise SpecError(f"there is an account `{name}` already", hint="Choose another name.")
        number = people.add_account(connection, name, asked.site.now(), email=email)
        people.give_role(connection, role, grant, number)
        told = {"name": name, "role": role, "grant": words_of(grant)}
        recorded(asked, connection, "account.added", f"account {number}", told)
        return number, password_link(asked.site, connection, number)

    number, link = asked.site.store.write(work)
    return _account_page(asked, number, link)


def _give(asked: Asked) -> Response:
    everywhere(asked)
    number, fields = asked.path["number"], asked.form()
    role, grant = _role(fields), grant_of(fields)

    def work(connection: Connection) -> None:
        found = _found(connection, number)
        if any(given.role == role and given.grant == grant for given in found.roles):
            return
        people.give_role(connection, role, grant, number)
        told = {"name": found.name, "role": role, "grant": words_of(grant)}
        recorded(asked, connection, "role.given", f"account {number}", told)

    asked.site.store.write(work)
    return _back(number)


def _take(asked: Asked) -> Response:
    everywhere(asked)
    number = asked.path["number"]

    def work(connection: Connection) -> None:
        found = _found(connection, number)
        if number == asked.viewer.account and not _still_administers(found, asked.path["role"]):
            hint = "Let another administrator do it."
            raise SpecError("nobody takes their own last way to administer", hint=hint)
        taken = accounts.take_role(connection, asked.path["role"], number)
        if taken is None:
            raise missing("such role")
        told = {"name": found.name, "role": taken.role, "grant": words_of(taken.grant)}
        recorded(asked, connection, "role.taken", f"account {number}", told)

    asked.site.store.write(work)
    return _back(number)


def _shut(asked: Asked) -> Response:
    return _change(asked, "account.disabled", _disabled)


def _open(asked: Asked) -> Response:
    return _change(asked, "account.enabled", _enabled)


def _end_sessions(asked: Asked) -> Response:
    return _change(asked, "session.ended", people.end_sessions)


def _disabled(connection: Connection, number: int) -> None:
    accounts.disable(connection, number, disabled=True)
    people.end_sessions(connection, number)


def _enabled(connection: Connection, number: int) -> None:
    accounts.disable(connection, number, disabled=False)


def _change(asked: Asked, action: str, change: Any) -> Response:
    everywhere(asked)
    number = asked.path["number"]
    if number == asked.viewer.account and action == "account.disabled":
        raise SpecError("nobody disables their own account", hint="Let another administrator do it.")

    def work(connection: Connection) -> None:
        found = _found(connection, number)
        change(connection, number)
        recorded(asked, connection, action, f"account {number}", {"name": found.name})

    asked.site.store.write(work)
    return _back(number)


def _link(asked: Asked) -> Response:
    everywhere(asked)
    number = asked.path["number"]

    def work(connection: Connection) -> str:
        found = _found(connection, number)
        if found.issuer:
            raise SpecError("who signs in by the provider has no password here", hint="Change it at the provider.")
        if found.disabled:
            raise SpecError("the account is disabled", hint="Enable it first.")
        recorded(asked, connection, "link.made", f"account {number}", {"name": found.name})
        return password_link(asked.site, connection, number)

    return _account_page(asked, number, asked.site.store.write(work))


def _give_group(asked: Asked) -> Response:
    everywhere(asked)
    fields = asked.form()
    group, role, grant = fields.get("group", "").strip(), _role(fields), grant_of(fields)
    if not 1 <= len(group) <= _LONGEST_GROUP or not group.isprintable():
        raise SpecError("a group needs a name", hint=f"Name it as the provider does, or `{EVERYBODY}` for all.")

    def work(connection: Connection) -> None:
        if accounts.give(connection, role, grant, group):
            recorded(asked, connection, "role.given", f"group {group}", {"role": role, "grant": words_of(grant)})

    asked.site.store.write(work)
    return RedirectResponse("/people", 303)


def _take_group(asked: Asked) -> Response:
    everywhere(asked)

    def work(connection: Connection) -> None:
        taken = accounts.take_role(connection, asked.path["role"], None)
        if taken is None:
            raise missing("such role")
        told = {"role": taken.role, "grant": words_of(taken.grant)}
        recorded(asked, connection, "role.taken", f"group {taken.group}", told)

    asked.site.store.write(work)
    return RedirectResponse("/people", 303)


def _found(connection: Connection, number: int) -> AccountView:
    found = accounts.one(connection, number)
    if found is None:
        raise missing("such account")
    return found


def _still_administers(found: AccountView, without: int) -> bool:
    rest = (given for given in found.roles if given.number != without)
    taken = next((given for given in found.roles if given.number == without), None)
    if taken is None or taken.role != "admin":
        return True
    return any(given.role == "admin" and given.grant == Grant() for given in rest)


def _role(fields: dict[str, str]) -> str:
    role = fields.get("role", "")
    if role not in ROLES:
        raise SpecError("there is no such role", hint=f"Roles are {', '.join(ROLES)}.")
    return role


def _back(number: int) -> Response:
    return RedirectResponse(f"/people/{number}", 303)


def _base(asked: Asked) -> str:
    return (asked.site.settings.public_url or str(asked.request.base_url)).rstrip("/")


ROUTES = (
    Route("GET", "/people", _people, needs="administer"),
    Route("POST", "/people", _add, needs="administer"),
    Route("POST", "/people/groups", _give_group, needs="administer"),
    Route("POST", "/people/groups/{role:int}/take", _take_group, needs="administer"),
    Route("GET", "/people/{number:int}", _account, needs="administer"),
    Route("POST", "/people/{number:int}/roles", _give, needs="administer"),
    Route("POST", "/people/{number:int}/roles/{role:int}/take", _take, needs="administer"),
    Route("POST", "/people/{number:int}/disable", _shut, needs="administer"),
    Route("POST", "/people/{number:int}/enable", _open, needs="administer"),
    Route("POST", "/people/{number:int}/link", _link, needs="administer"),
    Route("POST", "/people/{number:int}/sign-out", _end_sessions, needs="administer"),
)
