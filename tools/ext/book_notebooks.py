"""Clean notebooks to take home: one for each chapter, and all of them in one zip.

They are written from the chapters' sources after the pages, when every number, value and reference is known.
No output and no markup of this book's is left in them, so they open and run in any Jupyter that has the
book's package. Where a cell hands a number to the page's text, the notebook's cell prints it.
"""

import ast
import base64
import json
import mimetypes
import posixpath
import re
import zipfile
from pathlib import Path

import book_numbers
import nbformat
import plain_markdown
import pybtex.plugin
from docutils import nodes
from myst_nb.core.read import is_myst_markdown_notebook, myst_nb_reader_plugin
from myst_nb.core.variables import format_plain_text
from pybtex.backends.markdown import Backend as MarkdownBackend
from sphinx.directives.code import LiteralIncludeReader
from sphinx.errors import SphinxError
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
FOLDER = "downloads"
ZIP = "machines-with-memory-notebooks.zip"
IMPRINT = "---\n\n*From {title}. Text: CC BY 4.0. Code: BSD-3-Clause.*"
RUNNING = ("chapters/appendices/running", "one-chapter-as-a-notebook")  # how to install, for whom and where
NEEDS = (
    "> If the next cell does not find `gatedrnn`, install the book's package: {running} has it, and says how."
)
FOLDED = frozenset({"remove-cell", "remove-input", "hide-cell", "hide-input"})
EPOCH = (1980, 1, 1, 0, 0, 0)
LEFTOVER = re.compile(r"\{[a-zA-Z][\w:.-]*\}`|^ *(?:`{3,}|:{3,})\{|^:::", re.MULTILINE)


class NotebookError(SphinxError):
    """A chapter cannot be made into a clean notebook."""

    category = "Notebook to download"


class Resolver:
    """Answers of the built book to one chapter's questions."""

    def __init__(self, app, docname: str):
        self.app, self.env, self.docname = app, app.env, docname
        self.macros = app.config.katex_macros
        self.site = (app.config.html_baseurl or "").rstrip("/")
        self.attachments: dict[str, dict[str, str]] = {}
        glued = Path(app.env.mystnb_config.output_folder, f"{docname}.glue.json")
        self.glued = json.loads(glued.read_text(encoding="utf-8")) if glued.exists() else {}

    # -- numbers and values

    def value(self, body: str) -> str:
        """A value that the executed chapter glued, in the format that the text asks for."""
        key, _, form = body.partition(":")
        if key not in self.glued:
            raise plain_markdown.UnknownMarkupError(f"no cell of this chapter glues {key!r}")
        return book_numbers.in_prose(format_plain_text(self.glued[key]["data"]["text/plain"], form or "s"))

    def equation_number(self, label: str) -> str:
        """The number of an equation, as the page shows it."""
        domain = self.env.get_domain("math")
        if label not in domain.equations:
            raise plain_markdown.UnknownMarkupError(f"no equation is labelled {label!r}")
        docname, number = domain.equations[label]
        numbers = self.env.toc_fignumbers.get(docname, {}).get("displaymath", {})
        parts = numbers.get(nodes.make_id(f"equation-{label}"))
        return ".".join(map(str, parts)) if parts else str(number)

    def figure_number(self, label: str) -> str:
        """``Figure 1.2`` or ``Table 3``, or nothing for what has no number."""
        docname, anchor = self.env.get_domain("std").anonlabels.get(label, (None, None))[:2]
        for kind, numbers in self.env.toc_fignumbers.get(docname, {}).items():
            if anchor in numbers and kind in self.app.config.numfig_format:
                return self.app.config.numfig_format[kind] % ".".join(map(str, numbers[anchor]))
        return ""

    # -- links

    def address(self, docname: str, anchor: str = "") -> str:
        """The address of a place in the book, or nothing while the book has none."""
        return f"{self.site}/{docname}.html{'#' if anchor else ''}{anchor}" if self.site else ""

    def linked(self, text: str, docname: str, anchor: str = "") -> str:
        """Text with a link where the book has an address, in italics where not."""
        address = self.address(docname, anchor)
        return f"[{text}]({address})" if address else f"*{text}*"

    def link(self, text: str, target: str) -> str:
        """A Markdown link within the book."""
        page, _, anchor = target.partition("#")
        if not page:
            return self.reference_ref(text, anchor)
        docname = posixpath.normpath(posixpath.join(posixpath.dirname(self.docname), page)).lstrip("/")
        docname = re.sub(r"\.(md|ipynb)$", "", docname)
        if docname not in self.env.titles:
            raise plain_markdown.UnknownMarkupError(f"the link to {target!r} leads to no page of the book")
        return self.linked(text or self.env.titles[docname].astext(), docname, anchor)

    def reference_ref(self, text: str, label: str) -> str:
        """A reference to a place by its title."""
        domain = self.env.get_domain("std")
        docname, anchor, title = domain.labels.get(label, (*domain.anonlabels.get(label, ("", "")), ""))
        return self.linked(text or title or label, docname, anchor) if docname else text or label

    def reference_doc(self, text: str, target: str) -> str:
        """A reference to a page by its title."""
        return self.link(text, target)

    def reference_numref(self, text: str, label: str) -> str:
        """A reference to a figure or table by its number."""
        number = self.figure_number(label)
        bare = number.split()[-1] if number else label
        return text.replace("%s", bare).replace("{number}", bare) if text else number or label

    def reference_eq(self, text: str, label: str) -> str:
        """A reference to an equation by its number."""
        return f"({self.equation_number(label)})"

    def reference_term(self, text: str, term: str) -> str:
        """A term of the glossary."""
        return f"*{text or term}*"

    def reference_download(self, text: str, target: str) -> str:
        """A file that the site offers."""
        return f"{text} (`{Path(target).name}`)" if text else f"`{Path(target).name}`"

    # -- literature

    def entry(self, key: str):
        """One work of references.bib."""
        entries = self.env.get_domain("cite").bibdata.data.entries
        if key not in entries:
            raise plain_markdown.UnknownMarkupError(f"references.bib has no {key!r}")
        return entries[key]

    def citation(self, keys: list[str], in_text: bool) -> str:
        """Author and year, linked to the work's DOI."""
        from book_pages import people

        shown = []
        for key in keys:
            entry = self.entry(key)
            year = entry.fields.get("year", "n.d.")
            address = self.work_address(entry)
            words = year if in_text else f"{people(entry)}, {year}"
            linked = f"[{words}]({address})" if address else words
            shown.append(f"{people(entry)} ({linked})" if in_text else linked)
        return ", ".join(shown) if in_text else f"({'; '.join(shown)})"

    @staticmethod
    def work_address(entry) -> str:
        """Where a work is found."""
        doi = entry.fields.get("doi")
        return f"https://doi.org/{doi}" if doi else entry.fields.get("url", "")

    def bibliography(self) -> list[str]:
        """The works cited in this chapter, in alphabetical order."""
        references = self.env.get_domain("cite").citation_refs
        mine = [reference for reference in references if reference.docname == self.docname]
        keys = {target.key for reference in mine for target in reference.targets}
        style = pybtex.plugin.find_plugin("pybtex.style.formatting", self.app.config.bibtex_default_style)()
        backend = MarkdownBackend("utf-8")
        entries = style.format_entries([self.entry(key) for key in sorted(keys)])
        shown = (" ".join(entry.text.render(backend).split()) for entry in entries)
        return [re.sub(r"\\([.:()-])", r"\1", text) for text in shown]

    # -- files

    def image(self, target: str, alt: str) -> str:
        """A picture, carried as an attachment of its cell."""
        relative, path = self.env.relfn2path(target, self.docname)
        data, kind = Path(path).read_bytes(), mimetypes.guess_type(path)[0] or "image/png"
        name = Path(relative).name
        self.attachments[name] = {kind: base64.b64encode(data).decode("ascii")}
        return f"![{alt}](attachment:{name})"

    def source(self, target: str, options: dict[str, str]) -> str:
        """The lines that a page includes from a file."""
        path = self.env.relfn2path(target, self.docname)[1]
        wanted = {**options, "dedent": None} if "dedent" in options else dict(options)
        for flag in ("lineno-match", "linenos", "language", "caption", "name", "emphasize-lines", "class"):
            wanted.pop(flag, None)
        text, _ = LiteralIncludeReader(path, wanted, self.app.config).read()
        return text.rstrip("\n")


def read(path: Path):
    """A page's source as a notebook, or None where it has no cells to run."""
    if path.suffix == ".ipynb":
        return nbformat.read(path, as_version=4)
    text = path.read_text(encoding="utf-8")
    return myst_nb_reader_plugin(str(path)) if is_myst_markdown_notebook(text) else None


def is_notebook(app, docname: str) -> bool:
    """Whether a page is offered as a notebook: it has a kernel and code to run, and is not the title page."""
    return docname != app.config.root_doc and "kernelspec" in app.env.metadata.get(docname, {})


def clean(app, docname: str):
    """One chapter as a clean notebook."""
    resolver = Resolver(app, docname)
    cells = []
    for cell in read(Path(app.env.doc2path(docname))).cells:
        if cell.cell_type == "code":
            if not any(before.cell_type == "code" for before in cells):
                running = resolver.linked("Running everything", *RUNNING)
                cells.append(nbformat.v4.new_markdown_cell(NEEDS.format(running=running)))
            cells += [runnable(cell, docname), *caption_below(cell, resolver)]
        elif cell.cell_type == "markdown":
            cells += written(cell.source, resolver)
    cells.append(nbformat.v4.new_markdown_cell(IMPRINT.format(title=app.config.html_title)))
    for number, cell in enumerate(cells, start=1):
        cell["id"] = f"cell-{number}"
    metadata = {
        "title": app.env.titles[docname].astext(),
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    return notebook


def written(source: str, resolver) -> list:
    """A cell of text, or none where nothing of it is left, with the pictures that it shows."""
    resolver.attachments = {}
    try:
        text = plain_markdown.convert(source, resolver)
    except plain_markdown.UnknownMarkupError as error:
        raise NotebookError(f"{resolver.docname}: {error}.") from error
    refuse_leftovers(resolver.docname, text)
    cell = nbformat.v4.new_markdown_cell(text)
    if resolver.attachments:
        cell["attachments"] = resolver.attachments
    return [cell] if text else []


def runnable(cell, docname: str):
    """A cell of code as it runs without the page; folded where the page does not show it."""
    tags = FOLDED.intersection(cell.metadata.get("tags", []))
    folded = {"metadata": {"jupyter": {"source_hidden": True}}} if tags else {}
    return nbformat.v4.new_code_cell(printed(cell.source, docname), **folded)


def printed(source: str, docname: str) -> str:
    """The same code with a ``print`` for each number that is handed to the page's text.

    ``glue("tau", tau, display=False)`` becomes ``print("tau", tau, sep=" = ")``.
    """
    if "glue" not in source:
        return source
    lines = source.encode().splitlines(keepends=True)  # in bytes, as the parser counts columns
    pieces = []  # line, first and last column, what stands there instead
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "myst_nb":
            if [alias.name for alias in node.names] != ["glue"]:
                raise NotebookError(f"{docname}: a notebook can do without `glue` of myst_nb only.")
            pieces.append((node.lineno, 0, len(lines[node.lineno - 1]), ""))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "glue":
            if len(node.args) != 2 or [keyword.arg for keyword in node.keywords] != ["display"]:
                raise NotebookError(f"{docname}: `{ast.unparse(node)}` is not glue(name, value, display=…).")
            for part, instead in ((node.func, "print"), (node.keywords[0], 'sep=" = "')):
                pieces.append((part.lineno, part.col_offset, part.end_col_offset, instead))
    for line, start, end, instead in sorted(pieces, reverse=True):
        lines[line - 1] = lines[line - 1][:start] + instead.encode() + lines[line - 1][end:]
    return b"".join(lines).decode().strip("\n")


def caption_below(cell, resolver) -> list:
    """The caption of a figure that a cell draws, and its alt text, which the page takes from the metadata.

    Jupyter shows what a cell draws without an alt text, so its words are folded below.
    """
    options = cell.metadata.get("mystnb", {})
    figure, alt = options.get("figure") or {}, (options.get("image") or {}).get("alt", "")
    number = resolver.figure_number(figure["name"]) if figure.get("name") else ""
    below = []
    if figure.get("caption"):
        below += written(f"**{number}.** {figure['caption']}" if number else figure["caption"], resolver)
    if alt.strip():
        words = re.sub(r"([\\`*_$<>\[\]])", r"\\\1", " ".join(alt.split()))
        summary = f"{number or 'The figure'} in words"
        below.append(
            nbformat.v4.new_markdown_cell(f"<details>\n<summary>{summary}</summary>\n\n{words}\n\n</details>")
        )
    return below


def refuse_leftovers(docname: str, text: str) -> None:
    """Fail where markup of this book's is left outside code."""
    outside = re.sub(
        r"```.*?```|`[^`\n]+`(?!`)", "", re.sub(r"(\{[\w:.-]+\})`", r"\1`\n", text), flags=re.DOTALL
    )
    found = LEFTOVER.search(outside)
    if found:
        raise NotebookError(f"{docname}: {found[0].strip()!r} would be left in the downloaded notebook.")


def name_of(docname: str) -> str:
    """The file name of a chapter's notebook."""
    return f"{docname.rsplit('/', 1)[-1]}.ipynb"


def write_notebooks(app, exception) -> None:
    """Write every notebook and the zip beside the pages."""
    if exception is not None or app.builder.format != "html":
        return
    docnames = sorted(name for name in app.env.found_docs if is_notebook(app, name))
    names = [name_of(docname) for docname in docnames]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise NotebookError(f"two pages would give the same notebook: {', '.join(twice)}; rename one.")
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / ZIP, "w", zipfile.ZIP_DEFLATED) as archive:
        for docname, name in zip(docnames, names, strict=True):
            text = nbformat.writes(clean(app, docname)) + "\n"
            (folder / name).write_text(text, encoding="utf-8")
            archive.writestr(zipfile.ZipInfo(name, EPOCH), text, zipfile.ZIP_DEFLATED)
    for old in set(folder.glob("*.ipynb")) - {folder / name for name in names}:
        old.unlink()
    LOGGER.info("wrote %d notebooks to take home", len(names))


def archive_role(name, rawtext, text, line, inliner, options=None, content=()):
    """Link to the archive of all notebooks from wherever a page is: ``{notebook-archive}`text```."""
    docname = inliner.document.settings.env.docname
    address = posixpath.relpath(f"{FOLDER}/{ZIP}", posixpath.dirname(docname) or ".")
    return [nodes.reference(rawtext, text, refuri=address, internal=True)], []


def offer(app, pagename, templatename, context, doctree) -> None:
    """Put the download under the title of each chapter."""
    if not is_notebook(app, pagename) or "body" not in context:
        return
    address = context["pathto"](f"{FOLDER}/{name_of(pagename)}", 1)
    what = "page" if pagename.startswith("chapters/practice/") else "chapter"
    line = (
        f'<p class="chapter-take-home"><a href="{address}" download>Download this {what} as a notebook</a>'
        f" to run and change it on your own machine{tell_needs(app, context)}.</p>"
    )
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{line}", 1)


def tell_needs(app, context) -> str:
    """Say behind the offer where a reader learns what a notebook needs, if the book has that page."""
    page, anchor = RUNNING
    if page not in app.env.found_docs:
        return ""
    return f' (<a href="{context["pathto"](page)}#{anchor}">what that takes</a>)'


def setup(app):
    """Connect the writer to the end of the build and the offer to every page."""
    app.add_role("notebook-archive", archive_role)
    app.connect("build-finished", write_notebooks)
    app.connect("html-page-context", offer)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
