"""Item 4 of set 2: the same gradient by nudging, to check the walk."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question
from gatedrnn.practice.sets.set2.network import before, carried, draw_run, states_of, summed


def reference(inputs, h0, W_ih, W_hh, b, target):
    """Return the gradient of ½‖h_T − target‖² by W_hh, by BPTT."""
    states = states_of(inputs, h0, W_ih, W_hh, b)
    direct = np.zeros_like(states)
    direct[-1] = states[-1] - target
    return summed(carried(direct, states, W_hh), before(states, h0))


def draw(rng):
    """A run and what its last state should have been."""
    *given, states = draw_run(rng)
    return *given, rng.uniform(-0.9, 0.9, size=states.shape[1])


def plot(axes, function):
    """Draw the gradient by nudging, entry by entry."""
    given = draw(np.random.default_rng(2))
    axes.plot(np.ravel(function(*given)), "o")
    axes.set(xlabel="weight, row by row", ylabel="gradient", title="numerical_gradient")


def _loss(scale=0.5, mean=False):
    def loss(inputs, h0, W_ih, W_hh, b, target):
        miss = states_of(inputs, h0, W_ih, W_hh, b)[-1] - target
        return scale * (np.mean(miss**2) if mean else np.sum(miss**2))

    return loss


def _nudged(loss, up, down, divide, width=1e-6):
    def wrong(inputs, h0, W_ih, W_hh, b, target):
        gradient = np.zeros_like(W_hh)
        for place in np.ndindex(W_hh.shape):
            nudge = np.zeros_like(W_hh)
            nudge[place] = width
            more = loss(inputs, h0, W_ih, W_hh + up * nudge, b, target)
            less = loss(inputs, h0, W_ih, W_hh - down * nudge, b, target)
            gradient[place] = (more - less) / (divide * width)
        return gradient

    return wrong


def _left_nudged(inputs, h0, W_ih, W_hh, b, target):
    """Nudge weights one after the other and never put them back."""
    W, loss, width = W_hh.copy(), _loss(), 1e-3
    gradient = np.zeros_like(W)
    for place in np.ndindex(W.shape):
        less = loss(inputs, h0, W_ih, W, b, target)
        W[place] += width
        gradient[place] = (loss(inputs, h0, W_ih, W, b, target) - less) / width
    return gradient


MISCONCEPTIONS = (
    Misconception(
        "divided by the nudge once",
        "Your gradient is twice too large. From one nudge down to one nudge up is a way of two nudges.",
        (_nudged(_loss(), 1, 1, 1), lambda *given: 2 * reference(*given)),
    ),
    Misconception(
        "half the gradient",
        "Your gradient is half of what is asked. A single nudge is divided by itself, not by two.",
        (_nudged(_loss(), 1, 0, 2),),
    ),
    Misconception(
        "mean instead of sum in the loss",
        "Your loss is a mean over units. Asked for is half the sum of squares.",
        (_nudged(_loss(mean=True), 1, 1, 2), _nudged(_loss(scale=1, mean=True), 1, 1, 2)),
    ),
    Misconception(
        "sign reversed",
        "Your gradient has the opposite sign: the loss after a nudge up comes first, less the one after a "
        "nudge down.",
        (lambda *given: -reference(*given),),
    ),
    Misconception(
        "transposed",
        "Your gradient is transposed: entry (i, j) belongs to the weight W_hh[i, j].",
        (lambda *given: reference(*given).T,),
    ),
    Misconception(
        "one-sided nudges that are too wide",
        "You are close, and not close enough. A nudge to one side errs in proportion to its width, one to "
        "both sides by its square: nudge both ways, by about 1e-5.",
        shows=lambda given, answer: _close(reference(*given), answer),
    ),
    Misconception(
        "rounding noise",
        "Your nudges are so small that the two losses agree in nearly all their digits, and their difference "
        "is rounding. Use about 1e-5.",
        shows=lambda given, answer: _noisy(reference(*given), answer),
    ),
)


def _distance(true, answer):
    answer = np.asarray(answer, dtype=float)
    return np.inf if answer.shape != true.shape else np.linalg.norm(answer - true) / np.linalg.norm(true)


def _noisy(true, answer):
    """Whether an answer is a multiple of a very coarse step, as differences of rounded losses are."""
    answer = np.ravel(np.asarray(answer, dtype=float))
    return answer.size == true.size and bool(np.any(answer == 0) or _distance(true, answer) < 10)


def _close(true, answer):
    return _distance(true, answer) < 0.1


ITEM = Item(
    name="numerical_gradient",
    signature="numerical_gradient(inputs, h0, W_ih, W_hh, b, target)",
    title="The same by nudging",
    parts=(Part("gradient", "gradient"),),
    reference=reference,
    questions=(Question("a small network", 2, draw, rtol=1e-4, atol=1e-6),),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Change one weight a little, up and down, and run the network each time. By how much does the loss "
        "change per change of the weight?",
        "For every place of W_hh: copy W_hh, add 1e-5 there and compute the loss; subtract 1e-5 instead and "
        "compute it again. The difference over 2e-5 is the entry of the gradient.",
        "The expected picture shows one dot for each weight; the same numbers come out of your walk.",
    ),
    plot=plot,
)
