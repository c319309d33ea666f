"""Item 2 of set 4: how many numbers a layer learns."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question

BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3}


def reference(cell, inputs, units):
    """Return G · H · (I + H + 2): G blocks of two matrices and two biases."""
    return BLOCKS[cell] * units * (inputs + units + 2)


def _draw(cells):
    def draw(rng):
        return str(rng.choice(cells)), int(rng.integers(2, 30)), int(rng.integers(31, 90))

    return draw


draw_plain = _draw(["rnn"])
draw_gated = _draw(["lstm", "gru"])


def plot(axes, function):
    """Draw the counts of the three cells against their size."""
    units = np.arange(1, 65)
    for cell, style in [("rnn", ":"), ("gru", "--"), ("lstm", "-")]:
        axes.plot(units, [float(function(cell, 8, int(n))) for n in units], style, label=cell)
    axes.legend()
    axes.set(xlabel="units", ylabel="parameters", title="count_parameters(cell, 8, units)")


def _formula(count, blocks=BLOCKS):
    return lambda cell, m, n: blocks[cell] * count(m, n)


MISCONCEPTIONS = (
    Misconception(
        "one bias counted",
        "You count one bias per block, as papers do. torch has two, b_ih and b_hh.",
        (_formula(lambda m, n: n * (m + n + 1)),),
    ),
    Misconception(
        "biases forgotten",
        "You count the matrices only. Each block has two biases of H numbers as well.",
        (_formula(lambda m, n: n * (m + n)),),
    ),
    Misconception(
        "recurrent matrix of the wrong size",
        "Your recurrent matrix is as wide as the input. It is H by H.",
        (_formula(lambda m, n: n * (m + m + 2)), _formula(lambda m, n: 2 * n * m + 2 * n)),
    ),
    Misconception(
        "recurrent matrix forgotten",
        "You count the way from the input only. The recurrent matrix, H by H, is missing.",
        (_formula(lambda m, n: n * (m + 2)), _formula(lambda m, n: n * (m + 1))),
    ),
    Misconception(
        "number of blocks",
        "You have the wrong number of blocks: an LSTM has input, forget, candidate and output, a GRU has "
        "reset, update and new, and a plain network has one.",
        (
            _formula(lambda m, n: n * (m + n + 2), {"rnn": 1, "lstm": 3, "gru": 2}),
            _formula(lambda m, n: n * (m + n + 2), {"rnn": 1, "lstm": 3, "gru": 4}),
            _formula(lambda m, n: n * (m + n + 2), {"rnn": 1, "lstm": 1, "gru": 1}),
            _formula(lambda m, n: n * (m + n + 2), {"rnn": 1, "lstm": 4, "gru": 2}),
        ),
    ),
    Misconception(
        "inputs and units exchanged",
        "In your formula inputs and units have changed places.",
        (lambda cell, m, n: reference(cell, n, m),),
    ),
    Misconception(
        "biases of one block only",
        "You count the biases once for the whole layer. Every block has two of its own.",
        (
            lambda cell, m, n: BLOCKS[cell] * n * (m + n) + 2 * n,
            lambda cell, m, n: BLOCKS[cell] * (n * (m + n) + 2),
        ),
    ),
    Misconception(
        "a name that is not known",
        "The names of the cells are in small letters: rnn, gru and lstm.",
        error="KeyError|UnboundLocalError",
    ),
)

ITEM = Item(
    name="count_parameters",
    signature="count_parameters(cell, inputs, units)",
    title="What a layer costs",
    parts=(Part("count"),),
    reference=reference,
    questions=(
        Question("a plain network", 1, draw_plain),
        Question("an LSTM or a GRU", 1, draw_gated),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Write down the shapes of W_ih, W_hh, b_ih and b_hh for a plain network. How many times as many rows "
        "does a GRU have, and an LSTM?",
        "A block is H × I from the input, H × H from the state, and two biases of H. A plain network has one "
        "block, a GRU three, an LSTM four.",
        "The expected picture: three curves that bend upwards; at every size the GRU costs three times and "
        "the LSTM four times what the plain network costs.",
    ),
    plot=plot,
)
