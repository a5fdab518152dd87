"""Where a kernel leaves large tables for a live view: a folder of its own in `.rnb/frames`, gone with the view.

The folder's name begins with the id of our process, so that what a killed view left behind is swept by the next.
"""

from __future__ import annotations

import contextlib
import os
import shutil

from rnb.host.paths import keep_folder


def frames_folder(path: str) -> str:
    """A new folder, absolute; "" where nothing can be kept."""
    keep = keep_folder(path)
    if keep is None:
        return ""
    top = keep / "frames"
    place = top / f"{os.getpid()}-{os.urandom(4).hex()}"
    try:
        top.mkdir(exist_ok=True)
        for old in os.listdir(top):
            if not _alive(old.partition("-")[0]):
                shutil.rmtree(top / old, ignore_errors=True)
        place.mkdir(mode=0o700)
    except OSError:
        return ""
    return str(place)


def remove_frames(folder: str) -> None:
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # others are in use
            os.rmdir(os.path.dirname(folder))


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
