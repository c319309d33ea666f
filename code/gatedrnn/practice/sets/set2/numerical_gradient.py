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


def _gradient_of(loss):
    """Nudge every weight both ways, with another loss of the states and the target."""

    def wrong(inputs, h0, W_ih, W_hh, b, target):
        given = lambda W: loss(states_of(inputs, h0, W_ih, W, b), target)  # noqa: E731
        gradient, width = np.zeros_like(W_hh), 1e-5
        for place in np.ndindex(W_hh.shape):
            nudge = np.zeros_like(W_hh)
            nudge[place] = width
            gradient[place] = (given(W_hh + nudge) - given(W_hh - nudge)) / (2 * width)
        return gradient

    return wrong


OTHER_LOSSES = (
    lambda states, target: 0.5 * np.sum((states - target) ** 2),
    lambda states, target: 0.5 * np.sum((states[0] - target) ** 2),
    lambda states, target: np.linalg.norm(states[-1] - target),
    lambda states, target: 0.5 * np.sum(states[-1] - target),
)


def _distance(true, answer):
    answer = np.asarray(answer, dtype=float)
    return np.inf if answer.shape != true.shape else np.linalg.norm(answer - true) / np.linalg.norm(true)


def _noisy(given, answer):
    """Whether entries are small whole multiples of one step, as differences of rounded losses are."""
    answer = np.asarray(answer, dtype=float)
    if answer.shape != given[3].shape or not answer.any():
        return False
    steps = np.abs(answer[answer != 0]).min() / np.arange(1, 20)
    multiples = np.abs(answer)[..., None] / steps
    whole = np.abs(multiples - np.round(multiples)).max(axis=(0, 1)) < 1e-6
    return bool(whole.any() and _distance(reference(*given), answer) < 10)


def _small(true, answer):
    """Whether an answer is the gradient times one tiny number."""
    answer = np.asarray(answer, dtype=float)
    factor = np.sum(answer * true) / np.sum(true**2)
    return 0 < abs(factor) < 0.05 and _distance(true * factor, answer) < 0.01


def _close(true, answer):
    return _distance(true, answer) < 0.1


MISCONCEPTIONS = (
    Misconception(
        "divided by the nudge once",
        "Your gradient is twice too large. From one nudge down to one nudge up is a way of two nudges; and "
        "the loss is half the sum of squares.",
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
        "both sides by its square, and a tiny one drowns in rounding: nudge both ways, by about 1e-5.",
        shows=lambda given, answer: _close(reference(*given), answer),
    ),
    Misconception(
        "all weights nudged at once",
        "You nudge the whole matrix at once, so that every entry comes out alike. Nudge one place at a time.",
        shows=lambda given, answer: (
            np.shape(answer) == given[3].shape and np.ptp(answer) == 0 != np.max(answer)
        ),
    ),
    Misconception(
        "rounding noise",
        "Your nudges are so small that the two losses agree in nearly all their digits, and their difference "
        "is rounding. Use about 1e-5.",
        shows=_noisy,
    ),
    Misconception(
        "nothing was nudged",
        "Your gradient is 0 everywhere: both losses came from the same weights. `up = W_hh` is no copy, only "
        "another name; W_hh.copy() is one. And is it the nudged matrix that you run?",
        shows=lambda given, answer: np.shape(answer) == given[3].shape and not np.any(answer),
    ),
    Misconception(
        "not divided by the nudge",
        "You return how much the loss changes. A gradient is the change per change of the weight: divide by "
        "the way of the nudge.",
        shows=lambda given, answer: _small(reference(*given), answer),
    ),
    Misconception(
        "the wrong loss",
        "Your loss asks for another miss than that of the last state, squared and halved.",
        tuple(map(_gradient_of, OTHER_LOSSES)),
    ),
)

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
        "The expected picture shows one dot for each of four weights, two above zero and two below; the same "
        "numbers come out of your walk.",
    ),
    plot=plot,
)
