"""Item 6 of set 5: a training run with four faults, repaired.

The task is a delayed recall: the first step shows a value, 19 steps of noise follow, and at the end the value
is to be said. The learner's function trains on the grader's sequences, with its seed, and answers new ones.
"""

import numpy as np

from gatedrnn.practice.items import Asked, Item, Misconception, Part, Question
from gatedrnn.practice.scoring import Rung, Score, numbers, scale

STEPS, NOISE = 20, 0.2
EXACT = 1e-4  # of values between −1 and 1; a network trained for a minute misses by a hundred times as much
RUNGS = [
    Rung(0.1, 1, "a little better than the mean"),
    Rung(0.5, 2, "half of the variance"),
    Rung(0.9, 4, "recalled"),
]


def sequences(rng, count):
    """Return inputs (count, 20, 2), the value in noise and a mark at the first step, and the values."""
    inputs = NOISE * rng.normal(size=(count, STEPS, 2))
    value = rng.uniform(-1, 1, size=count)
    inputs[:, :, 1] = 0
    inputs[:, 0] = np.column_stack([value, np.ones(count)])
    return inputs, value


def draw(rng):
    """Training sequences, new ones without their values, and a seed."""
    inputs, targets = sequences(rng, 400)
    new, kept = sequences(rng, 300)
    return Asked((inputs, targets, new, int(rng.integers(1000))), kept=kept)


def r2(true, said):
    """Return 1 − what is left over what was there."""
    return float(1 - np.mean((true - said) ** 2) / np.var(true))


def read_off(said, true):
    """Whether answers are exact as no trained network's are: they were read off the first step."""
    return bool(np.abs(said - true).max() < EXACT)


def score(arguments, answer):
    """R² of the recalled values on new sequences; nothing for values that were not recalled."""
    said = numbers(answer, (len(arguments[2]),))
    if read_off(said, arguments.kept):
        what = (
            "the answers are the values themselves, read off the inputs; a network that was trained recalls"
        )
        return Score(0, f"{what} them nearly", "a recalled value", "the value")
    return scale("R² on new sequences", r2(arguments.kept, said), RUNGS, form=".2f")


def reference(inputs, targets, new_inputs, seed):
    """Train an LSTM whose memory is long from the start, with clipping and a modest rate."""
    import torch  # only here: a check of other items needs no torch

    torch.manual_seed(seed)
    lstm, readout = torch.nn.LSTM(2, 16, batch_first=True), torch.nn.Linear(16, 1)
    with torch.no_grad():
        lstm.bias_ih_l0[16:32] += 3.0
    parameters = [*lstm.parameters(), *readout.parameters()]
    adam = torch.optim.Adam(parameters, lr=0.01)
    x, y, new = (torch.as_tensor(a, dtype=torch.float32) for a in (inputs, targets, new_inputs))
    for _ in range(300):
        chosen = torch.randint(len(x), (32,))
        adam.zero_grad()
        loss = torch.mean((readout(lstm(x[chosen])[0][:, -1])[:, 0] - y[chosen]) ** 2)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
    with torch.no_grad():
        return readout(lstm(new)[0][:, -1])[:, 0].numpy()


def plot(axes, function):
    """Draw what is recalled against what was shown."""
    asked = draw(np.random.default_rng(0))
    axes.plot(asked.kept, np.asarray(function(*asked), dtype=float), ".")
    axes.axline((0, 0), slope=1, color="0.6")
    axes.set(xlabel="value shown", ylabel="value recalled", title="repaired, new sequences")


def _shows(test):
    def shows(arguments, answer):
        said = np.asarray(answer, dtype=float)
        if said.shape != arguments.kept.shape:
            return False
        return bool(test(said, arguments.kept))

    return shows


MISCONCEPTIONS = (
    Misconception(
        "read off instead of recalled",
        "You take the value from the first step of the inputs, or fit it there. That needs no memory: train "
        "the recurrent network and let it say the value at the end.",
        shows=_shows(read_off),
    ),
    Misconception(
        "blown up",
        "Your answers are not numbers any more: the run blew up. Log the norm of the gradient, and look "
        "where it leaves what is usual.",
        shows=_shows(lambda said, true: not np.isfinite(said).all()),
    ),
    Misconception(
        "nothing remembered",
        "Your network says nearly the same for every sequence, the mean of all. Nothing of the first step "
        "reaches the last: how long does a fresh cell keep what it holds?",
        shows=_shows(lambda said, true: said.std() < 0.25 * true.std()),
    ),
    Misconception(
        "answers in a wrong order",
        "Your answers are about as spread as the values and have nothing to do with them. Do they belong to "
        "new_inputs, in their order?",
        shows=_shows(
            lambda said, true: (
                abs(np.corrcoef(said, true)[0, 1]) < 0.15 and 0.7 < said.std() / true.std() < 1.4
            )
        ),
    ),
    Misconception(
        "steps too large",
        "Your answers are all over the place, or pushed against a limit: the steps of the optimiser are so "
        "large that it jumps over every good place.",
        shows=_shows(lambda said, true: r2(true, said) < 0.1),
    ),
    Misconception(
        "stopped too early",
        "It has begun to recall, and is not there yet. Does the loss still fall at the end?",
        shows=_shows(lambda said, true: 0.1 <= r2(true, said) < 0.9),
    ),
)

ITEM = Item(
    name="repaired",
    signature="repaired(inputs, targets, new_inputs, seed)",
    title="A run to repair",
    parts=(Part("recalled"),),
    reference=reference,
    questions=(Question("new sequences", 4, draw, repeats=2, score=score),),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Look at the two logs. Do gradients stay within what is usual? Is there a gradient at all that "
        "comes from the first step?",
        "Four things: adam.zero_grad() before each backward; a rate near 0.01; "
        "torch.nn.utils.clip_grad_norm_; and 3 added to the forget biases, lstm.bias_ih_l0[H:2*H], under "
        "torch.no_grad().",
        "The expected picture: a cloud of dots close to the diagonal.",
    ),
    plot=plot,
    seconds=60.0,
)
