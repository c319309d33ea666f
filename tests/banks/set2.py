"""Set 2: a second right answer to every item, and a learner's code for every mistake it knows."""

GIVEN = """
def run_rnn(inputs, h0, W_ih, W_hh, b):
    states, h = [], h0
    for x in inputs:
        h = np.tanh(W_ih @ x + W_hh @ h + b)
        states.append(h)
    return np.array(states)
"""
JACOBIAN = "def step_jacobian(h, W_hh):\n    return "
CARRY = """
def carry_blame(direct, states, W_hh):
    blame, arriving = [], np.zeros(len(W_hh))
    for t in {order}:
        h = states[t]
        arrived = {arrived}
        now = {now}
        blame.append(now)
        arriving = {arriving}
    return {result}
"""
WEIGHTS = """
def weight_gradients(blame, inputs, states, h0):
    previous = {previous}
    W_ih = {W_ih}
    W_hh = {W_hh}
    b = {b}
    return {result}
"""
NUDGE = """
def numerical_gradient(inputs, h0, W_ih, W_hh, b, target):
    def loss(W):
        miss = run_rnn(inputs, h0, W_ih, W, b)[-1] - target
        return {loss}

    gradient = np.zeros(W_hh.shape)
    for i in range(len(W_hh)):
        for j in range(len(W_hh)):
            up, down = W_hh.copy(), W_hh.copy()
            up[i, j] += {width}
            down[i, j] -= {down}
            gradient[{place}] = ({difference}) / ({divide})
    return gradient
"""
CLIP = """
def clip_gradients(dW, db, limit):
    size = {size}
    factor = {factor}
    return {result}
"""
WINDOW = """
def shortest_window(blame, states, h0, tolerance):
    T = len(blame)
    terms = [np.outer(blame[t], {heard}) for t in range(T)]
    whole = sum(terms)
    misses = []
    for k in range(1, T + 1):
        window = {window}
        misses.append({miss})
    misses = np.array(misses)
    return {result}
"""
LONG_ENOUGH = "next(k + 1 for k in range(T) if all(misses[k:] <= tolerance))"


def carry(**changes):
    """A right answer to `carry_blame`, with some pieces changed."""
    pieces = dict(order="reversed(range(len(states)))", arrived="direct[t] + arriving")
    pieces |= dict(now="(1 - h * h) * arrived", arriving="now @ W_hh", result="np.array(blame)[::-1]")
    return CARRY.format(**{**pieces, **changes})


def weights(**changes):
    """A right answer to `weight_gradients`, with some pieces changed."""
    pieces = dict(previous="[h0, *states[:-1]]", W_ih="sum(map(np.outer, blame, inputs))")
    pieces |= dict(W_hh="sum(map(np.outer, blame, previous))", b="sum(blame)", result="W_ih, W_hh, b")
    return WEIGHTS.format(**{**pieces, **changes})


def nudge(**changes):
    """A right answer to `numerical_gradient`, with some pieces changed."""
    pieces = dict(loss="0.5 * miss @ miss", width="1e-5", down="1e-5", place="i, j", divide="2e-5")
    return NUDGE.format(**{**pieces, "difference": "loss(up) - loss(down)", **changes})


def clip(**changes):
    """A right answer to `clip_gradients`, with some pieces changed."""
    pieces = dict(size="np.linalg.norm(np.append(dW, db))", factor="limit / max(size, limit)")
    return CLIP.format(**{**pieces, "result": "dW * factor, db * factor", **changes})


def window(**changes):
    """A right answer to `shortest_window`, with some pieces changed."""
    pieces = dict(heard="states[t - 1] if t else h0", window="sum(terms[T - k :])")
    pieces |= dict(miss="np.linalg.norm(window - whole) / np.linalg.norm(whole)")
    return WINDOW.format(**{**pieces, "result": f"misses, {LONG_ENOUGH}", **changes})


RIGHT = {
    "step_jacobian": JACOBIAN + "np.diag(1 - h**2) @ W_hh",
    "carry_blame": carry(),
    "weight_gradients": weights(),
    "numerical_gradient": nudge(),
    "clip_gradients": clip(),
    "shortest_window": window(),
}

# (item, the mistake that must be recognised, points that are earned all the same, the learner's code)
WRONG = [
    ("step_jacobian", "slope on the wrong side", 1, JACOBIAN + "W_hh @ np.diag(1 - h**2)"),
    ("step_jacobian", "slope on the wrong side", 1, JACOBIAN + "(1 - h**2) * W_hh"),
    ("step_jacobian", "transposed", 1, JACOBIAN + "(np.diag(1 - h**2) @ W_hh).T"),
    ("step_jacobian", "slope missing", 0, JACOBIAN + "W_hh"),
    ("step_jacobian", "1 − h instead of 1 − h²", 0, JACOBIAN + "np.diag(1 - h) @ W_hh"),
    ("step_jacobian", "tanh applied to the state again", 0, JACOBIAN + "np.diag(1 - np.tanh(h)**2) @ W_hh"),
    ("step_jacobian", "slope of a sigmoid", 0, JACOBIAN + "np.diag(h * (1 - h)) @ W_hh"),
    ("step_jacobian", "only the diagonal", 0, JACOBIAN + "1 - h**2"),
    ("step_jacobian", "only the diagonal", 1, JACOBIAN + "np.diag((1 - h**2) * np.diag(W_hh))"),
    ("step_jacobian", "weights applied to the slopes", 0, JACOBIAN + "W_hh @ (1 - h**2)"),
    ("carry_blame", "weights not transposed", 0, carry(arriving="W_hh @ now")),
    ("carry_blame", "nothing carried back", 0, carry(arriving="0")),
    ("carry_blame", "slope missing", 0, carry(now="arrived")),
    ("carry_blame", "slope of the step before", 0,
     carry(now="(1 - (states[t - 1] if t else 0)**2) * arrived")),
    ("carry_blame", "blame of the state instead of the drive", 0,
     carry(now="arrived", arriving="((1 - h**2) * now) @ W_hh")),
    ("carry_blame", "blame goes back without the slope", 0, carry(arriving="arrived @ W_hh")),
    ("carry_blame", "direct error added after the slope", 0, carry(now="direct[t] + (1 - h**2) * arriving")),
    ("carry_blame", "only the last error", 1,
     carry(arrived="arriving + (direct[t] if t == len(states) - 1 else 0)")),
    ("carry_blame", "forwards instead of backwards", 0, carry(order="range(len(states))", result="blame")),
    ("carry_blame", "in reversed order of time", 0, carry(result="blame")),
    ("carry_blame", "sign reversed", 0, carry(now="-(1 - h**2) * arrived", arriving="-now @ W_hh",
                                              arrived="direct[t] + arriving")),
    ("weight_gradients", "state of the same step", 1, weights(previous="states")),
    ("weight_gradients", "initial state ignored", 1, weights(previous="[0 * h0, *states[:-1]]")),
    ("weight_gradients", "initial state ignored", 1,
     weights(W_hh="sum(map(np.outer, blame[1:], states[:-1]))")),
    ("weight_gradients", "shifted the wrong way", 1, weights(previous="[*states[1:], 0 * h0]")),
    ("weight_gradients", "rolled round", 1, weights(previous="np.roll(states, 1, axis=0)")),
    ("weight_gradients", "transposed", 0, weights(result="W_ih.T, W_hh.T, b")),
    ("weight_gradients", "transposed", 1, weights(result="W_ih, W_hh.T, b")),
    ("weight_gradients", "mean over steps", 0,
     weights(result="W_ih / len(blame), W_hh / len(blame), b / len(blame)")),
    ("weight_gradients", "only the last step", 0,
     weights(W_ih="np.outer(blame[-1], inputs[-1])", W_hh="np.outer(blame[-1], previous[-1])",
             b="blame[-1]")),
    ("weight_gradients", "bias added over units", 2, weights(b="np.sum(blame)")),
    ("weight_gradients", "slope applied again", 0,
     "def weight_gradients(blame, inputs, states, h0):\n"
     "    e = (1 - states**2) * blame\n"
     "    return e.T @ inputs, e.T @ np.array([h0, *states[:-1]]), e.sum(axis=0)"),
    ("weight_gradients", "gradients in another order", 0, weights(result="W_hh, W_ih, b")),
    ("numerical_gradient", "divided by the nudge once", 0, nudge(divide="1e-5")),
    ("numerical_gradient", "half the gradient", 0, nudge(down="0")),
    ("numerical_gradient", "mean instead of sum in the loss", 0, nudge(loss="0.5 * np.mean(miss**2)")),
    ("numerical_gradient", "mean instead of sum in the loss", 0, nudge(loss="np.mean(miss**2)")),
    ("numerical_gradient", "sign reversed", 0, nudge(difference="loss(down) - loss(up)")),
    ("numerical_gradient", "transposed", 0, nudge(place="j, i")),
    ("numerical_gradient", "one-sided nudges that are too wide", 0,
     nudge(width="1e-2", down="0", divide="1e-2")),
    ("numerical_gradient", "rounding noise", 0, nudge(width="1e-16", down="1e-16", divide="2e-16")),
    ("clip_gradients", "every entry on its own", 0,
     clip(result="np.clip(dW, -limit, limit), np.clip(db, -limit, limit)")),
    ("clip_gradients", "each array on its own", 0,
     "def clip_gradients(dW, db, limit):\n"
     "    return tuple(g * min(1, limit / np.linalg.norm(g)) for g in (dW, db))"),
    ("clip_gradients", "short gradients made longer", 1, clip(factor="limit / size")),
    ("clip_gradients", "squared norm", 0, clip(factor="limit / size**2 if size > limit else 1")),
    ("clip_gradients", "scaled to length one", 0, clip(factor="1 / size if size > limit else 1")),
    ("clip_gradients", "thrown away", 0, clip(factor="float(size < limit)")),
    ("clip_gradients", "never clipped", 0, clip(factor="1")),
    ("clip_gradients", "sum of the two norms", 0, clip(size="np.linalg.norm(dW) + np.linalg.norm(db)")),
    ("shortest_window", "the first window within the tolerance", 2,
     window(result="misses, np.argmax(misses <= tolerance) + 1")),
    ("shortest_window", "one too few or too many", 2, window(result=f"misses, {LONG_ENOUGH} - 1")),
    ("shortest_window", "the longest window that is too short", 2,
     window(result="misses, np.flatnonzero(misses > tolerance)[-1]")),
    ("shortest_window", "window from the beginning", 0, window(window="sum(terms[:k])")),
    ("shortest_window", "not divided by the gradient", 0, window(miss="np.linalg.norm(window - whole)")),
    ("shortest_window", "divided by the truncated gradient", 0,
     window(miss="np.linalg.norm(window - whole) / np.linalg.norm(window)")),
    ("shortest_window", "lengths compared instead of gradients", 0,
     window(miss="abs(np.linalg.norm(window) / np.linalg.norm(whole) - 1)")),
    ("shortest_window", "state of the same step", 0, window(heard="states[t]")),
    ("shortest_window", "stopped at a small term", 2, window(
        result="misses, 1 + np.argmax([np.linalg.norm(term) < tolerance * np.linalg.norm(terms[-1])"
               " for term in terms[::-1]])")),
    ("shortest_window", "one value returned instead of two", 0, window(result="misses")),
    ("step_jacobian", "slope of another drive", 0, JACOBIAN + "np.diag(1 - np.tanh(W_hh @ h)**2) @ W_hh"),
    ("step_jacobian", "slope on both sides", 0,
     JACOBIAN + "np.diag(1 - h**2) @ W_hh @ np.diag(1 - h**2)"),
    ("carry_blame", "a step left out at an end", 0,
     carry(order="range(len(states) - 1, 0, -1)", result="np.array([0 * h, *blame[::-1]])")),
    ("carry_blame", "a step left out at an end", 0, carry(order="range(len(states) - 1, 0, -1)")),
    ("carry_blame", "arriving blame piled up", 0, carry(arriving="arriving + now @ W_hh")),
    ("carry_blame", "1 − h instead of 1 − h²", 0, carry(now="(1 - h) * arrived")),
    ("carry_blame", "tanh applied to the state again", 0, carry(now="(1 - np.tanh(h)**2) * arrived")),
    ("carry_blame", "a step beyond the last one", 0, carry(arrived="direct[t] + 0 * direct[t + 1]")),
    ("weight_gradients", "not added over steps", 2, weights(b="blame")),
    ("weight_gradients", "bias as a column or row", 2, weights(b="sum(blame)[:, None]")),
    ("weight_gradients", "a product that does not fit", 0,
     weights(W_ih="blame @ inputs.T", W_hh="blame @ np.array(previous).T")),
    ("weight_gradients", "a product that does not fit", 0, weights(W_hh="blame.T @ states[:-1]")),
    ("weight_gradients", "a vector joined to a matrix", 0,
     weights(previous="np.concatenate([h0, states[:-1]])")),
    ("numerical_gradient", "nothing was nudged", 0, nudge(difference="loss(W_hh) - loss(W_hh)")),
    ("numerical_gradient", "not divided by the nudge", 0, nudge(divide="1")),
    ("numerical_gradient", "the wrong loss", 0, nudge(loss="np.sqrt(miss @ miss)")),
    ("numerical_gradient", "all weights nudged at once", 0,
     nudge(difference="loss(W_hh + 1e-5) - loss(W_hh - 1e-5)")),
    ("clip_gradients", "only one of the two", 0, clip(result="dW * factor, db")),
    ("clip_gradients", "the length of one array for both", 0, clip(size="np.linalg.norm(dW)")),
    ("clip_gradients", "another length", 0, clip(size="max(np.abs(dW).max(), np.abs(db).max())")),
    ("clip_gradients", "another length", 0, clip(size="np.abs(dW).sum() + np.abs(db).sum()")),
    ("clip_gradients", "factor upside down", 0, clip(factor="max(size / limit, 1)")),
    ("clip_gradients", "nothing returned if short", 1,
     clip(result="(dW * factor, db * factor) if size > limit else None")),
    ("shortest_window", "squares instead of norms", 0,
     window(miss="np.sum((window - whole) ** 2) / np.sum(whole**2)")),
    ("shortest_window", "another norm", 0,
     window(miss="np.linalg.norm(window - whole, 2) / np.linalg.norm(whole, 2)")),
    ("shortest_window", "misses in reversed order", 1, window(result=f"misses[::-1], {LONG_ENOUGH}")),
    ("shortest_window", "a window of no steps", 0,
     window().replace("range(1, T + 1)", "range(T)").replace("next(k", "next(k - 1 + 1")),
    ("shortest_window", "initial state ignored", 0, window(heard="states[t - 1]")),
    ("shortest_window", "windows counted that are too short", 2,
     window(result="misses, np.sum(misses > tolerance) + 1")),
]  # fmt: skip

HALF_DONE = (
    [
        RIGHT["step_jacobian"],
        carry(arrived="arriving + (direct[t] if t == len(states) - 1 else 0)"),
        "def weight_gradients(blame, inputs, states, h0):\n    raise NotImplementedError",
        clip(factor="1"),
    ],
    {"step_jacobian": 2, "carry_blame": 1, "weight_gradients": 0, "numerical_gradient": 0}
    | {"clip_gradients": 0, "shortest_window": 0},
)
