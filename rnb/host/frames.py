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
    top = os.path.join(keep, "frames")
    place = os.path.join(top, f"{os.getpid()}-{os.urandom(4).hex()}")
    try:
        os.makedirs(top, exist_ok=True)
        for old in os.listdir(top):
            if not _alive(old.partition("-")[0]):
                shutil.rmtree(os.path.join(top, old), ignore_errors=True)
        os.mkdir(place, mode=0o700)
    except OSError:
        return ""
    return place


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
