"""Which values of a run a child holds between two cells, and what the next cell lacks."""

from __future__ import annotations

from rnb.engines.work import Piece


class Holding:
    """Of one child."""

    def __init__(self) -> None:
        self._pieces: dict[int, list[Piece]] = {}  # by cell

    def has(self, piece: Piece) -> bool:
        return piece in self._pieces.get(piece.uid, ())

    def made(self, piece: Piece) -> None:
        """The cell that ran here gave this."""
        self._pieces.setdefault(piece.uid, []).append(piece)

    def change(self, wanted: list[Piece]) -> tuple[list[int], list[Piece]]:
        """Hold these and no others: the cells whose values are to be dropped, then the pieces that are to be taken.

        A value that holds another stays only if that one does: what is one object in a run is one here.
        """
        cells: dict[int, list[Piece]] = {}
        for piece in wanted:
            cells.setdefault(piece.uid, []).append(piece)
        stay: set[int] = set()
        for uid, pieces in cells.items():
            if all(self.has(piece) and stay.issuperset(need for need, _ in piece.needs) for piece in pieces):
                stay.add(uid)
        drop = [uid for uid in self._pieces if uid not in stay]
        self._pieces = {uid: self._pieces[uid] if uid in stay else pieces for uid, pieces in cells.items()}
        return drop, [piece for piece in wanted if piece.uid not in stay]
