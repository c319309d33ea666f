"""Deconvolution with non-negative spikes: the decay is known, the jumps are sought."""

import numpy as np


def deconvolve(light: np.ndarray, kept: float, penalty: float = 0.0) -> np.ndarray:
    """Jumps s ≥ 0 whose decaying sum c explains the light best.

    Minimises ½ Σ (c_t − F_t)² + penalty · Σ s_t with c_t = kept · c_{t−1} + s_t and s_t ≥ 0, exactly.

    Parameters
    ----------
    light : ndarray, shape (n_bins,)
        F, with rest at 0.
    kept : float
        γ, what a bin keeps of the bin before, in (0, 1): exp(−bin width / decay).
    penalty : float
        λ ≥ 0, in units of the light.

    Returns
    -------
    ndarray, shape (n_bins,)
        s. The first bin also carries whatever was there before the recording began.

    Notes
    -----
    The method is that of Friedrich, Zhou & Paninski, PLoS Computational Biology 13 (2017) e1005423, section
    "AR(1)". Without s ≥ 0 the answer were F itself, less a constant. Walk through time and keep *pools*, runs
    of bins between two jumps, in which c decays freely. If a pool would begin below the end of the one
    before, the jump between them would be negative: merge the two. Every bin is merged at most once, so the
    time is linear.

    Examples
    --------
    >>> jumps = np.zeros(8)
    >>> jumps[[1, 5]] = 1.0, 2.0
    >>> light = [sum(s * 0.9 ** (t - k) for k, s in enumerate(jumps) if k <= t) for t in range(8)]
    >>> deconvolve(np.array(light), kept=0.9).round(6).tolist() == jumps.tolist()
    True
    """
    light = np.asarray(light, dtype=float)
    if light.ndim != 1 or not 0 < kept < 1 or penalty < 0:
        raise ValueError(
            f"expected light in one row, 0 < kept < 1 and penalty ≥ 0, got {light.shape}, {kept}, {penalty}."
        )
    target = light - penalty * (1 - kept)  # Σ s = (1 − kept) Σ c, but for the last bin, which keeps all
    target[-1:] -= penalty * kept
    pools = []  # of [value at the start, weight, first bin, length]
    for t, value in enumerate(target.tolist()):
        pools.append([value, 1.0, t, 1])
        while len(pools) > 1 and pools[-1][0] < pools[-2][0] * kept ** pools[-2][3]:
            value, weight, _, length = pools.pop()
            before = pools[-1]
            faded = kept ** before[3]
            total = before[1] + faded**2 * weight
            before[0] = (before[1] * before[0] + faded * weight * value) / total
            before[1], before[3] = total, before[3] + length
    calcium = np.zeros(len(light))
    for value, _, first, length in pools:
        calcium[first : first + length] = max(value, 0.0) * kept ** np.arange(length)
    jumps = calcium.copy()
    jumps[1:] -= kept * calcium[:-1]
    return np.maximum(jumps, 0.0)
