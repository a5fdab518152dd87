"""The pages make a site: no broken link, no page that the contents miss, the reference made from the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.doc_pages import ROOT


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    docs, site = ROOT / "docs", tmp_path / "site"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", str(tmp_path / "kept")]
    done = subprocess.run([*command, str(docs), str(site)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {str(page.relative_to(docs).with_suffix("")) for page in docs.rglob("*.md")}
    assert {"index", "faults/cycle", "errors/usage"} <= pages
    assert all((site / f"{page}.html").exists() for page in pages)
    reference = (site / "reference.html").read_text()
    for name in ("rnb.cell", "rnb.sql", "rnb.display", "rnb.file", "rnb.run", "rnb.errors.UsageError"):
        assert f'id="{name}"' in reference
    index = (site / "index.html").read_text()
    assert all(f'href="{page}.html"' in index for page in pages - {"index"})
