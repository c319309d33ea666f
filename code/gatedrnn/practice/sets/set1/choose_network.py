"""Item 6 of set 1: which of three networks remembers a cue longest, decided by measurement."""

import numpy as np

from gatedrnn import dynamics
from gatedrnn.practice.items import Item, Misconception, Part, Question


def shares(networks, U, pulse, delay, dt, late=0):
    """Return ‖h‖ after the delay over ‖h‖ at the pulse, for each network."""
    steps = round(delay / dt) + late
    echoes = [dynamics.impulse_response(W, U @ pulse, steps=steps + 1) for W in networks]
    norms = [np.linalg.norm(echo, axis=1) for echo in echoes]
    return np.array([norm[steps] / norm[0] for norm in norms])


def reference(networks, U, pulse, delay, dt):
    """Return the share of the cue that each network has left, and the index of the best."""
    left = shares(networks, U, pulse, delay, dt)
    return left, int(left.argmax())


def _network(tau, weights, cue, dt, rng):
    """A symmetric network with these time constants whose modes hold these shares of the cue.

    The modes are perpendicular. The first column of a random rotation is turned onto the cue, mixed as
    ``weights`` say.
    """
    weights = np.asarray(weights) / np.linalg.norm(weights)
    frame, _ = np.linalg.qr(np.column_stack([cue, rng.normal(size=(cue.size, cue.size - 1))]))
    mixing, _ = np.linalg.qr(np.column_stack([weights, rng.normal(size=(cue.size, cue.size - 1))]))
    modes = frame @ mixing.T  # columns: modes; their overlaps with the cue are the weights, up to sign
    return (modes * np.exp(-dt / np.asarray(tau))) @ modes.T


def _draw(rng, trap):
    dt, delay = float(rng.choice([0.005, 0.01])), float(rng.choice([1.0, 1.5, 2.0]))
    U, pulse = rng.normal(size=(4, 2)), rng.uniform(0.5, 1.5, size=2)
    cue = U @ pulse
    slow = rng.uniform(4.0, 6.0) * delay  # the slowest mode of all …
    overlap = 0.02 if trap else 3.0  # … which in a trap hardly holds any of the cue
    # The second loses a part of the cue at once and keeps the rest, the third falls steadily: their curves
    # cross, so that a look at the first steps does not tell which is best after the delay.
    networks = [
        _network([slow, 0.3 * delay, 0.2 * delay, 0.1 * delay], [overlap, 1, 0.5, 0.5], cue, dt, rng),
        _network(delay * np.array([2.0, 1.6, 0.05, 0.03]), [1, 0.8, 0.6, 0.5], cue, dt, rng),
        _network(delay * np.array([0.8, 0.7, 0.6, 0.5]), [1, 0.8, 0.3, 0.3], cue, dt, rng),
    ]
    return [networks[k] for k in rng.permutation(3)], U, pulse, delay, dt


def draw_any(rng):
    """Three networks; in two draws of three the slowest mode holds next to nothing of the cue."""
    return _draw(rng, trap=bool(rng.random() < 2 / 3))


def plot(axes, function):
    """Draw the share that each of three networks has left at growing delays."""
    networks, U, pulse, delay, dt = _draw(np.random.default_rng(2), trap=True)
    delays = np.linspace(0.1, 1.0, 10) * delay
    left = np.array([np.asarray(function(networks, U, pulse, d, dt)[0], dtype=float) for d in delays])
    axes.plot(delays, left, marker="o")
    axes.set(xlabel="delay (s)", ylabel="share left", title="choose_network at growing delays")


def _radius(networks, *_):
    return int(np.argmax([np.abs(np.linalg.eigvals(W)).max() for W in networks]))


def _start_norm(U, pulse):
    return np.linalg.norm(U @ pulse)


def _by_slowest_mode(networks, U, pulse, delay, dt):
    return shares(networks, U, pulse, delay, dt), _radius(networks)


def _promised(networks, U, pulse, delay, dt):
    left = [np.abs(np.linalg.eigvals(W)).max() ** round(delay / dt) for W in networks]
    return np.array(left), int(np.argmax(left))


def _mistake(change, choose=np.argmax, **options):
    def wrong(networks, U, pulse, delay, dt):
        left = change(shares(networks, U, pulse, delay, dt, **options), _start_norm(U, pulse), pulse)
        return left, int(choose(left))

    return wrong


def _steps_as_seconds(networks, U, pulse, delay, dt):
    left = shares(networks, U, pulse, int(delay), 1)
    return left, int(left.argmax())


MISCONCEPTIONS = (
    Misconception(
        "chosen by the slowest mode",
        "Your choice follows the largest |λ|, a promise that no cue was there to keep. Choose by what you "
        "measured: a mode remembers only what the cue put into it.",
        (_by_slowest_mode, _promised),
    ),
    Misconception(
        "one step late or early",
        "You read the echo one step off: row 0 is the pulse, so the delay is reached in row round(delay / "
        "dt).",
        (_mistake(lambda left, *_: left, late=-1), _mistake(lambda left, *_: left, late=1)),
    ),
    Misconception(
        "norm instead of share",
        "You give the size of what is left; asked for is the share, so divide by the size at the pulse.",
        (
            _mistake(lambda left, start, pulse: left * start),
            _mistake(lambda left, start, pulse: left * start / np.linalg.norm(pulse)),
        ),
    ),
    Misconception(
        "per cent instead of a share",
        "Your shares are 100 times too large: they are in per cent. A share is between 0 and 1 here.",
        (_mistake(lambda left, *_: 100 * left),),
    ),
    Misconception(
        "squared norm",
        "You compare squared sizes; take the square root, or np.linalg.norm, before dividing.",
        (_mistake(lambda left, *_: left**2),),
    ),
    Misconception(
        "delay in steps",
        "delay is in seconds and a step lasts dt: the number of steps is round(delay / dt).",
        (_steps_as_seconds,),
    ),
    Misconception(
        "the worst instead of the best",
        "You chose the network with the least left. np.argmax gives the index of the largest entry.",
        (_mistake(lambda left, *_: left, choose=np.argmin),),
    ),
    Misconception(
        "counted from one",
        "Python counts from 0: the first network has index 0.",
        (_mistake(lambda left, *_: left, choose=lambda left: left.argmax() + 1),),
    ),
    Misconception(
        "network instead of its index",
        "The second value is a place in the list, 0, 1 or 2, not what stands there: give the index of the "
        "best network, neither its matrix nor its share.",
        (
            lambda networks, *rest: (shares(networks, *rest), networks[reference(networks, *rest)[1]]),
            lambda *arguments: (shares(*arguments), shares(*arguments).max()),
        ),
    ),
    Misconception(
        "share lost instead of share left",
        "You give what is lost. Asked for is what is left.",
        (
            _mistake(lambda left, *_: 1 - left),
            _mistake(lambda left, *_: 1 - left, choose=np.argmin),
        ),
    ),
    Misconception(
        "index and shares swapped",
        "Return the shares first, then the index: return left, best.",
        (lambda *arguments: reference(*arguments)[::-1],),
    ),
    Misconception(
        "one value returned instead of two",
        "Return two things: the three shares and the index of the best: return left, best.",
        (lambda *arguments: reference(*arguments)[0], lambda *arguments: reference(*arguments)[1]),
    ),
)

ITEM = Item(
    name="choose_network",
    signature="choose_network(networks, U, pulse, delay, dt)",
    title="A decision by measurement",
    parts=(Part("left"), Part("best")),
    reference=reference,
    questions=(
        Question("three networks at a time, what is left", 1, draw_any, grades=("left",)),
        Question("three networks at a time, which is best", 1, draw_any, grades=("best",), repeats=12),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Let every network hear the same cue and look at its state after the delay. How much of the first "
        "state is left?",
        "Run your echo for round(delay / dt) + 1 steps; np.linalg.norm of its last row over that of its "
        "first row is the share left. Collect three shares; np.argmax gives the index.",
        "The expected picture has one curve that falls steeply at first and then stays flat and low: its "
        "slow mode holds little of the cue. Another falls slowly all the way and ends highest.",
    ),
    plot=plot,
)
