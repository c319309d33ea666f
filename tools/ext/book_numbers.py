"""Numbers that the computation put into the prose, written as prose writes them: −0.14, 4 × 10⁻⁷, 0.00.

Python prints a hyphen for a minus, an `e` for a power of ten, and a minus before a zero that was rounded.
"""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

NEGATIVE = re.compile(r"(?<![\w.)])-(?=\.?\d)")
NOTHING = re.compile(r"(?<![\w.)])-(?=0*\.?0*(?![\d.]))")  # a rounded zero has no sign
POWER = re.compile(r"(?<=\d)e([+-]?)0*(\d+)\b")
ALONE = re.compile(r"(?<![\d.])1 × 10")
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def in_prose(text: str) -> str:
    """Return the text of a computed value with its numbers as a reader is used to see them.

    >>> [in_prose(text) for text in ("-0.14", "-0.00", "4.1e-07", "1e-12", "-10 to 15 ms", "2024-11-24")]
    ['−0.14', '0.00', '4.1 × 10⁻⁷', '10⁻¹²', '−10 to 15 ms', '2024-11-24']
    """
    text = POWER.sub(lambda m: f" × 10{'⁻' * (m[1] == '-')}{m[2].translate(RAISED)}", text)
    text = ALONE.sub("10", text)
    return NEGATIVE.sub("−", NOTHING.sub("", text))


class WriteNumbers(SphinxPostTransform):
    """Rewrite the numbers that were glued into running text."""

    default_priority = 400

    def run(self, **_):
        """Go through the text of every glued value."""
        for pasted in self.document.findall(nodes.inline):
            if "pasted-text" in pasted["classes"]:
                for text in list(pasted.findall(nodes.Text)):
                    text.parent.replace(text, nodes.Text(in_prose(text.astext())))


def setup(app):
    """Register with Sphinx."""
    app.add_post_transform(WriteNumbers)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
