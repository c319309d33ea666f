"""Item 4 of set 3: what is left of a cell's content along its direct path."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(forget):
    """Row t: the product of the forget gates of steps t + 1 … T − 1."""
    later = np.vstack([np.asarray(forget, dtype=float)[1:], np.ones((1, np.shape(forget)[1]))])
    return np.cumprod(later[::-1], axis=0)[::-1]


def draw_constant(rng):
    """Three units that keep a constant share each."""
    return (np.tile(rng.uniform(0.8, 0.99, size=3), (int(rng.integers(5, 9)), 1)),)


def draw_varying(rng):
    """Gates that change from step to step."""
    return (rng.uniform(0.2, 1.0, size=(int(rng.integers(5, 9)), int(rng.integers(2, 4)))),)


def plot(axes, function):
    """Draw the path of a unit that lets go half-way and of one that does not."""
    forget = np.full((60, 2), 0.97)
    forget[30, 1] = 0.1
    left = np.asarray(function(forget), dtype=float)
    axes.plot(left[:, 0], label="keeps 0.97 throughout")
    axes.plot(left[:, 1], label="keeps 0.1 in step 30")
    axes.legend()
    axes.set(xlabel="written in step", ylabel="left at the end", title="direct_path(forget)")


def _padded(forget):
    return np.vstack([np.ones((1, forget.shape[1])), np.cumprod(forget, axis=0)])


def _overwritten(forget):
    left = forget.copy()
    left[-1] = 1
    for t in range(len(left) - 2, -1, -1):
        left[t] = left[t + 1] * left[t + 1]
    return left


MISCONCEPTIONS = (
    Misconception(
        "own step included",
        "Your product begins with f of step t itself. What is written in step t is first multiplied by the "
        "forget gate of step t + 1.",
        (lambda forget: np.cumprod(forget[::-1], axis=0)[::-1],),
    ),
    Misconception(
        "from the start instead of to the end",
        "Your product runs from the first step to t: that is what is left at t of the start. Asked for is "
        "what is left at the end of what was held at t.",
        (lambda forget: np.cumprod(forget, axis=0), lambda forget: _padded(forget)[:-1]),
    ),
    Misconception(
        "in reversed order of time",
        "Your rows are in reversed order: row 0 belongs to the first step, the last row to the last.",
        (lambda forget: reference(forget)[::-1],),
    ),
    Misconception(
        "sum instead of product",
        "You add the gates. Each step multiplies what is there by its gate.",
        (lambda forget: np.vstack([np.cumsum(forget[::-1], axis=0)[::-1][1:], 0 * forget[:1]]),),
    ),
    Misconception(
        "the mean gate to a power",
        "You use the mean of the gates for every step. One step that lets go erases for good, whatever the "
        "others do: multiply the gates as they are.",
        (
            lambda forget: forget.mean(axis=0) ** np.arange(len(forget))[::-1, None],
            lambda forget: forget.mean() ** np.arange(len(forget))[::-1, None] * np.ones(forget.shape),
        ),
    ),
    Misconception(
        "one gate to a power",
        "You raise the gate of step t to a power. Later steps have gates of their own.",
        (lambda forget: forget ** np.arange(len(forget))[::-1, None],),
    ),
    Misconception(
        "the last row 0 instead of 1",
        "The last row asks what is left at the end of what is held at the end: all of it.",
        (lambda forget: np.vstack([reference(forget)[:-1], 0 * forget[:1]]),),
    ),
    Misconception(
        "the last row missing",
        "Your answer has a row too few: at the last step all is left, a row of ones.",
        (lambda forget: reference(forget)[:-1],),
    ),
    Misconception(
        "over all units together",
        "You multiply over units as well. Every unit has its own path: cumulate along axis 0.",
        (lambda forget: np.cumprod(forget[::-1])[::-1].reshape(forget.shape), lambda forget: forget.prod(1)),
    ),
    Misconception(
        "forget overwritten",
        "You write into `forget` while you still need it. Make an array of its own, np.ones_like(forget).",
        (_overwritten,),
    ),
    Misconception(
        "the last gate left out",
        "Your product stops a step early. The slice forget[t + 1 :] goes on to the last step.",
        (lambda forget: np.array([forget[t + 1 : -1].prod(axis=0) for t in range(len(forget))]),),
    ),
    Misconception(
        "the next gate only",
        "You give the gate of the next step. From there on each step multiplies by its own.",
        (lambda forget: np.vstack([forget[1:], np.ones((1, forget.shape[1]))]),),
    ),
    Misconception(
        "the last row set and its gate lost",
        "Your last row is right, but the rows before count their own gate. In row t the product begins with "
        "the gate of step t + 1.",
        (
            lambda forget: np.vstack(
                [np.cumprod(forget[::-1], axis=0)[::-1][:-1], np.ones((1, forget.shape[1]))]
            ),
        ),
    ),
    Misconception(
        "a row too many",
        "Your answer has a row more than `forget`. Row 0 belongs to what is held in step 0.",
        (lambda forget: np.vstack([np.cumprod(forget[::-1], axis=0)[::-1], np.ones((1, forget.shape[1]))]),),
    ),
)

ITEM = Item(
    name="direct_path",
    signature="direct_path(forget)",
    title="What is left along the direct path",
    parts=(Part("left", "gradient"),),
    reference=reference,
    questions=(
        Question("gates that stand still", 1, draw_constant),
        Question("gates that change", 1, draw_varying),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Follow one grain of what the cell holds in step t. By what is it multiplied in step t + 1, t + 2, "
        "…, in the last?",
        "Walk backwards: left = 1 for the last row; the row before is left times the forget gate of the row "
        "after it. np.cumprod on reversed rows does it at once.",
        "The expected picture: one curve rises smoothly to 1 at the end. The other is ten times lower for "
        "everything written before step 30, and joins the first from there on.",
    ),
    plot=plot,
)
