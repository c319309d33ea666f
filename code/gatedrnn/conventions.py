"""One cell in many notations: converters between this package and flax, haiku, equinox and the papers.

`gatedrnn.cells` and ``torch.nn`` share one layout, `Parameters`. Each ``to_…`` gives the same weights in
another library's layout, as NumPy arrays, and each ``from_…`` takes them back. What was read is flax.linen's
``LSTMCell``, ``OptimizedLSTMCell`` and ``GRUCell``, haiku's ``LSTM`` and ``GRU``, and equinox's ``LSTMCell``
and ``GRUCell``. None of the libraries is needed here.

A converted cell computes the same numbers. Only how a bias is split over the two that torch keeps is lost,
because nobody else keeps two of them.

Examples
--------
>>> rng = np.random.default_rng(0)
>>> weights = to_haiku(Parameters.initial("lstm", input_size=3, hidden_size=5, rng=rng))
>>> weights["linear"]["w"].shape
(8, 20)
"""

import numpy as np

from gatedrnn.cells import GRUGates, GRUState, LSTMState, Parameters, gru_step

ORDER = {
    "torch": {"lstm": "ifgo", "gru": "rzn"},
    "equinox": {"lstm": "ifgo", "gru": "rzn"},
    "flax": {"lstm": "ifgo", "gru": "rzn"},
    "haiku": {"lstm": "igfo", "gru": "zrn"},
}
"""The order in which each stacks its gates: input, forget, g (candidate), output; reset, z (update), new."""

RESET = {"torch": "after", "flax": "after", "equinox": "after", "haiku": "before"}
"""Whether the reset gate is applied before or after the product with the recurrent matrix."""

HAIKU_FORGET_BIAS = 1.0
"""What haiku's LSTM adds to the drive of its forget gate, beside the bias that it stores."""

FLAX_INPUT, FLAX_HIDDEN = "i", "h"  # flax names a matrix by where it comes from and the gate it goes to


def gru_step_reset_before(x: np.ndarray, state: GRUState, parameters: Parameters):
    """One step of the GRU as published: the reset gate is applied before the recurrent product.

    n = tanh(W_n x + b + U_n (r ⊙ h_prev) + b') instead of tanh(W_n x + b + r ⊙ (U_n h_prev + b')); all else
    is `gatedrnn.cells.gru_step`, with the same parameters, returns and errors.

    Notes
    -----
    Cho et al., EMNLP (2014), equation 8, with biases, which the paper leaves out; haiku's ``GRU``.
    """
    _, gates = gru_step(x, state, parameters)
    size = parameters.weight_hh.shape[1]
    into_new = [part[2 * size :] for part in parameters]
    drive = x @ into_new[0].T + into_new[2] + (gates.reset * state.hidden) @ into_new[1].T + into_new[3]
    new = np.tanh(drive)
    hidden = (1 - gates.update) * new + gates.update * state.hidden
    return GRUState(hidden), GRUGates(gates.reset, gates.update, new)


def flip_update(parameters: Parameters) -> Parameters:
    """Turn z around: weights for which z means "keep" into weights for which it means "update", and back.

    Since 1 − σ(a) = σ(−a), the rows of the update gate change their sign and nothing else does.
    """
    _cell(parameters, only="gru")
    size = parameters.weight_hh.shape[1]
    flipped = [part.copy() for part in parameters]
    for part in flipped:
        part[size : 2 * size] *= -1
    return Parameters(*flipped)


def to_flax(parameters: Parameters, reset: str = "after") -> dict[str, dict[str, np.ndarray]]:
    """Return the ``params`` of flax.linen's LSTMCell, OptimizedLSTMCell or GRUCell.

    Parameters
    ----------
    parameters : Parameters
        Of an LSTM or a GRU.
    reset : {"after", "before"}
        The GRU that the weights belong to: `gatedrnn.cells.gru_step` or `gru_step_reset_before`.

    Returns
    -------
    dict
        One entry per matrix, ``"ii"``, ``"hi"`` and so on, each with a ``"kernel"`` (inputs, H) and, where
        flax has one, a ``"bias"`` (H,).

    Raises
    ------
    ValueError
        For a plain RNN, or for a GRU whose reset gate sits where flax's does not.
    """
    cell = _cell(parameters)
    _same_reset(cell, parameters, reset, "flax")
    params = {}
    for gate, (w, u, b, b_hidden) in _blocks(parameters, ORDER["flax"][cell]).items():
        params[FLAX_INPUT + gate], params[FLAX_HIDDEN + gate] = {"kernel": w.T}, {"kernel": u.T}
        if cell == "lstm":
            params[FLAX_HIDDEN + gate]["bias"] = b + b_hidden
        elif gate == "n":
            params["in"]["bias"], params["hn"]["bias"] = b, b_hidden
        else:
            params[FLAX_INPUT + gate]["bias"] = b + b_hidden
    return params


def from_flax(params: dict) -> Parameters:
    """Take the ``params`` of flax.linen's LSTMCell, OptimizedLSTMCell or GRUCell."""
    cell = "lstm" if "hf" in params else "gru"
    blocks = {}
    for gate in ORDER["flax"][cell]:
        into, back = _entry(params, FLAX_INPUT + gate), _entry(params, FLAX_HIDDEN + gate)
        zeros = np.zeros(np.shape(back["kernel"])[1])
        blocks[gate] = (
            np.transpose(into["kernel"]),
            np.transpose(back["kernel"]),
            into.get("bias", zeros),
            back.get("bias", zeros),
        )
    return _joined(blocks, cell)


def to_equinox(parameters: Parameters, reset: str = "after") -> dict[str, np.ndarray]:
    """Return the arrays of equinox's LSTMCell or GRUCell; parameters and errors are those of `to_flax`.

    Returns
    -------
    dict
        ``weight_ih``, ``weight_hh`` and ``bias``, in torch's layout, and for a GRU ``bias_n`` (H,).
    """
    cell = _cell(parameters)
    _same_reset(cell, parameters, reset, "equinox")
    weight_ih, weight_hh, bias_ih, bias_hh = parameters
    if cell == "lstm":
        return {"weight_ih": weight_ih, "weight_hh": weight_hh, "bias": bias_ih + bias_hh}
    gates = 2 * weight_hh.shape[1]  # reset and update: one bias does
    bias = np.concatenate([(bias_ih + bias_hh)[:gates], bias_ih[gates:]])
    return {"weight_ih": weight_ih, "weight_hh": weight_hh, "bias": bias, "bias_n": bias_hh[gates:]}


def from_equinox(arrays: dict) -> Parameters:
    """Take the arrays of equinox's LSTMCell or GRUCell, by the names of its fields."""
    weight_ih, weight_hh, bias = (
        np.asarray(_entry(arrays, name)) for name in ("weight_ih", "weight_hh", "bias")
    )
    bias_hh = np.zeros_like(bias)
    if "bias_n" in arrays:
        bias_hh[2 * weight_hh.shape[1] :] = arrays["bias_n"]
    return Parameters(weight_ih, weight_hh, bias, bias_hh)


def to_haiku(parameters: Parameters, reset: str = "after") -> dict:
    """Return the parameters of haiku's LSTM or GRU; parameters and errors are those of `to_flax`.

    Returns
    -------
    dict
        LSTM: ``{"linear": {"w": (I + H, 4H), "b": (4H,)}}``, gates in the order i, g, f, o and 1 less on the
        forget bias, because haiku adds 1 at every step. GRU: ``w_i`` (I, 3H), ``w_h`` (H, 3H), ``b`` (3H,),
        in the order z, r, n, where z means "update".

    Notes
    -----
    haiku's GRU resets before the recurrent product. Weights of `gatedrnn.cells.gru_step` have no counterpart
    there, unless the recurrent matrix of the candidate is diagonal and its bias zero.
    """
    cell = _cell(parameters)
    _same_reset(cell, parameters, reset, "haiku")
    parameters = flip_update(parameters) if cell == "gru" else parameters
    blocks = _blocks(parameters, ORDER["torch"][cell])
    w, u, b, b_hidden = (
        np.concatenate(part) for part in zip(*(blocks[g] for g in ORDER["haiku"][cell]), strict=True)
    )
    if cell == "gru":
        return {"w_i": w.T, "w_h": u.T, "b": b + b_hidden}
    return {"linear": {"w": np.concatenate([w, u], axis=1).T, "b": b + b_hidden - _forget_bias(len(b))}}


def from_haiku(params: dict) -> Parameters:
    """Take the parameters of haiku's LSTM, or of its GRU, to be run with `gru_step_reset_before`."""
    if "linear" in params:
        w, b = (np.asarray(params["linear"][name]) for name in ("w", "b"))
        inputs = len(w) - len(b) // 4
        w, u, b, cell = w[:inputs].T, w[inputs:].T, b + _forget_bias(len(b)), "lstm"
    else:
        w, u, b = (np.asarray(_entry(params, name)).T for name in ("w_i", "w_h", "b"))
        cell = "gru"
    taken = Parameters(w, u, b, np.zeros_like(b))
    taken = _joined(_blocks(taken, ORDER["haiku"][cell]), cell)
    return flip_update(taken) if cell == "gru" else taken


def from_paper(weights: dict[str, np.ndarray], paper: str) -> Parameters:
    """Take the matrices of a GRU as a paper writes them, to be run with `gru_step_reset_before`.

    Parameters
    ----------
    weights : dict
        ``W_r``, ``W_z``, ``W`` (H, I) from the input, ``U_r``, ``U_z``, ``U`` (H, H) from the state. The
        papers print no biases.
    paper : {"cho2014", "chung2014"}
        In Cho et al. (EMNLP 2014) z means "keep", in Chung et al. (arXiv:1412.3555) "update".
    """
    if paper not in ("cho2014", "chung2014"):
        raise ValueError(f'expected the paper "cho2014" or "chung2014", got {paper!r}')
    names = ("_r", "_z", "")
    w, u = (np.concatenate([_entry(weights, letter + name) for name in names]) for letter in "WU")
    taken = Parameters(w, u, np.zeros(len(w)), np.zeros(len(w)))
    return flip_update(taken) if paper == "chung2014" else taken


def from_hochreiter1997(weights: dict[str, np.ndarray]) -> Parameters:
    """Take an LSTM as of 1997: no forget gate, and sigmoids stretched to (−2, 2) and (−1, 1) instead of tanh.

    The state of the original is s = 2 c. With g(a) = 4σ(a) − 2 = 2 tanh(a/2) and h(s) = 2σ(s) − 1 =
    tanh(s/2), its s = s_prev + y_in g(a) and y = y_out h(s) become c = c_prev + i tanh(a/2) and
    h = o tanh(c).

    Parameters
    ----------
    weights : dict
        ``W_in``, ``W_c``, ``W_out`` (H, I) and ``U_in``, ``U_c``, ``U_out`` (H, H).

    Returns
    -------
    Parameters
        With a forget bias of infinity, which keeps the forget gate at exactly 1.

    Notes
    -----
    Hochreiter & Schmidhuber, Neural Computation 9 (1997), sections 4 and 5, with one cell to a memory block
    and the gates wired as they are today.
    """
    w, u = (
        {gate: np.asarray(_entry(weights, f"{letter}_{gate}")) for gate in ("in", "c", "out")}
        for letter in "WU"
    )
    closed = [np.concatenate([m["in"], 0 * m["in"], m["c"] / 2, m["out"]]) for m in (w, u)]
    size = len(u["c"])
    bias = np.concatenate([np.zeros(size), np.full(size, np.inf), np.zeros(2 * size)])
    return Parameters(*closed, bias, np.zeros(4 * size))


def to_flax_carry(state: LSTMState) -> tuple[np.ndarray, np.ndarray]:
    """Return flax's carry (c, h): everybody else carries (h, c)."""
    return state.cell, state.hidden


def from_flax_carry(carry: tuple[np.ndarray, np.ndarray]) -> LSTMState:
    """Take flax's carry (c, h)."""
    cell, hidden = carry
    return LSTMState(hidden, cell)


def _cell(parameters: Parameters, only: str | None = None) -> str:
    cell = parameters.cell
    if cell == "rnn" or only not in (None, cell):
        raise ValueError(
            f"expected the parameters of {only or 'an LSTM or a GRU'}, got those of {cell.upper()}"
        )
    return cell


def _same_reset(cell: str, parameters: Parameters, reset: str, library: str) -> None:
    """Refuse a GRU that the library cannot compute with any weights."""
    if reset not in ("before", "after"):
        raise ValueError(f'expected reset="before" or reset="after", got {reset!r}')
    if cell == "lstm" or reset == RESET[library]:
        return
    size = parameters.weight_hh.shape[1]
    into_new, bias = parameters.weight_hh[2 * size :], parameters.bias_hh[2 * size :]
    if np.any(into_new - np.diag(np.diag(into_new))) or bias.any():
        raise ValueError(
            f"expected a GRU that resets {RESET[library]} the recurrent product, as {library} does, got one "
            f"that resets {reset} it; no weights make them equal unless the candidate's recurrent matrix is "
            "diagonal and its recurrent bias zero: train again, or keep the cell"
        )


def _blocks(parameters: Parameters, order: str) -> dict[str, tuple[np.ndarray, ...]]:
    """Cut stacked weights into gates: gate → (weight_ih, weight_hh, bias_ih, bias_hh)."""
    cut = [np.split(part, len(order)) for part in parameters]
    return {gate: tuple(part[i] for part in cut) for i, gate in enumerate(order)}


def _joined(blocks: dict, cell: str) -> Parameters:
    """Stack gates in torch's order."""
    ordered = [blocks[gate] for gate in ORDER["torch"][cell]]
    return Parameters(*(np.concatenate(part) for part in zip(*ordered, strict=True)))


def _forget_bias(length: int) -> np.ndarray:
    """Return what haiku adds, laid out over its four stacked gates."""
    added = np.zeros((4, length // 4))
    added[ORDER["haiku"]["lstm"].index("f")] = HAIKU_FORGET_BIAS
    return added.ravel()


def _entry(weights: dict, name: str):
    if name not in weights:
        raise ValueError(
            f"expected weights with an entry {name!r}, got {', '.join(map(str, weights)) or 'none'}"
        )
    return weights[name]
