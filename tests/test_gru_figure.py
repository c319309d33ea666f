"""The live GRU unit: its JavaScript against the NumPy cell, and what its two gates do."""

import json

import javascript
import numpy as np
import pytest
from gatedrnn import cells, widgets


def in_javascript(inputs, parameters):
    """Run ``gruUnit`` of core.js under node with a unit's NumPy parameters."""
    unit = {
        "weights": parameters.weight_ih[:, 0].tolist(),
        "feedback": parameters.weight_hh[:, 0].tolist(),
        "biases": (parameters.bias_ih + parameters.bias_hh).tolist(),
    }
    script = f"""
    import {{ gruUnit }} from {json.dumps(javascript.CORE)};
    const trace = gruUnit({json.dumps(inputs)}, {json.dumps(unit)});
    process.stdout.write(JSON.stringify(trace));
    """
    return {name: np.array(values) for name, values in javascript.run(script).items()}


def assert_same(told, trace):
    np.testing.assert_allclose(told["hidden"], trace.outputs[:, 0], atol=1e-6)
    np.testing.assert_allclose(told["candidate"], trace.gates.new[:, 0], atol=1e-6)
    np.testing.assert_allclose(told["update"], trace.gates.update[:, 0], atol=1e-6)
    np.testing.assert_allclose(told["reset"], trace.gates.reset[:, 0], atol=1e-6)
    np.testing.assert_allclose(told["before"], np.r_[0, trace.outputs[:-1, 0]], atol=1e-6)


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        {"bias_update": 6.0, "bias_reset": -6.0, "push": -6.0, "feedback": 3.0},
        {"bias_update": -6.0, "bias_reset": 6.0, "push": 6.0, "feedback": -3.0},
        {"bias_update": 0.3, "bias_reset": 1.7, "push": 0.0, "feedback": 2.2},
    ],
)
def test_the_figure_is_the_numpy_cell(numbers):
    figure = widgets.GRUCell(**numbers)
    assert_same(in_javascript(figure.inputs()[:, 0].tolist(), figure.parameters()), figure.trace())


def test_any_unit_is_the_same_in_javascript():
    """With weights that the figure does not offer: feedback to the gates, a bias of the candidate."""
    rng = np.random.default_rng(4)
    parameters = cells.Parameters(*(rng.normal(size=shape) for shape in ((3, 1), (3, 1), 3, 3)))
    parameters.bias_hh[2] = 0  # the figure's unit has one bias on its candidate, outside the reset gate
    inputs = rng.normal(size=(50, 1))
    assert_same(
        in_javascript(inputs[:, 0].tolist(), parameters), cells.run(cells.gru_step, inputs, None, parameters)
    )


def test_the_state_lies_between_old_and_candidate_as_far_as_z_says():
    figure = widgets.GRUCell(bias_update=0.4)
    trace = figure.trace()
    before = np.r_[0, trace.outputs[:-1, 0]]
    expected = before + figure.update() * (trace.gates.new[:, 0] - before)
    np.testing.assert_allclose(trace.outputs[:, 0], expected, atol=1e-14)
    assert figure.update()[0] == pytest.approx(1 / (1 + np.exp(-0.4)))  # no spike at step 0
    assert figure.update()[5] == pytest.approx(1 / (1 + np.exp(-0.4 - 2.5)))  # a spike


def test_a_closed_reset_gate_makes_the_candidate_blind_to_the_past():
    blind = widgets.GRUCell(bias_reset=-6.0, feedback=3.0).trace().gates.new[:, 0]
    heard = widgets.GRUCell().inputs()[:, 0]
    np.testing.assert_allclose(blind, np.tanh(1.5 * heard), atol=0.01)


def test_the_still_picture_draws_every_step():
    from matplotlib import pyplot

    figure = widgets.GRUCell(step=0).picture()
    assert [len(axes.lines) for axes in figure.axes] == [3, 2, 2]
    pyplot.close(figure)
