"""Numbers in the prose as a reader is used to see them: −0.14, 4 × 10⁻⁷, 0.00, and 20 ms on one line.

Python prints a hyphen for a minus, an `e` for a power of ten, and a minus before a zero that was rounded.
A line may break at a blank, also at the one between a number and its unit.
"""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

NEGATIVE = re.compile(r"(?<![\w.)])-(?=\.?\d)")
NOTHING = re.compile(r"(?<![\w.)])-(?=0*\.?0*(?![\d.]))")  # a rounded zero has no sign
POWER = re.compile(r"(?<=\d)e([+-]?)0*(\d+)\b")
ALONE = re.compile(r"(?<![\d.])1\xa0×\xa010")
UNITS = "%|ms|µs|s|min|h|Hz|kHz|mm|cm|cm/s|KB|MB|GB|SD|ΔF/F"
UNIT_AHEAD = re.compile(rf" (?=(?:{UNITS})(?!\w))")
BEFORE_UNIT = re.compile(rf"(?<=\d){UNIT_AHEAD.pattern}")
NO_PROSE = (nodes.literal, nodes.literal_block, nodes.raw, nodes.math, nodes.math_block, nodes.comment)
LOW, HIGH = "−0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
UP, DOWN = str.maketrans(LOW, HIGH), str.maketrans(HIGH, LOW)


def in_prose(text: str) -> str:
    """Return the text of a computed value with its numbers as a reader is used to see them.

    >>> [in_prose(text) for text in ("-0.14", "-0.00", "4.1e-07", "1e-12", "-10 to 15 ms", "2024-11-24")]
    ['−0.14', '0.00', '4.1\\xa0×\\xa010⁻⁷', '10⁻¹²', '−10 to 15 ms', '2024-11-24']
    """
    text = POWER.sub(lambda m: f"\xa0×\xa010{'⁻' * (m[1] == '-')}{m[2].translate(UP)}", text)
    text = ALONE.sub("10", text)
    return NEGATIVE.sub("−", NOTHING.sub("", text))


def together(text: str) -> str:
    """Return the text with no line break between a number and its unit, nor around ±.

    >>> together("5 % in 20 ms, 0.3 ± 0.1 s").replace("\\xa0", "_")
    '5_% in 20_ms, 0.3_±_0.1_s'
    """
    return BEFORE_UNIT.sub("\xa0", text).replace(" ± ", "\xa0±\xa0")


def raised(text: str) -> list[nodes.Node]:
    """Return the text as nodes, with exponents set by the page: no face has all the small raised digits."""
    parts = re.split(rf"(?<=10)([{HIGH}]+)", text)
    return [
        nodes.superscript("", part.translate(DOWN)) if number % 2 else nodes.Text(part)
        for number, part in enumerate(parts)
        if part
    ]


class WriteNumbers(SphinxPostTransform):
    """Rewrite the numbers that were glued into running text, and keep all numbers with their units."""

    default_priority = 400

    def run(self, **_):
        """Go through the text of every glued value, then through all prose."""
        for pasted in self.document.findall(_is_pasted):
            for text in list(pasted.findall(nodes.Text)):
                text.parent.replace(text, raised(in_prose(text.astext())))
        for parent in self.document.findall(nodes.Element):
            if not isinstance(parent, NO_PROSE):
                self.hold(parent)

    def hold(self, parent: nodes.Element):
        """Keep the numbers that stand directly in a node with their units."""
        for place, node in enumerate(parent.children):
            if isinstance(node, nodes.Text):
                words = together(node.astext())
                if place and _is_pasted(parent[place - 1]) and UNIT_AHEAD.match(words):
                    words = "\xa0" + words[1:]
                parent.children[place] = nodes.Text(words)
                parent.children[place].parent = parent


def _is_pasted(node) -> bool:
    return isinstance(node, nodes.inline) and "pasted-text" in node["classes"]


def setup(app):
    """Register with Sphinx."""
    app.add_post_transform(WriteNumbers)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
