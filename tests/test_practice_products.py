"""One source, three products: fresh, without a trace of the solution, and what nbgrader expects."""

import ast
import re
from itertools import pairwise

import nbformat
import pytest
from banks import SETS
from gatedrnn.practice import products, sets
from gatedrnn.practice.grading import UNANSWERED

EXERCISES = products.ROOT / "exercises"
PAGES = products.ROOT / "chapters" / "practice"


@pytest.fixture(params=SETS, ids=lambda exercise_set: exercise_set.name)
def exercise_set(request):
    """Each set in turn."""
    return request.param


@pytest.fixture
def source(exercise_set):
    """Its source notebook."""
    return products.read_source(exercise_set)


@pytest.fixture
def released(exercise_set):
    """Its student's notebook, as committed."""
    path = EXERCISES / "release" / exercise_set.name / exercise_set.notebook
    return nbformat.read(path, as_version=4)


def test_committed_products_are_what_the_source_gives(exercise_set, source):
    for path, text in products.products(exercise_set, source).items():
        assert path.read_text(encoding="utf-8") == text, f"{path} is stale: run `make exercises`"


def test_source_and_release_are_valid_notebooks(source, released):
    nbformat.validate(source)
    nbformat.validate(released)


def test_what_is_printed_is_stored_in_one_piece(source):
    """A kernel cuts it anew in each run; a source would change without a change."""
    for cell in source.cells:
        for one, other in pairwise(cell.get("outputs", [])):
            assert not (one.output_type == other.output_type == "stream" and one.name == other.name)


def test_the_students_notebook_has_no_trace_of_the_solution(source, released):
    text = nbformat.writes(released)
    assert "SOLUTION" not in text and '"outputs": [{' not in text
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in released.cells)
    seen = {cell.id: cell.source.splitlines() for cell in released.cells}
    for cell in source.cells:
        if products.BEGIN not in cell.source:
            continue
        answer = cell.source.split(products.BEGIN)[1].split("###")[0].splitlines()
        for line in filter(lambda line: len(line.strip()) > 12, answer):
            assert line not in seen[cell.id]
            assert line.strip() not in text


def test_an_unfinished_function_does_nothing_but_raise(exercise_set, released):
    cells = {cell.id: cell for cell in released.cells}
    for item in exercise_set.questions:
        function = ast.parse(cells[item.name].source).body[0]
        assert isinstance(function, ast.FunctionDef) and function.name == item.name
        document, statement = function.body
        assert isinstance(document.value, ast.Constant)
        assert isinstance(statement, ast.Raise) and statement.exc.func.id == "NotImplementedError"
        names = [argument.arg for argument in function.args.args]
        assert item.signature == f"{item.name}({', '.join(names)})"
    for item in exercise_set.written:
        assert cells[item.name].source == UNANSWERED


def test_every_item_has_a_check_worth_its_points(exercise_set, released):
    cells = {cell.id: cell for cell in released.cells}
    for item in exercise_set.questions:
        check = cells[f"{item.name}-check"]
        assert check.source == f'check("{item.name}", {item.name})'
        assert check.metadata.nbgrader.points == item.points
        assert check.metadata.editable is check.metadata.deletable is False
        task = cells[f"{item.name}-task"].source
        assert f"*`{item.name}`, {item.points} points" in task
    total = sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in released.cells)
    assert total == exercise_set.points
    assert f"{total} points" in cells["about"].source


def test_marking_metadata_is_what_nbgrader_reads(released):
    keys = {"schema_version", "grade", "solution", "locked", "task", "grade_id", "cell_type", "checksum"}
    marked = [cell for cell in released.cells if "nbgrader" in cell.metadata]
    names = [cell.metadata.nbgrader.grade_id for cell in marked]
    assert len(set(names)) == len(names)
    for cell in marked:
        marking = cell.metadata.nbgrader
        assert set(marking) == keys | ({"points"} if marking.grade else set())
        assert marking.schema_version == 3 and re.fullmatch(r"[\w-]+", marking.grade_id)
        assert cell.id == marking.grade_id
    assert all(
        "raises-exception" in cell.metadata.tags for cell in released.cells if cell.cell_type == "code"
    )


def test_cells_are_short(source):
    lengths = sorted(len(cell.source.splitlines()) for cell in source.cells if cell.cell_type == "code")
    assert lengths[-1] <= 15 and lengths[len(lengths) // 2] <= 6


def test_figures_say_what_they_show(source):
    for cell in source.cells:
        if "plt.subplots" in cell.source:
            assert len(cell.metadata.mystnb["image"]["alt"]) > 80
            assert len(cell.metadata.mystnb["figure"]["caption"]) > 40
            assert "xlabel" in cell.source and "ylabel" in cell.source


def test_the_pages_name_every_item_with_its_points(exercise_set):
    page = (PAGES / f"{exercise_set.name}.md").read_text(encoding="utf-8")
    assert f"{exercise_set.minutes[0]} to {exercise_set.minutes[1]} minutes" in page
    assert f"worth {exercise_set.points} points" in page
    for number, item in enumerate(exercise_set.items, 1):
        anchor = f"{exercise_set.name}-{item.name.replace('_', '-')}"
        assert f"| {number} | {{ref}}`{item.name} <{anchor}>` | {item.points} |" in page
        assert f"({anchor})=\n### {number}. {item.title}\n" in page or item in exercise_set.written
        assert f"({anchor})=" in page
    assert f"../../exercises/release/{exercise_set.name}/{exercise_set.notebook}" in page


def test_the_pages_state_the_limits_that_hold(exercise_set):
    """The page on grading has the usual ones, the page of a set those that differ."""
    page = (PAGES / "grading.md").read_text(encoding="utf-8")
    assert "Cells have 15 seconds each and items 10, and a notebook as a whole has 120 seconds" in page
    own = (PAGES / f"{exercise_set.name}.md").read_text(encoding="utf-8")
    unusual = {exercise_set.cell_seconds: 15, exercise_set.seconds: 120}
    unusual |= {item.seconds: 10 for item in exercise_set.questions}
    for seconds, usual in unusual.items():
        assert seconds == usual or f"{seconds:g} seconds" in own, f"state the {seconds:g} seconds"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda cells: cells["echo"].update(id="other"), "no cell with the id and grade_id 'echo'"),
        (lambda cells: cells["echo-check"].metadata.nbgrader.update(points=9), "must be worth 3 points"),
        (lambda cells: cells["echo"].update(source="def echo(): pass"), "do not pair"),
        (lambda cells: cells["set-up"].update(source="### BEGIN SOLUTION\n### END SOLUTION"), "do not pair"),
        (lambda cells: cells["echo"].update(source="### BEGIN SOLUTION"), "do not pair"),
    ],
)
def test_a_source_that_breaks_a_rule_is_refused(change, words, tmp_path):
    exercise_set = sets.load("set-1")
    source = products.read_source(exercise_set)
    change({cell.id: cell for cell in source.cells})
    path = products.source_path(exercise_set, tmp_path)
    path.parent.mkdir(parents=True)
    nbformat.write(source, path)
    with pytest.raises(products.SourceError, match=re.escape(words)):
        products.read_source(exercise_set, tmp_path)


def test_every_set_has_its_files():
    for folder in ("source", "release"):
        found = {str(path.relative_to(EXERCISES / folder)) for path in (EXERCISES / folder).rglob("*.ipynb")}
        found = {name for name in found if ".ipynb_checkpoints" not in name}
        assert found == {f"{name}/{sets.load(name).notebook}" for name in sets.MODULES}
