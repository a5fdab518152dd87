"""Whether the extra `view` is installed. Asked before anything of it is imported."""

from __future__ import annotations

from importlib.util import find_spec

from rnb.errors import MissingExtra

PACKAGES = ("starlette", "uvicorn", "jinja2", "markdown_it", "nh3")


def require(feature: str) -> None:
    """Raises MissingExtra, naming `feature`, if a package of the extra is missing."""
    if any(find_spec(name) is None for name in PACKAGES):
        raise MissingExtra(feature, "view")
