"""Item 2 of set 3: one step of an LSTM with torch's order of gates and its two biases."""

import numpy as np

from gatedrnn.cells import sigmoid
from gatedrnn.practice.items import Item, Misconception, Part, Question
from gatedrnn.practice.sets.set3 import equations
from gatedrnn.practice.sets.set3.equations import SINGLE, mistaken, step


def _draw(rng, biases=True):
    units = int(rng.integers(2, 5))
    h = rng.uniform(-0.9, 0.9, size=units)
    c = rng.uniform(0.5, 2.0, size=units) * rng.choice([-1, 1], size=units)
    return (rng.normal(size=2), h, c, *equations.draw_parameters(rng, units=units, biases=biases))


def draw_plain(rng):
    """A state, and weights without biases."""
    return _draw(rng, biases=False)


def draw_biases(rng):
    """A state, weights and two biases."""
    return _draw(rng)


def plot(axes, function):
    """Draw what one unit says and holds after one step, against its input."""
    x = np.linspace(-4, 4, 60)
    weights = np.array([[2.0], [-1.0], [1.5], [1.0]]), np.array([[0.5], [0.5], [0.5], [0.5]])
    biases = np.array([-1.0, 2.0, 0.0, 0.0]), np.zeros(4)
    state = np.array([0.3]), np.array([1.0])
    answers = [function(np.array([value]), *state, *weights, *biases) for value in x]
    for k, label in enumerate(["h", "c"]):
        axes.plot(x, [float(np.squeeze(answer[k])) for answer in answers], label=label)
    axes.legend()
    axes.set(xlabel="input", ylabel="after one step", title="lstm_step, one unit with c = 1 before")


def _bias_twice(x, h, c, W, U, b, d):
    return W @ x + 2 * b + U @ h


def _interleaved(x, h, c, W_ih, W_hh, b_ih, b_hh):
    dealt = np.concatenate([np.arange(k, len(b_ih), 4) for k in range(4)])
    return step(x, h, c, W_ih[dealt], W_hh[dealt], b_ih[dealt], b_hh[dealt])


ALL_SIGMOID = (sigmoid,) * 4
MISCONCEPTIONS = (
    Misconception(
        "input and forget gate exchanged",
        "Your first two gates are exchanged: the first quarter of the rows is the input gate, the second the "
        "forget gate.",
        (mistaken("figo"), mistaken(keep=lambda i, f, g, c: i * c + f * g)),
    ),
    Misconception(
        "candidate and output gate exchanged",
        "Your last two gates are exchanged: torch stacks input, forget, candidate, output. Other libraries "
        "put the candidate last.",
        (mistaken("ifog"),),
    ),
    Misconception(
        "order of another library",
        "Your gates come in the order input, candidate, forget, output. Here it is input, forget, candidate, "
        "output: torch's order.",
        (mistaken("igfo"),),
    ),
    Misconception(
        "sigmoid for the candidate",
        "Your candidate is between 0 and 1. It is no gate but what there is to write, and that can be "
        "negative: use tanh.",
        (mistaken(squash=ALL_SIGMOID),),
    ),
    Misconception(
        "tanh for every gate",
        "Your gates take negative values. A gate says which share passes: it is a sigmoid, 0 to 1.",
        (mistaken(squash=(np.tanh,) * 4),),
    ),
    Misconception(
        "gates before their nonlinearity",
        "Your gates are sums that went through no sigmoid and no tanh yet.",
        (
            mistaken(squash=(lambda a: a,) * 4),
            lambda *given: (
                *step(*given)[:2],
                mistaken(squash=(lambda a: a,) * 4)(*given)[2],
            ),
        ),
    ),
    Misconception(
        "one bias missing",
        "One of the two biases is missing: torch adds b_ih to the input's product and b_hh to the state's.",
        (
            mistaken(drive=lambda x, h, c, W, U, b, d: W @ x + b + U @ h),
            mistaken(drive=lambda x, h, c, W, U, b, d: W @ x + U @ h + d),
        ),
    ),
    Misconception(
        "one bias twice",
        "You add the same bias twice. b_ih and b_hh are two vectors.",
        (mistaken(drive=_bias_twice), mistaken(drive=lambda x, h, c, W, U, b, d: W @ x + U @ h + 2 * d)),
    ),
    Misconception(
        "both biases missing",
        "Neither bias is in your step: both are added before the nonlinearity.",
        (mistaken(drive=lambda x, h, c, W, U, b, d: W @ x + U @ h),),
    ),
    Misconception(
        "cell state fed to the gates",
        "Your gates listen to c. They listen to the input and to h, what the network said; c is out of "
        "their sight.",
        (mistaken(drive=lambda x, h, c, W, U, b, d: W @ x + b + U @ c + d),),
    ),
    Misconception(
        "hidden state ignored",
        "Your gates hear only the input. W_hh @ h is missing: without it the cell cannot react to what it "
        "said before.",
        (mistaken(drive=lambda x, h, c, W, U, b, d: W @ x + b + d),),
    ),
    Misconception(
        "old cell state spoken",
        "Your h is made of the cell state from before this step. First renew c, then let the new one speak.",
        (mistaken(speak=lambda o, c, before: o * np.tanh(before)),),
    ),
    Misconception(
        "tanh of the cell state missing",
        "h is the output gate times tanh(c), not times c: what is spoken stays between −1 and 1, what is "
        "held does not.",
        (mistaken(speak=lambda o, c, before: o * c),),
    ),
    Misconception(
        "tanh kept in the cell",
        "You squash the cell state itself. Only what is spoken goes through the tanh; the memory stays a "
        "plain sum, and that is what makes it last.",
        (
            mistaken(keep=lambda i, f, g, c: np.tanh(f * c + i * g), speak=lambda o, c, before: o * c),
            mistaken(keep=lambda i, f, g, c: np.tanh(f * c + i * g)),
        ),
    ),
    Misconception(
        "output gate ignored",
        "Your h is tanh(c), whatever the output gate says. Multiply by it.",
        (mistaken(speak=lambda o, c, before: np.tanh(c)),),
    ),
    Misconception(
        "1 − f in place of the input gate",
        "You write with 1 − f, as a GRU does. An LSTM has an input gate of its own: it may keep and write, "
        "or do neither.",
        (mistaken(keep=lambda i, f, g, c: f * c + (1 - f) * g),),
    ),
    Misconception(
        "old content not kept",
        "Your new cell state is i * g alone: f * c, what is kept of the old, is missing.",
        (mistaken(keep=lambda i, f, g, c: i * g),),
    ),
    Misconception(
        "h and c exchanged",
        "You return c where h belongs: return h, c, gates.",
        (mistaken(pack=lambda h, c, gates: (c, h, gates)),),
    ),
    Misconception(
        "two values returned instead of three",
        "Return three things: h, c and the four gates stacked: return h, c, np.stack([i, f, g, o]).",
        (mistaken(pack=lambda h, c, gates: (h, c)),),
    ),
    Misconception(
        "a product that does not fit",
        "A product does not fit: W_ih has shape (4H, I) and x shape (I,). The matrix stands on the left.",
        error="matmul|not aligned|could not be broadcast",
    ),
    Misconception(
        "gates stacked in another way",
        "Your gates stand in another order or shape: np.stack([i, f, g, o]) has one row for each gate, (4, "
        "H).",
        (
            mistaken(pack=lambda h, c, gates: (h, c, gates.T)),
            mistaken(pack=lambda h, c, gates: (h, c, gates.ravel())),
            mistaken(pack=lambda h, c, gates: (h, c, gates[[0, 1, 3, 2]])),
        ),
        shows=lambda given, answer: isinstance(answer[2], tuple),
    ),
    Misconception(
        "rows of the gates interleaved",
        "You deal the rows out to the gates one by one. They stand in four blocks: the first H are the input "
        "gate's, and so on. np.split(a, 4) takes them apart.",
        (_interleaved,),
    ),
    Misconception(
        "columns instead of vectors",
        "Your vectors became columns. W @ x with x of shape (I,) is a vector already.",
        (mistaken(pack=lambda h, c, gates: (h[:, None], c[:, None], gates[..., None])),),
        shows=lambda given, answer: np.shape(answer[2])[:1] == (4,) and np.ndim(answer[2]) == 3,
    ),
    Misconception(
        "a gate without its work",
        "One of the gates is computed and does not do its work: c = f * c + i * g, all four of them.",
        (
            mistaken(keep=lambda i, f, g, c: f * c + g),
            mistaken(keep=lambda i, f, g, c: c + i * g),
            mistaken(keep=lambda i, f, g, c: f * c + i),
        ),
    ),
    Misconception(
        "1 − f in place of f",
        "The forget gate says which share is kept, in spite of its name: f * c, not (1 − f) * c.",
        (mistaken(keep=lambda i, f, g, c: (1 - f) * c + i * g),),
    ),
    Misconception(
        "candidate squashed twice",
        "The candidate g went through its tanh already; i * g is what is written.",
        (mistaken(keep=lambda i, f, g, c: f * c + i * np.tanh(g)),),
    ),
)

ITEM = Item(
    name="lstm_step",
    signature="lstm_step(x, h, c, W_ih, W_hh, b_ih, b_hh)",
    title="One step of an LSTM",
    parts=(Part("h", "state"), Part("c", "state"), Part("gates", "gate")),
    reference=step,
    questions=(
        Question("the gates, without biases", 1, draw_plain, grades=("gates",), **SINGLE),
        Question("the gates, with both biases", 1, draw_biases, grades=("gates",), **SINGLE),
        Question("the new cell state", 1, draw_biases, grades=("c",), **SINGLE),
        Question("the new hidden state", 1, draw_biases, grades=("h",), **SINGLE),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "All four gates are read off one sum, 4H numbers long: its first quarter is the input gate, and so "
        "on. What happens to each quarter, and in which order are c and h renewed?",
        "drive = W_ih @ x + b_ih + W_hh @ h + b_hh; np.split(drive, 4) gives i, f, g and o. A sigmoid "
        "for i, f and o, tanh for g. Then c = f * c + i * g, and h = o * np.tanh(c).",
        "The expected picture: the cell state keeps nearly all of its 1 for inputs below −2, rises to about "
        "1.5 "
        "near an input of 1.5, where the input gate is open, and sinks again where the forget gate shuts; h "
        "stays below it and falls to almost 0 on the left, where the output gate is shut.",
    ),
    plot=plot,
)
