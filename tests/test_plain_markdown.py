"""Clean notebooks: what a chapter may use becomes Markdown that any notebook shows."""

import sys
from pathlib import Path

import pytest

EXTENSIONS = str(Path(__file__).parent.parent / "tools" / "ext")
sys.path.insert(0, EXTENSIONS)
import plain_markdown  # noqa: E402

sys.path.remove(EXTENSIONS)


class Book:
    """Answers as a built book would give them."""

    macros = {  # noqa: RUF012
        r"\R": r"\mathbb{R}",
        r"\norm": r"\lVert #1 \rVert",
        r"\sigmoid": r"\sigma",
        r"\inner": r"\langle #1, #2 \rangle",
    }

    def value(self, body):
        return f"value({body})"

    def equation_number(self, label):
        return {"eq-a": "1.2"}[label]

    def figure_number(self, label):
        return f"Figure({label})"

    def citation(self, keys, in_text):
        return f"{'in text' if in_text else 'aside'}: {' + '.join(keys)}"

    def bibliography(self):
        return ["first", "second"]

    def image(self, target, alt):
        return f"![{alt}](attachment:{target})"

    def source(self, target, options):
        return f"# {target} {options['pyobject']}"

    def link(self, text, target):
        return f"*{text or target}*"

    def reference_ref(self, text, label):
        return f"ref({text}|{label})"

    def reference_doc(self, text, label):
        return f"doc({text}|{label})"

    def reference_numref(self, text, label):
        return f"numref({text}|{label})"

    def reference_eq(self, text, label):
        return f"({self.equation_number(label)})"

    def reference_term(self, text, label):
        return f"*{text or label}*"

    def reference_download(self, text, label):
        return f"{text} ({label})"


def convert(text):
    return plain_markdown.convert(text, Book())


SAME = [
    "# A heading with *emphasis*",
    "Inline `code with {braces}` and `{cite}` and ``a `tick` inside``.",
    "| a | b |\n|---|---|\n| 1 | $x$ |",
    "- a list\n  - nested\n\n1. numbered",
    "```python\n{not}`a role`\n$x$\n```",
    "[the web](https://example.org/a_(b)",
    "<https://example.org>",
    "It costs \\$5 and $6 more.",
    "> quoted",
]


@pytest.mark.parametrize("text", SAME)
def test_plain_markdown_stays_as_it_is(text):
    assert convert(text) == text


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{cite:t}`a2020`, {cite:p}`b1,c2`", "in text: a2020, aside: b1 + c2"),
        ("{ref}`set 1 <set-1>` {ref}`sec`", "ref(set 1|set-1) ref(|sec)"),
        ("see {eq}`eq-a` and {numref}`fig-x`", "see (1.2) and numref(|fig-x)"),
        ("{doc}`../practice/grading`", "doc(|../practice/grading)"),
        ("{doc}`How $x$ <a/b>`", "doc(How $x$|a/b)"),
        ("{glue:text}`gap:.0e` mV", "value(gap:.0e) mV"),
        ("{math}`\\norm{W}`", "$\\lVert W \\rVert$"),
        ("{term}`gates <gate>` {term}`gate`", "*gates* *gate*"),
        ("{download}`the file <x.csv>`", "the file (x.csv)"),
        ("[grading](../practice/grading.md) and [](#sec)", "*grading* and *#sec*"),
        ("a [word]{.special} here", "a word here"),
        ("(target)=\n## Heading", "## Heading"),
        ("% a comment\ntext", "text"),
        ("{.lead}\nText", "Text"),
        ("{ref}`text over\ntwo lines <sec>`", "ref(text over\ntwo lines|sec)"),
    ],
)
def test_roles_and_links(text, made):
    assert convert(text) == made


@pytest.mark.parametrize(
    ("tex", "made"),
    [
        ("\\R^n", "\\mathbb{R}^n"),
        ("\\norm{W_{h}}_2", "\\lVert W_{h} \\rVert_2"),
        ("\\norm{\\norm{x} y}", "\\lVert \\lVert x \\rVert y \\rVert"),
        ("\\inner{a}{b}", "\\langle a, b \\rangle"),
        ("\\norm x", "\\lVert x \\rVert"),
        ("\\sigmoid x", "\\sigma x"),
        ("\\normal \\Rho", "\\normal \\Rho"),
    ],
)
def test_macros_are_written_out(tex, made):
    assert plain_markdown.expand(tex, Book.macros) == made


def test_unbalanced_braces_are_an_error():
    with pytest.raises(plain_markdown.UnknownMarkupError, match="unbalanced"):
        plain_markdown.expand("\\norm{x", Book.macros)


def test_displayed_formulas_keep_their_numbers():
    numbered = "$$\nx = \\mathbb{R} \\tag{1.2}\n$$"
    assert convert("```{math}\n:label: eq-a\nx = \\R\n```") == numbered
    assert convert("$$\nx = \\R\n$$ (eq-a)") == numbered
    assert convert("$$ a &= b \\\\ &= c $$") == "$$\n\\begin{aligned}\na &= b \\\\ &= c\n\\end{aligned}\n$$"
    assert convert("$$ \\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix} $$").count("aligned") == 0


def test_boxes_become_block_quotes():
    assert convert("```{note}\nText {eq}`eq-a`.\n```") == "> **Note**\n>\n> Text (1.2)."
    assert convert(":::{warning}\nText.\n:::") == "> **Warning**\n>\n> Text."
    box = convert("```{admonition} What $x$ does\n:class: tip\n\n- one\n- two\n```")
    assert box == "> **What $x$ does**\n>\n> - one\n> - two"
    assert convert("```{margin} Aside\nText.\n```") == "> **Aside**\n>\n> Text."
    assert convert("```{epigraph}\nWords.\n\n-- Someone\n```") == "> Words.\n>\n> -- Someone"


def test_a_question_keeps_its_answer_folded():
    text = "`````{admonition} Question 1\nWhy?\n\n````{dropdown} Answer\n```python\nx\n```\nSo.\n````\n`````"
    assert convert(text) == "\n".join(
        "> " + line if line else ">"
        for line in [
            "**Question 1**",
            "",
            "Why?",
            "",
            "<details>",
            "<summary>Answer</summary>",
            "",
            "```python",
            "x",
            "```",
            "So.",
            "",
            "</details>",
        ]
    )


def test_figures_code_tables_glossaries_and_references():
    figure = "```{figure} drawing.svg\n:name: fig-d\n:alt: A drawing.\n\nIt $x$ shows.\n```"
    assert convert(figure) == "![A drawing.](attachment:drawing.svg)\n\n**Figure(fig-d).** It $x$ shows."
    code = "```{literalinclude} ../a.py\n:pyobject: step\n:language: python\n```"
    assert convert(code) == "```python\n# ../a.py step\n```"
    assert convert("```{code-block} python\nx = 1\n```") == "```python\nx = 1\n```"
    rows = "```{list-table} Title\n:header-rows: 1\n* - a\n  - b\n* - {eq}`eq-a`\n  - 2\n```"
    assert convert(rows) == "**Table.** Title\n\n| a | b |\n|---|---|\n| (1.2) | 2 |"
    table = "```{table} Title\n:name: tab\n\n| a |\n|---|\n| 1 |\n```"
    assert convert(table) == "**Figure(tab).** Title\n\n| a |\n|---|\n| 1 |"
    assert convert("```{glossary}\nGate\n  A number.\n\nState\n  What is left.\n```") == (
        "**Gate**: A number.\n\n**State**: What is left."
    )
    assert convert("```{bibliography}\n:filter: docname in docnames\n```") == "- first\n- second"


def test_a_directive_in_a_list_keeps_its_place():
    assert convert("1. one\n\n   ```{note}\n   Text.\n   ```\n2. two") == (
        "1. one\n\n   > **Note**\n   >\n   > Text.\n2. two"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("```{mermaid}\na --> b\n```", r"directive \{mermaid\} has no form"),
        ("a {kbd}`Ctrl`", r"role \{kbd\} has no form"),
        ("```{note}\nnever closed", "never closed"),
    ],
)
def test_what_a_notebook_could_not_show_is_an_error(text, sentence):
    with pytest.raises(plain_markdown.UnknownMarkupError, match=sentence):
        convert(text)
