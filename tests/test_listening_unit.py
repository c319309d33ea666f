"""The unit on the title page: its JavaScript against the NumPy cell, and a story that its numbers tell."""

import json

import javascript
import numpy as np
import pytest
from gatedrnn import widgets


def in_javascript(figure):
    """Run ``lstmUnit`` of core.js under node with the figure's values, as its view does."""
    parameters = figure.parameters()
    unit = {
        "weights": figure.weights,
        "feedback": figure.recurrent,
        "biases": (parameters.bias_ih + parameters.bias_hh).tolist(),
    }
    script = f"""
    import {{ lstmUnit }} from {json.dumps(javascript.CORE)};
    const trace = lstmUnit({json.dumps(figure.inputs()[:, 0].tolist())}, {json.dumps(unit)});
    process.stdout.write(JSON.stringify(trace));
    """
    return {name: np.array(values) for name, values in javascript.run(script).items()}


@pytest.mark.parametrize(
    "values", [{}, {"bias_forget": -3.0}, {"bias_forget": 6.0, "spikes": list(range(80))}, {"spikes": []}]
)
def test_the_figure_is_the_numpy_cell(values):
    figure = widgets.ListeningUnit(**values)
    told, trace = in_javascript(figure), figure.trace()
    for gate in trace.gates._fields:
        np.testing.assert_allclose(told[gate], getattr(trace.gates, gate)[:, 0], atol=1e-6)
    np.testing.assert_allclose(told["cell"], trace.states.cell[:, 0], atol=1e-6)
    np.testing.assert_allclose(told["hidden"], trace.outputs[:, 0], atol=1e-6)


def test_every_gate_answers_to_a_spike_and_the_cell_is_never_negative():
    trace = widgets.ListeningUnit(spikes=[40]).trace()
    change = {
        gate: getattr(trace.gates, gate)[40, 0] - getattr(trace.gates, gate)[39, 0]
        for gate in ("input", "forget", "output")
    }
    assert change["input"] > 0.5 and change["forget"] < -0.1 and change["output"] > 0.2
    busiest = widgets.ListeningUnit(spikes=list(range(80)), bias_forget=6.0).trace()
    assert trace.states.cell.min() >= 0 and busiest.states.cell.min() >= 0


def test_the_still_picture_draws_gates_and_states():
    from matplotlib import pyplot

    figure = widgets.ListeningUnit().picture()
    assert [len(axes.lines) for axes in figure.axes] == [4, 3]
    pyplot.close(figure)
