"""How the pages become a site: `sphinx-build -W docs site`, with the extra `docs`.

The pages are plain Markdown that reads well in the repository. What a site needs beside, the order of its pages, is
taken from the links of `index.md`, and the reference from the code.
"""

import re
from importlib import metadata

from sphinx.application import Sphinx

project = "rnb"
author = "the founders of rnb"
release = metadata.version("rnb-notebook")
extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "index"
exclude_patterns = ["images/*.py"]
myst_heading_anchors = 4
myst_enable_extensions = ["html_image"]
suppress_warnings = ["misc.highlighting_failure"]  # pages show text that is broken on purpose
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
html_theme = "furo"
html_title = "rnb"


def contents(app: Sphinx, page: str, source: list[str]) -> None:
    """The index, and the lists of codes, also say which pages there are, a chapter for each of their headings."""
    if page not in (root_doc, "faults", "errors"):
        return
    below = "" if page == root_doc else f"{page}/"
    for chapter in re.split(r"^## ", source[0], flags=re.M)[1:]:
        title, _, text = chapter.partition("\n")
        pages = dict.fromkeys(re.findall(rf"\]\(({below}\w[\w-]*)\.md\)", text))
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(pages) + "\n```\n"


def setup(app: Sphinx) -> None:
    app.connect("source-read", contents)
