"""Item 3 of set 4: the largest layer that a budget allows."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question
from gatedrnn.practice.sets.set4 import count_parameters


def cost(cell, inputs, units, outputs):
    """Return the parameters of the layer and of a linear readout with a bias."""
    return count_parameters.reference(cell, inputs, units) + outputs * (units + 1)


def largest(budget, price):
    """Return the most units whose price is within the budget."""
    units = 0
    while price(units + 1) <= budget:
        units += 1
    return units


def reference(cell, inputs, outputs, budget):
    """Return the most units of a cell that, with its readout, stay within the budget."""
    return largest(budget, lambda units: cost(cell, inputs, units, outputs))


def _draw(rng, exact):
    cell = str(rng.choice(["rnn", "gru", "lstm"]))
    inputs, outputs = int(rng.integers(2, 12)), int(rng.integers(8, 40))
    units = int(rng.integers(12, 40))
    budget = cost(cell, inputs, units, outputs)
    if exact:
        budget -= int(rng.integers(2))
    else:
        budget += int(rng.integers(1, cost(cell, inputs, units + 1, outputs) - budget))
    return cell, inputs, outputs, budget


def draw_loose(rng):
    """A budget between two sizes."""
    return _draw(rng, exact=False)


def draw_exact(rng):
    """A budget that one size uses up to the last parameter, or that lacks just one for it."""
    return _draw(rng, exact=True)


def plot(axes, function):
    """Draw the largest size against the budget for two cells."""
    budgets = np.arange(100, 5000, 100)
    for cell, style in [("gru", "--"), ("lstm", "-")]:
        axes.plot(budgets, [float(function(cell, 4, 2, int(b))) for b in budgets], style, label=cell)
    axes.legend()
    axes.set(xlabel="budget (parameters)", ylabel="units", title="largest_layer(cell, 4, 2, budget)")


def _with_readout(price):
    return lambda c, m, k, budget: largest(
        budget, lambda n: count_parameters.reference(c, m, n) + price(m, n, k)
    )


MISCONCEPTIONS = (
    Misconception(
        "readout forgotten",
        "You spend the whole budget on the layer. The readout has outputs × units weights and a bias for "
        "each output.",
        (lambda c, m, k, budget: largest(budget, lambda n: count_parameters.reference(c, m, n)),),
    ),
    Misconception(
        "one size too large",
        "The size you give is over the budget. Go back by one, or look what your price leaves out.",
        (lambda *given: reference(*given) + 1,),
    ),
    Misconception(
        "a full budget refused",
        "You stop one size early where the budget is used up to the last parameter. That is still within it: "
        "at most is <=. Or does your price count a bias too many?",
        (lambda c, m, k, budget: largest(budget - 1, lambda n: cost(c, m, n, k)),),
    ),
    Misconception(
        "one size too small",
        "The next size still fits.",
        (lambda *given: reference(*given) - 1,),
    ),
    Misconception(
        "bias of the readout forgotten",
        "Your readout has no bias: outputs numbers more.",
        (lambda c, m, k, budget: largest(budget, lambda n: cost(c, m, n, k) - k),),
    ),
    Misconception(
        "one bias counted in the layer",
        "Your layer has one bias per block; torch has two.",
        (
            lambda c, m, k, budget: largest(
                budget, lambda n: cost(c, m, n, k) - count_parameters.BLOCKS[c] * n
            ),
        ),
    ),
    Misconception(
        "the cost instead of the size",
        "You return what the layer costs. Asked for is how many units it has.",
        (
            lambda c, m, k, budget: cost(c, m, reference(c, m, k, budget), k),
            lambda c, m, k, budget: count_parameters.reference(c, m, reference(c, m, k, budget)),
        ),
    ),
    Misconception(
        "another readout",
        "Your readout costs something else. It has one weight for every unit and output and one bias for "
        "every output: outputs · units + outputs.",
        (
            _with_readout(lambda m, n, k: k * n + n),
            _with_readout(lambda m, n, k: k * n + 2 * k),
            _with_readout(lambda m, n, k: k * m + k),
            _with_readout(lambda m, n, k: k * n + 1),
            _with_readout(lambda m, n, k: n + k),
        ),
    ),
)

ITEM = Item(
    name="largest_layer",
    signature="largest_layer(cell, inputs, outputs, budget)",
    title="The largest layer for a budget",
    parts=(Part("units"),),
    reference=reference,
    questions=(
        Question("a budget between two sizes", 1, draw_loose, repeats=8),
        Question("a budget that just suffices or just fails to", 1, draw_exact, repeats=8),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "The price grows with the number of units. How many can you afford, if the readout has to be paid as "
        "well?",
        "Start at no units and add one as long as the price of one more, count_parameters(…) + outputs * "
        "(units + 1), is at most the budget.",
        "The expected picture: two staircases that grow like square roots; at every budget the GRU's is a "
        "little higher than the LSTM's.",
    ),
    plot=plot,
)
