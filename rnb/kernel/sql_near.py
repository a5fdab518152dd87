"""Where in a query the error of a server is, and which names are near one that does not exist."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb.kernel.sql_engine import Database
    from rnb.kernel.sql_text import Query

MISSING = (  # PostgreSQL, SQLite, MySQL
    r'(relation|column) "([^"]+)" does not exist',
    r"column ([\w.]+) does not exist",
    r"no such (table|column): ([\w.]+)",
    r"Table '([^']+)' doesn't exist",
    r"Unknown (column|table) '([^']+)'",
)
FEW = 2


def missing(text: str) -> tuple[str, str]:
    """(column or table, its name) that the database does not have; ("", "") for another error."""
    import re

    for pattern in MISSING:
        found = re.search(pattern, text)
        if found:
            kind = "column" if "column" in found[0].lower() else "table"
            return kind, found[found.lastindex or 0].rpartition(".")[2]
    return "", ""


def place_in(text: str, query: Query, start: int) -> int:
    """The byte of the query's own text that an error of a statement beginning at `start` is about."""
    import re

    found = re.search(r"^LINE (\d+):|at line (\d+)", text, re.M)
    if found:
        at, data = start, query.text.encode()
        for _ in range(int(found[1] or found[2]) - 1):
            at = data.find(b"\n", at) + 1 or at
        while data[at : at + 1].isspace():
            at += 1
        return query.origin(at)
    name = missing(text)[1] or next(iter(re.findall(r'near "(\w+)"', text)), "")
    return query.words.get(name, query.origin(start))


def near_names(text: str, database: Database, query: Query) -> str:
    """What may have been meant, as words to go behind the error; "" where nothing is near."""
    from difflib import get_close_matches

    kind, name = missing(text)
    if not name:
        return ""
    import sqlalchemy

    try:
        look: Any = sqlalchemy.inspect(database.engine)
        known = [*look.get_table_names(), *look.get_view_names()]
        if kind == "column":
            named = {word.lower() for word in query.words}
            known = [column["name"] for table in known if table.lower() in named for column in look.get_columns(table)]
    except sqlalchemy.exc.SQLAlchemyError:  # it may not be asked, or is gone
        return ""
    near = get_close_matches(name.lower(), {each.lower(): each for each in known}, FEW, 0.6)
    spelled = {each.lower(): each for each in known}
    return f"\nDid you mean {' or '.join(spelled[each] for each in near)}?" if near else ""
