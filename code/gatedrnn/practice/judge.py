"""How an answer is judged: the same words in a learner's notebook and in a grader's report.

An *outcome* is one call of the learner's function: the question, its arguments and what came back.
:func:`judge` turns all outcomes of an item into a :class:`Verdict`: points, what is off, a hint. It only
looks at values that went through :mod:`gatedrnn.practice.wire`; it never calls the learner's code.
"""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Question, WrittenItem
from gatedrnn.practice.scoring import Score, UnfitError
from gatedrnn.practice.wire import Other, WireError, pack, unpack

HINTS = {
    "error": "The last line of the error names what Python could not do with the values it was given.",
    "type": "Look at the return statement: what does the item ask you to give back?",
    "shape": "The numbers are arranged in another way than asked for: count the rows of a small case.",
    "not finite": "Somewhere a value is divided by zero, or a logarithm is taken of something not positive.",
}


OFF = {
    "error": "the call stopped with an error",
    "type": "the type is off",
    "shape": "the shape is off",
    "not finite": "a value is not finite",
    "number": "a number is off",
    "state": "the state is off",
    "gate": "a gate is off",
    "gradient": "a gradient is off",
}


class Failure(NamedTuple):
    """A call that gave no value: ``kind`` is ``"unwritten"``, ``"error"``, ``"type"`` or ``"unreached"``."""

    kind: str
    message: str


class Outcome(NamedTuple):
    """One call of the learner's function and what came of it: a value or a :class:`Failure`."""

    question: Question
    arguments: tuple
    answer: Any


class Difference(NamedTuple):
    """The first thing that is off in an answer."""

    kind: str  # "error", "type", "shape", "not finite", or the kind of a part: "number", "state", "gate", …
    where: str
    expected: str
    got: str


class Finding(NamedTuple):
    """What came of one outcome: points of its question, what is off (None: nothing), what was measured."""

    points: int
    off: Difference | None
    said: str = ""


@dataclass
class Verdict:
    """What came of one item.

    Attributes
    ----------
    item : str
    title : str
    points : int
        Earned.
    out_of : int
    status : {"right", "partly", "wrong", "unwritten", "unreached", "pending", "missing"}
    off : str
        Which of error, type, shape, not finite, number, state, gate, gradient is off; empty if nothing is.
    message : str
        One sentence.
    expected, got, call : str
        The first difference and the call that showed it.
    misconception : str
        The name of the recognised mistake, or "".
    hint : str
    questions : list of tuple
        ``(name, earned, points)`` for every question.
    measured : list of str
        For every question that is scored, one sentence on what was measured.
    """

    item: str
    title: str
    points: int
    out_of: int
    status: str
    off: str = ""
    message: str = ""
    expected: str = ""
    got: str = ""
    call: str = ""
    misconception: str = ""
    hint: str = ""
    questions: list[tuple[str, int, int]] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)


def judge(item: Item, outcomes: list[Outcome]) -> Verdict:
    """Judge all outcomes of one item.

    Parameters
    ----------
    item : Item
    outcomes : list of Outcome
        Every repeat of every question, in order.

    Returns
    -------
    Verdict
        A question earns its points when all its repeats are right; where answers are scored, the lowest
        counts. A mistake is recognised when one known misconception explains every answer that is not right,
        or at least every such answer of the question that the message is about.
    """
    pairs = [(outcome, _find(item, outcome)) for outcome in outcomes]
    verdict = Verdict(item.name, item.title, 0, item.points, "right")
    for question in item.questions:
        asked = [finding for outcome, finding in pairs if outcome.question is question]
        lowest = min(asked, key=lambda finding: finding.points, default=Finding(0, None))
        verdict.questions.append((question.name, lowest.points, question.points))
        verdict.points += lowest.points
        verdict.measured += [lowest.said] * bool(lowest.said)
    wrong = [(outcome, finding) for outcome, finding in pairs if finding.off]
    if not wrong:
        verdict.message = "everything that was asked is right"
        return verdict
    _explain(item, verdict, wrong, [outcome for outcome, finding in pairs if not finding.off])
    return verdict


def _explain(
    item: Item, verdict: Verdict, wrong: list[tuple[Outcome, Finding]], right: list[Outcome]
) -> None:
    """Fill in what is off, from the first wrong outcome that gave a value, else from the first."""
    outcome = _first([outcome for outcome, _ in wrong])
    _, off, said = next(finding for other, finding in wrong if other is outcome)
    failure = outcome.answer if isinstance(outcome.answer, Failure) else None
    if failure and failure.kind in ("unwritten", "unreached"):
        verdict.status = failure.kind if not verdict.points else "partly"
        verdict.off, verdict.message = failure.kind, failure.message
        return
    verdict.status = "partly" if verdict.points else "wrong"
    verdict.off, verdict.expected, verdict.got = off.kind, off.expected, off.got
    verdict.call = describe_call(item.name, outcome.arguments)
    verdict.message = f"Asked about {outcome.question.name}, {said or OFF[off.kind] + off.where}"
    verdict.measured = [each for each in verdict.measured if each != said]  # once is enough
    known = recognise(item, [outcome for outcome, _ in wrong], right)
    if known:
        verdict.misconception, verdict.hint = known.name, known.hint
    else:
        verdict.hint = HINTS.get(off.kind, item.hints[0])


def recognise(item: Item, wrong: list[Outcome], right: list[Outcome] = ()) -> Misconception | None:
    """Return the known mistake behind wrong answers, or None.

    Best is one that gives every answer, the right ones included; next, one that gives every wrong answer.
    Last, because a learner can make two mistakes at once: one that gives every wrong answer of the question
    that the verdict speaks about, which is the first of ``wrong`` with a value. A mistake that gives only
    some answers of a question does so by chance, as an index of 0, 1 or 2 often does, and is not named.
    Among equals the item's own order decides.
    """
    explained = {
        misconception.name: [_explains(item, misconception, outcome) for outcome in wrong]
        for misconception in item.misconceptions
    }
    spoken_of = _first(wrong).question
    asked = [outcome.question is spoken_of for outcome in wrong]
    everywhere = [known for known in item.misconceptions if all(explained[known.name])]
    for misconception in everywhere:
        if all(_fits(item, misconception, outcome) for outcome in right):
            return misconception
    there = [
        known
        for known in item.misconceptions
        if all(fits for fits, here in zip(explained[known.name], asked, strict=True) if here)
    ]
    return next(iter(everywhere + there), None)


def _first(wrong: list[Outcome]) -> Outcome:
    """The wrong outcome that a verdict speaks about: a call that gave no value speaks last."""
    return min(wrong, key=lambda outcome: isinstance(outcome.answer, Failure))


def _fits(item: Item, misconception: Misconception, outcome: Outcome) -> bool:
    """Whether a right answer does not speak against a mistake; mistakes that show only when wrong pass."""
    return bool(misconception.error or misconception.shows) or _explains(item, misconception, outcome)


def _explains(item: Item, misconception: Misconception, outcome: Outcome) -> bool:
    if isinstance(outcome.answer, Failure):
        error = outcome.answer.kind == "error" and misconception.error
        return bool(error and re.search(misconception.error, outcome.answer.message))
    if misconception.shows and _shows(item, misconception, outcome):
        return True
    for wrong in misconception.wrong:
        try:
            with np.errstate(all="ignore"):
                mistaken = through_the_wire(wrong(*outcome.arguments))
        except Exception:  # this mistake cannot be made with these arguments
            continue
        if not isinstance(mistaken, Failure) and _same(item, outcome, mistaken):
            return True
    return False


def _shows(item: Item, misconception: Misconception, outcome: Outcome) -> bool:
    parts = split(outcome.answer, len(item.parts))
    try:
        with np.errstate(all="ignore"):
            return bool(misconception.shows(outcome.arguments, parts if len(item.parts) > 1 else parts[0]))
    except Exception:  # an answer of another form cannot have these marks
        return False


def _same(item: Item, outcome: Outcome, mistaken) -> bool:
    """Whether the learner's answer is what the mistake gives, in the parts that the question grades."""
    mine, theirs = split(mistaken, len(item.parts)), split(outcome.answer, len(item.parts))
    if len(mine) != len(theirs):
        return False
    graded = _graded(item, outcome.question) if len(mine) == len(item.parts) else range(len(mine))
    return all(_compare(mine[k], theirs[k], outcome.question) is None for k in graded)


def _graded(item: Item, question: Question) -> list[int]:
    return [k for k, part in enumerate(item.parts) if not question.grades or part.name in question.grades]


def _find(item: Item, outcome: Outcome) -> Finding:
    """Compare or score one answer."""
    answer, question = outcome.answer, outcome.question
    if isinstance(answer, Failure):
        return Finding(0, Difference(answer.kind, "", "a value", answer.message))
    if question.score is None:
        off = _difference(item, outcome)
        return Finding(0 if off else question.points, off)
    parts = split(answer, len(item.parts))
    if len(parts) != len(item.parts):
        return Finding(0, Difference("type", "", _names(item), _kind_of(answer)))
    try:
        with np.errstate(all="ignore"):
            score = question.score(outcome.arguments, parts if len(parts) > 1 else parts[0])
    except UnfitError as error:
        return Finding(0, Difference(error.kind, "", error.expected, error.got))
    except Exception:  # an answer of a form that the score did not think of is no answer
        return Finding(0, Difference("type", "", _names(item), _kind_of(answer)))
    return _scored(question, score)


def _scored(question: Question, score: Score) -> Finding:
    if not 0 <= score.points <= question.points:
        raise ValueError(f"{question.name} is worth {question.points} points, its score gave {score.points}")
    if score.points == question.points:
        return Finding(score.points, None, score.said)
    return Finding(score.points, Difference(score.kind, "", score.expected, score.got), score.said)


def _names(item: Item) -> str:
    names = ", ".join(part.name for part in item.parts)
    return f"{len(item.parts)} values: {names}" if len(item.parts) > 1 else f"one value, the {names}"


def _difference(item: Item, outcome: Outcome) -> Difference | None:
    """Compare one answer with the reference; None means right."""
    answer = outcome.answer
    with np.errstate(all="ignore"):
        expected = split(through_the_wire(item.reference(*outcome.arguments)), len(item.parts))
    got = split(answer, len(item.parts))
    if len(got) != len(expected):
        return Difference("type", "", _names(item), _kind_of(answer))
    for k in _graded(item, outcome.question):
        off = _compare(expected[k], got[k], outcome.question)
        if off:
            part = item.parts[k]
            kind = part.kind if off.kind == "number" else off.kind
            return off._replace(kind=kind, where=f" in {part.name}{off.where}")
    return None


def _compare(expected, got, question: Question) -> Difference | None:
    """Compare one part: first its type, then its shape, then its numbers."""
    if isinstance(expected, str):
        return None if expected == got else Difference("number", "", repr(expected), _kind_of(got))
    if isinstance(expected, (Other, tuple)):  # of a known mistake: it may return None, and is met by None
        met = isinstance(expected, Other) and isinstance(got, Other) and expected == got
        return None if met else Difference("type", "", _kind_of(expected), _kind_of(got))
    if isinstance(got, (Other, str, tuple)):
        return Difference("type", "", _kind_of(expected), _kind_of(got))
    expected, got = _plain(expected), _plain(got)
    if np.iscomplexobj(got) and not np.iscomplexobj(expected):
        if np.any(got.imag != 0):
            return Difference("type", "", "real numbers", "complex numbers")
        got = got.real
    if expected.shape != got.shape:
        return Difference("shape", "", str(expected.shape), str(got.shape))
    return _compare_numbers(expected, got, question)


def _plain(value) -> np.ndarray:
    """Integers, booleans and short floats as what they are compared as."""
    array = np.asarray(value)
    return array if array.dtype.kind == "c" else array.astype(float)


def _compare_numbers(expected: np.ndarray, got: np.ndarray, question: Question) -> Difference | None:
    with np.errstate(all="ignore"):
        near = np.abs(got - expected) <= question.atol + question.rtol * np.abs(expected)
        right = np.where(
            np.isfinite(expected), near, (got == expected) | (np.isnan(got) & np.isnan(expected))
        )
    if right.all():
        return None
    first = tuple(int(k) for k in np.argwhere(~right)[0])
    where = f" at [{', '.join(map(str, first))}]" if first else ""
    kind = "number" if np.isfinite(got[first]) or not np.isfinite(expected[first]) else "not finite"
    return Difference(kind, where, _number(expected[first]), _number(got[first]))


def split(answer, count: int) -> list:
    """Take an answer apart into its parts; a list of equally long parts came as one array."""
    if isinstance(answer, Other):  # a tuple too, but not the learner's
        return [answer]
    if count == 1:
        if isinstance(answer, tuple) and answer and all(isinstance(part, (int, float)) for part in answer):
            return [np.asarray(answer, dtype=float)]  # (0.1, 0.2) is as good as an array
        return list(answer) if isinstance(answer, tuple) and len(answer) == 1 else [answer]
    if isinstance(answer, tuple):
        return list(answer) if len(answer) == count else _leaves(answer)
    if isinstance(answer, np.ndarray) and answer.ndim and len(answer) == count:
        return list(answer)
    return [answer]


def _leaves(answer) -> list:
    """Parts of parts in order, so that ``output, (hidden, cell)`` are three."""
    if not isinstance(answer, tuple):
        return [answer]
    return [leaf for part in answer for leaf in _leaves(part)]


def through_the_wire(value):
    """Return a value as the grader would see it: what does not travel becomes a :class:`Failure`."""
    try:
        return unpack(pack(value))
    except WireError as error:
        return Failure("type", str(error))


def describe_call(name: str, arguments: tuple) -> str:
    """Write a call so that a learner can repeat it, with large arrays as their shapes."""
    return f"{name}({', '.join(_argument(value) for value in arguments)})"


def _argument(value) -> str:
    if isinstance(value, np.ndarray) and value.size <= 6:
        return re.sub(r"\s+", " ", np.array2string(value, precision=4, separator=", ", suppress_small=True))
    if isinstance(value, np.ndarray):
        return f"<array {value.shape}>"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_argument(part) for part in value)}]"
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


def _number(value) -> str:
    if np.iscomplexobj(value):
        return f"{complex(value):.6g}"
    return f"{float(value):.6g}"


def _kind_of(value) -> str:
    if isinstance(value, Other):
        return "None (is there a return?)" if value.type == "NoneType" else f"a {value.type}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, tuple):
        return f"{len(value)} values"
    if isinstance(value, np.ndarray):
        return f"one array of shape {value.shape}"
    return "one number"


def unreached(item: Item | WrittenItem, reason: str) -> Verdict:
    """Return the verdict on an item that could not be asked, with the reason."""
    return Verdict(item.name, item.title, 0, item.points, "unreached", off="unreached", message=reason)
