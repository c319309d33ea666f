"""What the pages carry besides the theme, and what stands beside them: head, card, map of the site, page 404.

The site does not know where it will be published. ``BOOK_URL=https://…`` in the environment of the build (or
``html_baseurl`` in the configuration) tells it; the map of the site and the pages' card then bear full
addresses. Without it the map bears the address at which ``make serve`` shows the site.
"""

import os
import posixpath
from html import escape
from pathlib import Path

import pybtex.plugin
from docutils import nodes
from pybtex.richtext import Text as LaTeXText
from pybtex.style.formatting.plain import Style as PlainStyle
from pybtex.style.labels import BaseLabelStyle

# The faces that the first screen of any page is set in; fetched before the style sheet asks for them.
FONTS = (
    "fonts/source-serif-4-latin-400-normal.woff2",
    "fonts/source-serif-4-latin-600-normal.woff2",
    "fonts/source-serif-4-latin-400-italic.woff2",
    "fonts/source-sans-3-latin-wght-normal.woff2",
)
MATH_FONTS = ("katex/fonts/KaTeX_Main-Regular.woff2", "katex/fonts/KaTeX_Math-Italic.woff2")
DESCRIPTION_LENGTH = 160
MADE_PAGES = {  # made by Sphinx, without a text of their own
    "genindex": "The terms of the book's glossary from A to Z, each with a link to what it means.",
    "search": "Find a word on any page of the book: chapters, exercises, appendices.",
}
LONG_PART = 4000  # letters, which fill a large screen
CARD = "_static/card.png"
SERVED_AT = "http://localhost:8000/"


def people(entry) -> str:
    """Who wrote a work, as in running text: one name, two names, or the first and "et al."."""
    persons = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join([*person.prelast_names, *person.last_names]) for person in persons]
    if not names:
        return entry.fields.get("title", entry.key)
    text = names[0] if len(names) == 1 else " & ".join(names) if len(names) == 2 else f"{names[0]} et al."
    return str(LaTeXText.from_latex(text))


class AuthorYearLabels(BaseLabelStyle):
    """Labels as in running text: ``Glaser et al. 2020``."""

    def format_labels(self, sorted_entries):
        """Yield a label for each entry, with a letter where two would be alike."""
        labels = [self._label(entry) for entry in sorted_entries]
        for position, label in enumerate(labels):
            twins = [i for i, other in enumerate(labels) if other == label]
            yield label + ("abcdefgh"[twins.index(position)] if len(twins) > 1 else "")

    @staticmethod
    def _label(entry) -> str:
        return f"{people(entry)} {entry.fields.get('year', 'n.d.')}"


class BookStyle(PlainStyle):
    """Plain entries in alphabetical order under author-year labels."""

    default_label_style = AuthorYearLabels


def describe(doctree, title: str = "") -> str:
    """The first paragraph of running text, behind a title where one is given, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            text = " ".join(f"{title}: {paragraph.astext()}".removeprefix(": ").split())
            long = len(text) > DESCRIPTION_LENGTH
            return text[:DESCRIPTION_LENGTH].rsplit(" ", 1)[0] + " …" if long else text
    return ""


def fill_context(app, pagename, templatename, context, doctree) -> None:
    """Give the page template its description and the fonts to fetch early."""
    has_math = doctree is not None and any(doctree.findall(nodes.math))
    fonts = FONTS + (MATH_FONTS if has_math else ())
    context["book_fonts"] = [context["pathto"](f"_static/vendor/{font}", 1) for font in fonts]
    # Pages of exercises begin alike; their titles tell them apart.
    title = app.env.titles[pagename].astext() if pagename.startswith("chapters/practice/") else ""
    context["book_description"] = (
        describe(doctree, title) if doctree is not None else MADE_PAGES.get(pagename, "")
    )
    address = app.config.html_baseurl
    context["book_card"] = f"{address}{CARD}" if address else context["pathto"](CARD, 1)


def mark_long_parts(app, doctree, docname) -> None:
    """Mark the parts of a page that are longer than a screen: book.css has them laid out as the reader comes.

    Shorter ones are laid out at once: their true height would otherwise move what follows them into view.
    """
    for part in doctree.findall(nodes.section):
        below_title = isinstance(part.parent, nodes.section) and isinstance(
            part.parent.parent, nodes.document
        )
        if below_title and len(part.astext()) > LONG_PART:
            part["classes"].append("long-part")


def add_scripts(app, pagename, templatename, context, doctree) -> None:
    """Load what makes boxes that scroll reachable by keyboard, and what formulas need to be printed."""
    app.add_js_file("scrolls.js", defer="defer")
    if doctree is not None and any(doctree.findall(nodes.math)):
        app.add_js_file("paper.js", defer="defer")


def defer_scripts(app, pagename, templatename, context, doctree) -> None:
    """Let scripts wait until the page is read, but for those that inline scripts build upon."""
    if pagename == "search":
        return
    scripts = context["script_files"]  # the builder's own list for this page
    for place, script in enumerate(scripts):
        if script.filename and "documentation_options" not in str(script.filename):
            waiting = {**script.attributes, "defer": "defer"}
            scripts[place] = type(script)(script.filename, priority=script.priority, **waiting)


def learn_address(app, config) -> None:
    """Take the site's address from the environment, with the slash that it ends with."""
    address = os.environ.get("BOOK_URL") or config.html_baseurl or ""
    config.html_baseurl = address.rstrip("/") + "/" if address else ""


def draw_card(file: Path) -> None:
    """Draw what others show beside a link to the site: the title, and an LSTM unit that hears spikes."""
    from gatedrnn import figures, widgets
    from matplotlib import pyplot

    unit = widgets.ListeningUnit()
    with pyplot.rc_context():
        figures.use_style()
        figure = pyplot.figure(figsize=(12, 6.3), dpi=100, facecolor="#0b2f4a", layout="none")
        axes = figure.add_axes((0.07, 0.1, 0.86, 0.42))
        cell = unit.trace().states.cell[:, 0]
        axes.fill_between(range(len(cell)), cell, step="post", color="#f0a63c", alpha=0.25, linewidth=0)
        axes.step(range(len(cell)), cell, "-", where="post", color="#f0a63c", linewidth=5)
        axes.eventplot(unit.spikes, lineoffsets=-0.35, linelengths=0.4, linewidths=4, color="#ffffff")
        axes.set_axis_off()
        figure.text(0.07, 0.74, "Machines with Memory", color="#ffffff", fontsize=58, fontweight="bold")
        figure.text(0.07, 0.63, "Gated recurrent networks for neuroscience", color="#cfe0ee", fontsize=29)
        figure.savefig(file, transparent=False, facecolor=figure.get_facecolor(), metadata={"Software": None})
        pyplot.close(figure)


def write_around(app, exception) -> None:
    """Write the card, the map of the site and the word to crawlers beside the pages."""
    if exception is not None or app.builder.format != "html":
        return
    folder, address = Path(app.outdir), app.config.html_baseurl
    card = folder / CARD
    if not card.exists():
        card.parent.mkdir(exist_ok=True)
        draw_card(card)
    pages = [f"{address or SERVED_AT}{name}.html" for name in sorted(app.env.found_docs)]
    urls = "".join(f"  <url><loc>{escape(page)}</loc></url>\n" for page in pages)
    (folder / "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n',
        encoding="utf-8",
    )
    known = f"Sitemap: {address}sitemap.xml\n" if address else ""
    (folder / "robots.txt").write_text(f"User-agent: *\nAllow: /\n{known}", encoding="utf-8")


def add_templates(app, config):
    """Let Sphinx find the templates that lie beside this file."""
    config.templates_path.append(str(Path(__file__).parent / "templates"))


def page_404(app):
    """Offer the page that servers show for an address at which nothing is."""
    yield "404", {"html_baseurl": app.config.html_baseurl}, "404.html"


def site_role(name, rawtext, text, line, inliner, options=None, content=()):
    """Link to the archive of the whole site, which tools/book.py writes last: ``{site-archive}`text```."""
    docname = inliner.document.settings.env.docname
    address = posixpath.relpath("downloads/machines-with-memory-site.zip", posixpath.dirname(docname) or ".")
    return [nodes.reference(rawtext, text, refuri=address, internal=True)], []


def setup(app):
    """Register the bibliography style, the page's context and what stands beside the pages."""
    # Jupyter Book always sets this value, for an extension that the book does not load.
    app.add_config_value("comments_config", {}, "", dict)
    pybtex.plugin.register_plugin("pybtex.style.formatting", "book", BookStyle)
    app.add_role("site-archive", site_role)
    app.connect("config-inited", learn_address)
    app.connect("config-inited", add_templates)
    app.connect("html-page-context", fill_context)
    app.connect("doctree-resolved", mark_long_parts)
    app.connect("html-page-context", add_scripts)
    app.connect("html-page-context", defer_scripts, priority=950)  # when all have been added
    app.connect("html-collect-pages", page_404)
    app.connect("build-finished", write_around)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
