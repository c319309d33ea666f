"""Item 3 of set 1: decay time and frequency of each mode of a recurrent matrix."""

import numpy as np

from gatedrnn import dynamics
from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(W, dt):
    """Return decay times (s) and frequencies (Hz) of all modes, slowest first."""
    modes = dynamics.eigenmodes(W, dt)
    return modes.decay_time, modes.frequency


def _matrix(sizes, angles, rng):
    """A matrix with these eigenvalues (pairs unless the angle is 0 or π); its modes are not orthogonal."""
    blocks = []
    for size, angle in zip(sizes, angles, strict=True):
        c, s = size * np.cos(angle), size * np.sin(angle)
        blocks.append(np.array([[c]]) if abs(np.sin(angle)) < 1e-9 else np.array([[c, -s], [s, c]]))
    D = np.zeros((sum(map(len, blocks)),) * 2)
    place = 0
    for block in blocks:
        D[place : place + len(block), place : place + len(block)] = block
        place += len(block)
    rotation, _ = np.linalg.qr(rng.normal(size=D.shape))
    shear = np.eye(len(D)) + 0.4 * np.triu(np.sign(rng.normal(size=D.shape)), 1)
    basis = rotation @ shear
    return basis @ D @ np.linalg.inv(basis)


def _sizes(count, rng):
    """Well separated |λ|, in random order, so that sorting shows."""
    return rng.permutation(np.linspace(0.5, 0.95, count) + rng.uniform(-0.03, 0.03, size=count))


def draw_turning(rng):
    """Two real modes and one or two pairs that turn."""
    pairs = int(rng.integers(1, 3))
    angles = np.concatenate([[0.0, 0.0], rng.uniform(0.3, 2.6, size=pairs)])
    return _matrix(_sizes(2 + pairs, rng), angles, rng), float(rng.uniform(0.002, 0.05))


def draw_sign_change(rng):
    """A real mode that changes sign at every step, among others."""
    angles = np.array([0.0, np.pi, rng.uniform(0.5, 2.6)])
    return _matrix(_sizes(3, rng), angles, rng), float(rng.uniform(0.002, 0.05))


def plot(axes, function):
    """Draw the modes of a 6 × 6 matrix as points."""
    W = dynamics.with_modes([0.5, 0.3, 0.2, 0.1], [0.0, 3.0, 8.0, 0.0], dt=0.01, rng=np.random.default_rng(1))
    decay_time, frequency = function(W, 0.01)
    axes.plot(np.asarray(frequency), np.asarray(decay_time), "o")
    axes.set(xlabel="frequency (Hz)", ylabel="decay time (s)", title="modes(W, dt=0.01)")


def _mistake(size=np.abs, turn=lambda v: np.abs(np.angle(v)), time=1.0, cycle=1.0, order=None, pick=None):
    """Build a wrong answer: two factors, and what stands for |λ|, ∠λ, order and selection."""

    def wrong(W, dt):
        values = dynamics.eigenmodes(W, dt).eigenvalues
        values = values if pick is None else values[pick(values)]
        values = values if order is None else order(W, values)
        scale = {"time": time, "cycle": cycle}
        scale = {key: value(dt) if callable(value) else value for key, value in scale.items()}
        return -dt / np.log(size(values)) * scale["time"], turn(values) / (2 * np.pi * dt) * scale["cycle"]

    return wrong


def _from_values(values_of):
    """Build a wrong answer from other numbers than the eigenvalues, sorted by size."""

    def wrong(W, dt):
        values = values_of(W)
        values = values[np.argsort(-np.abs(values))]
        return -dt / np.log(np.abs(values)), np.abs(np.angle(values)) / (2 * np.pi * dt)

    return wrong


def _signed(sign):
    return lambda v: sign * np.angle(v)


def _inverse(dt):
    return 1 / dt


def _apart(sort_time, sort_frequency):
    """Build a wrong answer: the right numbers, each array sorted without regard to the other."""

    def wrong(W, dt):
        decay_time, frequency = reference(W, dt)
        return sort_time(decay_time), sort_frequency(frequency)

    return wrong


def _upwards(values):
    return np.sort(values)


def _downwards(values):
    return np.sort(values)[::-1]


def _only_times_sorted(W, dt):
    return reference(W, dt)[0], np.abs(np.angle(np.linalg.eigvals(W))) / (2 * np.pi * dt)


def _downwards_by(key, flip=False):
    """Build an order of the eigenvalues: by a falling key, through a minus or by turning argsort round."""

    def order(W, _):
        values = np.linalg.eigvals(W).astype(complex)
        return values[np.argsort(key(values))[::-1] if flip else np.argsort(-key(values))]

    return order


def _either_way(**pieces):
    """Build wrong answers that tell the two eigenvalues of a pair apart.

    Both are equally slow, and argsort says nothing about the order of equals: a minus in its argument and a
    [::-1] on its result may put either first.
    """
    return tuple(_mistake(order=_downwards_by(np.abs, flip), **pieces) for flip in (False, True))


MISCONCEPTIONS = (
    Misconception(
        "angle not divided by 2π",
        "Your frequencies are 6.28 times too high: they are radians per second. A full turn is 2π, and "
        "hertz count full turns.",
        (_mistake(cycle=2 * np.pi),),
    ),
    Misconception(
        "dt forgotten",
        "Some of your answer counts steps instead of seconds: the angle is the turn made in one step of dt, "
        "and the logarithm the loss in one step of dt.",
        (
            _mistake(time=_inverse, cycle=lambda dt: dt),
            _mistake(cycle=lambda dt: dt),
            _mistake(time=_inverse),
        ),
    ),
    Misconception(
        "minus sign missing",
        "Your decay times are negative: ln|λ| is below zero for every mode that fades.",
        (_mistake(time=-1.0),),
    ),
    Misconception(
        "half-life instead of decay time",
        "Your decay times are 0.69 of what is asked: the decay time is the time to 1/e, not to one half.",
        (_mistake(time=np.log(2)),),
    ),
    Misconception(
        "real part instead of modulus",
        "You take the real part of λ for its size. A mode that turns hides part of its size in the "
        "imaginary part: np.abs gives all of it.",
        (_mistake(size=lambda v: np.abs(v.real)), _mistake(size=lambda v: v.real)),
    ),
    Misconception(
        "imaginary part instead of angle",
        "You take the imaginary part of λ for its turn. The turn per step is the angle of λ: np.angle.",
        (
            _mistake(turn=lambda v: np.abs(v.imag)),
            _mistake(turn=lambda v: v.imag),
            *_either_way(turn=lambda v: v.imag),
        ),
    ),
    Misconception(
        "arctan of a ratio instead of angle",
        "arctan(imaginary/real) cannot tell λ from −λ, so a mode that changes sign at every step looks as "
        "if it did not turn. np.angle can.",
        (
            _mistake(turn=lambda v: np.abs(np.arctan(v.imag / v.real))),
            _mistake(turn=lambda v: np.arctan(v.imag / v.real)),
            *_either_way(turn=lambda v: np.arctan(v.imag / v.real)),
        ),
    ),
    Misconception(
        "signed frequencies",
        "Half of your frequencies are negative: the two eigenvalues of a pair turn opposite ways and make "
        "one oscillation. Give the size of the angle.",
        (_mistake(turn=_signed(1)), _mistake(turn=_signed(-1)), *_either_way(turn=np.angle)),
    ),
    Misconception(
        "singular values instead of eigenvalues",
        "You use singular values: they say how much W can stretch a state in one step, not what is left "
        "after many. np.linalg.eigvals gives the modes.",
        (_from_values(lambda W: np.linalg.svd(W, compute_uv=False)),),
    ),
    Misconception(
        "eigenvalues of the symmetric case",
        "np.linalg.eigvalsh takes W to be symmetric and reads one half of it. A recurrent matrix seldom is: "
        "use np.linalg.eigvals.",
        (_from_values(np.linalg.eigvalsh), _from_values(lambda W: np.linalg.eigvalsh((W + W.T) / 2))),
    ),
    Misconception(
        "not sorted, slowest first",
        "Your modes are right, their order is not: sort both arrays by falling decay time. np.argsort sorts "
        "upwards, so its argument needs a minus or its result a [::-1].",
        (
            _mistake(order=lambda W, values: values[::-1]),
            _mistake(order=lambda W, values: np.linalg.eigvals(W)),
            _mistake(order=lambda W, values: values[np.argsort(np.abs(np.angle(values)), kind="stable")]),
            _mistake(order=lambda W, values: values[np.argsort(-values.real, kind="stable")]),
        ),
    ),
    Misconception(
        "each array in an order of its own",
        "A decay time no longer stands beside the frequency of its own mode: your two arrays are in "
        "different orders. Take one order, from np.argsort of the decay times, and put both in it.",
        (
            _apart(_downwards, _downwards),
            _apart(_downwards, _upwards),
            _apart(_upwards, _upwards),
            _only_times_sorted,
        ),
    ),
    Misconception(
        "one of each pair dropped",
        "Asked for is one entry for each eigenvalue, H in all: both eigenvalues of a pair count.",
        (_mistake(pick=lambda v: v.imag >= 0),),
    ),
    Misconception(
        "logarithm of a complex number",
        "You take the logarithm of λ itself, which is complex. Its real part, ln|λ|, is the decay; its "
        "imaginary part is the turn.",
        (
            _mistake(size=lambda v: v),
            *_either_way(size=lambda v: v),
            # sorted by a complex time, of which NumPy looks at the real part first
            _mistake(size=lambda v: v, order=_downwards_by(lambda v: -1 / np.log(v))),
            lambda W, dt: (-dt / np.log(dynamics.eigenmodes(W).eigenvalues),) * 2,
        ),
    ),
)

ITEM = Item(
    name="modes",
    signature="modes(W, dt)",
    title="Decay time and frequency of each mode",
    parts=(Part("decay_time"), Part("frequency")),
    reference=reference,
    questions=(
        Question("the decay times of modes that turn", 1, draw_turning, grades=("decay_time",)),
        Question("the frequencies of modes that turn", 1, draw_turning, grades=("frequency",)),
        Question("a mode that changes sign at every step", 1, draw_sign_change),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "In one step a mode is multiplied by λ. How much of it is left is the size of λ; how far it turned "
        "is the angle of λ.",
        "np.linalg.eigvals(W) gives λ; np.abs its size; np.angle its turn in radians. The size goes through "
        "your time_constant, the turn through 2π and dt. Then sort both arrays by falling decay time.",
        "The expected picture has six points, two pairs of them on top of each other: 0.5 s at 0 Hz, 0.3 s "
        "at 3 Hz, 0.2 s at 8 Hz and 0.1 s at 0 Hz.",
    ),
    plot=plot,
)
