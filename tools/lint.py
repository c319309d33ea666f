"""Look at the chapters as a reader meets them, and print what was measured.

    python tools/lint.py              every chapter of _toc.yml; exit code 1 if something must change
    python tools/lint.py PAGE…        only these pages

A table says for each chapter how many cells it has, how long they are and how many words of prose stand
beside a line of code. Below it come the faults: a cell longer than 15 lines, a figure without caption or
alt text, a slider that needs a kernel, a part that every chapter has and this one lacks, a file of the
site that asks another host.
"""

import argparse
import re
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path

from myst_nb.core.read import is_myst_markdown_notebook, myst_nb_reader_plugin

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("chapters/principles", "chapters/applications")
LONGEST_CELL = 15
LONGEST_MEDIAN = 6
WORDS_PER_LINE = (11, 20)
SHORTEST_ALT = 25
QUESTIONS = 3
LIVE = re.compile(r"^\s*(?:widgets\.)?(?:[A-Z]\w+|frames)\(.*\)\s*$")
DRAWS = re.compile(rf"\b(?:plt|pyplot)\.(?:subplots|subplot_mosaic|figure|plot|imshow|show)\(|{LIVE.pattern}")
ASSET_KINDS = {".js", ".css", ".html", ".svg"}
FOREIGN = re.compile(
    r"(?:url\(\s*['\"]?|src\s*=\s*['\"]|href\s*=\s*['\"]|import\s*\(?\s*['\"]|fetch\(\s*['\"])(?:https?:)?//"
)


@dataclass
class Page:
    """What was measured on one chapter, and what must change."""

    name: str
    lengths: list[int] = field(default_factory=list)
    shown: int = 0
    words: int = 0
    faults: list[str] = field(default_factory=list)

    def row(self) -> list[str]:
        """The page's line in the table."""
        if not self.lengths:
            return [self.name, "0", "–", "–", "–", "–"]
        return [
            self.name,
            str(len(self.lengths)),
            f"{statistics.median(self.lengths):g}",
            str(percentile(self.lengths, 0.9)),
            str(max(self.lengths)),
            f"{self.words / max(self.shown, 1):.1f}",
        ]


def percentile(values: list[int], share: float) -> int:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 100 * len(ordered)) // 100) - 1)]


def chapters() -> list[Path]:
    """The chapters that _toc.yml names."""
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    names = re.findall(r"file: *(\S+)", toc)
    return [ROOT / f"{name}.md" for name in names if name.startswith(FOLDERS)]


def examine(path: Path, root: Path = ROOT) -> Page:
    """Measure one chapter."""
    page = Page(str(path.relative_to(root) if path.is_relative_to(root) else path))
    text = path.read_text(encoding="utf-8")
    if not is_myst_markdown_notebook(text):
        page.faults.append("is not a MyST notebook: its header names no kernel")
        return page
    cells = myst_nb_reader_plugin(str(path)).cells
    for number, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        examine_code(page, number, cell)
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    page.words = count_words(prose)
    page.faults += missing_parts(prose)
    page.faults += unreadable_headings(prose)
    if page.lengths and statistics.median(page.lengths) > LONGEST_MEDIAN:
        page.faults.append(f"half of its cells are longer than {LONGEST_MEDIAN} lines")
    return page


def examine_code(page: Page, number: int, cell) -> None:
    """Measure one code cell."""
    lines = [line for line in cell.source.splitlines() if line.strip()]
    tags = set(cell.metadata.get("tags", []))
    page.lengths.append(len(lines))
    if not tags & {"remove-cell", "remove-input"}:
        page.shown += len(lines)
    where = f"code cell {number} ({lines[0].strip()[:40]} …)" if lines else f"code cell {number}"
    if len(lines) > LONGEST_CELL:
        page.faults.append(
            f"{where} has {len(lines)} lines; {LONGEST_CELL} are the most a reader holds at once"
        )
    if re.search(r"\binteract(?:ive|_manual)?\(", cell.source):
        page.faults.append(
            f"{where} uses interact(), which is dead on a page; make it a live figure or frames()"
        )
    if tags & {"remove-cell", "remove-output"}:
        return
    options = cell.metadata.get("mystnb", {})
    caption = str((options.get("figure") or {}).get("caption", "")).strip()
    alt = str((options.get("image") or {}).get("alt", "")).strip()
    if not (caption or alt or any(DRAWS.search(line) for line in lines)):
        return
    if not caption:
        page.faults.append(f"{where} draws a figure without a caption (mystnb: figure: caption)")
    if not alt and any(LIVE.search(line) for line in lines):
        return  # a live figure brings its own alt text
    if not alt:
        page.faults.append(f"{where} draws a figure without an alt text (mystnb: image: alt)")
    elif len(alt) < SHORTEST_ALT or alt == caption:
        page.faults.append(
            f"{where}: the alt text must say what is seen, not repeat the caption or name the figure"
        )


def count_words(prose: str) -> int:
    """Words that a reader reads: no directives, options, code, formulas, addresses, names of labels."""
    text = re.sub(r"^(`{3,})\{(?:math|literalinclude|bibliography)\}.*?^\1$", " ", prose, flags=re.M | re.S)
    text = re.sub(r"^ *(?:`{3,}|:{3,}).*$|^ *:[\w-]+:.*$|^\([\w:.-]+\)=$|^% .*$", " ", text, flags=re.M)
    text = re.sub(r"\$\$.+?\$\$|\$[^$\n]+\$", " ", text, flags=re.S)
    text = re.sub(r"\{(?:glue|cite)[\w:]*\}`[^`]*`", " ", text)  # a number, a name
    text = re.sub(r"\{[\w:-]+\}`([^`<]*)(?:<[^`>]*>)?`", r" \1 ", text)  # what stands before its <label>
    text = re.sub(r"\]\([^)\s]*\)", "] ", text)
    return len(re.findall(r"[^\W\d_][\w'’-]*", text))


def missing_parts(prose: str) -> list[str]:
    """What every chapter has and this one lacks."""
    faults = []
    objectives = re.search(r"\{admonition\} What you will be able to do\n(.*?)^`{3,}$", prose, re.M | re.S)
    if not objectives:
        faults.append("has no box “What you will be able to do”")
    elif not re.search(r"minutes", objectives[1], re.I):
        faults.append("does not say under its objectives how many minutes it takes")
    questions = re.findall(
        r"\{admonition\} Question \d+\n(.*?)(?=\{admonition\}|^## |\Z)", prose, re.M | re.S
    )
    answered = [question for question in questions if "{dropdown} Answer" in question]
    if len(answered) < QUESTIONS:
        faults.append(f"has {len(answered)} questions with a folded answer; {QUESTIONS} are the least")
    for name, heading in (("a recap", "Recap"), ("references", "References"), ("an exercise", "Exercise")):
        if not re.search(rf"^##+ {heading}", prose, re.M):
            faults.append(f"has no {name.split()[-1]}: a heading “{heading}” is missing")
    if not re.search(r"\{bibliography\}", prose):
        faults.append("lists no references: the directive {bibliography} is missing")
    return faults


def unreadable_headings(prose: str) -> list[str]:
    """Headings with formulas, which the side bar, the tab and the search cannot show."""
    without_code = re.sub(r"^(`{3,}).*?^\1$", "", prose, flags=re.M | re.S)
    headings = re.findall(r"^#+ .*\$.*$", without_code, re.M)
    return [f"the heading {heading.strip('# ')!r} holds a formula; say it in words" for heading in headings]


def foreign_hosts(folder: Path) -> list[str]:
    """Files of the site that would ask another host for something."""
    faults = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in ASSET_KINDS:
            found = FOREIGN.search(path.read_text(encoding="utf-8"))
            if found:
                faults.append(f"{path.relative_to(folder.parent)} asks another host: {found[0]}…")
    return faults


def print_table(pages: list[Page]) -> None:
    """Print what was measured, in columns."""
    head = ["chapter", "cells", "median lines", "nine in ten ≤", "longest", "words per line"]
    rows = [head, *(page.row() for page in pages)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        first, *others = (
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]))
    few, many = WORDS_PER_LINE
    wanted = f"median ≤ {LONGEST_MEDIAN}, longest ≤ {LONGEST_CELL}, {few} to {many} words per line of code"
    print(f"Wanted: {wanted}.")


def main(words: list[str] | None = None) -> int:
    """Examine the chapters, print the table and the faults."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE", help="chapters (default: all)")
    chosen = parser.parse_args(words).pages
    paths = chosen or chapters()
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        print(f"There is no page {', '.join(missing)}.", file=sys.stderr)
        return 2
    pages = [examine(path.resolve()) for path in paths]
    print_table(pages)
    faults = [f"{page.name}: {fault}." for page in pages for fault in page.faults]
    if not chosen:
        faults += [f"{fault}." for fault in foreign_hosts(ROOT / "assets")]
    if faults:
        print("\n" + "\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
