"""Recurrent networks as dynamical systems: modes, time constants, echoes, gradients and fixed points.

Times are in the units of ``dt``: with ``dt`` in seconds, times are seconds and frequencies hertz.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import block_diag, hankel

from gatedrnn.fixed_points import FixedPoints, fixed_points
from gatedrnn.jacobians import gradient_bound, gradient_norms, jacobians, lyapunov_exponents

__all__ = [
    "Eigenmodes",
    "FixedPoints",
    "Realisation",
    "eigenmodes",
    "fixed_points",
    "forget_gate",
    "gradient_bound",
    "gradient_norms",
    "impulse_response",
    "jacobians",
    "lyapunov_exponents",
    "realise",
    "time_constant",
    "with_modes",
]


class Eigenmodes(NamedTuple):
    """The temporal modes of a recurrent matrix, slowest first.

    Attributes
    ----------
    eigenvalues : (H,) complex array
        λ, sorted by falling |λ|; of a complex pair the one with positive imaginary part comes first.
    decay_time : (H,) array
        τ = −dt / ln|λ|: the mode shrinks by 1/e in this time. 0 for λ = 0 (gone after one step), infinite for
        |λ| = 1, negative for |λ| > 1, where −τ is the time in which the mode grows by e.
    frequency : (H,) array
        |∠λ| / (2π dt): 0 for positive λ, 1/(2 dt) (a sign change at every step) for negative λ.
    right : (H, H) complex array
        Columns v with W v = λ v: the pattern of activity in which the mode is seen. Unit length.
    left : (H, H) complex array
        Rows u with u W = λ u, scaled so that left @ right = 1: the pattern of input that excites the mode.
        All NaN if W is defective, that is, has too few independent eigenvectors to share activity out.
    """

    eigenvalues: np.ndarray
    decay_time: np.ndarray
    frequency: np.ndarray
    right: np.ndarray
    left: np.ndarray


def eigenmodes(W: np.ndarray, dt: float = 1.0) -> Eigenmodes:
    """Split h_t = W h_{t−1} into modes that each decay and turn on their own.

    Parameters
    ----------
    W : (H, H) array
        The recurrent matrix.
    dt : float
        The length of one step, in seconds (or any unit of time, which is then that of the answer).

    Returns
    -------
    Eigenmodes
        Eigenvalues, decay times, frequencies, right and left eigenvectors.

    Raises
    ------
    ValueError
        If W is not square, not finite, or dt not positive.

    Examples
    --------
    >>> modes = eigenmodes(np.diag([0.5, 0.99]), dt=0.01)
    >>> modes.decay_time.round(4)  # seconds
    array([0.995 , 0.0144])
    """
    W = _square(W)
    dt = _positive(dt, "dt")
    eigenvalues, right = np.linalg.eig(W)
    eigenvalues, right = eigenvalues.astype(complex), right.astype(complex)
    size = np.abs(eigenvalues).round(12)  # rounded, so that the two of a complex pair tie
    order = np.lexsort((-eigenvalues.imag, np.abs(np.angle(eigenvalues)).round(12), -size))
    eigenvalues, right = eigenvalues[order], right[:, order]
    frequency = np.abs(np.angle(eigenvalues)) / (2 * np.pi * dt)  # eq-modes
    defective = np.linalg.cond(right) > 1e12
    left = np.full_like(right, np.nan) if defective else np.linalg.inv(right)
    return Eigenmodes(eigenvalues, _decay_time(np.abs(eigenvalues), dt), frequency, right, left)


def time_constant(f, dt: float = 1.0):
    """Return τ = −dt / ln f, the time in which a memory kept with factor f per step falls to 1/e.

    Parameters
    ----------
    f : float or array
        What is kept in one step, between 0 (nothing: τ = 0) and 1 (everything: τ = ∞).
    dt : float
        The length of one step.

    Raises
    ------
    ValueError
        If a value of f lies outside [0, 1] or is NaN.

    Examples
    --------
    >>> round(float(time_constant(0.99)), 1)  # steps
    99.5
    """
    f = np.asarray(f, dtype=float)
    if not ((f >= 0) & (f <= 1)).all():
        raise ValueError(f"expected forget factors between 0 and 1, got {f}; pass the gate after its sigmoid")
    return _decay_time(f, _positive(dt, "dt"))


def forget_gate(tau, dt: float = 1.0):
    """Return f = exp(−dt / τ), the factor per step that gives a memory the time constant τ.

    The inverse of `time_constant`. Raises ValueError if a τ is negative or NaN.

    Examples
    --------
    >>> round(float(forget_gate(99.5)), 3)
    0.99
    """
    tau = np.asarray(tau, dtype=float)
    if not (tau >= 0).all():
        raise ValueError(f"expected time constants of 0 or more, got {tau}")
    with np.errstate(divide="ignore"):
        return np.exp(-_positive(dt, "dt") / tau)


def impulse_response(
    W: np.ndarray, U: np.ndarray, V: np.ndarray | None = None, steps: int = 50
) -> np.ndarray:
    """Return the echo of one pulse in a linear network: V Wᵏ U for k = 0 … steps − 1.

    Parameters
    ----------
    W : (H, H) array
        The recurrent matrix of h_t = W h_{t−1} + U x_t.
    U : (H, I) or (H,) array
        Input weights; a vector stands for a single input.
    V : (O, H) or (H,) array, optional
        Readout weights of y_t = V h_t. Left out, the state itself is returned.
    steps : int
        How many steps of the echo, the pulse's own step included.

    Returns
    -------
    (steps, O, I) array
        ``[k, o, i]`` is output o, k steps after a unit pulse at input i. A vector U or V drops its axis;
        without V, O is H.

    Raises
    ------
    ValueError
        If shapes do not fit or steps is not positive.

    Examples
    --------
    >>> impulse_response(np.array([[0.5]]), np.array([1.0]), np.array([2.0]), steps=4)
    array([2.  , 1.  , 0.5 , 0.25])
    """
    W, U = _square(W), np.asarray(U, dtype=float)
    V = None if V is None else np.asarray(V, dtype=float)
    if U.ndim not in (1, 2) or U.shape[0] != len(W):
        raise ValueError(
            f"expected U of shape ({len(W)}, I) or ({len(W)},) for W of shape {W.shape}, got {U.shape}"
        )
    if V is not None and (V.ndim not in (1, 2) or V.shape[-1] != len(W)):
        raise ValueError(
            f"expected V of shape (O, {len(W)}) or ({len(W)},) for W of shape {W.shape}, got {V.shape}"
        )
    if steps < 1:
        raise ValueError(f"expected at least one step, got {steps}")
    echo = [U]
    for _ in range(steps - 1):
        echo.append(W @ echo[-1])  # eq-echo
    return np.stack([h if V is None else V @ h for h in echo])


def with_modes(decay_time, frequency, dt: float = 1.0, rng: np.random.Generator | None = None) -> np.ndarray:
    """Return a recurrent matrix that has the modes asked for: the way back from `eigenmodes`.

    A mode of frequency 0 takes one unit, λ = exp(−dt/τ); any other takes two, which turn into each other as
    λ = exp(−dt/τ ± 2πi·frequency·dt). The modes stay perpendicular, so the matrix is normal.

    Parameters
    ----------
    decay_time, frequency : (M,) arrays
        τ > 0 and 0 ≤ frequency < 1/(2 dt) of each mode, in the units of dt.
    dt : float
        The length of one step.
    rng : Generator, optional
        Draws a random rotation that spreads every mode over all units. Left out, each mode keeps its own.

    Returns
    -------
    (H, H) array
        H counts one unit for each mode of frequency 0 and two for each other.

    Raises
    ------
    ValueError
        If the two lists differ in length or a value lies outside its range.

    Examples
    --------
    >>> eigenmodes(with_modes([0.3, 0.2], [0, 8], dt=0.005), dt=0.005).frequency.round(6)
    array([0., 8., 8.])
    """
    kept = forget_gate(decay_time, dt)
    frequency = np.asarray(frequency, dtype=float)
    if kept.ndim != 1 or kept.shape != frequency.shape or kept.size == 0:
        raise ValueError(
            f"expected as many decay times as frequencies, got shapes {kept.shape} and {frequency.shape}"
        )
    if not ((frequency >= 0) & (frequency < 0.5 / dt)).all():
        raise ValueError(f"expected frequencies from 0 to below 1/(2 dt) = {0.5 / dt:g}, got {frequency}")
    angle = 2 * np.pi * frequency * dt
    blocks = [
        f * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) if a else np.array([[f]])
        for f, a in zip(kept, angle, strict=True)
    ]
    W = block_diag(*blocks)
    if rng is None:
        return W
    rotation, _ = np.linalg.qr(rng.normal(size=W.shape))
    return rotation @ W @ rotation.T


class Realisation(NamedTuple):
    """A linear network h_t = W h_{t−1} + U x_t, y_t = V h_t, with W (H, H), U (H,) and V (H,)."""

    W: np.ndarray
    U: np.ndarray
    V: np.ndarray


def realise(echo: np.ndarray, hidden_size: int) -> Realisation:
    """Build a linear network of ``hidden_size`` units whose impulse response is close to ``echo``.

    The echo, shifted one step further in each row, is the Hankel matrix [y_{j+k}]: row by row, what the
    network will say, column by column, when the pulse came. Its rank is the number of units that are needed;
    its largest singular vectors are the best few to keep.

    Parameters
    ----------
    echo : (T,) array
        The answer y_0 … y_{T−1} to a unit pulse at step 0.
    hidden_size : int
        The number of units H, at most (T − 1) // 2.

    Returns
    -------
    Realisation
        W, U and V with V Wᵏ U ≈ y_k. Units that the echo does not need stay silent: their weights are 0.

    Raises
    ------
    ValueError
        If the echo is not a finite vector, or too short for the number of units.

    Notes
    -----
    Ho & Kalman, Regelungstechnik 14 (1966); with singular values, as Juang & Pappa, Journal of Guidance,
    Control, and Dynamics 8 (1985). The shortened network is close to the best one, not exactly it.

    Examples
    --------
    >>> network = realise(0.9 ** np.arange(20), hidden_size=1)
    >>> network.W.round(6)
    array([[0.9]])
    """
    echo = np.asarray(echo, dtype=float)
    if echo.ndim != 1 or not np.isfinite(echo).all():
        raise ValueError(f"expected an echo of shape (T,) without NaN, got shape {echo.shape}")
    half = len(echo) // 2
    if not 1 <= hidden_size <= (len(echo) - 1) // 2:
        raise ValueError(
            f"expected 1 to {(len(echo) - 1) // 2} units for {len(echo)} steps, got {hidden_size}"
        )
    now = hankel(echo[:half], echo[half - 1 : 2 * half - 1])
    later = hankel(echo[1 : half + 1], echo[half : 2 * half])  # the same, one step on
    left, size, right = np.linalg.svd(now)
    left, size, right = left[:, :hidden_size], size[:hidden_size], right[:hidden_size].T
    root = np.sqrt(np.where(size > size[0] * half * np.finfo(float).eps, size, 0.0))
    inverse = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
    W = (left * inverse).T @ later @ (right * inverse)
    return Realisation(W, (right * root)[0], (left * root)[0])


def _decay_time(size: np.ndarray, dt: float):
    """−dt / ln(size), with the limits: 0 at size 0, infinite where size is 1 to rounding."""
    with np.errstate(divide="ignore"):
        rate = -np.log(size) / dt  # eq-time-constant
        tau = 1 / np.where(np.abs(size - 1) < 8 * np.finfo(float).eps, 0.0, rate)
    return tau


def _square(W) -> np.ndarray:
    W = np.asarray(W)
    if W.ndim != 2 or W.shape[0] != W.shape[1] or W.size == 0:
        raise ValueError(f"expected a square recurrent matrix (H, H), got shape {W.shape}")
    if not np.isfinite(W).all():
        raise ValueError("the recurrent matrix holds NaN or infinity; did training diverge?")
    return W


def _positive(value: float, name: str) -> float:
    if not value > 0:
        raise ValueError(f"expected a positive {name}, got {value}")
    return value
