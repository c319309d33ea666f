"""Counting the arithmetic of a step by watching it, instead of trusting a formula."""

from collections import Counter

import numpy as np

CURVES = ("expit", "tanh", "exp", "log")


def operations(step, x: np.ndarray, state, parameters) -> Counter:
    """Run one step of a cell and count what NumPy was asked to do.

    Parameters
    ----------
    step : function
        A step of `gatedrnn.cells`, or one with the same call.
    x, state, parameters
        What the step takes.

    Returns
    -------
    Counter
        ``"multiply-adds"``: one for each product of a weight with a number. ``"curves"``: sigmoids and
        hyperbolic tangents. ``"element-wise"``: sums, differences and products of single numbers.

    Examples
    --------
    >>> from gatedrnn.cells import Parameters, initial_state, rnn_step
    >>> parameters = Parameters.initial("rnn", input_size=3, hidden_size=5, rng=np.random.default_rng(0))
    >>> dict(operations(rnn_step, np.ones(3), initial_state("rnn", 5), parameters))
    {'multiply-adds': 40, 'element-wise': 15, 'curves': 5}
    """
    tally = Counter()

    class Watched(np.ndarray):
        """An array that reports every operation on it."""

        def __array_ufunc__(self, ufunc, method, *inputs, **settings):
            plain = [part.view(np.ndarray) if isinstance(part, Watched) else part for part in inputs]
            result = getattr(ufunc, method)(*plain, **settings)
            if ufunc is np.matmul:
                tally["multiply-adds"] += result.size * plain[0].shape[-1]
            elif np.asarray(result).dtype.kind == "f":  # comparisons are checks, not part of the equations
                tally["curves" if ufunc.__name__ in CURVES else "element-wise"] += np.size(result)
            return np.asarray(result).view(Watched)

    def watch(parts):
        return type(parts)(*(np.asarray(part).view(Watched) for part in parts))

    step(np.asarray(x).view(Watched), watch(state), watch(parameters))
    return tally
