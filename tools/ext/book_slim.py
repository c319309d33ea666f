"""One style sheet for all pages, without what no page of the book can use, and a theme that waits.

A browser shows nothing before it has every style sheet, and nine are nine times the wait. The theme brings
all of Bootstrap and two thousand icons. A rule stays if every class that one of its
selectors names is a word of some page or script of the site; scripts put classes on elements by their names,
so these are words of theirs. Kept rules are kept as they are, in their order.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# In the order in which the pages name them, which decides between rules of the same weight.
SHEETS = (
    "basic.css",
    "styles/pydata-sphinx-theme.css",
    "pygments.css",
    "styles/sphinx-book-theme.css",
    "mystnb.*.css",
    "copybutton.css",
    "sphinx-design.min.css",
    "vendor/katex/katex.min.css",
    "book.css",
)
SHEET = "site.css"
QUIET = '"[data-measured-by-theme]"'
MEASURED = (
    '["pre",".nboutput > .output_area",".cell_output > .output",".jp-RenderedHTMLCommon",'
    '".pst-scrollable-table-container"].join(", ")'
)
KNOWN = (*SHEETS, SHEET)
LINK_TAG = re.compile(r"""\s*<link\b(?=[^>]*rel="stylesheet")[^>]*>""")
LINK = re.compile(r"""<link\b(?=[^>]*rel="stylesheet")[^>]*href="([^"]*)\"""")
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
            # Without its comments: a name with a dot in them is no class.
            chosen = [part for part in re.split(r",(?![^(]*\))", bare) if usable(part, words)]
            if chosen:
                kept.append("\n" + ",".join(chosen) + block)
    return "".join(kept)


def rebased(sheet: str, folder: str) -> str:
    """The sheet with addresses as seen from _static instead of from the folder below it where it lay."""

    def moved(found: re.Match) -> str:
        address = found[1].strip("\"'")
        if re.match(r"[a-z]+:|/|#", address):
            return found[0]
        return f'url("{posixpath.normpath(posixpath.join(folder, address))}")'

    return re.sub(r"""url\(((?:"[^"]*"|'[^']*'|[^)"'])*)\)""", moved, sheet.replace('@charset "UTF-8";', ""))


def words_of(folder: Path) -> set[str]:
    """Every word of the pages and of the scripts that they load."""
    words = set()
    for source in [*folder.rglob("*.html"), *(folder / "_static").rglob("*.js")]:
        if source.name not in ("fontawesome.js", "bootstrap.js"):  # the pages load neither
            words |= set(WORD.findall(source.read_text(encoding="utf-8")))
    return words


def write_sheet(app, exception) -> None:
    """Write the one sheet, and let every page name it instead of the many."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    words, parts = words_of(folder), []
    for pattern in SHEETS:
        for sheet in (folder / "_static").glob(pattern):
            place = sheet.parent.relative_to(folder / "_static").as_posix()
            parts.append(rebased(slim(sheet.read_text(encoding="utf-8"), words), place))
    text = "\n".join(parts)
    (folder / "_static" / SHEET).write_text(text, encoding="utf-8")
    version = hashlib.sha256(text.encode()).hexdigest()[:8]
    for page in folder.rglob("*.html"):
        if "_static" not in page.relative_to(folder).parts:
            link_sheet(page, version)


def link_sheet(page: Path, version: str) -> None:
    """Replace a page's links to style sheets by one to the sheet of this version."""
    text = page.read_text(encoding="utf-8")
    links = LINK.findall(text)
    unknown = [address for address in links if not any(map(PurePosixPath(bare(address)).match, KNOWN))]
    if unknown:
        raise ValueError(f"{page.name} names a style sheet that book_slim.py does not know: {unknown[0]}")
    if links:
        root = links[0].split("_static/")[0]
        one = f'<link rel="stylesheet" href="{root}_static/{SHEET}?v={version}">'
        first = LINK_TAG.search(text).start()
        changed = text[:first] + one + LINK_TAG.sub("", text[first:])
        if changed != text:
            page.write_text(changed, encoding="utf-8")


def quiet_theme(app, exception) -> None:
    """Take from the theme's script what assets/scrolls.js does without laying out the whole page at once."""
    if exception is not None or app.builder.format != "html":
        return
    script = Path(app.outdir, "_static", "scripts", "pydata-sphinx-theme.js")
    if not script.exists():  # another theme
        return
    text = script.read_text(encoding="utf-8")
    if QUIET in text:  # the last build's copy, which Sphinx has left in its place
        return
    if text.count(MEASURED) != 1:
        raise ValueError(f"{script.name} measures other boxes than those that book_slim.py takes from it.")
    script.write_text(text.replace(MEASURED, QUIET), encoding="utf-8")


def bare(address: str) -> str:
    """An address below _static without the version behind it."""
    return address.split("?")[0].split("_static/")[-1]


def setup(app):
    """Connect to the end of the build."""
    app.connect("build-finished", quiet_theme, priority=890)
    app.connect("build-finished", write_sheet, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
