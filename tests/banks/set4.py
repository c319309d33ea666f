"""Set 4: a second right answer to every item, and a learner's code for every mistake it knows."""

GIVEN = """
def sigmoid(a):
    return 1 / (1 + np.exp(-a))
"""
STEP = """
def gru_step(x, h, W_ih, W_hh, b_ih, b_hh):
    H = len(h)
    i, s = {inputs}, {state}
    {first}, {second} = {squash}(i[:H] + s[:H]), {squash}(i[H : 2 * H] + s[H : 2 * H])
    n = {new}
    h_new = {renew}
    return {result}
"""
COUNT = """
def count_parameters(cell, inputs, units):
    blocks = {blocks}
    return {count}
"""
LAYER = """
def largest_layer(cell, inputs, outputs, budget):
    def price(units):
        G = dict(rnn=1, gru=3, lstm=4)[cell]
        return {price}
    units = {start}
    while {affordable}:
        units += 1
    return {result}
"""
PAIRS = """
def compare_pairs(errors_a, errors_b):
    n = len(errors_a)
    d = {difference}
    mean, error = {mean}, {error}
    if {noise}:
        verdict = "noise"
    else:
        verdict = {winner}
    return {result}
"""
SPEND = """
def spend_budget(parameters, validation, test, budget):
    best, chosen = np.inf, 0
    for k in range(len(parameters)):
        score = {score}
        if {allowed} and score < best:
            best, chosen = score, k
    return {result}
"""


def step(**changes):
    """A right answer to `gru_step`, with some pieces changed."""
    pieces = dict(inputs="W_ih @ x + b_ih", state="W_hh @ h + b_hh", first="r", second="z")
    pieces |= dict(new="np.tanh(i[2 * H :] + r * s[2 * H :])", renew="n + z * (h - n)", squash="sigmoid")
    return STEP.format(**{**pieces, "result": "h_new, r, z, n", **changes})


def count(**changes):
    """A right answer to `count_parameters`, with some pieces changed."""
    pieces = dict(blocks="dict(rnn=1, gru=3, lstm=4)[cell]", count="blocks * units * (inputs + units + 2)")
    return COUNT.format(**{**pieces, **changes})


def layer(**changes):
    """A right answer to `largest_layer`, with some pieces changed."""
    pieces = dict(price="G * units * (inputs + units + 2) + outputs * (units + 1)", start="0")
    pieces |= dict(affordable="price(units + 1) <= budget", result="units")
    return LAYER.format(**{**pieces, **changes})


def pairs(**changes):
    """A right answer to `compare_pairs`, with some pieces changed."""
    pieces = dict(difference="errors_b - errors_a", mean="np.mean(d)", noise="abs(mean) < 2 * error")
    pieces |= dict(error="np.sqrt(np.sum((d - d.mean()) ** 2) / (n - 1) / n)")
    pieces |= dict(winner='"a" if mean > 0 else "b"', result="mean, error, verdict")
    return PAIRS.format(**{**pieces, **changes})


def spend(**changes):
    """A right answer to `spend_budget`, with some pieces changed."""
    pieces = dict(score="np.mean(validation[k])", allowed="parameters[k] <= budget")
    return SPEND.format(**{**pieces, "result": "chosen, np.mean(test[chosen])", **changes})


RIGHT = {
    "gru_step": step(),
    "count_parameters": count(),
    "largest_layer": layer(),
    "compare_pairs": pairs(),
    "spend_budget": spend(),
}
SINGLE = "np.sqrt(np.var(errors_a, ddof=1) / n + np.var(errors_b, ddof=1) / n)"

# (item, the mistake that must be recognised, points that are earned all the same, the learner's code)
WRONG = [
    ("gru_step", "z and 1 − z exchanged", 2, step(renew="z * n + (1 - z) * h")),
    ("gru_step", "reset and update gate exchanged", 0, step(first="z", second="r")),
    ("gru_step", "reset before the product", 1,
     step(new="np.tanh(i[2 * H :] + W_hh[2 * H :] @ (r * h) + b_hh[2 * H :])")),
    ("gru_step", "recurrent bias outside the reset", 1,
     step(new="np.tanh(i[2 * H :] + r * (W_hh[2 * H :] @ h) + b_hh[2 * H :])")),
    ("gru_step", "reset of everything", 1, step(new="np.tanh(r * (i[2 * H :] + s[2 * H :]))")),
    ("gru_step", "reset gate unused", 1, step(new="np.tanh(i[2 * H :] + s[2 * H :])")),
    ("gru_step", "sigmoid for the candidate", 1, step(new="sigmoid(i[2 * H :] + r * s[2 * H :])")),
    ("gru_step", "tanh for the gates", 0, step(squash="np.tanh")),
    ("gru_step", "one bias missing", 0, step(inputs="W_ih @ x")),
    ("gru_step", "one bias missing", 0, step(state="W_hh @ h")),
    ("gru_step", "both biases missing", 0, step(inputs="W_ih @ x", state="W_hh @ h")),
    ("gru_step", "old state not mixed in", 2, step(renew="n")),
    ("gru_step", "old state not mixed in", 2, step(renew="(1 - z) * n")),
    ("gru_step", "only the state returned", 0, step(result="h_new")),
    ("gru_step", "a product that does not fit", 0, step(inputs="x @ W_ih + b_ih")),
    ("count_parameters", "one bias counted", 0, count(count="blocks * units * (inputs + units + 1)")),
    ("count_parameters", "biases forgotten", 0, count(count="blocks * units * (inputs + units)")),
    ("count_parameters", "recurrent matrix of the wrong size", 0,
     count(count="blocks * (2 * units * inputs + 2 * units)")),
    ("count_parameters", "recurrent matrix forgotten", 0, count(count="blocks * units * (inputs + 2)")),
    ("count_parameters", "number of blocks", 1, count(blocks="dict(rnn=1, gru=2, lstm=3)[cell]")),
    ("count_parameters", "inputs and units exchanged", 0,
     count(count="blocks * inputs * (units + inputs + 2)")),
    ("largest_layer", "readout forgotten", 0, layer(price="G * units * (inputs + units + 2)")),
    ("largest_layer", "one size too large", 0, layer(affordable="price(units) <= budget")),
    ("largest_layer", "a full budget refused", 1, layer(affordable="price(units + 1) < budget")),
    ("largest_layer", "one size too small", 0, layer(result="units - 1")),
    ("largest_layer", "bias of the readout forgotten", 0,
     layer(price="G * units * (inputs + units + 2) + outputs * units")),
    ("largest_layer", "one bias counted in the layer", 0,
     layer(price="G * units * (inputs + units + 1) + outputs * (units + 1)")),
    ("largest_layer", "the cost instead of the size", 0, layer(result="price(units)")),
    ("compare_pairs", "pairs ignored", 1, pairs(error=SINGLE)),
    ("compare_pairs", "standard deviation instead of standard error", 1, pairs(error="np.std(d, ddof=1)")),
    ("compare_pairs", "divided by n instead of n − 1", 3, pairs(error="np.std(d) / np.sqrt(n)")),
    ("compare_pairs", "divided by n instead of its root", 2, pairs(error="np.std(d, ddof=1) / n")),
    ("compare_pairs", "difference the other way round", 1, pairs(difference="errors_a - errors_b")),
    ("compare_pairs", "larger error wins", 2, pairs(winner='"b" if mean > 0 else "a"')),
    ("compare_pairs", "noise never considered", 3, pairs(noise="False")),
    ("compare_pairs", "one standard error", 3, pairs(noise="abs(mean) < error")),
    ("compare_pairs", "size of the difference only", 1, pairs(mean="abs(np.mean(d))")),
    ("compare_pairs", "not all three returned", 0, pairs(result="mean, error")),
    ("spend_budget", "chosen by the test error", 0, spend(score="np.mean(test[k])")),
    ("spend_budget", "the best single seed", 0, spend(score="np.min(validation[k])")),
    ("spend_budget", "over the budget", 0, spend(allowed="True")),
    ("spend_budget", "the largest affordable one", 0, spend(score="-parameters[k]")),
    ("spend_budget", "median instead of mean", 0, spend(score="np.median(validation[k])")),
    ("spend_budget", "validation error reported", 2, spend(result="chosen, best")),
    ("spend_budget", "best test seed reported", 2, spend(result="chosen, np.min(test[chosen])")),
    ("spend_budget", "index among the affordable ones", 1,
     spend(result="np.sum(parameters[:chosen] <= budget), np.mean(test[chosen])")),
    ("spend_budget", "the worst instead of the best", 0, spend(score="-np.mean(validation[k])")),
    ("spend_budget", "one value returned instead of two", 0, spend(result="chosen")),
    ("gru_step", "candidate without its tanh", 1, step(new="i[2 * H :] + r * s[2 * H :]")),
    ("gru_step", "update gate used as reset", 1, step(new="np.tanh(i[2 * H :] + z * s[2 * H :])")),
    ("gru_step", "1 − r in place of r", 1, step(new="np.tanh(i[2 * H :] + (1 - r) * s[2 * H :])")),
    ("gru_step", "old state added, not mixed", 2, step(renew="n + z * h")),
    ("gru_step", "gates in one array", 0, step(result="h_new, np.array([r, z, n])")),
    ("count_parameters", "biases of one block only", 1,
     count(count="blocks * units * (inputs + units) + 2 * units")),
    ("count_parameters", "a name that is not known", 0, count(blocks="dict(RNN=1, GRU=3, LSTM=4)[cell]")),
    ("largest_layer", "another readout", 0,
     layer(price="G * units * (inputs + units + 2) + outputs * (inputs + 1)")),
    ("compare_pairs", "any difference below zero called noise", 2,
     pairs(noise="mean < 2 * error", winner='"a"')),
    ("compare_pairs", "other words", 2, pairs(result="mean, error, verdict.upper()")),
    ("compare_pairs", "two standard errors given", 3, pairs(result="mean, 2 * error, verdict")),
    ("compare_pairs", "variance instead of its root", 2, pairs(error="np.var(d, ddof=1) / n")),
    ("compare_pairs", "n − 1 under the root", 3, pairs(error="np.std(d, ddof=1) / np.sqrt(n - 1)")),
    ("compare_pairs", "median instead of mean", 2, pairs(mean="np.median(d)")),
    ("compare_pairs", "relative differences", 2, pairs(difference="(errors_b - errors_a) / errors_a")),
    ("spend_budget", "chosen by the test error", 0, spend(score="np.mean(validation[k]) + np.mean(test[k])")),
    ("spend_budget", "a full budget refused", 0, spend(allowed="parameters[k] < budget")),
    ("spend_budget", "cost instead of index", 1, spend(result="parameters[chosen], np.mean(test[chosen])")),
    ("spend_budget", "errors of all seeds reported", 2, spend(result="chosen, test[chosen]")),
    ("spend_budget", "means over the wrong axis", 0,
     "def spend_budget(parameters, validation, test, budget):\n"
     "    mean = np.where(parameters <= budget, validation.mean(axis=0), np.inf)\n"
     "    return mean.argmin(), test[mean.argmin()].mean()"),
]  # fmt: skip

HALF_DONE = (
    [
        GIVEN + step(renew="z * n + (1 - z) * h"),
        count(count="blocks * units * (inputs + units + 1)"),
        RIGHT["largest_layer"],
        pairs(noise="False"),
    ],
    {"gru_step": 2, "count_parameters": 0, "largest_layer": 2, "compare_pairs": 3, "spend_budget": 0},
)
