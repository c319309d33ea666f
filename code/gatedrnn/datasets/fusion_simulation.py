"""Tokamak discharges whose density limit is known: a few equations in place of a machine.

The discharges come as the table of the Open Density Limit Database has them, and their size, current, field
and density are of the order that it has (a compact machine with a strong field). The equations are a cartoon
of what reviews of the density limit describe (Greenwald 2002): too dense an edge radiates more than it is
given, cools, and takes the rest with it. They are here to be understood, not to predict a machine.
"""

from dataclasses import dataclass

import numpy as np

from gatedrnn.datasets.fusion import COLUMNS, Discharges

STEP = 0.01  # s, one row
LONGEST = 1.7  # s, end of the longest discharge that is not disrupted
IMPURITY_TIME = 0.5  # s, in which impurities come to rest
SAMPLE = 2  # rows between two samples of the sensors


@dataclass(frozen=True, eq=False)
class PlasmaTruth:
    """What no sensor shows: ``lock`` has one entry a discharge, the arrays after it one a row.

    Attributes
    ----------
    limit : float
        Greenwald fraction that a clean edge bears for long.
    build_up : float
        Time constant of the load in seconds.
    lock : ndarray
        Time at which the collapsing plasma stops turning (locked mode), in seconds; NaN where it does not.
    load : ndarray
        How near the edge is to radiating more than it gets: it collapses at 1.
    impurity : ndarray
        Share by which impurities lower the limit.
    greenwald_fraction : ndarray
        The true one, without noise and dropouts.
    """

    limit: float
    build_up: float
    lock: np.ndarray
    load: np.ndarray
    impurity: np.ndarray
    greenwald_fraction: np.ndarray


def simulate_density_limit(
    seed: int,
    n_discharges: int = 600,
    limit: float = 1.0,
    build_up: float = 0.1,
    impurity: float = 0.2,
    noise: float = 0.05,
    dropouts: float = 0.04,
    interpolated: bool = False,
) -> Discharges:
    """Simulate discharges, some of which end at a density limit that is known.

    With the Greenwald density n_G = I_p / (π a²) in 1e20 m⁻³, MA and m (Greenwald 2002, eq. 1), the load b of
    the edge follows the density n slowly,

        build_up · db/dt = n / (limit · (1 − c) · n_G) − b,

    where the share c of the limit that impurities take grows from zero at a rate that is each discharge's
    own, dc/dt = (c_end − c) / 0.5 s. At b = 1 the edge collapses into a radiating ring (MARFE): the
    density-limit phase begins. The plasma shrinks, its rotation locks, density is lost, and some 0.15 s
    later a disruption ends the discharge.

    Most discharges stay far from the limit. In some the density is ramped up towards it, beyond it, or down
    from it; in some, gas puffs exceed it for a moment; in some the current steps down, which lowers n_G.

    Parameters
    ----------
    seed : int
        The same seed gives the same discharges.
    n_discharges : int
    limit : float
        Greenwald fraction that a clean edge bears for long.
    build_up : float
        In seconds. A tenth of a row or less makes the limit prompt.
    impurity : float
        Mean of c_end.
    noise : float
        Standard deviation of the relative error of the density; the other sensors have a fifth of it or less.
    dropouts : float
        Share of the samples in which the density sensor sticks to its last value or, half as often, counts a
        fringe too many or too few.
    interpolated : bool
        Samples are taken every 20 ms. If true, the rows between are means of the neighbours, as in the
        real table; the later neighbour is in the future. By default the last sample is held.

    Returns
    -------
    Discharges
        With the ground truth in ``truth``, a `PlasmaTruth`.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> d = simulate_density_limit(seed=0, n_discharges=50)
    >>> len(d.starts), bool(d.truth.load[d.density_limit_phase == 0].max() < 1)
    (50, True)
    """
    _check(n_discharges, limit, build_up, impurity, noise, dropouts)
    rng = np.random.default_rng(seed)
    plan = _programme(rng, n_discharges)
    state = _evolve(rng, plan, limit, build_up, impurity)
    seen = _measure(rng, plan, state, noise, dropouts, interpolated)
    return _table(plan, state, seen, limit, build_up)


def _check(n_discharges, limit, build_up, impurity, noise, dropouts) -> None:
    """Say in words what cannot be simulated."""
    if n_discharges < 1:
        raise ValueError(f"n_discharges must be at least 1, got {n_discharges}.")
    if not (limit > 0 and build_up > 0):
        raise ValueError(f"limit and build_up must be positive, got {limit} and {build_up}.")
    if not (0 <= impurity <= 0.3 and noise >= 0 and 0 <= dropouts < 1):
        raise ValueError(
            f"expected 0 ≤ impurity ≤ 0.3, noise ≥ 0 and 0 ≤ dropouts < 1, got {impurity}, {noise} and "
            f"{dropouts}."
        )


def _programme(rng, n: int) -> dict[str, np.ndarray]:
    """What the operators ask for, on one time axis: arrays (n, T), and (n,) for what does not change."""
    time = np.arange(0.26, LONGEST + 0.5, STEP)  # ramp-up left out, room for a collapse after
    end = np.clip(rng.normal(1.4, 0.2, n), 0.7, LONGEST)
    down = end - rng.uniform(0.1, 0.3, n)  # when the current is ramped down
    current = np.clip(rng.normal(0.82, 0.17, n), 0.45, 1.4)[:, np.newaxis]
    late = rng.uniform(0.6, 1.0, n)
    step = np.where(rng.random(n) < 0.15, rng.uniform(0.15, 0.35, n), 0)  # of the current, downwards
    shape = 1 - step[:, np.newaxis] * _ramp(time, late, 0.15) - 0.45 * _ramp(time, down, end - down)
    radius = rng.normal(0.2198, 0.003, n)
    level = 0.26 * np.exp(rng.normal(0, 0.4, n))  # Greenwald fraction of the flat top
    kind = rng.random(n)
    dense = kind < 0.09  # experiments at high density
    goal = np.where(dense, rng.uniform(0.6, 1.25, n), level)
    begin, rise = rng.uniform(0.4, 0.8, n), rng.uniform(0.2, 0.6, n)
    back = dense & (rng.random(n) < 0.4)  # the density is taken back after a while
    ramp = _ramp(time, begin, rise) - np.where(back, 0.6, 0)[:, np.newaxis] * _ramp(time, begin + rise, 0.2)
    fraction = level[:, np.newaxis] + (goal - level)[:, np.newaxis] * ramp
    puffed = (kind > 0.09) & (kind < 0.17)
    fraction = fraction + _puffs(rng, time, n) * puffed[:, np.newaxis]
    flat_limit = current / (np.pi * radius[:, np.newaxis] ** 2)
    wanted = fraction * flat_limit * (1 - 0.35 * _ramp(time, down, end - down))
    return {
        "time": time,
        "end": end,
        "current": current * shape,
        "radius": radius,
        "density": wanted,
        "field": np.where(rng.random(n) < 0.8, 5.42, rng.uniform(3.5, 7.9, n)) + rng.normal(0, 0.03, n),
        "elongation": rng.normal(1.62, 0.07, n),
        "triangularity": rng.normal(0.42, 0.05, n),
    }


def _ramp(time: np.ndarray, begin: np.ndarray, length) -> np.ndarray:
    """From 0 to 1 along a straight line, (n, T)."""
    length = np.broadcast_to(length, begin.shape)[:, np.newaxis]
    return np.clip((time - begin[:, np.newaxis]) / length, 0, 1)


def _puffs(rng, time: np.ndarray, n: int) -> np.ndarray:
    """Two puffs of gas a discharge: an added Greenwald fraction, (n, T)."""
    added = np.zeros((n, len(time)))
    for _ in range(2):
        begin, height = rng.uniform(0.5, 1.1, n), rng.uniform(0.3, 1.1, n)
        length = rng.uniform(0.02, 0.06, n)
        open_valve = (time >= begin[:, np.newaxis]) & (time < (begin + length)[:, np.newaxis])
        added += height[:, np.newaxis] * open_valve
    return added


def _evolve(rng, plan, limit, build_up, impurity) -> dict[str, np.ndarray]:
    """Integrate the plasma row by row; all discharges go in step."""
    n, steps = plan["current"].shape
    dirt = impurity * rng.gamma(2.0, 0.5, n)  # c_end
    length = 0.15 * np.exp(rng.normal(0, 0.35, n))  # s from collapse to disruption
    fuelling, wander = 0.03, rng.normal(0, 0.02, (n, steps))
    density, load = plan["density"][:, 0].copy(), np.zeros(n)
    onset = np.full(n, np.inf)
    names = ("density", "load", "impurity", "fraction", "progress")
    trace = {name: np.empty((n, steps)) for name in names}
    slow = np.zeros(n)
    for k, now in enumerate(plan["time"]):
        slow += STEP / 0.1 * (-slow) + wander[:, k]  # recycling from the walls comes and goes
        target = plan["density"][:, k] * np.maximum(1 + slow, 0.2)
        progress = np.clip((now - onset) / length, 0, None)
        target = target * (1 + 0.08 * np.minimum(progress, 1) - 1.2 * np.clip(progress - 0.8, 0, 0.2))
        density += (1 - np.exp(-STEP / fuelling)) * (target - density)
        c = np.minimum(dirt * (1 - np.exp(-now / IMPURITY_TIME)), 0.5)
        fraction = density * np.pi * plan["radius"] ** 2 / plan["current"][:, k]
        drive = fraction / (limit * (1 - c))
        load = drive if k == 0 else load + (1 - np.exp(-STEP / build_up)) * (drive - load)
        onset = np.where((load >= 1) & np.isinf(onset), now, onset)
        for name, value in zip(names, (density, load, c, fraction, progress), strict=True):
            trace[name][:, k] = value
    return trace | {"onset": onset, "length": length}


def _measure(rng, plan, state, noise, dropouts, interpolated) -> dict[str, np.ndarray]:
    """What the sensors make of it: (n, T) for every column of the table."""
    n, steps = plan["current"].shape
    shrink = np.clip(state["progress"], 0, 1) ** 2

    def error(share):
        return 1 + share * noise * rng.normal(size=(n, steps))

    true = {
        "density": state["density"] * error(1.0),
        "elongation": plan["elongation"][:, None] * (1 - 0.03 * shrink) * error(0.2),
        "minor_radius": plan["radius"][:, None] * (1 - 0.02 * shrink) * error(0.1),
        "plasma_current": plan["current"] * (1 - 0.03 * (state["progress"] > 0.8)) * error(0.1),
        "toroidal_B_field": np.repeat(plan["field"][:, None], steps, axis=1),
        "triangularity": plan["triangularity"][:, None] * error(0.2),
    }
    samples = {name: values[:, ::SAMPLE] for name, values in true.items()}
    samples["density"] = _faults(rng, samples["density"], dropouts)
    return {name: _rows(values, steps, interpolated) for name, values in samples.items()}


def _faults(rng, samples: np.ndarray, share: float) -> np.ndarray:
    """Density samples with stretches in which the sensor sticks or has miscounted a fringe."""
    n, count = samples.shape
    stretch = 3  # samples, 60 ms
    sticks = rng.random((n, count)) < share * 2 / 3 / stretch
    jumps = rng.random((n, count)) < share / 3 / stretch
    sign = rng.choice([-1.0, 1.0], (n, count))
    seen, left, kind, offset = samples.copy(), np.zeros(n), np.zeros(n), np.zeros(n)
    for k in range(1, count):
        starts = (left == 0) & (sticks[:, k] | jumps[:, k])
        kind = np.where(starts, jumps[:, k], kind)
        offset = np.where(starts, sign[:, k], offset)
        left = np.where(starts, stretch, left)
        faulty = left > 0
        miscounted = np.maximum(samples[:, k] + 0.8 * offset, 0.05)  # a fringe is 0.8e20 m⁻³ here
        seen[:, k] = np.where(faulty, np.where(kind > 0, miscounted, seen[:, k - 1]), samples[:, k])
        left = np.maximum(left - 1, 0)
    return seen


def _rows(samples: np.ndarray, steps: int, interpolated: bool) -> np.ndarray:
    """Samples on the time axis of the rows: held, or with means between them."""
    held = np.repeat(samples, SAMPLE, axis=1)[:, :steps]
    if interpolated:
        between = held[:, 1:-1:SAMPLE]
        between += 0.5 * (held[:, 2::SAMPLE][:, : between.shape[1]] - between)
    return held


def _table(plan, state, seen, limit, build_up) -> Discharges:
    """Cut every discharge at its end and put them below one another."""
    time, onset = plan["time"], state["onset"]
    disruption = onset + state["length"]
    limited = onset <= plan["end"]  # once the edge collapses, nothing but the disruption ends it
    inside = time <= np.where(limited, disruption, plan["end"])[:, np.newaxis]
    phase = inside & (time >= onset[:, np.newaxis])
    counts = inside.sum(axis=1)
    truth = PlasmaTruth(
        limit=limit,
        build_up=build_up,
        lock=np.where(limited, onset + 0.8 * state["length"], np.nan),
        load=state["load"][inside],
        impurity=state["impurity"][inside],
        greenwald_fraction=state["fraction"][inside],
    )
    columns = {name: seen[name][inside] for name in seen}
    columns["discharge_ID"] = np.repeat(np.arange(len(counts)) + 1, counts)
    columns["time"] = np.round(np.broadcast_to(time, inside.shape)[inside], 6)
    columns["density_limit_phase"] = phase[inside].astype(int)
    return Discharges(**columns, starts=np.cumsum(counts) - counts, units=dict(COLUMNS), truth=truth)
