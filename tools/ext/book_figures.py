"""Figures for light and dark pages, in fixed places, each with a written alt text.

The package draws figures as SVG with a transparent background and text in one sentinel colour
(``gatedrnn.figures.INK``). For each of them this layer writes a twin with that colour exchanged and puts both
into the page; the style sheet shows the one that fits. Both say their width and height, so nothing moves when
they arrive, and come only when the reader scrolls near them.
"""

import os
import re
from html import escape
from pathlib import Path

from docutils import nodes
from gatedrnn.figures import INK, PAPER, dark
from myst_nb.core.render import WIDGET_VIEW_MIMETYPE
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
POINTS = {"pt": 4 / 3, "px": 1.0, "": 1.0, "in": 96.0, "mm": 96 / 25.4, "cm": 96 / 2.54}


def size_in_pixels(svg: str) -> tuple[int, int] | None:
    """Width and height of an SVG as a browser would show it, or None where it does not say."""
    root = re.search(r"<svg\b[^>]*>", svg, re.DOTALL)
    found = [re.search(rf'\b{name}="([\d.]+)([a-z]*)"', root[0]) for name in ("width", "height")]
    if not all(found) or any(length[2] not in POINTS for length in found):
        return None
    return tuple(round(float(length[1]) * POINTS[length[2]]) for length in found)


def slim(svg: str) -> str:
    """The same drawing without paper, and without digits beyond a hundredth of a point: a third of it."""
    svg = svg.replace(PAPER, "")
    short = re.compile(r"(\d+\.\d\d)\d+")
    svg = re.sub(r'(?<=\sd=")[^"]+', lambda path: short.sub(r"\1", path[0]), svg)
    return re.sub(r'(?<=\s[xy]=")[^"]+', lambda place: short.sub(r"\1", place[0]), svg)


def is_svg(node: nodes.Element) -> bool:
    """Whether a node is an SVG image of this book."""
    return isinstance(node, nodes.image) and node["uri"].endswith(".svg") and "://" not in node["uri"]


def prepare(app, doctree) -> None:
    """Ask for an alt text on every image of a page, and write the dark twins."""
    for node in list(doctree.findall(nodes.image)):
        if not node.get("alt", "").strip():
            node["alt"] = alt_of_live_figure(node)
        if not node.get("alt", "").strip():
            LOGGER.warning(
                "an image has no alt text: say what it shows, in the cell's metadata as "
                "`mystnb: {image: {alt: …}}` or in the directive's `:alt:`",
                location=node,
                type="figures",
                subtype="alt",
            )
        if is_svg(node):
            prepare_svg(app, node)


def alt_of_live_figure(node: nodes.image) -> str:
    """The words that a live figure brings with it, where an image is its still picture; else nothing."""
    bundle = node.parent.parent
    if not isinstance(bundle, nodes.container) or bundle.get("nb_element") != "mime_bundle":
        return ""
    offers = {child["mime_type"]: child for child in bundle.children}
    words = offers.get("text/plain") if WIDGET_VIEW_MIMETYPE in offers else None
    return words.astext().strip() if words else ""


def prepare_svg(app, node: nodes.image) -> None:
    """Note an SVG's size and, where it draws in the sentinel colour, write its twin."""
    source = Path(app.srcdir, node["uri"].lstrip("/"))
    text = source.read_text(encoding="utf-8")
    if source.is_relative_to(Path(app.outdir).parent) and (slimmer := slim(text)) != text:
        source.write_text(slimmer, encoding="utf-8")
        text = slimmer
    node["pixels"] = size_in_pixels(text)
    if INK in text.lower():
        twin = source.with_name(f"{source.stem}-dark.svg")
        # Written below _build even where the original is a drawing in the source tree.
        if not source.is_relative_to(Path(app.outdir).parent):
            twin = Path(app.outdir).parent / "jupyter_execute" / twin.name
            twin.parent.mkdir(parents=True, exist_ok=True)
        twin.write_text(dark(text), encoding="utf-8")
        node["dark"] = Path(os.path.relpath(twin, app.srcdir)).as_posix()
        app.env.images.add_file(app.env.docname, node["dark"])


def copy_twins(app, doctree, docname) -> None:
    """Have the builder copy the twins beside their originals."""
    for node in doctree.findall(nodes.image):
        if node.get("dark") in app.env.images:
            app.builder.images[node["dark"]] = app.env.images[node["dark"]][1]


def visit_image(translator, node: nodes.image) -> None:
    """Write an image, or a pair of them of which the page's colour scheme shows one."""
    builder = translator.builder
    uri = builder.images.get(node["uri"])
    address = f"{builder.imgpath}/{uri}" if uri else node["uri"]
    attributes = image_attributes(node)
    if node.get("dark"):
        twin = f"{builder.imgpath}/{builder.images[node['dark']]}"
        natural = f' style="--natural: {node["pixels"][0]}px"' if node.get("pixels") else ""
        translator.body.append(
            f'<span class="figure-scroll"{natural}>'
            f'<img class="only-light" src="{escape(address)}" {attributes}>'
            f'<img class="only-dark" src="{escape(twin)}" {attributes}></span>\n'
        )
    else:
        translator.body.append(f'<img src="{escape(address)}" {attributes}>\n')


def image_attributes(node: nodes.image) -> str:
    """What both twins say: alt text, size, and that they may come late."""
    parts = [f'alt="{escape(node.get("alt", ""))}"', 'loading="lazy"', 'decoding="async"']
    width, height = node.get("pixels") or (node.get("width"), node.get("height"))
    if node.get("width") and str(node["width"]).endswith(("%", "em", "px")):
        parts.append(f'style="width: {escape(node["width"])}"')
    for name, value in (("width", width), ("height", height)):
        if value and str(value).isdigit():
            parts.append(f'{name}="{value}"')
    return " ".join(parts)


def setup(app):
    """Connect the layer to reading and writing."""
    app.connect("doctree-read", prepare, priority=900)
    app.connect("doctree-resolved", copy_twins)
    app.add_node(nodes.image, override=True, html=(visit_image, lambda translator, node: None))
    return {"parallel_read_safe": False, "parallel_write_safe": False, "version": "1"}
