"""The hand-derived gradients against finite differences and against torch."""

import numpy as np
import pytest
import torch
from gatedrnn import bptt, cells

CELLS = ["rnn", "lstm", "gru"]
TORCH = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def random_case(cell, batch_shape=(), steps=7, seed=0):
    """Draw a run, and a loss that is a random weighing of its outputs and its final state."""
    rng = np.random.default_rng(seed)
    parameters = cells.Parameters.initial(cell, 3, 4, rng)
    inputs = rng.normal(size=(steps, *batch_shape, 3))
    kind = cells.STATES[cell]
    state = kind(*(rng.normal(size=(*batch_shape, 4)) for _ in kind._fields))
    d_outputs = rng.normal(size=(steps, *batch_shape, 4))
    d_state = kind(*(rng.normal(size=(*batch_shape, 4)) for _ in kind._fields))
    return inputs, state, parameters, d_outputs, d_state


def loss(cell, inputs, state, parameters, d_outputs, d_state):
    trace = cells.run(cells.STEPS[cell], inputs, state, parameters)
    final = sum((weight * part).sum() for weight, part in zip(d_state, trace.state, strict=True))
    return (d_outputs * trace.outputs).sum() + final


def gradients(cell, inputs, state, parameters, d_outputs, d_state):
    trace = cells.run(cells.STEPS[cell], inputs, state, parameters)
    return bptt.BACKWARD[cell](inputs, state, parameters, trace, d_outputs, d_state)


def numbers(found):
    """Flatten gradients into one list of arrays: parameters, inputs, state."""
    return [*found.parameters, found.inputs, *found.state]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("batch_shape", [(), (2,)])
def test_gradients_equal_finite_differences(cell, batch_shape):
    case = inputs, state, parameters, *_ = random_case(cell, batch_shape)
    found = numbers(gradients(cell, *case))
    arrays = [*parameters, inputs, *state]
    for array, gradient in zip(arrays, found, strict=True):
        assert array.shape == gradient.shape
        for index in np.ndindex(array.shape):
            kept, step = array[index], 1e-5
            array[index] = kept + step
            above = loss(cell, *case)
            array[index] = kept - step
            below = loss(cell, *case)
            array[index] = kept
            assert gradient[index] == pytest.approx((above - below) / (2 * step), abs=2e-8)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("steps", [1, 60])
def test_gradients_equal_torch(cell, steps):
    inputs, state, parameters, d_outputs, d_state = case = random_case(cell, (3,), steps)
    module = TORCH[cell](3, 4, dtype=torch.float64)
    module.load_state_dict({f"{name}_l0": torch.from_numpy(w) for name, w in parameters._asdict().items()})
    x = torch.from_numpy(inputs).requires_grad_()
    start = [torch.from_numpy(part)[None].requires_grad_() for part in state]
    outputs, end = module(x, tuple(start) if cell == "lstm" else start[0])
    end = end if cell == "lstm" else [end]
    scalar = (torch.from_numpy(d_outputs) * outputs).sum()
    scalar = scalar + sum((torch.from_numpy(d) * e[0]).sum() for d, e in zip(d_state, end, strict=True))
    expected = torch.autograd.grad(scalar, [*module.parameters(), x, *start])
    for mine, other in zip(numbers(gradients(cell, *case)), expected, strict=True):
        np.testing.assert_allclose(mine, other.numpy().reshape(mine.shape), rtol=0, atol=1e-12)


def test_relu_equals_torch():
    inputs, _, _, d_outputs, _ = random_case("rnn", (2,))
    module = torch.nn.RNN(3, 4, nonlinearity="relu", dtype=torch.float64)
    parameters = cells.Parameters.from_torch(module)

    def step(x, state, parameters):
        return cells.rnn_step(x, state, parameters, nonlinearity="relu")

    trace = cells.run(step, inputs, None, parameters)
    found = bptt.rnn_backward(inputs, None, parameters, trace, d_outputs, nonlinearity="relu")
    scalar = (torch.from_numpy(d_outputs) * module(torch.from_numpy(inputs))[0]).sum()
    expected = torch.autograd.grad(scalar, list(module.parameters()))
    for mine, other in zip(found.parameters, expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_left_out_counts_as_zero(cell):
    inputs, state, parameters, d_outputs, _ = random_case(cell)
    zeros = type(state)(*(np.zeros_like(part) for part in state))
    explicit = gradients(cell, inputs, zeros, parameters, d_outputs, zeros)
    trace = cells.run(cells.STEPS[cell], inputs, None, parameters)
    short = bptt.BACKWARD[cell](inputs, None, parameters, trace, d_outputs)
    for one, other in zip(numbers(explicit), numbers(short), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cell", CELLS)
def test_half_and_half_equals_whole(cell):
    """Gradients of the later half, handed to the earlier half as d_state, add up to those of the whole."""
    inputs, state, parameters, d_outputs, d_state = random_case(cell, (2,), steps=8)
    step, backward = cells.STEPS[cell], bptt.BACKWARD[cell]
    first = cells.run(step, inputs[:4], state, parameters)
    second = cells.run(step, inputs[4:], first.state, parameters)
    late = backward(inputs[4:], first.state, parameters, second, d_outputs[4:], d_state)
    early = backward(inputs[:4], state, parameters, first, d_outputs[:4], late.state)
    whole = gradients(cell, inputs, state, parameters, d_outputs, d_state)
    for a, b, both in zip(early.parameters, late.parameters, whole.parameters, strict=True):
        np.testing.assert_allclose(a + b, both, rtol=0, atol=1e-13)
    np.testing.assert_allclose(np.concatenate([early.inputs, late.inputs]), whole.inputs, atol=1e-14)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c | {"d_outputs": c["d_outputs"][1:]}, r"outputs, \(7, 4\), got \(6, 4\)"),
        (lambda c: c | {"inputs": c["inputs"][1:]}, r"inputs of the run .* got \(6, 3\)"),
        (
            lambda c: c | {"state": cells.initial_state("lstm", 5)},
            r"state with hidden and cell of shape \(4,\)",
        ),
        (lambda c: c | {"d_state": cells.initial_state("gru", 4)}, r"d_state with hidden and cell"),
    ],
)
def test_bad_input_is_told_in_words(change, message):
    inputs, state, parameters, d_outputs, _ = random_case("lstm")
    trace = cells.run(cells.lstm_step, inputs, state, parameters)
    words = {
        "inputs": inputs,
        "state": state,
        "parameters": parameters,
        "trace": trace,
        "d_outputs": d_outputs,
    }
    with pytest.raises(ValueError, match=message):
        bptt.lstm_backward(**change(words))


def test_a_trace_of_another_cell_is_refused():
    inputs, state, parameters, d_outputs, _ = random_case("gru")
    trace = cells.run(cells.gru_step, inputs, state, parameters)
    with pytest.raises(ValueError, match="trace of LSTM steps, got one with GRUState"):
        bptt.lstm_backward(inputs, None, parameters, trace, d_outputs)
