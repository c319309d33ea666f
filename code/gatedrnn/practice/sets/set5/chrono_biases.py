"""Item 1 of set 5: biases with which an LSTM starts with memories of all lengths (Tallec & Ollivier 2018)."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(u, longest):
    """Return the 4H biases i, f, g, o: f = ln(1 + u (longest − 2)), i = −f, the others 0."""
    forget = np.log(1 + u * (longest - 2))
    return np.concatenate([-forget, forget, 0 * forget, 0 * forget])


def draw(rng):
    """Some units, and a longest memory of 10 to 500 steps."""
    return rng.uniform(0.05, 0.95, size=int(rng.integers(3, 7))), float(np.exp(rng.uniform(2.3, 6.2)))


def plot(axes, function):
    """Draw the time constants that the forget biases stand for."""
    u = np.linspace(0, 1, 50)
    forget = np.asarray(function(u, 100.0), dtype=float)[50:100]
    axes.plot(u, -1 / np.log(1 / (1 + np.exp(-forget))))
    axes.set(xlabel="u", ylabel="time constant (steps)", title="chrono_biases(u, longest=100)")


def _mistake(forget, order="ifgo"):
    """Another forget bias, or the right one at another place; a minus stands for its opposite."""

    def wrong(u, longest):
        f = forget(u, longest)
        pieces = {"i": -f, "f": f, "g": 0 * f, "o": 0 * f, "0": 0 * f}
        return np.concatenate([pieces[name] for name in order])

    return wrong


def _right(u, longest):
    return np.log(1 + u * (longest - 2))


def _with_ones(u, longest):
    biases = reference(u, longest)
    return biases[: 2 * len(u)], np.ones(2 * len(u))


def _of_other_units(given, biases):
    """Whether these are the biases of other units, in the right places."""
    H, longest = len(given[0]), given[1]
    u = (np.exp(biases[H : 2 * H]) - 1) / (longest - 2)
    return biases.shape == (4 * H,) and bool(
        np.allclose(biases, reference(u, longest)) and np.all((u >= 0) & (u <= 1)) and np.ptp(u) > 0
    )


MISCONCEPTIONS = (
    Misconception(
        "input gate not biased",
        "Your input gates start half open. A cell that is to keep for long must also be shut for what comes "
        "in: the opposite bias.",
        (_mistake(_right, "0fgo"),),
    ),
    Misconception(
        "both gates biased alike",
        "Input and forget gate get the same bias in yours. They get opposite ones.",
        (_mistake(_right, "ffgo"),),
    ),
    Misconception(
        "signs exchanged",
        "Your signs are exchanged: a long memory has a forget gate near 1, which takes a large positive "
        "bias.",
        (_mistake(_right, "figo"), _mistake(lambda u, longest: -_right(u, longest))),
    ),
    Misconception(
        "blocks in another order",
        "Your blocks are in another order than torch's, which is input, forget, candidate, output.",
        (
            _mistake(_right, "igfo"),
            _mistake(_right, "gfio"),
            _mistake(_right, "igof"),
            _mistake(_right, "ofgi"),
        ),
    ),
    Misconception(
        "logarithm of the whole range",
        "Your times run from 0 or 1 to `longest`. Chrono initialisation draws between 1 and longest − 1, the "
        "times less one, and takes the logarithm of that.",
        (
            _mistake(lambda u, longest: np.log(u * longest)),
            _mistake(lambda u, longest: np.log(1 + u * (longest - 1))),
            _mistake(lambda u, longest: np.log(u * (longest - 1))),
            _mistake(lambda u, longest: np.log(1 + u * longest)),
        ),
    ),
    Misconception(
        "logarithms drawn evenly",
        "You spread the biases evenly. It is the times that are spread evenly, and the bias is their "
        "logarithm.",
        (
            _mistake(lambda u, longest: u * np.log(longest - 1)),
            _mistake(lambda u, longest: u * np.log(longest)),
        ),
    ),
    Misconception(
        "logarithm forgotten",
        "You give the times. The bias is their logarithm.",
        (_mistake(lambda u, longest: 1 + u * (longest - 2)),),
    ),
    Misconception(
        "forget biases only",
        "You return H numbers. Asked for is the whole vector of 4H biases, zeros included.",
        (
            lambda u, longest: _right(u, longest),
            lambda u, longest: np.stack([-_right(u, longest), _right(u, longest)]),
        ),
    ),
    Misconception(
        "candidate and output gate biased too",
        "Candidate and output gate get no bias here: zeros.",
        (_mistake(_right, "ifff"), lambda u, longest: np.append(*_with_ones(u, longest))),
    ),
    Misconception(
        "another arrangement",
        "Your numbers stand in another arrangement. First H numbers for the input gates, then H for the "
        "forget gates, and so on, in one row of 4H.",
        (
            lambda u, longest: reference(u, longest).reshape(4, -1),
            lambda u, longest: reference(u, longest).reshape(4, -1).T,
            lambda u, longest: reference(u, longest).reshape(4, -1).T.ravel(),
            lambda u, longest: reference(u, longest)[: 2 * len(u)],
        ),
    ),
    Misconception(
        "log10 instead of ln",
        "ln is the natural logarithm, np.log.",
        (_mistake(lambda u, longest: np.log10(1 + u * (longest - 2))),),
    ),
    Misconception(
        "all units alike",
        "All your units keep for equally long. Each has its own u.",
        (_mistake(lambda u, longest: np.log(longest - 1) + 0 * u),),
    ),
    Misconception(
        "u drawn anew",
        "You draw your own u. Use the one that is handed to you.",
        shows=lambda given, answer: _of_other_units(given, np.asarray(answer, dtype=float)),
    ),
)

ITEM = Item(
    name="chrono_biases",
    signature="chrono_biases(u, longest)",
    title="Memories of all lengths, from the start",
    parts=(Part("biases"),),
    reference=reference,
    questions=(Question("some units", 2, draw),),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "A forget gate with bias ln(T − 1) keeps for about T steps. Which times do you want, and what "
        "should the input gate of the same unit do?",
        "forget = ln(1 + u * (longest − 2)); input = −forget; zeros for candidate and output; "
        "np.concatenate in torch's order.",
        "The expected picture is a straight line: time constants from 1.4 steps, where u is 0, to 99.5 "
        "steps, where u is 1.",
    ),
    plot=plot,
)
