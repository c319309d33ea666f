"""What every page carries besides the theme: its own head, download link and bibliography style."""

import re

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


def describe(doctree) -> str:
    """The first paragraph of running text, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            text = re.sub(r"\s+", " ", paragraph.astext()).strip()
            return (
                text
                if len(text) <= DESCRIPTION_LENGTH
                else text[:DESCRIPTION_LENGTH].rsplit(" ", 1)[0] + " …"
            )
    return ""


def fill_context(app, pagename, templatename, context, doctree) -> None:
    """Give the page template its description and the fonts to fetch early."""
    has_math = doctree is not None and any(doctree.findall(nodes.math))
    fonts = FONTS + (MATH_FONTS if has_math else ())
    context["book_fonts"] = [context["pathto"](f"_static/vendor/{font}", 1) for font in fonts]
    context["book_description"] = describe(doctree) if doctree is not None else ""


def setup(app):
    """Register the bibliography style and the page's context."""
    # Jupyter Book always sets this value, for an extension that the book does not load.
    app.add_config_value("comments_config", {}, "", dict)
    pybtex.plugin.register_plugin("pybtex.style.formatting", "book", BookStyle)
    app.connect("html-page-context", fill_context)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
