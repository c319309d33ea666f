"""``check``: ask the learner's function, compare with the reference, answer in words at once."""

import textwrap
import zlib

import numpy as np

from gatedrnn.practice.items import Item
from gatedrnn.practice.judge import Failure, Outcome, Verdict, judge, through_the_wire
from gatedrnn.practice.sets import find_item

WIDTH = 92


class CheckError(AssertionError):
    """An answer is not right yet; a notebook shows the message alone, without a traceback."""

    def _render_traceback_(self):
        return str(self).splitlines()


def check(item: str, answer, hint: int = 0) -> None:
    """Check one item and say what is right, or what is off and what to think about next.

    Parameters
    ----------
    item : str
        The item's name, as in the notebook: ``"time_constant"``.
    answer : callable
        The function you wrote.
    hint : {0, 1, 2, 3}
        How much help you want beyond the hint that fits your mistake: 1 the idea, 2 the steps, 3 the expected
        plot with yours drawn over it.

    Raises
    ------
    CheckError
        If an answer is off. The message says which of error, type, shape, number, state, gate or gradient it
        is, what was expected and what came.
    NotImplementedError
        If the function is not written yet.
    KeyError
        If there is no item of that name.
    """
    exercise = find_item(item)
    if not callable(answer):
        raise CheckError(
            f"{item}: expected the function {exercise.signature}, got {type(answer).__name__}; "
            f'pass the function itself, without calling it: check("{item}", {item})'
        )
    verdict = judge(exercise, ask(exercise, answer))
    lines = hints(exercise, hint)
    if hint >= 3:
        show_plot(exercise, answer)
    text = describe(verdict, lines, more=hint < 3)
    if verdict.status == "right":
        print(text)
    elif verdict.status == "unwritten":
        error = NotImplementedError(text)
        error._render_traceback_ = text.splitlines  # shown without a traceback, as a CheckError is
        raise error
    else:
        raise CheckError(text)


def ask(item: Item, answer) -> list[Outcome]:
    """Call the learner's function for every question; the draws are the same each time, so results repeat."""
    rng = np.random.default_rng(zlib.crc32(item.name.encode()))
    outcomes = []
    for question in item.questions:
        for _ in range(question.repeats):
            arguments = (question.rehearse or question.draw)(rng)
            outcomes.append(Outcome(question, arguments, call(answer, arguments)))
    return outcomes


def call(function, arguments: tuple):
    """Call with copies, so that a function that changes its arguments does not change the question."""
    copies = [_copy(value) for value in arguments]
    try:
        with np.errstate(all="ignore"):
            return through_the_wire(function(*copies))
    except NotImplementedError:
        return Failure("unwritten", "not written yet: replace the line that raises NotImplementedError")
    except Exception as error:
        return Failure("error", f"{type(error).__name__}: {error}".rstrip(": ")[:500])


def _copy(value):
    if isinstance(value, np.ndarray):
        return value.copy()
    return [_copy(part) for part in value] if isinstance(value, list) else value


def hints(item: Item, level: int) -> list[str]:
    """The hints up to ``level``, each with its number."""
    return [f"hint {k + 1}: {text}" for k, text in enumerate(item.hints[: max(0, level)])]


def describe(verdict: Verdict, extra: list[str] = (), more: bool = False) -> str:
    """Write a verdict as a few lines of text."""
    name = verdict.item
    if verdict.status == "right":
        lines = [f"{name}: right, {verdict.points} of {verdict.out_of} points."]
    elif verdict.status == "unwritten":
        lines = [f"{name}: {verdict.message}."]
    else:
        lines = _wrap(f"{name}: {verdict.points} of {verdict.out_of} points so far. {verdict.message}.", "")
        for word, text in _evidence(verdict):
            lines += _wrap(f"{word:9}{text}", "  ") if text else []
    for text in verdict.measured:
        lines += _wrap(f"{text}.", "  ")
    for text in [f"hint: {verdict.hint}"] * bool(verdict.hint) + list(extra):
        lines += _wrap(text, "  ")
    if more and verdict.status != "right":
        level = len(extra) + 1
        lines.append(f'  More help: check("{name}", {name}, hint={level})')
    return "\n".join(lines)


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")


def _evidence(verdict: Verdict):
    return ("call", verdict.call), ("expected", verdict.expected), ("got", verdict.got)


def show_plot(item: Item, answer) -> None:
    """Draw the expected plot and, beside it, the same plot made with the learner's function."""
    import matplotlib.pyplot as plt  # only here: a check without a plot needs no matplotlib

    _, (expected, yours) = plt.subplots(1, 2, figsize=(9, 3), sharex=True, sharey=True, layout="constrained")
    item.plot(expected, item.reference)
    expected.set_title("expected", loc="left")
    try:
        item.plot(yours, answer)
    except Exception as error:
        yours.text(0.5, 0.5, f"no plot yet:\n{type(error).__name__}", ha="center", transform=yours.transAxes)
    yours.set_title("yours", loc="left")
    plt.show()
