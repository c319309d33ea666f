"""The cells against torch.nn, their equation labels against the chapters, and what bad input is told."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from gatedrnn import cells

ROOT = Path(__file__).parents[1]
CELLS = ["rnn", "lstm", "gru"]
TORCH = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}

# Which chapter defines which equation. A chapter that is not written yet skips its labels, by name; once
# its file is there, a label it lacks fails, and so does a label in the package that is missing here.
CHAPTERS = {
    "principles/01-*.md": ["eq-rnn-step", "eq-time-constant", "eq-modes", "eq-echo"],
    "principles/02-*.md": [
        "eq-bptt-arrive",
        "eq-bptt-slope",
        "eq-bptt-back",
        "eq-bptt-weights",
        "eq-bptt-inputs",
        "eq-jacobian-product",
        "eq-bound",
    ],
    "principles/03-*.md": [
        "eq-lstm-input",
        "eq-lstm-forget",
        "eq-lstm-candidate",
        "eq-lstm-output",
        "eq-lstm-cell",
        "eq-lstm-hidden",
        "eq-lstm-direct",
    ],
    "principles/04-*.md": ["eq-gru-reset", "eq-gru-update", "eq-gru-new", "eq-gru-hidden"],
    "applications/09-*.md": ["eq-capture", "eq-gated-update", "eq-switch", "eq-switch-gate"],
    "applications/12-*.md": [
        "eq-linear-recurrence",
        "eq-log-keep",
        "eq-min-gru",
        "eq-min-lstm",
        "eq-positive",
        "eq-scan-delta",
        "eq-scan-gradients",
        "eq-scan-pair",
    ],
}


def labels_in_the_package():
    """Return the equation labels in the comments of the package, sorted."""
    modules = (ROOT / "code" / "gatedrnn").glob("*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in modules)
    comments = re.findall(r"#.*", text)
    return sorted({label for comment in comments for label in re.findall(r"\beq-[\w-]+", comment)})


def random_case(cell, batch_shape=(), steps=6, seed=0):
    rng = np.random.default_rng(seed)
    parameters = cells.Parameters.initial(cell, 3, 5, rng)
    inputs = rng.normal(size=(steps, *batch_shape, 3))
    fields = cells.STATES[cell]._fields
    state = cells.STATES[cell](*(rng.normal(size=(*batch_shape, 5)) for _ in fields))
    return inputs, state, parameters


@pytest.mark.parametrize("label", labels_in_the_package())
def test_every_equation_label_exists_in_its_chapter(label):
    homes = [pattern for pattern, labels in CHAPTERS.items() if label in labels]
    assert len(homes) == 1, f"say in CHAPTERS which chapter defines {label}"
    written = sorted((ROOT / "chapters").glob(homes[0]))
    if not written:
        pytest.skip(f"chapters/{homes[0]}, which defines {label}, is not written yet")
    text = "".join(path.read_text(encoding="utf-8") for path in written)
    assert re.search(rf"^:label:\s*{label}\s*$", text, re.MULTILINE), (
        f"{label} is named in the package but not defined in {', '.join(path.name for path in written)}"
    )


@pytest.mark.parametrize("step", [cells.rnn_step, cells.lstm_step, cells.gru_step])
def test_every_line_of_a_step_that_computes_a_gate_or_state_carries_its_equation(step):
    body = inspect.getsource(step).split('"""')[2]
    cell = step.__name__.removesuffix("_step")
    gates = {"rnn": cells.RNNGates, "lstm": cells.LSTMGates, "gru": cells.GRUGates}[cell]
    for name in {*gates._fields, *cells.STATES[cell]._fields}:
        assert re.search(rf"^    {name} = .*# eq-{cell}-", body, re.MULTILINE), name


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("batch_shape", [(), (4,)])
def test_run_equals_torch(cell, batch_shape):
    inputs, state, parameters = random_case(cell, batch_shape)
    module = TORCH[cell](3, 5, dtype=torch.float64)
    weights = {f"{name}_l0": torch.from_numpy(values) for name, values in parameters._asdict().items()}
    module.load_state_dict(weights)
    hx = [torch.from_numpy(part)[None] for part in state]
    outputs, end = module(torch.from_numpy(inputs), tuple(hx) if cell == "lstm" else hx[0])
    trace = cells.run(cells.STEPS[cell], inputs, state, parameters)
    np.testing.assert_allclose(trace.outputs, outputs.detach(), rtol=0, atol=1e-13)
    for mine, other in zip(trace.state, end if cell == "lstm" else [end], strict=True):
        np.testing.assert_allclose(mine, other[0].detach(), rtol=0, atol=1e-13)


def test_relu_equals_torch():
    inputs, _, parameters = random_case("rnn")
    module = torch.nn.RNN(3, 5, nonlinearity="relu", dtype=torch.float64)
    parameters = cells.Parameters.from_torch(module)

    def step(x, state, parameters):
        return cells.rnn_step(x, state, parameters, nonlinearity="relu")

    outputs = cells.run(step, inputs, None, parameters).outputs
    np.testing.assert_allclose(outputs, module(torch.from_numpy(inputs))[0].detach(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("batch_shape", [(), (2,), (2, 3)])
def test_a_trace_has_the_shapes_it_promises(cell, batch_shape):
    inputs, state, parameters = random_case(cell, batch_shape)
    trace = cells.run(cells.STEPS[cell], inputs, state, parameters)
    assert trace.outputs.shape == (6, *batch_shape, 5)
    assert all(part.shape == (*batch_shape, 5) for part in trace.state)
    assert all(part.shape == (6, *batch_shape, 5) for part in (*trace.states, *trace.gates))
    assert type(trace.state) is type(trace.states) is cells.STATES[cell]
    np.testing.assert_array_equal(trace.states.hidden, trace.outputs)
    np.testing.assert_array_equal(trace.outputs[-1], trace.state.hidden)


@pytest.mark.parametrize("cell", CELLS)
def test_half_and_half_equals_whole(cell):
    inputs, state, parameters = random_case(cell, (2,), steps=10)
    step = cells.STEPS[cell]
    first = cells.run(step, inputs[:5], state, parameters)
    second = cells.run(step, inputs[5:], first.state, parameters)
    whole = cells.run(step, inputs, state, parameters)
    np.testing.assert_array_equal(np.concatenate([first.outputs, second.outputs]), whole.outputs)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_type_is_kept(cell, dtype):
    parameters = cells.Parameters.initial(cell, 3, 5, np.random.default_rng(0), dtype)
    trace = cells.run(cells.STEPS[cell], np.ones((4, 3), dtype), None, parameters)
    assert {part.dtype for part in (trace.outputs, *trace.state, *trace.gates)} == {np.dtype(dtype)}


def test_counts_may_be_whole_numbers():
    parameters = cells.Parameters.initial("gru", 3, 5, np.random.default_rng(0))
    counts = np.arange(12).reshape(4, 3)
    np.testing.assert_array_equal(
        cells.run(cells.gru_step, counts, None, parameters).outputs,
        cells.run(cells.gru_step, counts.astype(float), None, parameters).outputs,
    )


@pytest.mark.parametrize("cell", CELLS)
def test_initial_parameters_fill_the_interval_of_torch(cell):
    parameters = cells.Parameters.initial(cell, 30, 100, np.random.default_rng(0))
    assert parameters.cell == cell
    for values in parameters:
        assert np.abs(values).max() <= 0.1
        assert np.abs(values).max() > 0.085
        assert abs(values.mean()) < 0.02
    assert parameters.weight_ih.shape == (100 * cells.GATES[cell], 30)


@pytest.mark.parametrize("cell", CELLS)
def test_parameters_come_out_of_torch_modules(cell):
    module = TORCH[cell](3, 5, num_layers=2, bidirectional=True)
    parameters = cells.Parameters.from_torch(module, layer=1, reverse=True)
    for name, values in parameters._asdict().items():
        np.testing.assert_array_equal(values, getattr(module, f"{name}_l1_reverse").detach())
    parameters.weight_hh[:] = 0  # a copy: the module is not touched
    assert module.weight_hh_l1_reverse.abs().max() > 0
    without = cells.Parameters.from_torch(TORCH[cell](3, 5, bias=False))
    assert without.bias_ih.shape == without.bias_hh.shape == (5 * cells.GATES[cell],)
    assert not without.bias_ih.any() and not without.bias_hh.any()
    with pytest.raises(ValueError, match=r"weight_hh_l2.*choose a layer"):
        cells.Parameters.from_torch(module, layer=2)


def test_sigmoid_neither_overflows_nor_warns():
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_array_equal(cells.sigmoid(np.array([-1e4, 0, 1e4])), [0, 0.5, 1])


PARAMETERS = cells.Parameters.initial("lstm", 3, 5, np.random.default_rng(0))
STATE = cells.initial_state("lstm", 5, (2,))
BAD_STEPS = {
    "features": (np.zeros((2, 4)), STATE, PARAMETERS, r"\(\.\.\., 3\).*got \(2, 4\)"),
    "state": (np.zeros((3, 3)), STATE, PARAMETERS, r"state.hidden of shape \(3, 5\), got \(2, 5\)"),
    "parts": (np.zeros((2, 3)), STATE[:1], PARAMETERS, "LSTMState.*got 1 arrays"),
    "gates": (np.zeros((2, 3)), STATE, PARAMETERS._replace(weight_hh=np.zeros((15, 5))), r"got .*\(15, 5\)"),
    "type": (np.zeros((2, 3), np.float32), STATE, PARAMETERS, "float32 and float64; convert"),
}


@pytest.mark.parametrize("case", BAD_STEPS)
def test_bad_steps_are_told_in_one_sentence(case):
    x, state, parameters, message = BAD_STEPS[case]
    with pytest.raises(ValueError, match=message) as error:
        cells.lstm_step(x, state, parameters)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros(4), r"\(T, \.\.\., I\).*got \(4,\)"),
        (np.zeros((0, 3)), r"at least one time step, got inputs of shape \(0, 3\)"),
        (np.array([[0, 0, 0], [0, np.nan, 0]]), "NaN or infinity, first at step 1"),
    ],
)
def test_bad_runs_are_told_in_one_sentence(inputs, message):
    with pytest.raises(ValueError, match=message):
        cells.run(cells.lstm_step, inputs, None, PARAMETERS)


def test_unknown_words_are_named():
    with pytest.raises(ValueError, match='"rnn", "lstm" or "gru", got \'LSTM\''):
        cells.initial_state("LSTM", 3)
    with pytest.raises(ValueError, match='"tanh" or "relu", got \'gelu\''):
        cells.rnn_step(np.zeros(3), cells.initial_state("rnn", 5), random_case("rnn")[2], nonlinearity="gelu")
    with pytest.raises(ValueError, match=r"weight_hh of shape \(G·H, H\).*got \(7, 5\)"):
        _ = PARAMETERS._replace(weight_hh=np.zeros((7, 5))).cell
