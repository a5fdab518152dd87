"""matplotlib without IPython: `plt.show()` shows at once, figures left open are shown at the end of their cell.

Nothing here imports matplotlib before the notebook does: two hooks run when `matplotlib` and `matplotlib.pyplot`
are first imported. A figure is shown once by the cell that made it; one that was open before belongs to someone else.
"""

from __future__ import annotations

import os
import sys

from rnb.kernel.importing import finder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from rnb.kernel.actor import Kernel


class Figures:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._before: set[int] = set()  # numbers of figures that were open when the cell began
        self._shown: list[Any] = []  # figures that this cell has shown
        finder.hooks["matplotlib"] = self._choose_backend
        finder.hooks["matplotlib.pyplot"] = self._patch

    def _choose_backend(self, matplotlib: ModuleType) -> None:
        """Draw into memory, unless the user chose otherwise (there may be no screen, and nobody closes windows)."""
        if "MPLBACKEND" not in os.environ and matplotlib.rcParams._get_backend_or_none() is None:
            matplotlib.use("agg")

    def _patch(self, pyplot: Any) -> None:
        def show(*args: Any, **options: Any) -> None:
            """Show all open figures of this cell, and close them."""
            self.show()

        pyplot.show = show
        figure = sys.modules["matplotlib.figure"]
        figure.Figure.show = lambda figure, warn=True: self._kernel.display(figure, None)

    def begin(self) -> None:
        """A cell begins."""
        self._shown = []
        pyplot = sys.modules.get("matplotlib.pyplot")
        self._before = set(pyplot.get_fignums()) if pyplot is not None else set()

    def show(self) -> None:
        """`plt.show()`: all open figures of this cell, which are closed then."""
        pyplot = sys.modules["matplotlib.pyplot"]
        for number in pyplot.get_fignums():
            if number in self._before:
                continue
            figure = pyplot.figure(number)
            if not self.was_shown(figure) and (figure.axes or figure.lines or figure.texts or figure.images):
                self._kernel.display(figure, None)
            pyplot.close(figure)

    def end(self) -> None:
        """A cell ends: show what it left open, and keep nothing alive."""
        if "matplotlib.pyplot" in sys.modules:
            self.show()
        self._shown = []

    def was_shown(self, figure: Any) -> bool:
        return any(one is figure for one in self._shown)

    def note(self, figure: Any) -> None:
        """`figure` is on screen now."""
        self._shown.append(figure)


def render(figure: Any) -> dict[str, Any]:
    """A figure as PNG, cut to what is drawn."""
    import io

    target = io.BytesIO()
    figure.savefig(target, format="png", bbox_inches="tight")
    return {"text/plain": repr(figure), "image/png": target.getvalue()}


def is_artist(value: Any, depth: int = 0) -> bool:
    """Whether `value` is what a plotting call returns: an artist, or a collection that holds some; not a figure."""
    artist = sys.modules.get("matplotlib.artist")
    if artist is None or depth > 2:
        return False
    if isinstance(value, artist.Artist):
        return depth > 0 or not isinstance(value, sys.modules["matplotlib.figure"].Figure)
    container = sys.modules.get("matplotlib.container")
    if container is not None and isinstance(value, container.Container):
        return True
    if type(value).__module__.startswith("seaborn.") and hasattr(value, "figure"):
        return True
    if type(value).__name__ == "ndarray" and value.dtype == object:
        value = value.ravel()[:100].tolist()
    if type(value) is dict:
        value = list(value.values())
    return type(value) in (list, tuple) and any(is_artist(one, depth + 1) for one in value[:100])
