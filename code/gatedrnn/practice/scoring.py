"""Scores for answers that are better or worse rather than right or wrong: points for beating a baseline."""

from typing import NamedTuple

import numpy as np

from gatedrnn.practice.wire import Other


class Score(NamedTuple):
    """What an answer is worth and why.

    Attributes
    ----------
    points : int
        From 0 to the question's points.
    said : str
        One sentence, without a full stop: what was measured, and what the next point takes.
    expected, got : str
        The two numbers behind it, or "".
    kind : str
        What is off if points are missing: ``"number"``, ``"state"``, ``"gate"`` or ``"gradient"``.
    """

    points: int
    said: str
    expected: str = ""
    got: str = ""
    kind: str = "number"


class UnfitError(ValueError):
    """An answer that cannot be scored: ``kind`` is "type", "shape" or "not finite"."""

    def __init__(self, kind: str, expected: str, got: str):
        super().__init__(f"{kind}: expected {expected}, got {got}")
        self.kind, self.expected, self.got = kind, expected, got


class Rung(NamedTuple):
    """A step of a scale: who reaches ``value`` has ``points``; ``name`` says whose value that is."""

    value: float
    points: int
    name: str


def numbers(answer, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return an answer as an array of finite real numbers.

    Parameters
    ----------
    answer : object
        What came over the wire.
    shape : tuple of int, optional
        The shape it must have; any by default.

    Raises
    ------
    UnfitError
        If it is something else, which a verdict then says in words.

    Examples
    --------
    >>> numbers((1, 2.5))
    array([1. , 2.5])
    >>> numbers(np.zeros((2, 3)), shape=(3, 2))
    Traceback (most recent call last):
    gatedrnn.practice.scoring.UnfitError: shape: expected (3, 2), got (2, 3)
    """
    wanted = "numbers" if shape is None else f"an array of shape {shape}"
    try:
        found = np.asarray(answer)
    except ValueError:
        found = np.asarray(None)
    if isinstance(answer, (str, Other)) or found.dtype.kind not in "biuf":
        raise UnfitError("type", wanted, _name(answer))
    if shape is not None and found.shape != tuple(shape):
        raise UnfitError("shape", str(tuple(shape)), str(found.shape))
    found = found.astype(float)
    if not np.isfinite(found).all():
        raise UnfitError("not finite", "finite numbers", str(found[~np.isfinite(found)][0]))
    return found


def _name(answer) -> str:
    if isinstance(answer, Other):
        return "None (is there a return?)" if answer.type == "NoneType" else f"a {answer.type}"
    if isinstance(answer, str):
        return f"the text {answer[:40]!r}"
    return f"{len(answer)} values" if isinstance(answer, tuple) else "complex numbers"


def scale(what: str, value: float, rungs: list[Rung], higher: bool = True, form: str = ".3g") -> Score:
    """Give the points of the highest rung that a value reaches, and say what the next one takes.

    Parameters
    ----------
    what : str
        What was measured, as a sentence begins: ``"R² on the recording that was kept back"``.
    value : float
    rungs : list of Rung
        From easy to hard, with growing points.
    higher : bool
        Whether more is better.
    form : str
        How numbers are written.

    Examples
    --------
    >>> rungs = [Rung(0.4, 1, "the mean"), Rung(0.55, 3, "the Wiener filter")]
    >>> points, said, *_ = scale("R²", 0.5, rungs)
    >>> print(f"{points}: {said}")
    1: R² is 0.5; the next points need 0.55, the Wiener filter
    >>> scale("R²", 0.6, rungs).said
    'R² is 0.6, past 0.55, the Wiener filter'
    """
    beats = [(value >= rung.value) if higher else (value <= rung.value) for rung in rungs]
    reached = next((k for k, beaten in enumerate(beats) if not beaten), len(rungs))
    points = rungs[reached - 1].points if reached else 0
    got = format(value, form)
    if reached == len(rungs):
        last = rungs[-1]
        return Score(points, f"{what} is {got}, past {last.value:{form}}, {last.name}", "", got)
    goal = rungs[reached]
    expected = f"at {'least' if higher else 'most'} {goal.value:{form}}"
    return Score(
        points, f"{what} is {got}; the next points need {goal.value:{form}}, {goal.name}", expected, got
    )
