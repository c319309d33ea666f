"""The live figure of chapter 2: its JavaScript against NumPy, and both against what theory says."""

import json

import javascript
import numpy as np
import pytest
from gatedrnn import cells, widgets

SETTINGS = [(0.95, 1.0, 0.0, 60), (0.8, 3.0, 0.4, 100), (1.25, 1.5, 1.7, 33), (0.5, 4.0, 0.05, 1)]


def in_javascript(radius, gain, drive, horizon):
    """What the view computes for one setting."""
    script = f"""
    import * as core from {json.dumps(javascript.CORE)};
    const W = core.oneWayMatrix({radius}, {gain});
    const jacobians = core.tanhJacobians(W, core.swungStates(W, {drive}, 100));
    process.stdout.write(JSON.stringify({{
      W, jacobians, norms: core.backwardNorms(jacobians), echo: core.kickedEcho(jacobians, {horizon}),
    }}));
    """
    return {name: np.array(values) for name, values in javascript.run(script).items()}


@pytest.fixture(scope="module", params=SETTINGS, ids=str)
def both(request):
    radius, gain, drive, horizon = request.param
    figure = widgets.FadingEcho(radius=radius, gain=gain, drive=drive, horizon=horizon)
    return figure, in_javascript(*request.param)


def test_javascript_and_numpy_agree(both):
    figure, told = both
    np.testing.assert_allclose(told["W"], figure.weights(), atol=1e-12)
    np.testing.assert_allclose(told["jacobians"], figure.jacobians(), atol=1e-6)
    np.testing.assert_allclose(told["norms"], figure.gradients(), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(told["echo"], figure.echo(), rtol=1e-6, atol=1e-12)


def test_the_states_are_those_of_the_cell(both):
    figure, told = both
    t = np.arange(140) / 3
    inputs = figure.drive * np.stack([np.sin(t), np.cos(t)], axis=1)
    parameters = cells.Parameters(np.eye(2), figure.weights(), np.zeros(2), np.zeros(2))
    states = cells.run(cells.rnn_step, inputs, None, parameters).outputs[40:]
    np.testing.assert_allclose(told["jacobians"], (1 - states**2)[:, :, None] * figure.weights(), atol=1e-6)


def test_radius_and_norm_are_what_the_sliders_say(both):
    figure, _ = both
    # A defective matrix gives up its eigenvalues only to about the root of the rounding error.
    assert np.abs(np.linalg.eigvals(figure.weights())).max() == pytest.approx(figure.radius, rel=1e-6)
    assert np.linalg.norm(figure.weights(), 2) == pytest.approx(figure.radius * figure.gain, rel=1e-12)


def test_the_bound_holds_and_the_echo_is_within_the_gradient(both):
    figure, _ = both
    k = np.arange(101)
    assert (figure.gradients() <= (figure.radius * figure.gain) ** k * (1 + 1e-9)).all()
    size = np.linalg.norm(figure.echo()[-1])
    assert size <= figure.gradients()[figure.horizon] * (1 + 1e-9)


def test_a_small_kick_becomes_the_echo():
    figure = widgets.FadingEcho(radius=0.9, gain=2.0, drive=0.3, horizon=12)
    t = np.arange(140) / 3
    inputs = figure.drive * np.stack([np.sin(t), np.cos(t)], axis=1)
    parameters = cells.Parameters(np.eye(2), figure.weights(), np.zeros(2), np.zeros(2))
    before = cells.run(cells.rnn_step, inputs[:128], None, parameters).state.hidden
    ends = [
        cells.run(cells.rnn_step, inputs[128:], cells.RNNState(before + kick), parameters).outputs
        for kick in (np.array([0, 1e-6]), np.array([0, -1e-6]))
    ]
    np.testing.assert_allclose((ends[0] - ends[1]) / 2e-6, figure.echo()[1:], atol=1e-8)


def test_undriven_and_normal_it_is_a_power_of_the_radius():
    figure = widgets.FadingEcho()
    np.testing.assert_allclose(figure.gradients(), 0.95 ** np.arange(101), rtol=1e-12)
    assert figure.gradients()[60] == pytest.approx(0.0461, abs=5e-5)


def test_radius_below_one_may_grow_before_it_fades():
    """Things to try, number 2: powers of [[1, s], [0, 1]] have k s in the corner."""
    figure = widgets.FadingEcho(radius=0.95, gain=2.0)
    k, s = np.arange(101), 2.0 - 1 / 2.0
    expected = 0.95**k * (k * s + np.sqrt((k * s) ** 2 + 4)) / 2
    np.testing.assert_allclose(figure.gradients(), expected, rtol=1e-9)
    assert figure.gradients().max() > 5 and figure.gradients()[-1] < 1
    seen = widgets.FadingEcho(radius=0.95, gain=1.5, horizon=60).echo()
    assert 5 < seen[:, 0].max() < 6  # fills the panel, which ends at 6


def test_a_radius_of_one_half_can_still_send_an_echo_above_the_kick():
    """Things to try, number 3."""
    assert widgets.FadingEcho(radius=0.5, gain=2.0).echo()[:, 0].max() < 1
    assert widgets.FadingEcho(radius=0.5, gain=4.0).echo()[:, 0].max() > 1


def test_input_turns_an_explosion_into_fading():
    """Things to try, numbers 4 and 5."""
    after = [widgets.FadingEcho(radius=1.05, drive=d).gradients()[100] for d in np.linspace(0, 1, 41)]
    assert after[0] == pytest.approx(1.05**100) and after[-1] < 1e-3
    assert min(abs(np.log10(after))) < 1


@pytest.mark.parametrize(
    ("name", "value"), [("radius", 1.4), ("gain", 0.9), ("drive", -0.1), ("horizon", 0), ("horizon", 101)]
)
def test_values_out_of_range_are_refused(name, value):
    import traitlets

    with pytest.raises(traitlets.TraitError, match=name):
        widgets.FadingEcho(**{name: value})
