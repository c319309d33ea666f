"""Markup of the theme and of docutils that a screen reader stumbles over, put right."""

from html import escape

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode


def visit_citation(translator, node: nodes.citation) -> None:
    """Open an entry of a bibliography as an item of a list; its usual role is deprecated."""
    if not isinstance(node.previous_sibling(), nodes.citation):
        translator.body.append('<div role="list" class="citation-list">\n')
    translator.body.append(translator.starttag(node, "div", classes=["citation"], role="listitem"))


def depart_citation(translator, node: nodes.citation) -> None:
    """Close it, and the list behind the last one."""
    last = not isinstance(node.next_node(descend=False, siblings=True), nodes.citation)
    translator.body.append("</div>\n</div>\n" if last else "</div>\n")


def visit_hidden_code(translator, node: HideCodeCellNode) -> None:
    """Open folded code under a line that is called what it reads."""
    shown, hidden = escape(node["prompt_show"]), escape(node["prompt_hide"])
    classes = " ".join(node["classes"])
    translator.body.append(
        f'<details class="admonition hide {classes}">\n<summary class="folded-code">'
        f'<span class="collapsed">{shown}</span><span class="expanded">{hidden}</span></summary>\n'
    )


def depart_hidden_code(translator, node: HideCodeCellNode) -> None:
    """Close folded code."""
    translator.body.append("</details>\n")


def empty_corners(app, doctree, docname) -> None:
    """Make the empty corner of a table a plain cell: a heading that says nothing heads nothing."""
    for head in doctree.findall(nodes.thead):
        for entry in head.findall(nodes.entry):
            entry["corner"] = not entry.astext().strip()


def only_formulas(node: nodes.entry) -> bool:
    """Whether a cell has no words besides its formulas."""
    texts = node.findall(nodes.Text)
    return not any(text.strip() for text in texts if not isinstance(text.parent, nodes.math))


def visit_entry(translator, node: nodes.entry) -> None:
    """Open a cell of a table, as a heading only where it has words; formulas alone get words for the ear."""
    row = node.parent
    in_head = isinstance(row.parent, nodes.thead)
    type(translator).visit_entry(translator, node)
    if in_head and node.get("corner"):
        opened = translator.body.pop()
        translator.body.append(opened.replace("<th", "<td", 1))
        translator.context[-1] = translator.context[-1].replace("</th>", "</td>")
    elif in_head and only_formulas(node):
        translator.body.append(f'<span class="for-the-ear">{escape(node.astext())}</span>')
        translator.body.append('<span aria-hidden="true">')
        translator.context[-1] = f"</span>{translator.context[-1]}"


def depart_entry(translator, node: nodes.entry) -> None:
    """Close it with the tag with which it was opened."""
    type(translator).depart_entry(translator, node)


def name_toggles(app, pagename, templatename, context, doctree) -> None:
    """Name the arrows that fold parts of the side bar."""
    made = context.get("generate_toctree_html")
    if made is None:
        return

    def named(*words, **options) -> str:
        name = '<summary aria-label="Show or hide the pages below">'
        return str(made(*words, **options)).replace("<summary>", name)

    context["generate_toctree_html"] = named


def setup(app):
    """Replace the visitors, and wrap the theme's function once it is there."""
    app.add_node(nodes.citation, override=True, html=(visit_citation, depart_citation))
    app.add_node(nodes.entry, override=True, html=(visit_entry, depart_entry))
    app.connect("doctree-resolved", empty_corners)
    app.add_node(HideCodeCellNode, override=True, html=(visit_hidden_code, depart_hidden_code))
    app.connect("html-page-context", name_toggles, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
