"""Set 3: a second right answer to every item, and a learner's code for every mistake it knows."""

GIVEN = """
def sigmoid(a):
    return 1 / (1 + np.exp(-a))
"""
BIAS = "def forget_bias(tau, dt):\n    return "
STEP = """
def lstm_step(x, h, c, W_ih, W_hh, b_ih, b_hh):
    H = len(h)
    a = {drive}
    {order} = (a[k * H : (k + 1) * H] for k in range(4))
    i, f, g, o = {squash}
    old = c
    c = {keep}
    h = {speak}
    gates = np.array([i, f, g, o])
    return {result}
"""
RUN = (
    STEP.replace("lstm_step", "step", 1)
    + """
def run_lstm(inputs, h0, c0, *parameters):
    h, c = {start}
    outputs, cells, gates = {first}
    for t in range(len(inputs)):
        new_h, new_c, now = step(inputs[t], h, c, *parameters)
        outputs.append(new_h)
        cells.append(new_c)
        gates.append(now)
        {carry}
    return {returned}
"""
)
PATH = "def direct_path(forget):\n    T = len(forget)\n    return "
LEAST = """
def least_needed_gate(inputs, W_ih, W_hh, b_ih, b_hh):
    def run(held):
        H = W_hh.shape[1]
        h, c, said, kept = np.zeros(H), np.zeros(H), [], []
        for x in inputs:
            a = W_ih @ x + W_hh @ h + b_ih + b_hh
            gates = [sigmoid(a[:H]), sigmoid(a[H : 2 * H]), np.tanh(a[2 * H : 3 * H]), sigmoid(a[3 * H :])]
            seen.append(gates)
            if held is not None:
                gates[held] = {value}
            c = gates[1] * c + gates[0] * gates[2]
            h = gates[3] * np.tanh(c)
            said.append(h)
            kept.append(c)
        return np.array({compared})

    seen = []
    free = run(None)
    mean = np.array(seen).mean(axis=(0, 2))
    errors = np.array([{error} for off in [run(k) - free for k in {gates}]])
    return {result}
"""
NOT_RUN_AGAIN = """
def least_needed_gate(inputs, W_ih, W_hh, b_ih, b_hh):
    def run(held):
        h = c = spoken = kept = np.zeros(W_hh.shape[1])
        said = []
        for x in inputs:
            a = np.split(W_ih @ x + W_hh @ h + b_ih + b_hh, 4)
            i, f, g, o = sigmoid(a[0]), sigmoid(a[1]), np.tanh(a[2]), sigmoid(a[3])
            c = f * c + i * g
            h = o * np.tanh(c)
            kept = (1 if held == 1 else f) * kept + (1 if held == 0 else i) * g
            said.append((1 if held == 3 else o) * np.tanh(kept))
        return np.array(said)

    errors = np.array([np.mean((run(k) - run(None)) ** 2) for k in (0, 1, 3)])
    return errors, errors.argmin()
"""


def step(template=STEP, **changes):
    """A right answer to `lstm_step`, with some pieces changed."""
    pieces = dict(drive="W_ih @ x + W_hh @ h + b_ih + b_hh", order="i, f, g, o", keep="f * c + i * g")
    pieces |= dict(squash="sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)", speak="o * np.tanh(c)")
    pieces |= dict(result="h, c, gates", start="h0, c0", first="[], [], []", carry="h, c = new_h, new_c")
    pieces |= dict(returned="np.array(outputs), np.array(cells), np.array(gates)")
    return template.format(**{**pieces, **changes})


def run(**changes):
    """A right answer to `run_lstm`, with some pieces changed."""
    return step(RUN, **changes)


def least(**changes):
    """A right answer to `least_needed_gate`, with some pieces changed."""
    pieces = dict(value="np.ones(H)", compared="said", error="np.mean(off ** 2)", gates="(0, 1, 3)")
    return LEAST.format(**{**pieces, "result": "errors, np.argmin(errors)", **changes})


RIGHT = {
    "forget_bias": BIAS + "-np.log(np.exp(dt / tau) - 1)",
    "lstm_step": step(),
    "run_lstm": run(),
    "direct_path": PATH + "np.array([np.prod(forget[t + 1 :], axis=0) for t in range(T)])",
    "least_needed_gate": least(),
}
F = "np.exp(-dt / tau)"

# (item, the mistake that must be recognised, points that are earned all the same, the learner's code)
WRONG = [
    ("forget_bias", "gate instead of bias", 0, BIAS + F),
    ("forget_bias", "sign reversed", 0, BIAS + f"np.log((1 - {F}) / {F})"),
    ("forget_bias", "sign reversed", 0, BIAS + f"np.log(1 / {F} - 1)"),
    ("forget_bias", "the approximation for long times", 0, BIAS + "np.log(tau / dt - 1)"),
    ("forget_bias", "the logarithm of the number of steps", 0, BIAS + "np.log(tau / dt)"),
    ("forget_bias", "dt forgotten", 0, BIAS + "-np.log(np.exp(1 / tau) - 1)"),
    ("forget_bias", "τ and dt exchanged", 0, BIAS + "-np.log(np.exp(tau / dt) - 1)"),
    ("forget_bias", "half-life instead of time constant", 0, BIAS + "-np.log(2 ** (dt / tau) - 1)"),
    ("forget_bias", "log10 instead of ln", 0, BIAS + f"np.log10({F} / (1 - {F}))"),
    ("forget_bias", "odds instead of their logarithm", 0, BIAS + f"{F} / (1 - {F})"),
    ("forget_bias", "math on an array", 1, BIAS + "-math.log(math.exp(dt / tau) - 1)"),
    ("forget_bias", "if on an array", 1, BIAS + "-np.log(np.exp(dt / tau) - 1) if tau > 0 else 0"),
    ("lstm_step", "input and forget gate exchanged", 0, step(order="f, i, g, o")),
    ("lstm_step", "input and forget gate exchanged", 2, step(keep="i * c + f * g")),
    ("lstm_step", "candidate and output gate exchanged", 0, step(order="i, f, o, g")),
    ("lstm_step", "order of another library", 0, step(order="i, g, f, o")),
    ("lstm_step", "sigmoid for the candidate", 0,
     step(squash="sigmoid(i), sigmoid(f), sigmoid(g), sigmoid(o)")),
    ("lstm_step", "tanh for every gate", 0, step(squash="np.tanh(i), np.tanh(f), np.tanh(g), np.tanh(o)")),
    ("lstm_step", "gates before their nonlinearity", 0, step(squash="i, f, g, o")),
    ("lstm_step", "gates before their nonlinearity", 2, step(result="h, c, a.reshape(4, H)")),
    ("lstm_step", "one bias missing", 1, step(drive="W_ih @ x + W_hh @ h + b_ih")),
    ("lstm_step", "one bias missing", 1, step(drive="W_ih @ x + W_hh @ h + b_hh")),
    ("lstm_step", "one bias twice", 1, step(drive="W_ih @ x + b_ih + W_hh @ h + b_ih")),
    ("lstm_step", "both biases missing", 1, step(drive="W_ih @ x + W_hh @ h")),
    ("lstm_step", "cell state fed to the gates", 0, step(drive="W_ih @ x + W_hh @ c + b_ih + b_hh")),
    ("lstm_step", "hidden state ignored", 0, step(drive="W_ih @ x + b_ih + b_hh")),
    ("lstm_step", "old cell state spoken", 3, step(speak="o * np.tanh(old)")),
    ("lstm_step", "tanh of the cell state missing", 3, step(speak="o * c")),
    ("lstm_step", "tanh kept in the cell", 3, step(keep="np.tanh(f * c + i * g)", speak="o * c")),
    ("lstm_step", "tanh kept in the cell", 2, step(keep="np.tanh(f * c + i * g)")),
    ("lstm_step", "output gate ignored", 3, step(speak="np.tanh(c)")),
    ("lstm_step", "1 − f in place of the input gate", 2, step(keep="f * c + (1 - f) * g")),
    ("lstm_step", "old content not kept", 2, step(keep="i * g")),
    ("lstm_step", "h and c exchanged", 2, step(result="c, h, gates")),
    ("lstm_step", "two values returned instead of three", 0, step(result="h, c")),
    ("lstm_step", "a product that does not fit", 0, step(drive="x @ W_ih + W_hh @ h + b_ih + b_hh")),
    ("run_lstm", "initial state ignored", 1, run(start="0 * h0, 0 * c0")),
    ("run_lstm", "one half of the initial state ignored", 1, run(start="h0, 0 * c0")),
    ("run_lstm", "one half of the initial state ignored", 1, run(start="0 * h0, c0")),
    ("run_lstm", "h0 and c0 exchanged", 1, run(start="c0, h0")),
    ("run_lstm", "h not carried on", 0, run(carry="c = new_c")),
    ("run_lstm", "c not carried on", 0, run(carry="h = new_h")),
    ("run_lstm", "cell states as outputs", 1,
     run(returned="np.array(cells), np.array(outputs), np.array(gates)")),
    ("run_lstm", "initial state among the outputs", 1, run(first="[h0], [c0], []")),
    ("run_lstm", "only the last step returned", 0, run(returned="new_h, new_c, now")),
    ("run_lstm", "gates in another shape", 2,
     run(returned="np.array(outputs), np.array(cells), np.array(gates).transpose(1, 0, 2)")),
    ("run_lstm", "two values returned instead of three", 0,
     run(returned="np.array(outputs), np.array(cells)")),
    ("run_lstm", "two values returned instead of three", 1, run(returned="np.array(outputs), (h, c)")),
    ("direct_path", "own step included", 0,
     PATH + "np.array([np.prod(forget[t:], axis=0) for t in range(T)])"),
    ("direct_path", "from the start instead of to the end", 0, PATH + "np.cumprod(forget, axis=0)"),
    ("direct_path", "in reversed order of time", 0,
     PATH + "np.array([np.prod(forget[t + 1 :], axis=0) for t in range(T)])[::-1]"),
    ("direct_path", "sum instead of product", 0,
     PATH + "np.array([np.sum(forget[t + 1 :], axis=0) for t in range(T)])"),
    ("direct_path", "the mean gate to a power", 1,
     PATH + "np.array([forget.mean(axis=0) ** (T - 1 - t) for t in range(T)])"),
    ("direct_path", "one gate to a power", 1,
     PATH + "np.array([forget[t] ** (T - 1 - t) for t in range(T)])"),
    ("direct_path", "the last row 0 instead of 1", 0,
     PATH + "np.array([np.prod(forget[t + 1 :], axis=0) * (t < T - 1) for t in range(T)])"),
    ("direct_path", "the last row missing", 0,
     PATH + "np.array([np.prod(forget[t + 1 :], axis=0) for t in range(T - 1)])"),
    ("direct_path", "over all units together", 0,
     PATH + "np.cumprod(forget[::-1])[::-1].reshape(forget.shape)"),
    ("least_needed_gate", "chosen by how open the gate is", 2,
     least(result="errors, mean[[0, 1, 3]].argmax()")),
    ("least_needed_gate", "the most needed gate", 2, least(result="errors, errors.argmax()")),
    ("least_needed_gate", "held shut instead of open", 0, least(value="0 * h")),
    ("least_needed_gate", "held at its mean", 0, least(value="mean[held]")),
    ("least_needed_gate", "network not run again", 0, NOT_RUN_AGAIN),
    ("least_needed_gate", "root of the mean squared error", 1, least(error="np.sqrt(np.mean(off ** 2))")),
    ("least_needed_gate", "sum instead of mean", 1, least(error="np.sum(off ** 2)")),
    ("least_needed_gate", "absolute error", 1, least(error="np.mean(np.abs(off))")),
    ("least_needed_gate", "cell states compared", 0, least(compared="kept")),
    ("least_needed_gate", "candidate counted as a gate", 0, least(gates="range(4)")),
    ("least_needed_gate", "index among the four", 2, least(result="errors, [0, 1, 3][errors.argmin()]")),
    ("least_needed_gate", "counted from one", 2, least(result="errors, errors.argmin() + 1")),
    ("least_needed_gate", "one value returned instead of two", 0, least(result="errors")),
    ("forget_bias", "sigmoid instead of its inverse", 0, BIAS + "1 / (1 + np.exp(-np.exp(-dt / tau)))"),
    ("forget_bias", "another logarithm", 0, BIAS + "np.log(np.exp(-dt / tau))"),
    ("forget_bias", "shape lost", 0, BIAS + "np.array([-np.log(np.expm1(dt / t)) for t in np.ravel(tau)])"),
    ("lstm_step", "gates stacked in another way", 2, step(result="h, c, gates.T")),
    ("lstm_step", "gates stacked in another way", 2, step(result="h, c, (i, f, g, o)")),
    ("lstm_step", "rows of the gates interleaved", 0, step().replace("a[k * H : (k + 1) * H]", "a[k::4]")),
    ("lstm_step", "columns instead of vectors", 0, step(result="h[:, None], c[:, None], gates[..., None]")),
    ("lstm_step", "a gate without its work", 2, step(keep="f * c + g")),
    ("lstm_step", "1 − f in place of f", 2, step(keep="(1 - f) * c + i * g")),
    ("lstm_step", "candidate squashed twice", 2, step(keep="f * c + i * np.tanh(g)")),
    ("run_lstm", "returned inside the loop", 0,
     run(returned="np.array(outputs)[:1], np.array(cells)[:1], np.array(gates)[:1]")),
    ("run_lstm", "steps in one long row", 0,
     run(returned="np.hstack(outputs), np.hstack(cells), np.hstack(gates)")),
    ("run_lstm", "time across", 1, run(returned="np.array(outputs).T, np.array(cells).T, np.array(gates)")),
    ("direct_path", "forget overwritten", 0,
     "def direct_path(forget):\n    left = forget\n    left[-1] = 1\n"
     "    for t in range(len(forget) - 2, -1, -1):\n        left[t] = left[t + 1] * forget[t + 1]\n"
     "    return left"),
    ("direct_path", "the last gate left out", 0,
     PATH + "[forget[t + 1 : -1].prod(axis=0) for t in range(T)]"),
    ("direct_path", "the next gate only", 0, PATH + "np.vstack([forget[1:], 0 * forget[:1] + 1])"),
    ("direct_path", "the last row set and its gate lost", 0,
     PATH + "[forget[t:].prod(axis=0) for t in range(T - 1)] + [0 * forget[0] + 1]"),
    ("direct_path", "a row too many", 0, PATH + "[forget[t:].prod(axis=0) for t in range(T + 1)]"),
    ("least_needed_gate", "the candidate held", 0, least(gates="(0, 1, 2)")),
    ("least_needed_gate", "name instead of index", 2,
     least(result="errors, ['input', 'forget', 'output'][errors.argmin()]")),
    ("least_needed_gate", "errors of single units or steps", 0, least(error="np.mean(off[-1] ** 2)")),
    ("least_needed_gate", "index first", 0, least(result="errors.argmin(), errors")),
]  # fmt: skip

HALF_DONE = (
    [
        BIAS
        + "np.array([[-math.log(math.exp(dt / x) - 1) for x in row] for row in np.atleast_2d(tau)])[0, 0]",
        GIVEN + step(drive="W_ih @ x + W_hh @ h"),
        "def run_lstm(inputs, h0, c0, *parameters):\n    raise NotImplementedError",
        RIGHT["direct_path"],
    ],
    {"forget_bias": 1, "lstm_step": 1, "run_lstm": 0, "direct_path": 2, "least_needed_gate": 0},
)
