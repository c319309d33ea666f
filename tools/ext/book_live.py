"""Live figures on the static page.

A notebook cell that shows a widget leaves two things in its output: a reference to the widget's state, which
myst-nb embeds in the page, and a still picture. This layer puts both into one box: ``assets/host.js`` starts
the widget in it; where scripts do not run, the picture is seen.
"""

import json
import re

from docutils import nodes
from myst_nb.core.render import WIDGET_VIEW_MIMETYPE
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.transforms.post_transforms import SphinxPostTransform


class LiveFigure(nodes.General, nodes.Element):
    """A box that holds a reference to a widget and a still picture of it."""


class FindLiveFigures(SphinxPostTransform):
    """Replace an output that offers a widget and a picture by a box with both, before one is chosen."""

    default_priority = 3
    formats = ("html",)

    def run(self, **_) -> None:
        """Go through the page's outputs."""
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            offers = {child["mime_type"]: child for child in bundle.children}
            view, still = offers.get(WIDGET_VIEW_MIMETYPE), offers.get("image/svg+xml")
            if view and still:
                bundle.replace_self(LiveFigure("", *view.children, *still.children))


def room_for(env, docname: str, reference: str) -> list[int]:
    """The heights that a figure asks the page to keep free, so that nothing moves when it starts."""
    model = json.loads(re.search(r"\{.*\}", reference, re.DOTALL)[0])["model_id"]
    _, script = NbMetadataCollector.get_js_files(env, docname)["ipywidgets_state"]
    return json.loads(script["body"])["state"][model]["state"]["room"]


def visit(translator, node: LiveFigure) -> None:
    """Open the box; what follows the reference is for readers without scripts."""
    reference, picture = node.children
    alt = translator.attval(picture.get("alt", ""))
    wide, narrow = room_for(translator.builder.env, translator.builder.current_docname, reference.astext())
    style = f"--room-wide: {wide}px; --room-narrow: {narrow}px"
    translator.body.append(
        f'<div class="live-figure" data-alt="{alt}" style="{style}">{reference.astext()}<noscript>'
    )
    picture.walkabout(translator)
    translator.body.append("</noscript></div>\n")
    raise nodes.SkipNode


def add_host(app, pagename, templatename, context, doctree) -> None:
    """Load the host script on pages that have a live figure, and on no others."""
    if doctree is not None and next(doctree.findall(LiveFigure), None) is not None:
        app.add_js_file("host.js", defer="defer")


def setup(app):
    """Register node, transform and script."""
    app.add_node(LiveFigure, html=(visit, None))
    app.add_post_transform(FindLiveFigures)
    app.connect("html-page-context", add_host)
    return {"parallel_read_safe": True, "parallel_write_safe": False, "version": "1"}
