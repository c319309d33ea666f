"""What an exercise set is made of: sets hold items, items hold questions and known misconceptions.

These are plain descriptions. How an answer is judged is in :mod:`gatedrnn.practice.judge`, how a notebook
asks is in :mod:`gatedrnn.practice.checking`, how a mark is made is in :mod:`gatedrnn.practice.grading`.
"""

from collections.abc import Callable
from dataclasses import dataclass


class Asked(tuple):
    """The arguments of one call, and what is kept back for its score.

    A draw returns a plain tuple where the arguments are all there is, and this where a score needs something
    that the function must not see, such as the movement that it has to predict. Only the arguments travel.

    Attributes
    ----------
    kept : object

    Examples
    --------
    >>> asked = Asked((1.0, 2.0), kept=3.0)
    >>> first, second = asked
    >>> asked.kept - first - second
    0.0
    """

    def __new__(cls, arguments: tuple, kept=None):
        """Make a tuple and hang what is kept back on it."""
        asked = super().__new__(cls, arguments)
        asked.kept = kept
        return asked


@dataclass(frozen=True)
class Part:
    """One piece of an answer.

    Attributes
    ----------
    name : str
        What the learner calls it: ``"outputs"``, ``"decay_time"``.
    kind : {"number", "state", "gate", "gradient"}
        The word a verdict uses when the shape is right and the value is not.
    """

    name: str
    kind: str = "number"


@dataclass(frozen=True)
class Question:
    """A way of asking the learner's function, worth some points.

    Attributes
    ----------
    name : str
        What is asked, in a few words that complete "…, asked about".
    points : int
        Earned when every repeat, and every graded part of it, is right.
    draw : callable
        ``draw(rng)`` gives the positional arguments of one call, fresh for every repeat: a tuple, or
        :class:`Asked` with something kept back for the score.
    grades : tuple of str
        Names of the parts this question looks at; empty means all.
    repeats : int
        How many fresh draws are asked.
    rtol, atol : float
        Right means ``|got − expected| <= atol + rtol · |expected|``, everywhere.
    score : callable, optional
        For what has no one right answer: ``score(arguments, answer)`` gives a
        :class:`~gatedrnn.practice.scoring.Score` in place of the comparison with the reference. ``answer`` is
        the value, or a list of them where the item has several parts; ``arguments.kept`` is what the draw
        kept back. Of several repeats the lowest counts.
    rehearse : callable, optional
        Draws for the check in the notebook where the draws for marks must stay unseen, such as a recording
        that is kept back.
    """

    name: str
    points: int
    draw: Callable
    grades: tuple[str, ...] = ()
    repeats: int = 3
    rtol: float = 1e-6
    atol: float = 1e-9
    score: Callable | None = None
    rehearse: Callable | None = None


@dataclass(frozen=True)
class Misconception:
    """A typical mistake and the sentence that helps with it.

    A mistake is recognised by what it computes: ``wrong`` is that computation, run on the same inputs. A
    mistake that stops with an error instead is recognised by the error's text, one in an answer that is
    scored by what it looks like.

    Attributes
    ----------
    name : str
        Short and stable; reports and tests use it.
    hint : str
        What to think about next, without the answer.
    wrong : tuple of callable
        Variants of the mistake, each taking the question's arguments.
    error : str
        A regular expression searched in ``"TypeError: …"``.
    shows : callable, optional
        ``shows(arguments, answer)`` says whether an answer that is not right has the marks of this mistake;
        ``answer`` as for ``Question.score``.
    """

    name: str
    hint: str
    wrong: tuple[Callable, ...] = ()
    error: str = ""
    shows: Callable | None = None


@dataclass(frozen=True)
class Item:
    """One graded thing to write: a function of this name, found in the notebook's namespace.

    Attributes
    ----------
    name : str
        The function's name, and the name that ``check`` takes; unique over all sets.
    signature : str
        How it is called, for messages.
    title : str
        A heading in words.
    parts : tuple of Part
        What comes back, in order.
    reference : callable
        The right answer; it runs in the checker and the grader, never beside the learner's code when marking.
        Where every question is scored it is never asked, and only has to be a good answer.
    questions : tuple of Question
    misconceptions : tuple of Misconception
        In the order in which they are tried.
    hints : tuple of str
        Levels 1, 2 and 3: the idea, the steps, what the expected plot shows.
    plot : callable
        ``plot(axes, function)`` draws what ``function`` gives for a fixed example.
    seconds : float
        Time for all answers of this item together when marking; more for one that trains a network.
    """

    name: str
    signature: str
    title: str
    parts: tuple[Part, ...]
    reference: Callable
    questions: tuple[Question, ...]
    misconceptions: tuple[Misconception, ...]
    hints: tuple[str, str, str]
    plot: Callable
    seconds: float = 10.0

    @property
    def points(self) -> int:
        """Points of all questions together."""
        return sum(question.points for question in self.questions)


@dataclass(frozen=True)
class WrittenItem:
    """An answer in words, read by a person: pending until then.

    Attributes
    ----------
    name : str
        The ``grade_id`` of the Markdown cell that holds the answer.
    title : str
    points : int
    criteria : str
        What the reader looks for, shown to learner and reader alike.
    """

    name: str
    title: str
    points: int
    criteria: str


@dataclass(frozen=True)
class ExerciseSet:
    """One graded notebook.

    Attributes
    ----------
    name : str
        ``"set-1"``; also the folder below ``exercises/source`` and ``exercises/release``.
    title : str
    notebook : str
        File name of the notebook.
    items : tuple of Item or WrittenItem
        In the order of the notebook.
    minutes : tuple of int
        From and to, for a learner.
    packages : tuple of str
        Modules of ``gatedrnn`` that the notebook may import while it is marked. All others are withheld then,
        because they hold answers.
    recordings : tuple of str
        Data sets that the notebook may read while it is marked, if they are on that machine.
    cell_seconds : float
        Longest time one cell may run while the notebook is marked.
    seconds : float
        Longest time the whole notebook may take while it is marked, items included.
    memory : int
        Bytes that its processes may use together.
    """

    name: str
    title: str
    notebook: str
    items: tuple[Item | WrittenItem, ...]
    minutes: tuple[int, int]
    packages: tuple[str, ...] = ("figures",)
    recordings: tuple[str, ...] = ()
    cell_seconds: float = 15.0
    seconds: float = 120.0
    memory: int = 2 * 2**30

    @property
    def questions(self) -> tuple[Item, ...]:
        """The items that a machine marks."""
        return tuple(item for item in self.items if isinstance(item, Item))

    @property
    def written(self) -> tuple[WrittenItem, ...]:
        """The items that a person reads."""
        return tuple(item for item in self.items if isinstance(item, WrittenItem))

    @property
    def points(self) -> int:
        """Points of all items together."""
        return sum(item.points for item in self.items)
