"""Outputs that mean harm, in a real Chromium: none runs in the page, reads the cookie, reaches the API or covers the page."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.view.conftest import Viewed
from tests.view.test_page import eventually, until

View = Callable[..., Viewed]

HEAD = """import rnb


class As:
    def __init__(self, kind, content):
        self.kind, self.content = kind, content

    def __repr__(self):
        return "</script><img src=x onerror=parent.hacked=1>"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {self.kind: self.content}
"""
OUTPUTS = {
    "script": ("text/html", "<script>try{parent.hacked=1}catch(e){};try{top.hacked=1}catch(e){}</script>"),
    "handler": ("text/html", "<img src=x onerror='top.hacked=1'><table><tr><td onclick=alert(1)>x</td></tr></table>"),
    "closing": ("text/html", "</script></iframe></body></html><script>top.hacked=1</script>"),
    "cover": ("text/html", "<style>*{position:fixed;inset:0;background:red;z-index:99999}</style><div>cover</div>"),
    "table": ("text/html", "<table><tr><td><a href='javascript:top.hacked=1'>go</a></td></tr></table>"),
    "sneaky": ("text/html", "<table><tr><td><a href='jav&#x61;script:top.hacked=1'>go</a></td></tr></table>"),
    "markdown": ("text/markdown", "# x\\n<script>top.hacked=1</script><img src=x onerror=top.hacked=1> [a](javascript:top.hacked=1)"),
    "data": ("text/markdown", "[a](data:text/html,<script>top.hacked=1</script>) <iframe src=/api/notebooks></iframe>"),
    "svg": ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><script>top.hacked=1</script></svg>"),
    "huge": ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg' width='900000' height='900000'><rect width='9' height='9'/></svg>"),
    "leave": ("text/html", "<script>top.location='https://example.org/'</script>"),
    "tall": ("text/html", "<script>parent.postMessage({rnbHeight: 1e9}, '*')</script>"),
    "plain": ("text/x-other", "x"),
    "png": ("image/png", "' onerror=top.hacked=1 x='"),
}  # fmt: skip
SPY = """<pre id=out>-</pre><script>
const out = document.getElementById('out');
(async () => {
  const seen = {};
  try { seen.cookie = document.cookie } catch (e) { seen.cookie = 'denied' }
  try { seen.parent = parent.document.title } catch (e) { seen.parent = 'denied' }
  for (const url of [BASE + '/api/notebooks', BASE + '/n/nb/stream', 'https://example.org/'])
    try { seen[url] = (await fetch(url)).status } catch (e) { seen[url] = 'denied' }
  try { new WebSocket(BASE.replace('http', 'ws') + '/ws').onopen = () => { out.textContent = 'socket' } } catch (e) { seen.ws = 'denied' }
  seen.origin = window.origin;
  out.textContent = JSON.stringify(seen);
})();
</script>"""


def hostile() -> str:
    cells = "".join(
        f'\n\n@rnb.cell\ndef {name}():\n    return As("{kind}", """{content}""")\n'
        for name, (kind, content) in OUTPUTS.items()
    )
    docs = '\n\n@rnb.cell\ndef doc():\n    """<script>top.hacked=1</script><b onmouseover=top.hacked=1>b</b>"""\n    print("</script><script>top.hacked=1</script>")\n'
    error = "\n\n@rnb.cell\ndef error():\n    raise ValueError('<img src=x onerror=top.hacked=1>')\n"
    return f'"""</script><script>top.hacked=1</script>"""\n\n{HEAD}{cells}{docs}{error}'


def test_nothing_of_the_notebook_runs_in_the_page(view: View, page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    viewed = view(hostile())
    page.goto(viewed.url)
    until(page, "error", "failed")
    page.locator("#cell-error").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    assert page.evaluate("typeof window.hacked") == "undefined"
    assert page.url.startswith(viewed.url)
    assert page.script_errors, "the frames' scripts have run, and have been held back"
    page.script_errors.clear()
    assert page.evaluate("document.querySelectorAll('#main script, #main [onerror], #main [onclick]').length") == 0
    assert not page.evaluate("[...document.links].some(a => /^(javascript|data):/i.test(a.href) && a.closest('#main'))")
    assert page.evaluate(
        "[...document.querySelectorAll('iframe')].every(f => f.getAttribute('sandbox') === 'allow-scripts')"
    )
    assert page.evaluate("Math.max(...[...document.querySelectorAll('iframe')].map(f => f.offsetHeight))") <= 4000
    assert page.evaluate("document.elementFromPoint(40, 12).closest('#bar') !== null")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert all(url.startswith((viewed.url, "data:")) for url in asked), asked


def test_a_frame_reads_neither_cookie_nor_api_nor_network(view: View, page: Any) -> None:
    source = f"{HEAD}\n\n@rnb.cell\ndef spy(base: str = ''):\n    return As('text/html', {SPY!r}.replace('BASE', repr(base)))\n"
    viewed = view(source, "--token", "secret")
    base = viewed.url.partition("?")[0].rstrip("/")
    viewed.save("nb.py", source.replace("base: str = ''", f"base: str = {base!r}"))
    viewed.finished(1)
    page.goto(viewed.url)
    until(page, "spy", "done")
    out = page.frame_locator("#cell-spy iframe").locator("#out")
    for _ in range(200):
        if out.inner_text() != "-":
            break
        page.wait_for_timeout(20)
    seen = json.loads(out.inner_text())
    assert seen.pop("origin") == "null"
    assert set(seen.values()) <= {"denied", ""}, seen
    assert "secret" not in page.url
    assert "secret" not in page.evaluate("document.cookie")


def test_a_page_on_its_own_is_as_safe(view: View, page: Any, tmp_path: Any) -> None:
    viewed = view(hostile())
    viewed.finished()
    viewed.close()
    subprocess.run(
        [sys.executable, "-m", "rnb", "run", "nb.py", "--html", "out.html"], cwd=tmp_path, capture_output=True
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "out.html").as_uri())
    until(page, "error", "failed")
    eventually(page, "document.querySelectorAll('#cell-script iframe').length === 1")
    page.wait_for_timeout(300)
    assert page.evaluate("typeof window.hacked") == "undefined"
    assert page.url.startswith("file:")
    page.script_errors.clear()
    assert all(url.startswith(("file:", "data:", "blob:", "about:")) for url in asked), asked
