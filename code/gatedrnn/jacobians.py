"""How a small push of the state travels from step to step: Jacobians of a run, their products and growth.

Part of `gatedrnn.dynamics`, which offers all of it.
"""

import numpy as np

from gatedrnn.cells import STATES, Parameters, Trace, initial_state


def jacobians(state, parameters: Parameters, trace: Trace, nonlinearity: str = "tanh") -> np.ndarray:
    """Return ∂(state after)/∂(state before) of every step of a run, from the equations.

    Parameters
    ----------
    state : RNNState, LSTMState or GRUState, or None
        The state before the first step; None stands for zeros.
    parameters : Parameters
        The weights of the run.
    trace : Trace
        What `gatedrnn.cells.run` returned.
    nonlinearity : {"tanh", "relu"}
        φ of an RNN.

    Returns
    -------
    (T, ..., S, S) array
        Row a, column b: how entry a of the state after the step follows entry b of the state before. The
        state of RNN and GRU is h, S = H; that of the LSTM is h and then c, S = 2H, so that ``[..., H:,
        H:]`` is the direct path from c to c, diag(f).

    Raises
    ------
    ValueError
        If trace, state and parameters are not of the same cell.

    Examples
    --------
    >>> from gatedrnn import cells
    >>> parameters = cells.Parameters(np.eye(2), np.diag([0.5, 2.0]), np.zeros(2), np.zeros(2))
    >>> trace = cells.run(cells.rnn_step, np.zeros((3, 2)), None, parameters)
    >>> jacobians(None, parameters, trace)[0]  # at rest the slope of tanh is 1
    array([[0.5, 0. ],
           [0. , 2. ]])
    """
    cell = parameters.cell
    if type(trace.states) is not STATES[cell]:
        raise ValueError(
            f"expected the trace of a run with these {cell.upper()} weights, "
            f"got one with {type(trace.states).__name__}"
        )
    if state is None:
        shape = trace.outputs.shape[1:]
        state = initial_state(cell, shape[-1], shape[:-1], trace.outputs.dtype)
    before = type(state)(
        *(np.concatenate([part[None], parts[:-1]]) for part, parts in zip(state, trace.states, strict=True))
    )
    if cell == "rnn":
        return _rnn(trace, parameters, nonlinearity)
    return (_lstm if cell == "lstm" else _gru)(before, trace, parameters)


def _rnn(trace: Trace, parameters: Parameters, nonlinearity: str) -> np.ndarray:
    h, a = trace.outputs, trace.gates.preactivation
    slope = 1 - h**2 if nonlinearity == "tanh" else (a > 0).astype(h.dtype)
    return slope[..., None] * parameters.weight_hh  # eq-jacobian-product


def _lstm(before, trace: Trace, parameters: Parameters) -> np.ndarray:
    i, f, g, o = (gate[..., None] for gate in trace.gates)
    U_i, U_f, U_g, U_o = np.split(parameters.weight_hh, 4)
    c_prev, squashed = before.cell[..., None], np.tanh(trace.states.cell)[..., None]
    c_by_c = f * np.eye(len(U_i))  # eq-lstm-cell
    c_by_h = g * i * (1 - i) * U_i + c_prev * f * (1 - f) * U_f + i * (1 - g**2) * U_g  # eq-lstm-cell
    h_by_c = o * (1 - squashed**2) * c_by_c  # eq-lstm-hidden
    h_by_h = o * (1 - squashed**2) * c_by_h + squashed * o * (1 - o) * U_o  # eq-lstm-hidden
    return np.block([[h_by_h, h_by_c], [c_by_h, c_by_c]])


def _gru(before, trace: Trace, parameters: Parameters) -> np.ndarray:
    r, z, n = (gate[..., None] for gate in trace.gates)
    U_r, U_z, U_n = np.split(parameters.weight_hh, 3)
    h_prev = before.hidden[..., None]
    m = (before.hidden @ U_n.T + np.split(parameters.bias_hh, 3)[2])[..., None]
    n_by_h = (1 - n**2) * (r * U_n + m * r * (1 - r) * U_r)  # eq-gru-new
    return z * np.eye(len(U_r)) + (1 - z) * n_by_h + (h_prev - n) * z * (1 - z) * U_z  # eq-gru-hidden


def gradient_norms(jacobians: np.ndarray, direction: np.ndarray | None = None) -> np.ndarray:
    """Return how large a gradient is after k steps on its way back, for k = 0 … T.

    Parameters
    ----------
    jacobians : (T, ..., S, S) array
        Of each step, in the order of time.
    direction : (S,) or (..., S) array, optional
        dL/d(last state). Left out, the largest gradient that any direction of length 1 can leave.

    Returns
    -------
    (T + 1, ...) array
        ‖J_T ⋯ J_{T−k+1}‖₂, or with a direction u the length of uᵀ J_T ⋯ J_{T−k+1}.

    Raises
    ------
    ValueError
        If the matrices are not square or the direction does not fit.
    """
    jacobians = _matrices(jacobians)
    size = jacobians.shape[-1]
    if direction is None:
        product = np.broadcast_to(np.eye(size), jacobians.shape[1:])
    else:
        if np.shape(direction)[-1:] != (size,):
            raise ValueError(f"expected a direction of {size} entries, got shape {np.shape(direction)}")
        product = np.broadcast_to(direction, jacobians.shape[1:-1])[..., None, :]
    norms = [np.linalg.norm(product, 2, axis=(-2, -1))]
    for jacobian in jacobians[::-1]:
        product = product @ jacobian  # eq-jacobian-product
        norms.append(np.linalg.norm(product, 2, axis=(-2, -1)))
    return np.stack(norms)


def gradient_bound(W: np.ndarray, steps: int, slope: float = 1.0) -> np.ndarray:
    """Return (slope · ‖W‖₂)^k for k = 0 … steps: no gradient through a plain RNN can be larger.

    Parameters
    ----------
    W : (H, H) array
        The recurrent matrix.
    steps : int
        How many steps back.
    slope : float
        The largest |φ′|: 1 for tanh and relu.

    Returns
    -------
    (steps + 1,) array
        It uses the spectral norm of W, its largest stretch in one step. The spectral radius, its largest
        eigenvalue, gives no bound unless W is normal.

    Notes
    -----
    Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks" (2013), section 2.1.
    """
    if steps < 0:
        raise ValueError(f"expected 0 steps or more, got {steps}")
    W = _matrices(np.asarray(W)[None])[0]
    return (slope * np.linalg.norm(W, 2)) ** np.arange(steps + 1)  # eq-bound


def lyapunov_exponents(jacobians: np.ndarray, dt: float = 1.0) -> np.ndarray:
    """Return the average growth rate of small pushes along a run, one for each dimension, fastest first.

    Parameters
    ----------
    jacobians : (T, ..., S, S) array
        Of each step, in the order of time.
    dt : float
        The length of one step.

    Returns
    -------
    (..., S) array
        Per unit of time: a push in that direction grows like exp(rate · time). Above 0 the run is chaotic,
        or not at an attractor yet; below 0 pushes die out. −∞ if a direction is lost altogether.

    Notes
    -----
    Benettin et al., Meccanica 15 (1980): pushes are kept apart by a QR decomposition at each step. It is a
    finite-time estimate; give it the part of a run after the start has been forgotten.

    Examples
    --------
    >>> lyapunov_exponents(np.broadcast_to(np.diag([0.5, 2.0]), (40, 2, 2))).round(6)
    array([ 0.693147, -0.693147])
    """
    jacobians = _matrices(jacobians)
    if not dt > 0:
        raise ValueError(f"expected a positive dt, got {dt}")
    pushes = np.broadcast_to(np.eye(jacobians.shape[-1]), jacobians.shape[1:])
    growth = 0.0
    for jacobian in jacobians:
        pushes, stretch = np.linalg.qr(jacobian @ pushes)
        with np.errstate(divide="ignore"):
            growth = growth + np.log(np.abs(np.diagonal(stretch, axis1=-2, axis2=-1)))
    return -np.sort(-growth / (len(jacobians) * dt), axis=-1)


def _matrices(jacobians) -> np.ndarray:
    jacobians = np.asarray(jacobians)
    if jacobians.ndim < 3 or jacobians.shape[-1] != jacobians.shape[-2] or len(jacobians) == 0:
        raise ValueError(
            f"expected square matrices (T, ..., S, S), at least one, got shape {jacobians.shape}"
        )
    if not np.isfinite(jacobians).all():
        raise ValueError("the matrices hold NaN or infinity; did the run diverge?")
    return jacobians
