"""Set 1: a second right answer to every item, and a learner's code for every mistake it knows."""

TIME = "def time_constant(f, dt):\n    return "
ECHO = """
def echo(W, U, pulse, steps):
    h = {first}
    states = {states}
    for t in range({count}):
        h = {next}
        states.append(h)
    return {result}
"""
ECHO_IN_PLACE = """
def echo(W, U, pulse, steps):
    h = U @ pulse
    states = [h]
    for t in range(steps - 1):
        h[:] = W @ h
        states.append(h)
    return np.stack(states)
"""
ECHO_IN_PLACE_LATE = """
def echo(W, U, pulse, steps):
    h = U @ pulse
    states = []
    for t in range(steps):
        states.append(h)
        h[:] = W @ h
    return np.stack(states)
"""
MODES = """
def modes(W, dt):
    v = {values}
    tau, frequency = {tau}, {frequency}
    order = {order}
    return {result}
"""
RUN = """
def run_rnn(inputs, h0, W_ih, W_hh, b_ih, b_hh):
    h = {start}
    outputs = {outputs}
    for x in inputs:
        h = {step}
        outputs.append(h)
    return {result}
"""
MEASURE = """
def measure_tau(trace, dt):
    stop = {stop}
    t = {t}
    y = {y}
    slope, start = np.polyfit(t, y, 1)
    return {result}
"""
CHOOSE = """
def choose_network(networks, U, pulse, delay, dt):
    steps = {steps}
    left = []
    for W in networks:
        h = start = U @ pulse
        for _ in range(steps):
            h = W @ h
        left.append({share})
    left = np.array(left)
    best = {best}
    return {result}
"""


def echo(**changes):
    """A right answer to `echo`, with some pieces changed."""
    pieces = dict(first="U @ pulse", states="[h]", count="steps - 1", next="W @ h", result="np.stack(states)")
    return ECHO.format(**{**pieces, **changes})


def modes(**changes):
    """A right answer to `modes`, with some pieces changed."""
    pieces = dict(values="np.linalg.eigvals(W)", tau="-dt / np.log(np.abs(v))", order="np.argsort(-tau)")
    pieces |= dict(frequency="np.abs(np.angle(v)) / (2 * np.pi * dt)", result="tau[order], frequency[order]")
    return MODES.format(**{**pieces, **changes})


def run_rnn(**changes):
    """A right answer to `run_rnn`, with some pieces changed."""
    pieces = dict(start="h0", outputs="[]", result="np.stack(outputs), h")
    pieces["step"] = "np.tanh(W_ih @ x + b_ih + W_hh @ h + b_hh)"
    return RUN.format(**{**pieces, **changes})


def measure_tau(**changes):
    """A right answer to `measure_tau`, with some pieces changed."""
    pieces = dict(stop="next((k for k, y in enumerate(trace) if y < 0.25 * trace[0]), len(trace))")
    pieces |= dict(t="dt * np.arange(stop)", y="np.log(trace[:stop])", result="-1 / slope")
    return MEASURE.format(**{**pieces, **changes})


def choose(**changes):
    """A right answer to `choose_network`, with some pieces changed."""
    pieces = dict(steps="round(delay / dt)", share="np.linalg.norm(h) / np.linalg.norm(start)")
    pieces |= dict(best="left.argmax()", result="left, best")
    return CHOOSE.format(**{**pieces, **changes})


RIGHT = {
    "time_constant": TIME + "np.where(f == 1, np.inf, -dt / np.log(f))",
    "echo": echo(),
    "modes": modes(),
    "run_rnn": run_rnn(),
    "measure_tau": measure_tau(),
    "choose_network": choose(),
}

# (item, the mistake that must be recognised, points that are earned all the same, the learner's code)
WRONG = [
    ("time_constant", "minus sign missing", 0, TIME + "dt / np.log(f)"),
    ("time_constant", "log10 instead of ln", 0, TIME + "np.where(f == 1, np.inf, -dt / np.log10(f))"),
    ("time_constant", "half-life instead of time constant", 0, TIME + "dt * np.log(0.5) / np.log(f)"),
    ("time_constant", "dt forgotten", 0, TIME + "-1 / np.log(f)"),
    ("time_constant", "divided by dt", 0, TIME + "-1 / np.log(f) / dt"),
    ("time_constant", "rate instead of time", 0, TIME + "-np.log(f) / dt"),
    ("time_constant", "1/(1 − f) instead of the logarithm", 0, TIME + "dt / (1 - np.asarray(f))"),
    ("time_constant", "f = 1 gives minus infinity", 1, TIME + "-dt / np.log(f)"),
    ("time_constant", "an end left as NaN or 0", 1,
     TIME + "np.where((f == 0) | (f == 1), np.nan, -dt / np.log(f))"),
    ("time_constant", "math.log on an array", 1, TIME + "-dt / math.log(f)"),
    ("time_constant", "if on an array", 1, TIME + "np.inf if f == 1 else -dt / np.log(f)"),
    ("time_constant", "an end that stops with an error", 1,
     TIME + "np.array([[-dt / math.log(x) for x in row] for row in f]) if np.ndim(f) else -dt / math.log(f)"),
    ("echo", "one step late", 0, echo(first="W @ (U @ pulse)")),
    ("echo", "one step late", 0, echo(states="[0 * h]", next="W @ h if t else h")),
    ("echo", "W transposed", 1, echo(next="h @ W")),
    ("echo", "power of each entry instead of a matrix power", 1,
     echo(next="(W ** (t + 1)) @ (U @ pulse)")),
    ("echo", "the pulse never ends", 0, echo(next="W @ h + U @ pulse")),
    ("echo", "state forgotten at every step", 0, echo(next="W @ np.zeros(len(W))")),
    ("echo", "tanh in a linear network", 0, echo(first="np.tanh(U @ pulse)", next="np.tanh(W @ h)")),
    ("echo", "time along the second axis", 0, echo(result="np.stack(states, axis=1)")),
    ("echo", "one row too many", 0, echo(count="steps")),
    ("echo", "one row too many", 0, echo(states="[0 * h, h]")),
    ("echo", "only the last state", 0, echo(result="h")),
    ("echo", "one array kept in every row", 0, ECHO_IN_PLACE),
    ("echo", "one array kept in every row", 0, ECHO_IN_PLACE_LATE),
    ("echo", "input multiplied entry by entry", 0, echo(first="U * pulse")),
    ("echo", "weights and inputs swapped", 1, echo(first="U.T @ pulse")),
    ("modes", "angle not divided by 2π", 1, modes(frequency="np.abs(np.angle(v)) / dt")),
    ("modes", "dt forgotten", 1, modes(frequency="np.abs(np.angle(v)) / (2 * np.pi)")),
    ("modes", "dt forgotten", 1, modes(tau="-1 / np.log(np.abs(v))")),
    ("modes", "minus sign missing", 1, modes(tau="dt / np.log(np.abs(v))", order="np.argsort(tau)")),
    ("modes", "half-life instead of decay time", 1, modes(tau="-dt / np.log2(np.abs(v))")),
    ("modes", "real part instead of modulus", 1,
     modes(tau="-dt / np.log(np.abs(v.real))", order="np.argsort(-np.abs(v))")),
    ("modes", "imaginary part instead of angle", 1, modes(frequency="np.abs(v.imag) / (2 * np.pi * dt)")),
    ("modes", "arctan of a ratio instead of angle", 1,
     modes(frequency="np.abs(np.arctan(v.imag / v.real)) / (2 * np.pi * dt)")),
    ("modes", "signed frequencies", 1, modes(frequency="np.angle(v) / (2 * np.pi * dt)")),
    ("modes", "signed frequencies", 1,
     modes(frequency="np.angle(v) / (2 * np.pi * dt)", order="np.argsort(tau)[::-1]")),
    ("modes", "singular values instead of eigenvalues", 0,
     modes(values="np.linalg.svd(W, compute_uv=False)", order="np.argsort(-v)")),
    ("modes", "eigenvalues of the symmetric case", 0,
     modes(values="np.linalg.eigvalsh(W)", order="np.argsort(-np.abs(v))")),
    ("modes", "not sorted, slowest first", 0, modes(order="np.argsort(tau)")),
    ("modes", "not sorted, slowest first", 0, modes(order="np.arange(len(v))")),
    ("modes", "each array in an order of its own", 1,
     modes(result="np.sort(tau)[::-1], np.sort(frequency)[::-1]")),
    ("modes", "each array in an order of its own", 1, modes(result="np.sort(tau)[::-1], np.sort(frequency)")),
    ("modes", "each array in an order of its own", 1, modes(result="np.sort(tau)[::-1], frequency")),
    ("modes", "each array in an order of its own", 0, modes(result="np.sort(tau), np.sort(frequency)")),
    ("modes", "one of each pair dropped", 0,
     modes(values="np.array([v for v in np.linalg.eigvals(W) if np.imag(v) >= 0])")),
    ("modes", "logarithm of a complex number", 1,
     modes(tau="-dt / np.log(v.astype(complex))", order="np.argsort(-np.abs(v))")),
    ("modes", "logarithm of a complex number", 0, modes(tau="-dt / np.log(v.astype(complex))")),
    ("run_rnn", "one bias missing", 1, run_rnn(step="np.tanh(W_ih @ x + b_ih + W_hh @ h)")),
    ("run_rnn", "one bias missing", 1, run_rnn(step="np.tanh(W_ih @ x + W_hh @ h + b_hh)")),
    ("run_rnn", "both biases missing", 1, run_rnn(step="np.tanh(W_ih @ x + W_hh @ h)")),
    ("run_rnn", "bias added after the tanh", 1, run_rnn(step="np.tanh(W_ih @ x + W_hh @ h) + b_ih + b_hh")),
    ("run_rnn", "initial state ignored", 2, run_rnn(start="np.zeros(len(W_hh))")),
    ("run_rnn", "state reset at every step", 0, run_rnn(step="np.tanh(W_ih @ x + b_ih + W_hh @ h0 + b_hh)")),
    ("run_rnn", "recurrent weights transposed", 0,
     run_rnn(step="np.tanh(W_ih @ x + b_ih + h @ W_hh + b_hh)")),
    ("run_rnn", "tanh missing", 0, run_rnn(step="W_ih @ x + b_ih + W_hh @ h + b_hh")),
    ("run_rnn", "tanh on one term only", 0, run_rnn(step="W_ih @ x + b_ih + np.tanh(W_hh @ h + b_hh)")),
    ("run_rnn", "sigmoid instead of tanh", 0,
     run_rnn(step="1 / (1 + np.exp(-(W_ih @ x + b_ih + W_hh @ h + b_hh)))")),
    ("run_rnn", "initial state among the outputs", 0, run_rnn(outputs="[h0]")),
    ("run_rnn", "initial state returned as final state", 0, run_rnn(result="np.stack(outputs), h0")),
    ("run_rnn", "one value returned instead of two", 0, run_rnn(result="np.stack(outputs)")),
    ("run_rnn", "a product that does not fit", 0,
     run_rnn(step="np.tanh(x @ W_ih + b_ih + W_hh @ h + b_hh)")),
    ("measure_tau", "minus sign missing", 0, measure_tau(result="1 / slope")),
    ("measure_tau", "dt forgotten", 0, measure_tau(t="np.arange(stop)")),
    ("measure_tau", "slope instead of its inverse", 0, measure_tau(result="-slope")),
    ("measure_tau", "log10 instead of ln", 0, measure_tau(y="np.log10(trace[:stop])")),
    ("measure_tau", "half-life instead of time constant", 0, measure_tau(result="-np.log(2) / slope")),
    ("measure_tau", "logarithm of negative samples", 1, measure_tau(stop="len(trace)")),
    ("measure_tau", "noise floor in the fit", 1, measure_tau(stop="len(trace)", y="np.log(np.abs(trace))")),
    ("measure_tau", "noise floor in the fit", 1,
     measure_tau(stop="len(trace)", y="np.log(np.maximum(trace, 1e-12))")),
    ("measure_tau", "fit without a logarithm", 0,
     measure_tau(stop="len(trace)", y="trace", result="-start / slope")),
    ("measure_tau", "area under the curve", 1, measure_tau(result="trace.sum() * dt / trace[0]")),
    ("choose_network", "chosen by the slowest mode", 1,
     choose(best="np.argmax([np.abs(np.linalg.eigvals(W)).max() for W in networks])")),
    ("choose_network", "one step late or early", 1, choose(steps="round(delay / dt) - 1")),
    ("choose_network", "norm instead of share", 1, choose(share="np.linalg.norm(h)")),
    ("choose_network", "per cent instead of a share", 1,
     choose(share="100 * np.linalg.norm(h) / np.linalg.norm(start)")),
    ("choose_network", "squared norm", 1, choose(share="(h @ h) / (start @ start)")),
    ("choose_network", "delay in steps", 0, choose(steps="int(delay)")),
    ("choose_network", "the worst instead of the best", 1, choose(best="left.argmin()")),
    ("choose_network", "counted from one", 1, choose(best="left.argmax() + 1")),
    ("choose_network", "network instead of its index", 1, choose(best="networks[left.argmax()]")),
    ("choose_network", "network instead of its index", 1, choose(best="left.max()")),
    ("choose_network", "share lost instead of share left", 0,
     choose(share="1 - np.linalg.norm(h) / np.linalg.norm(start)")),
    ("choose_network", "index and shares swapped", 0, choose(result="best, left")),
    ("choose_network", "one value returned instead of two", 0, choose(result="best")),
]  # fmt: skip

HALF_DONE = (
    [
        RIGHT["time_constant"],
        "def echo(W, U, pulse, steps):\n    return (W[0, 0] ** np.arange(steps))[:, None] * (U @ pulse)",
        "def modes(W, dt):\n    raise NotImplementedError",
        run_rnn(step="np.tanh(W_ih @ x + W_hh @ h)"),
    ],
    {"time_constant": 2, "echo": 1, "modes": 0, "run_rnn": 1, "measure_tau": 0, "choose_network": 0},
)
