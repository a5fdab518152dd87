"""A value becomes a MIME bundle by the conventions of the ecosystem: `{MIME type: content}`, always with text/plain.

Binary content is base64 text, JSON content is valid JSON (no NaN, dates as text), and an object whose representation
raises still gives a bundle, whose text says so.
"""

from __future__ import annotations

from rnb.kernel.failure import said
from rnb.kernel.pretty import pretty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

METHODS = (
    ("_repr_html_", "text/html"),
    ("_repr_markdown_", "text/markdown"),
    ("_repr_svg_", "image/svg+xml"),
    ("_repr_png_", "image/png"),
    ("_repr_jpeg_", "image/jpeg"),
    ("_repr_latex_", "text/latex"),
    ("_repr_json_", "application/json"),
    ("_repr_pdf_", "application/pdf"),
)


class Bundle:
    """The bundle of one value. `notes` says which of its representations failed."""

    def __init__(self, value: Any, columns: int) -> None:
        self.data: dict[str, Any] = {}
        self.notes: list[str] = []
        self._value = value
        if not _is_plain(value):
            self._from_object()
        if "text/plain" not in self.data:
            self.data["text/plain"] = self._text(columns)

    def _from_object(self) -> None:
        value = self._value
        special = by_type(value)
        if special is not None:
            self._try(type(value).__name__, lambda: self._merge(special(value)))
        elif not isinstance(value, type):
            self._method("_repr_mimebundle_", _without_metadata, include=None, exclude=None)
            for name, kind in METHODS:
                if kind not in self.data:
                    self._method(name, lambda content, kind=kind: {kind: _without_metadata(content)})
            self._method("_mime_", lambda content: {content[0]: self.data.get(content[0], content[1])})

    def _method(self, name: str, bundle: Any, **options: Any) -> None:
        """Take `bundle(what value.name() gives)`, or a note where that raises or is none."""
        if getattr_static(type(self._value), name) is not None:
            self._try(name, lambda: self._merge_some(bundle, getattr(self._value, name)(**options)))

    def _merge_some(self, bundle: Any, content: Any) -> None:
        if content is not None:
            self._merge(bundle(content))

    def _try(self, name: str, make: Any) -> None:
        try:
            make()
        except Exception as error:
            self.notes.append(f"{type(self._value).__name__}.{name}() raised {type(error).__name__}: {said(error)}")

    def _merge(self, bundle: Any) -> None:
        for kind, content in dict(bundle).items():
            if content is not None:
                self.data[str(kind)] = clean(str(kind), content)

    def _text(self, columns: int) -> str:
        try:
            return pretty(self._value, columns)
        except Exception as error:
            kind = type(self._value).__name__
            self.notes.append(f"{kind}.__repr__() raised {type(error).__name__}: {said(error)}")
            return f"<{kind}: repr failed: {type(error).__name__}: {said(error)}>"


def _without_metadata(content: Any) -> Any:
    return content[0] if isinstance(content, tuple) else content


def getattr_static(kind: type, name: str) -> Any:
    """A method that the class itself has: objects that answer every name with something (mocks, proxies) have none."""
    for base in kind.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


def _is_plain(value: Any) -> bool:
    return type(value) in (str, int, float, bool, list, dict, tuple, set, bytes)


def clean(kind: str, content: Any) -> Any:
    """Content that can go over the wire: text, base64 text, or plain JSON where `kind` is JSON."""
    if isinstance(content, (bytes, bytearray, memoryview)):
        if kind.startswith("text/") or kind.endswith(("+xml", "json", "javascript")):
            return bytes(content).decode("utf-8", "replace")
        from binascii import b2a_base64

        return b2a_base64(content, newline=False).decode()
    if isinstance(content, str):
        return str(content)
    if not kind.endswith("json"):
        return str(content)
    from rnb.kernel.jsonable import jsonable

    return jsonable(content)


def by_type(value: Any) -> Any:
    """A function `value -> bundle` for types of libraries that have no convention of their own, or a poor one."""
    from rnb.kernel.libraries import RENDERERS

    root = type(value).__module__.partition(".")[0]
    for base in type(value).__mro__ if root in RENDERERS else ():
        render = RENDERERS[root].get(base.__name__)
        if render is not None:
            return render
    return None
