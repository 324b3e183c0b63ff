"""Search over names, rules and messages: every word must be in the text, anywhere in it, in upper or lower case.

Both engines keep the three-letter parts of the texts, and so answer alike.
A word of fewer letters is looked for as the beginning of a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from sqlalchemy import and_, func, literal, or_, select, text

from bartizan.stores.bulk import storable
from bartizan.stores.schema import cluster, finding, place, resource, rule, tally
from bartizan.stores.scope import members, within

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

    from bartizan.stores.scope import Scope

LONGEST: Final = 200
"""Characters of a question; a name has at most 253."""
_WORDS: Final = 8
_SHORT: Final = 3


class Hit(NamedTuple):
    """Something found. `number` is of the cluster, rule, resource or finding."""

    kind: Literal["cluster", "namespace", "rule", "resource", "finding"]
    number: int
    cluster: str
    namespace: str
    title: str
    detail: str


def search(connection: Connection, scope: Scope, question: str, limit: int = 20) -> list[Hit]:
    """What a viewer may see whose text has all words of a question: at most `limit` of each kind."""
    words = _split(question)
    if not words:
        return []
    hits: list[Hit] = []
    for query in (_clusters(scope, words), _namespaces(scope, words), _rules(scope, words)):
        hits += (Hit(*row) for row in connection.execute(query.limit(limit)))
    for query in (_resources(connection, scope, words), _findings(connection, scope, words)):
        hits += (Hit(*row) for row in connection.execute(query.limit(limit)))
    return hits


def has_words(connection: Connection, column: ColumnElement[str], question: str) -> ColumnElement[bool]:
    """The condition that a text has all words of a question: of an object's name, or of a finding's message."""
    return _indexed(connection, column, _split(question))


def _split(question: str) -> list[str]:
    return storable(question[:LONGEST]).split()[:_WORDS]


def _clusters(scope: Scope, words: list[str]) -> Select[Any]:
    columns = (_word("cluster"), cluster.c.id, cluster.c.name, _word(""), cluster.c.name, cluster.c.version)
    return select(*columns).where(members(scope, cluster.c.id), _has(cluster.c.name, words)).order_by(cluster.c.name)


def _namespaces(scope: Scope, words: list[str]) -> Select[Any]:
    columns = (_word("namespace"), place.c.id, cluster.c.name, place.c.namespace, place.c.namespace, place.c.team)
    joined = select(*columns).join(cluster, cluster.c.id == place.c.cluster)
    either = or_(_has(place.c.namespace, words), _has(place.c.team, words))
    return joined.where(within(scope, place.c.id), either).order_by(cluster.c.name, place.c.namespace)


def _rules(scope: Scope, words: list[str]) -> Select[Any]:
    """Rules that were asked where the viewer may see what they said."""
    columns = (_word("rule"), rule.c.id, _word(""), _word(""), rule.c.name, _word(""))
    asked = select(tally.c.rule).where(tally.c.rule == rule.c.id, within(scope, tally.c.place))
    return select(*columns).where(_has(rule.c.name, words), asked.exists()).order_by(rule.c.name)


def _resources(connection: Connection, scope: Scope, words: list[str]) -> Select[Any]:
    columns = (_word("resource"), resource.c.id, cluster.c.name, place.c.namespace, resource.c.name, resource.c.kind)
    joined = (
        select(*columns)
        .join(place, place.c.id == resource.c.place)
        .join(cluster, cluster.c.id == resource.c.cluster)
        .where(within(scope, resource.c.place), resource.c.gone_at.is_(None))
    )
    return joined.where(_indexed(connection, resource.c.name, words)).order_by(resource.c.id.desc())


def _findings(connection: Connection, scope: Scope, words: list[str]) -> Select[Any]:
    columns = (_word("finding"), finding.c.id, cluster.c.name, place.c.namespace, rule.c.name, finding.c.message)
    joined = (
        select(*columns)
        .join(place, place.c.id == finding.c.place)
        .join(cluster, cluster.c.id == finding.c.cluster)
        .join(rule, rule.c.id == finding.c.rule)
        .where(within(scope, finding.c.place), finding.c.closed_at.is_(None))
    )
    return joined.where(_indexed(connection, finding.c.message, words)).order_by(finding.c.id.desc())


def _indexed(connection: Connection, column: ColumnElement[str], words: list[str]) -> ColumnElement[bool]:
    """The condition on a column whose parts are kept: PostgreSQL uses its index by itself, SQLite has a table of it."""
    long = [word for word in words if len(word) >= _SHORT]
    if connection.dialect.name != "sqlite" or not long:
        return _has(column, words)
    table = column.table.name
    phrase = " ".join('"' + word.replace('"', '""') + '"' for word in long)
    rows = text(f"SELECT rowid FROM {table}_search WHERE {table}_search MATCH :phrase").bindparams(phrase=phrase)  # noqa: S608  our names
    return and_(column.table.c.id.in_(rows), _has(column, words))


def _has(column: ColumnElement[str], words: list[str]) -> ColumnElement[bool]:
    lower = func.lower(column)
    return and_(
        *(
            column.ilike(f"%{_escaped(word)}%", escape="\\")
            if len(word) >= _SHORT
            else lower.like(f"{_escaped(word.lower())}%", escape="\\")
            for word in words
        )
    )


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _word(value: str) -> ColumnElement[str]:
    return literal(value)
