"""Item 1 of set 4: one step of a GRU, with torch's sign of z and torch's place of the reset."""

import numpy as np

from gatedrnn import cells
from gatedrnn.cells import sigmoid
from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(x, h, W_ih, W_hh, b_ih, b_hh):
    """Return the next h, and the gates r, z, n."""
    state, gates = cells.gru_step(x, cells.GRUState(h), cells.Parameters(W_ih, W_hh, b_ih, b_hh))
    return state.hidden, *gates


def draw(rng):
    """A state, weights and two biases."""
    H = int(rng.integers(2, 5))
    return (
        rng.normal(size=2),
        rng.uniform(-0.9, 0.9, size=H),
        rng.normal(size=(3 * H, 2)),
        1.5 * rng.normal(size=(3 * H, H)) / np.sqrt(H),
        rng.normal(size=3 * H),
        rng.normal(size=3 * H),
    )


def plot(axes, function):
    """Draw the next state of one unit against its input, from a state of 0.8."""
    x = np.linspace(-4, 4, 60)
    weights = np.array([[0.0], [2.0], [1.0]]), np.array([[0.0], [0.0], [-1.0]])
    biases = np.array([0.0, -1.0, 0.0]), np.zeros(3)
    answers = [function(np.array([value]), np.array([0.8]), *weights, *biases) for value in x]
    for k, label in [(0, "h"), (2, "z"), (3, "n")]:
        axes.plot(x, [float(np.squeeze(answer[k])) for answer in answers], label=label)
    axes.legend()
    axes.set(xlabel="input", ylabel="after one step", title="gru_step, one unit with h = 0.8 before")


def _torch_new(x, h, r, W, U, b, d):
    return np.tanh(W @ x + b + r * (U @ h + d))


def mistaken(order="rzn", squash=sigmoid, new=_torch_new, renew=lambda z, n, h: (1 - z) * n + z * h, drop=""):
    """Return a wrong ``gru_step``: the right one with one of its pieces exchanged."""

    def wrong(x, h, W_ih, W_hh, b_ih, b_hh):
        b, d = b_ih * ("b_ih" not in drop), b_hh * ("b_hh" not in drop)
        pieces = [dict(zip(order, np.split(each, 3), strict=True)) for each in (W_ih, W_hh, b, d)]
        W, U, b, d = pieces
        r = squash(W["r"] @ x + b["r"] + U["r"] @ h + d["r"])
        z = squash(W["z"] @ x + b["z"] + U["z"] @ h + d["z"])
        n = new(x, h, r, W["n"], U["n"], b["n"], d["n"])
        return renew(z, n, h), r, z, n

    return wrong


def _reset_by_update(x, h, W_ih, W_hh, b_ih, b_hh):
    _, r, z, _ = reference(x, h, W_ih, W_hh, b_ih, b_hh)
    H = len(h)
    n = np.tanh(W_ih[2 * H :] @ x + b_ih[2 * H :] + z * (W_hh[2 * H :] @ h + b_hh[2 * H :]))
    return (1 - z) * n + z * h, r, z, n


TOLERANCE = dict(rtol=1e-5, atol=1e-6)  # single precision, as torch computes, is as good
MISCONCEPTIONS = (
    Misconception(
        "z and 1 − z exchanged",
        "Your z is the share that is renewed, as in many papers and in this book's prose. Here, as in "
        "torch, z is the share that is kept.",
        (mistaken(renew=lambda z, n, h: z * n + (1 - z) * h),),
    ),
    Misconception(
        "reset and update gate exchanged",
        "Your first two gates are exchanged: the first third of the rows is the reset gate, the second the "
        "update gate.",
        (mistaken("zrn"),),
    ),
    Misconception(
        "reset before the product",
        "You reset the state before the product, as the papers of 2014 do. Here the reset comes after it: r "
        "* (W_hn @ h + b_hn).",
        (mistaken(new=lambda x, h, r, W, U, b, d: np.tanh(W @ x + b + U @ (r * h) + d)),),
    ),
    Misconception(
        "recurrent bias outside the reset",
        "The recurrent bias of the candidate stands outside your reset. It belongs inside, with the product: "
        "this is why a GRU needs two biases.",
        (mistaken(new=lambda x, h, r, W, U, b, d: np.tanh(W @ x + b + r * (U @ h) + d)),),
    ),
    Misconception(
        "reset of everything",
        "Your reset gate scales the input's part as well. It closes off the state only.",
        (mistaken(new=lambda x, h, r, W, U, b, d: np.tanh(r * (W @ x + b + U @ h + d))),),
    ),
    Misconception(
        "reset gate unused",
        "Your candidate takes the whole state: the reset gate is computed and then not used.",
        (mistaken(new=lambda x, h, r, W, U, b, d: np.tanh(W @ x + b + U @ h + d)),),
    ),
    Misconception(
        "sigmoid for the candidate",
        "Your candidate n lies between 0 and 1. It is no gate but new content, and goes through a tanh.",
        (mistaken(new=lambda x, h, r, W, U, b, d: sigmoid(W @ x + b + r * (U @ h + d))),),
    ),
    Misconception(
        "tanh for the gates",
        "Your gates take negative values. A gate says which share passes: it is a sigmoid.",
        (mistaken(squash=np.tanh),),
    ),
    Misconception(
        "one bias missing",
        "One of the two biases is missing: b_ih goes with the input's product, b_hh with the state's.",
        (mistaken(drop=("b_ih",)), mistaken(drop=("b_hh",))),
    ),
    Misconception(
        "both biases missing",
        "Neither bias is in your step.",
        (mistaken(drop=("b_ih", "b_hh")),),
    ),
    Misconception(
        "old state not mixed in",
        "Your new state has nothing of the old one: what the update gate keeps is missing.",
        (
            mistaken(renew=lambda z, n, h: n),
            mistaken(renew=lambda z, n, h: (1 - z) * n),
            mistaken(renew=lambda z, n, h: z * n),
        ),
    ),
    Misconception(
        "only the state returned",
        "Return four things: h, r, z and n, so that the gates can be looked at.",
        (lambda *given: reference(*given)[0],),
    ),
    Misconception(
        "a product that does not fit",
        "A product does not fit: W_ih has shape (3H, I) and x shape (I,). The matrix stands on the left.",
        error="matmul|not aligned|could not be broadcast",
    ),
    Misconception(
        "candidate without its tanh",
        "Your candidate is a sum that went through no tanh yet.",
        (mistaken(new=lambda x, h, r, W, U, b, d: W @ x + b + r * (U @ h + d)),),
    ),
    Misconception(
        "update gate used as reset",
        "Your new content is reset by z. The reset gate is r.",
        (_reset_by_update,),
    ),
    Misconception(
        "1 − r in place of r",
        "You reset by 1 − r: what an open reset gate lets through is the state.",
        (mistaken(new=lambda x, h, r, W, U, b, d: np.tanh(W @ x + b + (1 - r) * (U @ h + d))),),
    ),
    Misconception(
        "old state added, not mixed",
        "Your new state adds old and new content without sharing: the shares z and 1 − z go to h and n.",
        (
            mistaken(renew=lambda z, n, h: n + z * h),
            mistaken(renew=lambda z, n, h: (1 - z) * n + h),
            mistaken(renew=lambda z, n, h: (1 - z) * h + z * h),
        ),
    ),
    Misconception(
        "gates in one array",
        "Return four things, each of shape (H,): h, r, z and n.",
        (lambda *given: (reference(*given)[0], np.stack(reference(*given)[1:])),),
    ),
)

ITEM = Item(
    name="gru_step",
    signature="gru_step(x, h, W_ih, W_hh, b_ih, b_hh)",
    title="One step of a GRU",
    parts=(Part("h", "state"), Part("r", "gate"), Part("z", "gate"), Part("n", "gate")),
    reference=reference,
    questions=(
        Question("the reset and the update gate", 1, draw, grades=("r", "z"), **TOLERANCE),
        Question("the new content", 1, draw, grades=("n",), **TOLERANCE),
        Question("the new state", 1, draw, grades=("h",), **TOLERANCE),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Two gates are read off input and state. The reset gate says how much of the state the new content "
        "may hear, the update gate how much of the old state stays.",
        "Split each of W_ih @ x + b_ih and W_hh @ h + b_hh in three. r and z are sigmoids of the sums of the "
        "first and of the second thirds; n = tanh(third of the first + r * third of the second); then h = "
        "(1 − z) * n + z * h.",
        "The expected picture: on the right, where z is near 1, h stays at 0.8; on the left, where z is "
        "near 0, it follows n down to −1.",
    ),
    plot=plot,
)
