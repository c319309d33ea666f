"""The live figure of chapter 8: JavaScript and NumPy say the same, and it shows what the page promises."""

import json

import numpy as np
import pytest
from gatedrnn import decoders, widgets
from javascript import CORE, run
from scipy.ndimage import gaussian_filter1d

RNG = np.random.default_rng(5)
LIGHT = np.maximum(0, np.cumsum(RNG.normal(size=120))).round(6).tolist()


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("kept", [0.5, 0.93])
def test_the_jumps_are_those_of_the_package(kept, penalty):
    told = run(f"""
    import * as core from "{CORE}";
    console.log(JSON.stringify(core.deconvolve({json.dumps(LIGHT)}, {kept}, {penalty})));
    """)
    jumps = decoders.deconvolve(np.array(LIGHT), kept, penalty)
    np.testing.assert_allclose(told["jumps"], jumps, atol=1e-6)
    calcium = np.zeros(len(jumps))
    for t, jump in enumerate(jumps):
        calcium[t] = jump + (kept * calcium[t - 1] if t else 0)
    np.testing.assert_allclose(told["calcium"], calcium, atol=1e-6)


@pytest.mark.parametrize("width", [0.5, 3.0, 40.0])
def test_smoothing_and_correlation_are_those_of_scipy_and_numpy(width):
    told = run(f"""
    import * as core from "{CORE}";
    const light = {json.dumps(LIGHT)};
    const smooth = core.blurred(light, {width});
    console.log(JSON.stringify({{ smooth, rises: core.rises(light), r: core.correlated(light, smooth),
      none: core.correlated(light, light.map(() => 1)) }}));
    """)
    smooth = gaussian_filter1d(LIGHT, width)
    np.testing.assert_allclose(told["smooth"], smooth, atol=1e-6)
    np.testing.assert_allclose(told["rises"], np.maximum(np.diff(LIGHT, prepend=LIGHT[0]), 0), atol=1e-6)
    assert told["r"] == pytest.approx(np.corrcoef(LIGHT, smooth)[0, 1], abs=1e-6)
    assert told["none"] == 0


def at(width, **numbers):
    figure = widgets.SpikesFromLight(**numbers)
    scores = {name: values[figure.widths.index(width)] for name, values in figure.correlations().items()}
    return scores["deconvolution"], scores["derivative"], figure.ratio()


def test_what_the_page_says_about_the_figure_is_so():
    right, derivative, ratio = at(50)
    assert right > derivative and ratio == pytest.approx(1, abs=0.3)
    noisy = at(50, noise=0.15)
    assert right - noisy[0] < derivative - noisy[1]  # the derivative falls first
    assert at(200, noise=0.0, assumed=150.0)[2] > 1.5  # a short decay needs more spikes
    sluggish = at(200, noise=0.0, assumed=1500.0)
    assert sluggish[2] < 0.9
    dear = at(200, price=1.6)
    assert dear[2] < 0.75 * at(200)[2] and abs(dear[0] - at(200)[0]) < 0.1  # the ratio sees what r does not


def test_the_figure_has_a_picture_and_keeps_its_bounds():
    figure = widgets.SpikesFromLight()
    assert "<svg" in figure.still()
    import traitlets

    with pytest.raises(traitlets.TraitError):
        figure.assumed = 10.0
