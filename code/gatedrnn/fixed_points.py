"""Where a network stands still, or nearly: its fixed and slow points, and the linear network around each.

Part of `gatedrnn.dynamics`, which offers all of it.
"""

from typing import NamedTuple

import numpy as np

from gatedrnn.cells import STATES, STEPS, Parameters, run
from gatedrnn.jacobians import jacobians


class FixedPoints(NamedTuple):
    """Points where a network moves little under a constant input, slowest first.

    Attributes
    ----------
    states : (N, S) array
        h, or h and then c for an LSTM.
    speeds : (N,) array
        ‖F(s) − s‖, how far one step moves the point. Rounding-small for a fixed point; small against the
        size of the states for a slow one.
    jacobians : (N, S, S) array
        ∂F/∂s at each point.
    eigenvalues : (N, S) complex array
        Of each Jacobian, largest first. All inside the unit circle: pushes die out, the point attracts.
    """

    states: np.ndarray
    speeds: np.ndarray
    jacobians: np.ndarray
    eigenvalues: np.ndarray

    @property
    def stable(self) -> np.ndarray:
        """Which points attract all that starts near them: (N,) of bool."""
        return np.abs(self.eigenvalues).max(axis=1) < 1


def fixed_points(
    parameters: Parameters,
    starts: np.ndarray,
    x: np.ndarray | None = None,
    *,
    iterations: int = 200,
    slow: float = 1e-3,
    apart: float = 1e-4,
) -> FixedPoints:
    """Search for fixed and slow points from many starting points at once.

    Each start s walks to a minimum of q(s) = ½‖F(s) − s‖², where F is one step of the network under the
    input x. Walks that end faster than ``slow`` are dropped; of walks that end at one place the slowest
    stays.

    Parameters
    ----------
    parameters : Parameters
        The network: a tanh RNN, a GRU or an LSTM.
    starts : (N, S) array, or the states of a run
        Where to start; best from states that the network visits. S is H, or 2H (h and then c) for an LSTM.
        ``trace.states`` of `gatedrnn.cells.run` will do as it is.
    x : (I,) array, optional
        The constant input; left out, zero.
    iterations : int
        At most so many steps of each walk.
    slow : float
        The largest speed of a point that is kept.
    apart : float
        Points closer than this are one.

    Returns
    -------
    FixedPoints
        The points, their speeds and their linearisations; possibly none.

    Raises
    ------
    ValueError
        If starts or x do not fit the network.

    Notes
    -----
    Sussillo & Barak, "Opening the black box", Neural Computation 25 (2013). They descend the gradient of q;
    here each walk takes damped Newton steps (Levenberg–Marquardt), which need the Jacobian that is wanted
    anyway.

    Examples
    --------
    >>> one_unit = Parameters(np.ones((1, 1)), np.full((1, 1), 2.0), np.zeros(1), np.zeros(1))
    >>> points = fixed_points(one_unit, np.linspace(-1, 1, 9)[:, None])
    >>> np.sort(points.states[:, 0]).round(4) + 0.0  # h = tanh 2h
    array([-0.9575,  0.    ,  0.9575])
    >>> points.stable.sum()
    np.int64(2)
    """
    states = _as_vectors(parameters, starts)
    x = np.zeros(parameters.weight_ih.shape[1]) if x is None else np.asarray(x, dtype=float)
    if x.shape != parameters.weight_ih.shape[1:]:
        raise ValueError(f"expected one input of shape {parameters.weight_ih.shape[1:]}, got {x.shape}")
    states = _walk(parameters, states, x, iterations)
    moves, slopes = _step(parameters, states, x)
    speeds = np.linalg.norm(moves, axis=1)
    kept = _slowest_of_each_place(states, speeds, slow, apart)
    eigenvalues = np.linalg.eigvals(slopes[kept]).astype(complex).reshape(len(kept), states.shape[1])
    order = np.argsort(-np.abs(eigenvalues), axis=1)
    return FixedPoints(
        states[kept], speeds[kept], slopes[kept], np.take_along_axis(eigenvalues, order, axis=1)
    )


def _walk(parameters: Parameters, states: np.ndarray, x: np.ndarray, iterations: int) -> np.ndarray:
    """Take damped Newton steps; each walk has its own damping, larger after a step that did not help."""
    damping = np.ones(len(states))
    moves, slopes = _step(parameters, states, x)
    identity = np.eye(states.shape[1])
    for _ in range(iterations):
        A = slopes - identity  # of F(s) − s
        normal = A.transpose(0, 2, 1) @ A + damping[:, None, None] * identity
        tried = states - np.linalg.solve(normal, A.transpose(0, 2, 1) @ moves[..., None])[..., 0]
        new_moves, new_slopes = _step(parameters, tried, x)
        better = np.linalg.norm(new_moves, axis=1) < np.linalg.norm(moves, axis=1)
        states = np.where(better[:, None], tried, states)
        moves = np.where(better[:, None], new_moves, moves)
        slopes = np.where(better[:, None, None], new_slopes, slopes)
        damping = np.clip(np.where(better, damping / 10, damping * 4), 1e-15, 1e15)
        if (np.abs(moves).max(axis=1) < 1e-14).all() or (damping >= 1e15).all():
            break
    return states


def _step(parameters: Parameters, states: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return F(s) − s and ∂F/∂s for all points at once."""
    cell = parameters.cell
    state = STATES[cell](*np.split(states, len(STATES[cell]._fields), axis=1))
    trace = run(STEPS[cell], np.broadcast_to(x, (1, len(states), len(x))), state, parameters)
    return np.concatenate(trace.state, axis=1) - states, jacobians(state, parameters, trace)[0]


def _slowest_of_each_place(states, speeds, slow: float, apart: float) -> list[int]:
    kept = []
    for candidate in np.argsort(speeds):
        if speeds[candidate] <= slow and all(
            np.linalg.norm(states[candidate] - states[other]) >= apart for other in kept
        ):
            kept.append(candidate)
    return kept


def _as_vectors(parameters: Parameters, starts) -> np.ndarray:
    """Lay out starting points as (N, S)."""
    hidden_size = parameters.weight_hh.shape[1]
    parts = len(STATES[parameters.cell]._fields)
    if isinstance(starts, tuple):
        starts = np.concatenate([np.reshape(part, (-1, np.shape(part)[-1])) for part in starts], axis=1)
    starts = np.array(starts, dtype=float)
    if starts.ndim != 2 or starts.shape[1] != parts * hidden_size or len(starts) == 0:
        raise ValueError(
            f"expected starting points of shape (N, {parts * hidden_size}) "
            f"for this {parameters.cell.upper()}, got {starts.shape}"
        )
    if not np.isfinite(starts).all():
        raise ValueError("the starting points hold NaN or infinity")
    return starts
