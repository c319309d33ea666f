"""Item 5 of set 3: which gate an LSTM could do without, decided by holding each open and measuring."""

import numpy as np

from gatedrnn.cells import sigmoid
from gatedrnn.practice.items import Item, Misconception, Part, Question
from gatedrnn.practice.sets.set3 import equations

HELD = (0, 1, 3)  # rows of the gates i, f, o among i, f, g, o


def held_run(inputs, parameters, gate=None, value=1.0):
    """Return outputs, cell states and gates of a run from rest with one gate held at a value."""
    W_ih, W_hh, b_ih, b_hh = parameters

    def step(x, h, c):
        i, f, g, o = np.split(W_ih @ x + b_ih + W_hh @ h + b_hh, 4)
        gates = [sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)]
        if gate is not None:
            gates[gate] = np.full_like(h, value)
        c = gates[1] * c + gates[0] * gates[2]
        return gates[3] * np.tanh(c), c, np.stack(gates)

    rest = np.zeros(W_hh.shape[1])
    return equations.run(inputs, rest, rest, step=step)


def errors(inputs, parameters, value=1.0, measure=lambda off: np.mean(off**2), which=0):
    """Return how far the run with each gate held is from the free one; ``which`` 0: outputs, 1: cells."""
    free = held_run(inputs, parameters)[which]
    return np.array([measure(held_run(inputs, parameters, gate, value)[which] - free) for gate in HELD])


def reference(inputs, *parameters):
    """Return the mean squared change of the outputs for each gate held open, and the least one's index."""
    found = errors(inputs, parameters)
    return found, int(found.argmin())


def openness(inputs, parameters):
    """Return the mean of each of the three gates in the free run."""
    return held_run(inputs, parameters)[2][:, HELD].mean(axis=(0, 2))


def draw_network(rng):
    """A network whose least needed gate is clear: each as often, and in two of three draws not the most open.

    Biases are drawn until that is so.
    """
    least, trap = int(rng.integers(3)), bool(rng.random() < 2 / 3)
    while True:
        inputs = rng.normal(size=(16, 2))
        W_ih, W_hh, b_ih, b_hh = equations.draw_parameters(rng, units=3)
        open_by = np.where(np.arange(3) == least, rng.uniform(1, 3), rng.uniform(-1, 3, size=3))
        parameters = W_ih, W_hh, b_ih + np.repeat(np.insert(open_by, 2, 0), 3), b_hh
        if (openness(inputs, parameters).argmax() != least) != trap:
            continue
        found = errors(inputs, parameters)
        if found.argmin() == least and np.sort(found)[1] > 1.2 * found.min():
            return inputs, *parameters


def plot(axes, function):
    """Draw the three errors of one network."""
    found, best = function(*draw_network(np.random.default_rng(4)))
    found = np.asarray(found, dtype=float)
    bars = axes.bar(["input", "forget", "output"], found)
    bars[int(best)].set_hatch("//")
    axes.set(xlabel="gate held open", ylabel="mean squared change", title="least_needed_gate")


def _mistake(choose=np.argmin, **options):
    def wrong(inputs, *parameters):
        found = errors(inputs, parameters, **options)
        return found, int(choose(found))

    return wrong


def _held_at_mean(inputs, *parameters):
    values = openness(inputs, parameters)
    free = held_run(inputs, parameters)[0]
    runs = [held_run(inputs, parameters, gate, value)[0] for gate, value in zip(HELD, values, strict=True)]
    found = np.array([np.mean((run - free) ** 2) for run in runs])
    return found, int(found.argmin())


def _held_after_the_run(inputs, *parameters):
    """Gates from the free run, one of them then set to 1, c and h computed again."""
    free, _, gates = held_run(inputs, parameters)
    found = []
    for gate in HELD:
        changed = gates.copy()
        changed[:, gate] = 1
        c, outputs = np.zeros(free.shape[1]), []
        for i, f, g, o in changed:
            c = f * c + i * g
            outputs.append(o * np.tanh(c))
        found.append(np.mean((np.stack(outputs) - free) ** 2))
    return np.array(found), int(np.argmin(found))


def _most_open(inputs, *parameters):
    return errors(inputs, parameters), int(openness(inputs, parameters).argmax())


def _with_candidate(inputs, *parameters):
    free = held_run(inputs, parameters)[0]
    found = np.array([np.mean((held_run(inputs, parameters, k)[0] - free) ** 2) for k in range(4)])
    return found, int(found.argmin())


MISCONCEPTIONS = (
    Misconception(
        "chosen by how open the gate is",
        "Your choice is the gate that is most open on average. A gate can be open most of the time and yet "
        "matter when it shuts: choose by the error you measured.",
        (_most_open,),
    ),
    Misconception(
        "the most needed gate",
        "You chose the gate with the largest error, the one that is needed most. np.argmin gives the index "
        "of the smallest entry.",
        (_mistake(choose=np.argmax),),
    ),
    Misconception(
        "held shut instead of open",
        "You hold the gates at 0. Held open is 1: everything passes.",
        (_mistake(value=0.0),),
    ),
    Misconception(
        "held at its mean",
        "You hold each gate at its mean. Asked for is the network in which this gate is always fully open.",
        (_held_at_mean,),
    ),
    Misconception(
        "network not run again",
        "You change the gate in the record of the free run. But the other gates listen to h, which is "
        "another now: run the network again, with the gate held inside the loop.",
        (_held_after_the_run,),
    ),
    Misconception(
        "root of the mean squared error",
        "You took the root. Asked for is the mean of the squares.",
        (_mistake(measure=lambda off: np.sqrt(np.mean(off**2))),),
    ),
    Misconception(
        "sum instead of mean",
        "Your errors grow with the length of the run: take the mean over steps and units, not the sum.",
        (
            _mistake(measure=lambda off: np.sum(off**2)),
            _mistake(measure=lambda off: np.mean(np.sum(off**2, axis=1))),
        ),
    ),
    Misconception(
        "absolute error",
        "You average absolute differences; asked for are squared ones.",
        (_mistake(measure=lambda off: np.mean(np.abs(off))),),
    ),
    Misconception(
        "cell states compared",
        "You compare the cell states. What others hear of the network is h: compare the outputs.",
        (_mistake(which=1),),
    ),
    Misconception(
        "candidate counted as a gate",
        "You give four errors. The candidate is what is written, not a gate that lets pass: hold input, "
        "forget and output gate only.",
        (_with_candidate,),
    ),
    Misconception(
        "index among the four",
        "The index counts the three errors: 0 input, 1 forget, 2 output, as they stand in the array.",
        (_mistake(choose=lambda found: HELD[found.argmin()]),),
    ),
    Misconception(
        "counted from one",
        "Python counts from 0: the input gate has index 0.",
        (_mistake(choose=lambda found: found.argmin() + 1),),
    ),
    Misconception(
        "one value returned instead of two",
        "Return two things: the three errors and the index of the smallest.",
        (
            lambda *given: reference(*given)[0],
            lambda *given: reference(*given)[1],
        ),
    ),
    Misconception(
        "the candidate held",
        "You hold the candidate. Among the four rows the output gate is the last, number 3.",
        (
            lambda *given: (
                _with_candidate(*given)[0][:3],
                int(_with_candidate(*given)[0][:3].argmin()),
            ),
        ),
    ),
    Misconception(
        "name instead of index",
        "Return the index of the smallest error, 0, 1 or 2, not the name of the gate.",
        shows=lambda given, answer: isinstance(answer[1], str),
    ),
    Misconception(
        "errors of single units or steps",
        "You keep units or steps apart, or look at the last step alone. The error of a gate is one number: "
        "the mean over all steps and units.",
        (
            _mistake(measure=lambda off: np.mean(off**2, axis=0), choose=lambda found: 0),
            _mistake(measure=lambda off: np.mean(off**2, axis=1), choose=lambda found: 0),
            _mistake(measure=lambda off: np.mean(off[-1] ** 2)),
            _mistake(measure=lambda off: np.max(off**2)),
        ),
    ),
    Misconception(
        "index first",
        "Return the three errors first, then the index of the smallest.",
        (lambda *given: reference(*given)[::-1],),
    ),
)

ITEM = Item(
    name="least_needed_gate",
    signature="least_needed_gate(inputs, W_ih, W_hh, b_ih, b_hh)",
    title="Which gate could it do without?",
    parts=(Part("errors"), Part("least")),
    reference=reference,
    questions=(
        Question("how much each gate held open changes", 2, draw_network, grades=("errors",), rtol=1e-4),
        Question("which gate is needed least", 1, draw_network, grades=("least",), repeats=9),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Run the network once as it is and three times with one gate held at 1 in every step. How far are "
        "the outputs from those of the free run?",
        "Write a step that takes the name or number of a gate to hold, and sets that gate to ones after the "
        "sigmoid. The error is the mean over all steps and units of the squared difference of the h.",
        "The expected picture has three bars of quite different heights; the hatched one is the lowest, "
        "though that gate is not the one that is open most.",
    ),
    plot=plot,
)
