"""Measure the built site as readers meet it, print tables and add them to bench.json.

    python tools/bench_site.py                 everything
    python tools/bench_site.py weights axe     only these tables: weights, axe, lighthouse, frames

- *weights*: what a first visit to each page brings over the wire, packed as servers pack text.
- *axe*: what keeps a reader with a disability out, page by page, in both colour schemes.
- *lighthouse*: its scores on an emulated phone for every page; its speed, which takes long to measure, for
  the title page, the page with most mathematics and the page with most figures (fetched once through npm).
- *frames*: how long the browser works on each frame while a handle or slider of a live figure is dragged.
"""

import argparse
import functools
import gzip
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlparse

import axe_playwright_python
import npm
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SITE = Path(os.environ.get("BOOK_SITE", ROOT / "_build" / "html"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
PACKED = {".html", ".css", ".js", ".svg", ".json", ".xml", ".txt", ".inv"}
SCORES = ("performance", "accessibility", "best-practices", "seo")
DRAG_STEPS = 60
WIDE = {"width": 1280, "height": 900}


class Server(http.server.SimpleHTTPRequestHandler):
    """The site as a web server gives it: text packed, files that carry their version kept by the browser."""

    def log_message(self, *_):
        """Say nothing."""

    def send_head(self):
        """Pack text for whoever takes it packed."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in PACKED or not path.is_file() or "gzip" not in self.headers["Accept-Encoding"]:
            return super().send_head()
        packed = gzip.compress(path.read_bytes(), 6)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.send_header("Cache-Control", "max-age=31536000" if "?v=" in self.path else "max-age=600")
        self.end_headers()
        self.wfile.write(packed)
        return None

    def copyfile(self, source, outputfile):
        """Copy what was not packed."""
        if source is not None:
            super().copyfile(source, outputfile)


def page_names() -> list[str]:
    """The pages of the site."""
    paths = [path for path in sorted(SITE.rglob("*.html")) if "_static" not in path.parts]
    return [path.relative_to(SITE).as_posix() for path in paths]


def wire(url: str) -> int:
    """Bytes of one of the site's files over the wire."""
    path = SITE / urlparse(url).path.lstrip("/")
    data = path.read_bytes()
    return len(gzip.compress(data, 6)) if path.suffix in PACKED else len(data)


def chromium() -> str:
    """The browser to measure in."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        sys.exit("Chromium is missing: install your system's package `chromium`, or name one in CHROMIUM.")
    return found


def read_through(page) -> None:
    """Go down the page, so that pictures that come late come."""
    page.evaluate(
        """async () => {
          for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
            scrollTo({ top: y, behavior: "instant" });
            await new Promise((done) => setTimeout(done, 30));
          }
        }"""
    )
    page.wait_for_load_state("networkidle")


def start_figures(page) -> None:
    """Start the live figures that are far down the page, too."""
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function("!document.querySelector('.live-figure:not([data-started])')")


def weights(browser, home: str) -> list[dict]:
    """Weigh a first visit to each page, read to its end."""
    rows = []
    print(f"\n{'page':<58}{'requests':>9}{'KB packed':>11}")
    for name in page_names():
        context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
        page, urls = context.new_page(), []
        page.on("requestfinished", lambda request, urls=urls: urls.append(request.url))
        page.goto(home + name)
        read_through(page)
        mine = [url for url in dict.fromkeys(urls) if url.startswith(home) and wire(url)]
        rows.append({"page": name, "requests": len(mine), "bytes": sum(map(wire, mine))})
        print(f"{name:<58}{len(mine):>9}{rows[-1]['bytes'] / 1000:>11.0f}", flush=True)
        context.close()
    return rows


def axe(browser, home: str) -> list[dict]:
    """Count what axe finds on each page with everything unfolded."""
    rows = []
    print(f"\n{'page':<58}{'light':>9}{'dark':>11}")
    for name in page_names():
        found = {}
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport=WIDE, color_scheme=scheme, reduced_motion="reduce")
            page.goto(home + name)
            page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
            page.add_style_tag(content=".long-part { content-visibility: visible !important; }")
            start_figures(page)
            page.add_script_tag(path=AXE)
            run = "axe.run(document, { resultTypes: ['violations'] })"
            found[scheme] = page.evaluate(
                f"{run}.then(({{ violations }}) => violations.map(({{ id }}) => id))"
            )
            page.close()
        rows.append({"page": name, **found})
        print(f"{name:<58}{len(found['light']):>9}{len(found['dark']):>11}", flush=True)
    return rows


def richest(*marks: str) -> str:
    """The page on which these words stand most often."""
    return max(page_names(), key=lambda name: sum((SITE / name).read_text("utf-8").count(m) for m in marks))


def lighthouse(browser, home: str) -> list[dict]:
    """Run Lighthouse as on a phone: its scores that need no clock on every page, its speed on three kinds."""
    program = npm.installed("lighthouse") / "lighthouse" / "cli" / "index.js"
    timed = ["index.html", richest('class="katex"'), richest("<img", "live-figure")]
    rows = []
    print(f"\n{'page':<58}" + "".join(f"{name:>16}" for name in SCORES))
    for name in sorted(page_names(), key=lambda name: name not in timed):
        wanted = SCORES if name in timed else SCORES[1:]
        rows.append({"page": name, **examined(program, home + name, wanted)})
        print(f"{name:<58}" + "".join(f"{rows[-1].get(score, '–'):>16}" for score in SCORES), flush=True)
        for words in rows[-1]["short"].values():
            print(f"    {words}")
    return rows


def examined(program: Path, url: str, wanted: Sequence[str]) -> dict:
    """Lighthouse's scores for one page, and what it found wanting."""
    flags = "--headless=new --no-sandbox --disable-dev-shm-usage"
    command = [str(npm.NODE), str(program), url, "--quiet", "--output=json", f"--chrome-flags={flags}"]
    command += [f"--only-categories={','.join(wanted)}"]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", env={**os.environ, "CHROME_PATH": chromium()}
    )
    if done.returncode != 0:
        sys.exit(f"Lighthouse did not finish on {url}:\n{done.stderr[-2000:]}")
    report = json.loads(done.stdout)
    scores = {score: round(100 * report["categories"][score]["score"]) for score in wanted}
    weighed = {
        ref["id"] for score in wanted for ref in report["categories"][score]["auditRefs"] if ref["weight"]
    }
    short = {
        key: f"{audit['title']} {audit.get('displayValue', '')}".strip()
        for key, audit in report["audits"].items()
        if key in weighed and audit["score"] is not None and audit["score"] < 0.9
    }
    return {**scores, "short": short, "version": report["lighthouseVersion"]}


# In each frame: move the pointer once, let the figure paint the move before, and wait for a message that the
# browser delivers when its own style, layout and painting are done as well.
DRAG = """async ([handle, steps]) => {
  const box = handle.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const slides = handle.matches("input");
  const [from, to] = slides ? [Number(handle.min), Number(handle.max)] : [0, 0];
  const send = (kind, dx, dy) => {
    if (slides) handle.value = from + (to - from) * (0.5 + dx / 80);
    handle.dispatchEvent(slides ? new InputEvent("input", { bubbles: true }) : new PointerEvent(kind, {
      pointerId: 1, isPrimary: true, bubbles: true, clientX: x + dx, clientY: y + dy, buttons: 1,
    }));
  };
  handle.setPointerCapture = () => {};
  const times = [];
  send("pointerdown", 0, 0);
  await new Promise((done) => {
    const frame = () => {
      const start = performance.now();
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => { if (times.push(performance.now() - start) === steps) done(); };
      port2.postMessage(null);
      if (times.length >= steps - 1) return;
      requestAnimationFrame(frame);  // before the figure asks for its own, so that its painting is measured
      const turn = (2 * Math.PI * times.length) / steps;
      send("pointermove", -40 * Math.sin(turn), -30 * Math.sin(2 * turn));
    };
    requestAnimationFrame(frame);
  });
  send("pointerup", 0, 0);
  return times;
}"""


def frames(browser, home: str) -> list[dict]:
    """Drag every handle and slider of every live figure and time what the browser does in each frame."""
    rows = []
    print(f"\n{'milliseconds a frame, by page and handle':<96}{'median':>8}{'95 %':>8}")
    for name in page_names():
        page = browser.new_page(viewport=WIDE, reduced_motion="reduce")
        page.goto(home + name)
        start_figures(page)
        handles = page.locator(".live-figure .live-handle").all()
        sliders = page.locator(".live-figure input[type=range]").all()
        for handle in handles + sliders:
            handle.scroll_into_view_if_needed()
            times = page.evaluate(DRAG, [handle.element_handle(), DRAG_STEPS])
            middle, high = statistics.median(times), statistics.quantiles(times, n=20)[-1]
            label = handle.get_attribute("aria-label") or handle.evaluate(
                "(node) => node.labels[0].textContent"
            )
            rows.append({"page": name, "handle": label, "median_ms": middle, "p95_ms": high})
            print(f"{name + ': ' + label:<96}{middle:>8.1f}{high:>8.1f}", flush=True)
        page.close()
    return rows


TABLES = {"weights": weights, "axe": axe, "frames": frames, "lighthouse": lighthouse}


def main() -> int:
    """Serve the site, make the tables that are asked for, add them to the file of the other measurements."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], help="which tables (default: all)")
    parser.add_argument("--json", default=ROOT / "bench.json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if not (SITE / "index.html").exists():
        sys.exit(f"There is no site at {SITE}: say `make book` first.")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_port}/"
    report = json.loads(options.json.read_text(encoding="utf-8")) if options.json.exists() else {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        made = {name: TABLES[name](browser, home) for name in options.tables or TABLES}
        browser.close()
    report["site"] = {**report.get("site", {}), **made}
    options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\nAdded to {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
