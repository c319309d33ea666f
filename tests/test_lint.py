"""The lint finds what it should, and nothing in a chapter that is as it should be."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
spec = importlib.util.spec_from_file_location("lint", ROOT / "tools" / "lint.py")
lint = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lint)

QUESTION = """
`````{{admonition}} Question {number}
What is left?

````{{dropdown}} Answer
Nothing.
````
`````
"""
GOOD = (
    """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  name: python3
---
# A chapter

```{admonition} What you will be able to do
- See. About 20 minutes.
```

Some words of prose that stand here.

```{code-cell} ipython3
a = 1

b = 2
```

```{code-cell} ipython3
---
mystnb:
  figure:
    caption: The line falls.
    name: fig-line
  image:
    alt: A straight line that falls from one to zero over ten steps.
---
plt.plot([1, 0])
```

```{code-cell} ipython3
---
mystnb:
  figure:
    caption: Take hold of it.
---
widgets.EigenvalueEcho(radius=0.9)
```

## Recap

- It falls.

## Questions
"""
    + "".join(QUESTION.format(number=number) for number in (1, 2, 3))
    + """
## Exercise

Set 1.

## References

```{bibliography}
```
"""
)
LONG = "```{code-cell} ipython3\n" + "\n".join(f"a{i} = {i}" for i in range(16)) + "\n```\n\n## Recap"
ALT = "    alt: A straight line that falls from one to zero over ten steps.\n"


@pytest.fixture
def examine(tmp_path):
    def run(text: str) -> list[str]:
        path = tmp_path / "page.md"
        path.write_text(text, encoding="utf-8")
        return lint.examine(path).faults

    return run


def test_a_good_chapter_has_no_fault(examine):
    assert examine(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("## Recap", LONG, "has 16 lines; 15 are the most"),
        (ALT, "", "without an alt text"),
        (ALT, "    alt: The line falls.\n", "must say what is seen"),
        (ALT, "    alt: Figure 1\n", "must say what is seen"),
        ("    caption: The line falls.\n", "", "without a caption"),
        ("    caption: Take hold of it.\n", "    name: x\n", "without a caption"),
        ("a = 1", "interact(draw, a=(0, 1))", "dead on a page"),
        ("What you will be able to do", "Aims", "no box"),
        ("About 20 minutes.", "", "how many minutes"),
        ("## Recap", "## End", "“Recap” is missing"),
        ("## References", "## Books", "“References” is missing"),
        ("## Exercise", "## Work", "“Exercise” is missing"),
        ("```{bibliography}\n```", "", "lists no references"),
        (QUESTION.format(number=2), "", "2 questions with a folded answer"),
        ("{dropdown} Answer", "{note}", "0 questions with a folded answer"),
        ("## Recap", "## The size of $x$\n\n## Recap", "holds a formula"),
        ("format_name: myst", "format_name: markdown", "is not a MyST notebook"),
    ],
)
def test_each_fault_is_found(examine, old, new, sentence):
    assert old in GOOD
    faults = examine(GOOD.replace(old, new))
    assert [fault for fault in faults if sentence in fault], faults


def test_half_long_cells_are_a_fault(examine):
    cell = "```{code-cell} ipython3\n" + "a = 1\n" * 7 + "```\n\n"
    faults = examine(GOOD.replace("## Recap", cell * 5 + "## Recap"))
    assert faults == ["half of its cells are longer than 6 lines"]


def test_lines_and_words_are_counted_as_a_reader_sees_them(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(GOOD, encoding="utf-8")
    page = lint.examine(path)
    assert page.lengths == [2, 1, 1] and page.shown == 4
    words = lint.count_words(
        "Two words $x + y$ here.\n\n```{math}\n:label: eq-a\nnone of it\n```\n(target)=\n"
    )
    assert words == 3
    roles = "It was {glue:text}`a-b:.3f` in {ref}`a figure <fig-x>` {cite:p}`Key1997`, [here](../far.md)."
    assert lint.count_words(roles) == 6


def test_percentile_is_a_value_that_occurs():
    assert lint.percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 100], 0.9) == 9
    assert lint.percentile([7], 0.9) == 7


@pytest.mark.parametrize(
    ("name", "text", "is_foreign"),
    [
        ("a.css", "@font-face { src: url(https://fonts.example/a.woff2) }", True),
        ("a.css", "@font-face { src: url('//fonts.example/a.woff2') }", True),
        ("a.js", 'import("https://cdn.example/x.js")', True),
        ("a.html", '<script src="https://cdn.example/x.js"></script>', True),
        ("a.js", 'const SVG = "http://www.w3.org/2000/svg";', False),
        ("a.css", "/* see https://example.org */ a { color: red }", False),
        ("a.md", "![x](https://example.org/x.png)", False),
    ],
)
def test_files_that_ask_another_host_are_found(tmp_path, name, text, is_foreign):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / name).write_text(text)
    assert bool(lint.foreign_hosts(tmp_path / "assets")) is is_foreign


def test_the_command_prints_a_table_and_counts_faults_in_its_exit_code(tmp_path, capsys):
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text(GOOD, encoding="utf-8")
    bad.write_text(GOOD.replace("## Recap", "## End"), encoding="utf-8")
    assert lint.main([str(good)]) == 0
    table = capsys.readouterr().out
    assert "words per line" in table and "good.md" in table
    assert lint.main([str(good), str(bad)]) == 1
    assert "“Recap” is missing" in capsys.readouterr().err
    assert lint.main([str(tmp_path / "none.md")]) == 2


def test_the_books_own_chapters_and_assets_have_no_fault(capsys):
    assert lint.main([]) == 0, capsys.readouterr().err
