"""The cells in equations: one step of an RNN, an LSTM and a GRU in NumPy, and how to run one over time.

This is the definition the book shows, line by line with the label of its equation, and the one everything
else in the package is tested against. Shapes, gate order and biases are torch's, so weights move both ways: a
parameter of a cell with G gates stacks them along its first axis, ``(G·H, I)`` or ``(G·H, H)``, in the order
*input, forget, candidate, output* (LSTM) and *reset, update, new* (GRU).

Examples
--------
>>> import numpy as np
>>> parameters = Parameters.initial("lstm", input_size=3, hidden_size=5, rng=np.random.default_rng(0))
>>> trace = run(lstm_step, np.ones((20, 3)), None, parameters)
>>> trace.outputs.shape, trace.gates.forget.shape, trace.state.cell.shape
((20, 5), (20, 5), (5,))
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit as sigmoid

GATES = {"rnn": 1, "lstm": 4, "gru": 3}  # blocks of H rows in each weight matrix


class RNNState(NamedTuple):
    """What an RNN remembers: ``hidden`` (..., H)."""

    hidden: np.ndarray


class LSTMState(NamedTuple):
    """What an LSTM remembers: ``hidden`` (..., H), which others see, and ``cell`` (..., H)."""

    hidden: np.ndarray
    cell: np.ndarray


class GRUState(NamedTuple):
    """What a GRU remembers: ``hidden`` (..., H)."""

    hidden: np.ndarray


class RNNGates(NamedTuple):
    """An RNN has no gate; its trace is the drive before the nonlinearity, (..., H)."""

    preactivation: np.ndarray


class LSTMGates(NamedTuple):
    """The four gates of an LSTM after their nonlinearity, each (..., H), in torch's order i, f, g, o."""

    input: np.ndarray
    forget: np.ndarray
    candidate: np.ndarray
    output: np.ndarray


class GRUGates(NamedTuple):
    """The three gates of a GRU after their nonlinearity, each (..., H), in torch's order r, z, n."""

    reset: np.ndarray
    update: np.ndarray
    new: np.ndarray


STATES = {"rnn": RNNState, "lstm": LSTMState, "gru": GRUState}
ACTIVATIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0)}


class Parameters(NamedTuple):
    """The weights and biases of one layer in one direction, in torch's layout (G gates, I inputs, H units).

    Attributes
    ----------
    weight_ih : (G·H, I) array
        From the input to each gate.
    weight_hh : (G·H, H) array
        From the hidden state of the step before to each gate.
    bias_ih, bias_hh : (G·H,) arrays
        Added to the two products. One would do, except in the GRU, whose reset gate scales only the second.
    """

    weight_ih: np.ndarray
    weight_hh: np.ndarray
    bias_ih: np.ndarray
    bias_hh: np.ndarray

    @property
    def cell(self) -> str:
        """Which cell these weights fit, read off their shape: ``"rnn"``, ``"lstm"`` or ``"gru"``."""
        rows, hidden_size = self.weight_hh.shape
        for name, gates in GATES.items():
            if rows == gates * hidden_size:
                return name
        raise ValueError(
            f"expected weight_hh of shape (G·H, H) with G = 1 (RNN), 3 (GRU) or 4 (LSTM) gates, "
            f"got {self.weight_hh.shape}; stack the gates along the first axis"
        )

    @classmethod
    def initial(
        cls, cell: str, input_size: int, hidden_size: int, rng: np.random.Generator, dtype=np.float64
    ) -> "Parameters":
        """Draw every number uniformly from ±1/√H, as torch does."""
        rows, bound = _gates(cell) * hidden_size, hidden_size**-0.5
        shapes = (rows, input_size), (rows, hidden_size), (rows,), (rows,)
        return cls(*(rng.uniform(-bound, bound, shape).astype(dtype) for shape in shapes))

    @classmethod
    def from_torch(cls, module: Any, layer: int = 0, reverse: bool = False) -> "Parameters":
        """Copy one layer, in one direction, out of a ``torch.nn`` or ``gatedrnn.layers`` module."""
        suffix = f"l{layer}_reverse" if reverse else f"l{layer}"
        held = {name: tensor.detach().cpu().numpy().copy() for name, tensor in module.named_parameters()}
        if f"weight_hh_{suffix}" not in held:
            raise ValueError(
                f"expected a module with weight_hh_{suffix}, got one that holds {', '.join(sorted(held))}; "
                "choose a layer and a direction that it has"
            )
        weight_ih, weight_hh = held[f"weight_ih_{suffix}"], held[f"weight_hh_{suffix}"]
        zeros = np.zeros(len(weight_hh), weight_hh.dtype)  # a module without biases has biases of zero
        return cls(
            weight_ih,
            weight_hh,
            held.get(f"bias_ih_{suffix}", zeros),
            held.get(f"bias_hh_{suffix}", zeros.copy()),
        )


def initial_state(cell: str, hidden_size: int, batch_shape: tuple[int, ...] = (), dtype=np.float64):
    """Return the state that has seen nothing: zeros of shape ``(*batch_shape, hidden_size)``."""
    _gates(cell)
    fields = STATES[cell]._fields
    return STATES[cell](*(np.zeros((*batch_shape, hidden_size), dtype) for _ in fields))


def rnn_step(
    x: np.ndarray, state: RNNState, parameters: Parameters, nonlinearity: str = "tanh"
) -> tuple[RNNState, RNNGates]:
    """One step of a plain recurrent network: h = φ(W x + b + U h_prev + b').

    Parameters
    ----------
    x : (..., I) array
        The input of this step; any axes before the last are batch axes.
    state : RNNState
        ``hidden`` (..., H) after the step before.
    parameters : Parameters
        W (H, I), U (H, H) and the two biases (H,).
    nonlinearity : {"tanh", "relu"}
        φ.

    Returns
    -------
    state : RNNState
        ``hidden`` (..., H) after this step.
    gates : RNNGates
        The drive before the nonlinearity.

    Raises
    ------
    ValueError
        If shapes or float types do not fit together; the sentence says which and what was expected.

    Notes
    -----
    Elman, "Finding structure in time", Cognitive Science 14 (1990), with torch's two biases.
    """
    _check_step("rnn", x, state, parameters)
    weight_ih, weight_hh, bias_ih, bias_hh = parameters
    preactivation = x @ weight_ih.T + bias_ih + state.hidden @ weight_hh.T + bias_hh  # eq-rnn-step
    hidden = _activation(nonlinearity)(preactivation)  # eq-rnn-step
    return RNNState(hidden), RNNGates(preactivation)


def lstm_step(x: np.ndarray, state: LSTMState, parameters: Parameters) -> tuple[LSTMState, LSTMGates]:
    """One step of long short-term memory: c = f ⊙ c_prev + i ⊙ g, h = o ⊙ tanh(c).

    Parameters
    ----------
    x : (..., I) array
        The input of this step; any axes before the last are batch axes.
    state : LSTMState
        ``hidden`` and ``cell``, each (..., H), after the step before.
    parameters : Parameters
        Four blocks of rows, for the gates i, f, g, o.

    Returns
    -------
    state : LSTMState
        ``hidden`` and ``cell``, each (..., H), after this step.
    gates : LSTMGates
        The gates i, f, o in (0, 1) and the candidate g in (−1, 1).

    Raises
    ------
    ValueError
        If shapes or float types do not fit together; the sentence says which and what was expected.

    Notes
    -----
    Hochreiter & Schmidhuber, Neural Computation 9 (1997); the forget gate is from Gers, Schmidhuber &
    Cummins, Neural Computation 12 (2000). No peephole connections, as in torch.
    """
    _check_step("lstm", x, state, parameters)
    weight_ih, weight_hh, bias_ih, bias_hh = parameters
    drive = x @ weight_ih.T + bias_ih + state.hidden @ weight_hh.T + bias_hh
    to_input, to_forget, to_candidate, to_output = np.split(drive, 4, axis=-1)
    input = sigmoid(to_input)  # eq-lstm-input
    forget = sigmoid(to_forget)  # eq-lstm-forget
    candidate = np.tanh(to_candidate)  # eq-lstm-candidate
    output = sigmoid(to_output)  # eq-lstm-output
    cell = forget * state.cell + input * candidate  # eq-lstm-cell
    hidden = output * np.tanh(cell)  # eq-lstm-hidden
    return LSTMState(hidden, cell), LSTMGates(input, forget, candidate, output)


def gru_step(x: np.ndarray, state: GRUState, parameters: Parameters) -> tuple[GRUState, GRUGates]:
    """One step of a gated recurrent unit: h = (1 − z) ⊙ n + z ⊙ h_prev.

    Parameters
    ----------
    x : (..., I) array
        The input of this step; any axes before the last are batch axes.
    state : GRUState
        ``hidden`` (..., H) after the step before.
    parameters : Parameters
        Three blocks of rows, for the gates r, z, n.

    Returns
    -------
    state : GRUState
        ``hidden`` (..., H) after this step.
    gates : GRUGates
        The gates r, z in (0, 1) and the new value n in (−1, 1).

    Raises
    ------
    ValueError
        If shapes or float types do not fit together; the sentence says which and what was expected.

    Notes
    -----
    Cho et al., EMNLP (2014), equations 5 to 8, with z = 1 meaning "keep". As in torch, the reset gate
    multiplies the recurrent product; in the paper it multiplies the state before the product.
    """
    _check_step("gru", x, state, parameters)
    weight_ih, weight_hh, bias_ih, bias_hh = parameters
    reset_x, update_x, new_x = np.split(x @ weight_ih.T + bias_ih, 3, axis=-1)
    reset_h, update_h, new_h = np.split(state.hidden @ weight_hh.T + bias_hh, 3, axis=-1)
    reset = sigmoid(reset_x + reset_h)  # eq-gru-reset
    update = sigmoid(update_x + update_h)  # eq-gru-update
    new = np.tanh(new_x + reset * new_h)  # eq-gru-new
    hidden = (1 - update) * new + update * state.hidden  # eq-gru-hidden
    return GRUState(hidden), GRUGates(reset, update, new)


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


class Trace(NamedTuple):
    """Everything a cell did over a sequence.

    Attributes
    ----------
    outputs : (T, ..., H) array
        The hidden state after every step.
    state : RNNState, LSTMState or GRUState
        The state after the last step, each field (..., H).
    states : the same tuple
        The state after every step, each field (T, ..., H).
    gates : RNNGates, LSTMGates or GRUGates
        Every gate at every step, each field (T, ..., H).
    """

    outputs: np.ndarray
    state: Any
    states: Any
    gates: Any


def run(step, inputs: np.ndarray, state, parameters: Parameters) -> Trace:
    """Apply ``step`` to each input in turn and keep what happened.

    Parameters
    ----------
    step : function
        ``rnn_step``, ``lstm_step``, ``gru_step`` or one with the same call and returns.
    inputs : (T, ..., I) array
        Time first, features last, batch axes between; at least one step, no NaN.
    state : RNNState, LSTMState or GRUState, or None
        The state before the first step; None stands for zeros.
    parameters : Parameters
        One layer, one direction.

    Returns
    -------
    Trace
        Outputs, final state, and the traces of states and gates.

    Raises
    ------
    ValueError
        If there is no time step, an input is NaN or infinite, or a shape does not fit.
    """
    inputs = np.asarray(inputs)
    _check_inputs(inputs)
    if state is None:
        dtype = parameters.weight_hh.dtype
        state = initial_state(parameters.cell, parameters.weight_hh.shape[1], inputs.shape[1:-1], dtype)
    states, gates = [], []
    for x in inputs:
        state, gate = step(x, state, parameters)
        states.append(state)
        gates.append(gate)
    states, gates = _stack(states), _stack(gates)
    return Trace(states.hidden, state, states, gates)


def _stack(tuples):
    """Turn a list over time of named tuples into one named tuple of arrays over time."""
    return type(tuples[0])(*(np.stack(values) for values in zip(*tuples, strict=True)))


def _gates(cell: str) -> int:
    if cell not in GATES:
        raise ValueError(f'expected the cell "rnn", "lstm" or "gru", got {cell!r}')
    return GATES[cell]


def _activation(nonlinearity: str):
    if nonlinearity not in ACTIVATIONS:
        raise ValueError(f'expected the nonlinearity "tanh" or "relu", got {nonlinearity!r}')
    return ACTIVATIONS[nonlinearity]


def _check_inputs(inputs: np.ndarray) -> None:
    if inputs.ndim < 2:
        raise ValueError(
            f"expected inputs of shape (T, ..., I), time first and features last, got {inputs.shape}; "
            "one feature still needs its axis: inputs[:, None]"
        )
    if len(inputs) == 0:
        raise ValueError(f"expected at least one time step, got inputs of shape {inputs.shape}")
    if not np.isfinite(inputs).all():
        step = int(np.argwhere(~np.isfinite(inputs))[0, 0])
        raise ValueError(
            f"inputs hold NaN or infinity, first at step {step}; fill in or cut out missing values"
        )


def _check_step(cell: str, x: np.ndarray, state, parameters: Parameters) -> None:
    """Say in words what does not fit, before NumPy says it in numbers."""
    rows, hidden_size = parameters.weight_hh.shape
    gates, input_size = GATES[cell], parameters.weight_ih.shape[-1]
    if rows != gates * hidden_size or parameters.weight_ih.shape[0] != rows:
        raise ValueError(
            f"expected {cell.upper()} weights weight_ih ({gates}·H, I) and weight_hh ({gates}·H, H), "
            f"got {parameters.weight_ih.shape} and {parameters.weight_hh.shape}"
        )
    if len(state) != len(STATES[cell]._fields):
        raise ValueError(f"expected {STATES[cell].__name__}{STATES[cell]._fields}, got {len(state)} arrays")
    if np.shape(x)[-1:] != (input_size,):
        raise ValueError(
            f"expected x of shape (..., {input_size}), the columns of weight_ih, got {np.shape(x)}"
        )
    for name, values in zip(STATES[cell]._fields, state, strict=True):
        if np.shape(values) != (*np.shape(x)[:-1], hidden_size):
            raise ValueError(
                f"expected state.{name} of shape {(*np.shape(x)[:-1], hidden_size)}, got {np.shape(values)}; "
                "state and input share their batch axes"
            )
    dtypes = {a.dtype.name for a in (np.asarray(x), *state, *parameters) if a.dtype.kind == "f"}
    if len(dtypes) > 1:
        raise ValueError(
            f"expected one float type for input, state and parameters, got {' and '.join(sorted(dtypes))}; "
            "convert them with astype"
        )
