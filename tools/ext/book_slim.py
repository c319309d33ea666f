"""Leave out of the theme's style sheets what no page of the book can use.

The theme brings all of Bootstrap and two thousand icons. A rule stays if every class that one of its
selectors names is a word of some page or script of the site; scripts put classes on elements by their names,
so these are words of theirs. Kept rules are kept as they are, in their order.
"""

import re
from collections.abc import Iterator
from pathlib import Path

SHEETS = ("styles/pydata-sphinx-theme.css", "sphinx-design.min.css")
WORD = re.compile(r"[A-Za-z_][\w-]*")
CLASS = re.compile(r"\.([A-Za-z_-](?:[\w-]|\\.)*)")
STRINGS_AND_COMMENTS = re.compile(r"/\*.*?\*/|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", re.DOTALL)


def rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield the head and the block of each rule of a sheet; a statement without a block has an empty one."""
    # Braces in strings and comments are no braces: they are looked for in a copy in which those are blank.
    blank = STRINGS_AND_COMMENTS.sub(lambda found: " " * len(found[0]), sheet)
    start = 0
    while start < len(sheet):
        brace, end = blank.find("{", start), blank.find(";", start)
        if brace < 0 or 0 <= end < brace:
            stop = (end if end >= 0 else len(sheet) - 1) + 1
            yield sheet[start:stop], ""
        else:
            depth, stop = 1, brace + 1
            while depth:
                depth += {"{": 1, "}": -1}.get(blank[stop], 0)
                stop += 1
            yield sheet[start:brace], sheet[brace:stop]
        start = stop


def usable(selector: str, words: set[str]) -> bool:
    """Whether something on some page could match; what :not() excludes need not be there."""
    named = CLASS.findall(re.sub(r":not\([^)]*\)", "", selector))
    return all(re.sub(r"\\(.)", r"\1", name) in words for name in named)


def slim(sheet: str, words: set[str]) -> str:
    """The sheet without the rules that cannot match, and without the fonts of icons that the book draws."""
    kept = []
    for head, block in rules(sheet):
        bare = re.sub(r"/\*.*?\*/", "", head, flags=re.DOTALL).strip()
        if bare.startswith(("@media", "@supports", "@layer")) and block:
            inner = slim(block[1:-1], words)
            if inner.strip():
                kept.append(f"{head}{{{inner}}}")
        elif bare.startswith("@font-face"):
            if "Font Awesome" not in block.replace("\\", ""):
                kept.append(head + block)
        elif bare.startswith("@") or not block:
            kept.append(head + block)
        else:
            chosen = [part for part in re.split(r",(?![^(]*\))", head) if usable(part, words)]
            if chosen:
                kept.append(",".join(chosen) + block)
    return "".join(kept)


def write_slim_sheets(app, exception) -> None:
    """Rewrite the sheets of the built site."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    sources = [*folder.rglob("*.html"), *(folder / "_static").rglob("*.js")]
    words = set()
    for source in sources:
        if source.name not in ("fontawesome.js", "bootstrap.js"):  # the pages load neither
            words |= set(WORD.findall(source.read_text(encoding="utf-8")))
    for name in SHEETS:
        sheet = folder / "_static" / name
        sheet.write_text(slim(sheet.read_text(encoding="utf-8"), words), encoding="utf-8")


def setup(app):
    """Connect to the end of the build."""
    app.connect("build-finished", write_slim_sheets, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
