"""List every number that the chapters claim, with the cell or the citation behind it.

    python tools/claims.py            every chapter that _toc.yml names
    python tools/claims.py PAGE…      only these pages

A claim is a sentence with a glued number or with a citation. Beside it stand the value, as `make book` has
computed it, and the code cell (counted from 1) that glued it.
"""

import re
import sys
from pathlib import Path

from book import ROOT, executed, glued, pages

GLUE = re.compile(r"\{glue:text\}`([\w-]+)(?::([^`]*))?`")
CITE = re.compile(r"\{cite:\w+\}`([^`]+)`")
QUOTE = "'"
SENTENCE = re.compile(r"(?<=[.!?:])\s+(?=[A-Z*$\[(])")


def claims(notebook):
    """Yield each sentence that claims something, and what is behind it."""
    values = glued(notebook)
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        for sentence in SENTENCE.split(" ".join(cell.source.split())):
            behind = [
                f"{name} = {values[name][0].strip(QUOTE)} (cell {values[name][1]})"
                for name, _ in GLUE.findall(sentence)
            ]
            behind += [f"cited: {keys}" for keys in CITE.findall(sentence)]
            if behind:
                yield GLUE.sub(lambda match: f"<{match[1]}>", sentence), behind


def main(words: list[str]) -> int:
    """Print the list, page by page."""
    chosen = [Path(word).resolve() for word in words] or [p for p in pages() if p.parent.name != "practice"]
    for page in chosen:
        notebook = executed(page) if page.suffix == ".md" and "jupytext" in page.read_text("utf-8") else None
        if notebook is None:
            if words:
                print(f"{page.name} has no executed cells; run `make book` first.", file=sys.stderr)
            continue
        found = list(claims(notebook))
        print(f"\n{page.relative_to(ROOT)}: {len(found)} claims")
        for sentence, behind in found:
            print(f"\n  {sentence}\n      {'; '.join(behind)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
