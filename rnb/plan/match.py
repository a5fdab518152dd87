"""Which cell of the new text is which cell of the old one. Identity first, then name: so renaming runs nothing."""

from __future__ import annotations

from collections import defaultdict

from rnb.notebook.model import Cell


def match(old: dict[int, Cell], new: list[Cell], fresh: int) -> tuple[list[int], int]:
    """Uids for `new`, in file order, and the next free uid. `old` maps uids to the cells of the last reading.

    A cell keeps its uid when id and code are the same; else it takes the uid of a cell with its code (renamed, moved),
    else of one with its id (edited).
    """
    found: dict[int, int] = {}
    free = dict(old)
    by_id = {cell.id: uid for uid, cell in old.items()}

    def take(index: int, uid: int) -> None:
        found[index] = uid
        del free[uid]

    for index, cell in enumerate(new):
        uid = by_id.get(cell.id)
        if uid in free and free[uid].identity == cell.identity:
            take(index, uid)
    if len(found) < len(new):
        by_code: dict[str, list[int]] = defaultdict(list)
        for uid, cell in free.items():
            by_code[cell.identity].append(uid)
        for index, cell in enumerate(new):
            if index not in found and by_code.get(cell.identity):
                take(index, by_code[cell.identity].pop(0))
        for index, cell in enumerate(new):
            uid = by_id.get(cell.id)
            if index not in found and uid in free:
                take(index, uid)
    uids = []
    for index in range(len(new)):
        if index not in found:
            found[index] = fresh
            fresh += 1
        uids.append(found[index])
    return uids, fresh
