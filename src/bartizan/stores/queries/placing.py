"""Counts by cluster, namespace and team: what an export of scores tells beyond a movement's sums."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from bartizan.model.ledger import Tally, Verdict
from bartizan.stores.queries.eras import Eras
from bartizan.stores.queries.standings import sums
from bartizan.stores.schema import COUNTS, cluster, entry, place, tally
from bartizan.stores.scope import within

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy import Connection

    from bartizan.stores.queries.eras import Key
    from bartizan.stores.scope import Scope


def placed(
    connection: Connection, scope: Scope, days: tuple[date, date], names: Mapping[Key, str], most: int
) -> list[Tally]:
    """The counts at the end of the second day by place, of rules by the `names` of a movement between the days.

    Where there are more than `most`, these and one more.
    """
    eras = Eras(connection, scope, days)
    counts: dict[tuple[str, str, str, Key], list[int]] = defaultdict(lambda: [0] * len(Verdict))
    keys = (cluster.c.name, place.c.namespace, place.c.team)
    now = select(*keys, tally.c.rule, *sums()).select_from(tally).join(cluster, cluster.c.id == tally.c.cluster)
    now, era = eras.group(now.join(place, place.c.id == tally.c.place), tally.c.cluster)
    now = now.add_columns(era.label("its_era")).where(within(scope, tally.c.place))
    for row in connection.execute(now.group_by(*keys, tally.c.rule, "its_era").limit(most + 1)):
        counts[row[0], row[1], row[2], (row.its_era, row[3])] = [0, *map(int, row[4 : 4 + len(COUNTS)])]
    moved = (entry.c.rule, entry.c.before, entry.c.after)
    later = select(*keys, *moved, func.sum(entry.c.count)).select_from(entry)
    later = later.join(cluster, cluster.c.id == entry.c.cluster).join(place, place.c.id == entry.c.place)
    later, era = eras.group(later, entry.c.cluster)
    later = later.add_columns(era.label("its_era")).where(entry.c.day > days[1], within(scope, entry.c.place))
    for row in connection.execute(later.group_by(*keys, *moved, "its_era").limit(most + 1)):
        side = counts[row[0], row[1], row[2], (row.its_era, row[3])]
        side[row[4]] += int(row[6])
        side[row[5]] -= int(row[6])
    return [
        Tally(where, namespace, names[key], **dict(zip(COUNTS, row[1:], strict=True)), team=team)
        for (where, namespace, team, key), row in counts.items()
        if any(row[1:])
    ]
