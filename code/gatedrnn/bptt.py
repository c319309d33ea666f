"""Backpropagation through time by hand: the gradient of a loss with respect to everything a cell was given.

Each function walks back through what `gatedrnn.cells.run` did, one step at a time, and carries dL/dh (and
for the LSTM dL/dc) from each step to the one before. A name that begins with ``d_`` holds the gradient of
the loss L with respect to what follows; an array before a nonlinearity is called a (a_i for the input gate,
and so on).

Examples
--------
>>> import numpy as np
>>> from gatedrnn import cells
>>> rng = np.random.default_rng(0)
>>> parameters = cells.Parameters.initial("lstm", input_size=3, hidden_size=5, rng=rng)
>>> inputs = rng.normal(size=(20, 3))
>>> trace = cells.run(cells.lstm_step, inputs, None, parameters)
>>> d_outputs = 2 * trace.outputs  # of the loss L = Σ h²
>>> gradients = lstm_backward(inputs, None, parameters, trace, d_outputs)
>>> gradients.parameters.weight_hh.shape, gradients.inputs.shape, gradients.state.cell.shape
((20, 5), (20, 3), (5,))
"""

from typing import Any, NamedTuple

import numpy as np

from gatedrnn.cells import STATES, GRUState, LSTMState, Parameters, RNNState, Trace, initial_state


class Gradients(NamedTuple):
    """The gradient of the loss with respect to all that `gatedrnn.cells.run` was given.

    Attributes
    ----------
    parameters : Parameters
        With respect to each weight and bias, in their shapes.
    inputs : (T, ..., I) array
        With respect to each input.
    state : RNNState, LSTMState or GRUState
        With respect to the initial state, each field (..., H).
    """

    parameters: Parameters
    inputs: np.ndarray
    state: Any


def rnn_backward(
    inputs: np.ndarray,
    state: RNNState | None,
    parameters: Parameters,
    trace: Trace,
    d_outputs: np.ndarray,
    d_state: RNNState | None = None,
    nonlinearity: str = "tanh",
) -> Gradients:
    """Differentiate a run of `gatedrnn.cells.rnn_step`.

    Parameters
    ----------
    inputs, state, parameters
        What `gatedrnn.cells.run` was given; ``state`` None stands for zeros.
    trace : Trace
        What it returned.
    d_outputs : (T, ..., H) array
        How the loss changes with the outputs.
    d_state : RNNState, optional
        How it changes, besides, with the final state; left out, not at all.
    nonlinearity : {"tanh", "relu"}
        φ, as in the run.

    Returns
    -------
    Gradients
        With respect to parameters, inputs and initial state. Batch axes are summed over in the parameters.

    Raises
    ------
    ValueError
        If the shapes do not belong to one run.

    Notes
    -----
    Werbos, "Backpropagation through time", Proceedings of the IEEE 78 (1990).
    """
    state, d_state = _start("rnn", inputs, state, trace, d_outputs, d_state)
    d_a = np.empty_like(trace.outputs)
    d_h = d_state.hidden
    for t in reversed(range(len(inputs))):
        d_h = d_h + d_outputs[t]  # eq-bptt-arrive
        h, a = trace.outputs[t], trace.gates.preactivation[t]
        d_a[t] = d_h * (1 - h**2 if nonlinearity == "tanh" else a > 0)  # eq-bptt-slope
        d_h = d_a[t] @ parameters.weight_hh  # eq-bptt-back
    return _gather(inputs, state, parameters, trace, d_a, d_a, RNNState(d_h))


def lstm_backward(
    inputs: np.ndarray,
    state: LSTMState | None,
    parameters: Parameters,
    trace: Trace,
    d_outputs: np.ndarray,
    d_state: LSTMState | None = None,
) -> Gradients:
    """Differentiate a run of `gatedrnn.cells.lstm_step`.

    Parameters, returns and errors are those of `rnn_backward`; ``d_state`` holds both the hidden and the cell
    state. The direct path from c to c_prev multiplies by f and by nothing else: that is what keeps
    gradients alive.

    Notes
    -----
    Hochreiter & Schmidhuber, Neural Computation 9 (1997), cut the gradient at the gates; this is the full
    one, as in Graves & Schmidhuber, Neural Networks 18 (2005).
    """
    state, d_state = _start("lstm", inputs, state, trace, d_outputs, d_state)
    d_a = np.empty((*trace.outputs.shape[:-1], 4 * trace.outputs.shape[-1]), trace.outputs.dtype)
    d_h, d_c = d_state
    for t in reversed(range(len(inputs))):
        i, f, g, o = (gate[t] for gate in trace.gates)
        c_prev = trace.states.cell[t - 1] if t > 0 else state.cell
        squashed = np.tanh(trace.states.cell[t])
        d_h = d_h + d_outputs[t]  # eq-bptt-arrive
        d_c = d_c + d_h * o * (1 - squashed**2)  # eq-lstm-hidden
        d_a_i = d_c * g * i * (1 - i)  # eq-lstm-cell, eq-lstm-input
        d_a_f = d_c * c_prev * f * (1 - f)  # eq-lstm-cell, eq-lstm-forget
        d_a_g = d_c * i * (1 - g**2)  # eq-lstm-cell, eq-lstm-candidate
        d_a_o = d_h * squashed * o * (1 - o)  # eq-lstm-hidden, eq-lstm-output
        d_a[t] = np.concatenate([d_a_i, d_a_f, d_a_g, d_a_o], axis=-1)
        d_h = d_a[t] @ parameters.weight_hh  # eq-bptt-back
        d_c = d_c * f  # eq-lstm-direct
    return _gather(inputs, state, parameters, trace, d_a, d_a, LSTMState(d_h, d_c))


def gru_backward(
    inputs: np.ndarray,
    state: GRUState | None,
    parameters: Parameters,
    trace: Trace,
    d_outputs: np.ndarray,
    d_state: GRUState | None = None,
) -> Gradients:
    """Differentiate a run of `gatedrnn.cells.gru_step`.

    Parameters, returns and errors are those of `rnn_backward`. The reset gate multiplies only the recurrent
    part m = U_n h_prev + b of the new value, so the two sides of the gates receive different gradients:
    ``d_a`` what the input side does, ``d_u`` what the recurrent side does.

    Notes
    -----
    Cho et al., EMNLP (2014), with torch's place of the reset gate.
    """
    state, d_state = _start("gru", inputs, state, trace, d_outputs, d_state)
    size = trace.outputs.shape[-1]
    d_a = np.empty((*trace.outputs.shape[:-1], 3 * size), trace.outputs.dtype)
    d_u = np.empty_like(d_a)
    weight_n, bias_n = parameters.weight_hh[2 * size :], parameters.bias_hh[2 * size :]
    d_h = d_state.hidden
    for t in reversed(range(len(inputs))):
        r, z, n = (gate[t] for gate in trace.gates)
        h_prev = trace.outputs[t - 1] if t > 0 else state.hidden
        d_h = d_h + d_outputs[t]  # eq-bptt-arrive
        d_a_n = d_h * (1 - z) * (1 - n**2)  # eq-gru-hidden, eq-gru-new
        d_a_r = d_a_n * (h_prev @ weight_n.T + bias_n) * r * (1 - r)  # eq-gru-new, eq-gru-reset
        d_a_z = d_h * (h_prev - n) * z * (1 - z)  # eq-gru-hidden, eq-gru-update
        d_a[t] = np.concatenate([d_a_r, d_a_z, d_a_n], axis=-1)
        d_u[t] = np.concatenate([d_a_r, d_a_z, d_a_n * r], axis=-1)
        d_h = d_h * z + d_u[t] @ parameters.weight_hh  # eq-bptt-back, eq-gru-hidden
    return _gather(inputs, state, parameters, trace, d_a, d_u, GRUState(d_h))


BACKWARD = {"rnn": rnn_backward, "lstm": lstm_backward, "gru": gru_backward}


def _gather(inputs, state, parameters: Parameters, trace: Trace, d_a, d_u, d_state) -> Gradients:
    """Sum over steps: d_a is what the input side of the gates receives, d_u what the recurrent side does."""
    before = np.concatenate([state.hidden[None], trace.outputs[:-1]])
    d_parameters = Parameters(
        weight_ih=_outer_products(d_a, inputs),  # eq-bptt-weights
        weight_hh=_outer_products(d_u, before),  # eq-bptt-weights
        bias_ih=d_a.reshape(-1, d_a.shape[-1]).sum(axis=0),  # eq-bptt-weights
        bias_hh=d_u.reshape(-1, d_u.shape[-1]).sum(axis=0),  # eq-bptt-weights
    )
    d_inputs = d_a @ parameters.weight_ih  # eq-bptt-inputs
    return Gradients(d_parameters, d_inputs, d_state)


def _outer_products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Sum the outer products over steps and batch: (T, ..., M) and (T, ..., N) give (M, N)."""
    return left.reshape(-1, left.shape[-1]).T @ right.reshape(-1, right.shape[-1])


def _start(cell: str, inputs, state, trace: Trace, d_outputs, d_state):
    """Check that all belongs to one run, and fill in zeros for what was left out."""
    if np.shape(d_outputs) != trace.outputs.shape:
        raise ValueError(
            f"expected d_outputs shaped like the outputs, {trace.outputs.shape}, got {np.shape(d_outputs)}"
        )
    if np.shape(inputs)[:-1] != trace.outputs.shape[:-1]:
        raise ValueError(
            f"expected the inputs of the run that left the trace, {trace.outputs.shape[:-1]} and features, "
            f"got {np.shape(inputs)}"
        )
    if type(trace.states) is not STATES[cell]:
        raise ValueError(
            f"expected the trace of {cell.upper()} steps, got one with {type(trace.states).__name__}"
        )
    shape = trace.outputs.shape[1:]
    zeros = initial_state(cell, shape[-1], shape[:-1], trace.outputs.dtype)
    for name, part in (("state", state), ("d_state", d_state)):
        if part is not None and [np.shape(values) for values in part] != [shape] * len(zeros):
            raise ValueError(
                f"expected {name} with {' and '.join(zeros._fields)} of shape {shape}, "
                f"got {', '.join(str(np.shape(values)) for values in part)}"
            )
    return zeros if state is None else state, zeros if d_state is None else d_state
