"""The live figures: their JavaScript against NumPy, and what Python hands to the page."""

import base64
import json
import re

import javascript
import numpy as np
import pytest
import traitlets
from gatedrnn import dynamics, figures, widgets
from gatedrnn.widgets import base, decoder_window
from matplotlib import pyplot

CORE = base.FOLDER / "core.js"
FIGURES = [cls for cls in vars(widgets).values() if isinstance(cls, type) and cls is not widgets.LiveFigure]


def node(expression: str, **names):
    """Evaluate an expression over core.js (as `core`) and some named values; return what it gives."""
    script = f"""
    import * as core from {json.dumps(javascript.CORE)};
    const names = {json.dumps(names)};
    const plain = (key, value) => ArrayBuffer.isView(value) ? Array.from(value) : value;
    const run = ({{ {", ".join(names)} }}) => ({expression});
    process.stdout.write(JSON.stringify(run(names), plain));
    """
    return javascript.run(script)


# ---- the mathematics ----------------------------------------------------------------------------------


@pytest.mark.parametrize("radius", [0.3, 0.95, 1.05])
@pytest.mark.parametrize("angle", [0.05, 1.0, 3.0])
def test_the_echo_is_that_of_a_network_with_this_pair(radius, angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    modes = dynamics.eigenmodes(radius * turn, dt=0.01)
    told = node(
        "({tau: core.decayTime(r, 0.01), f: core.frequency(a, 0.01), echo: core.echo(r, a, 40)})",
        r=radius,
        a=angle,
    )
    assert told["tau"] == pytest.approx(modes.decay_time[0], rel=1e-9)
    assert told["f"] == pytest.approx(modes.frequency[0], rel=1e-9)
    powers = [np.linalg.matrix_power(radius * turn, t)[0, 0] for t in range(41)]
    np.testing.assert_allclose(told["echo"], powers, atol=1e-6)
    mine = widgets.EigenvalueEcho(radius=radius, angle=angle, steps=40).echo()
    np.testing.assert_allclose(mine, powers, atol=1e-6)


def test_random_numbers_are_the_same_in_javascript_and_python():
    told = node(
        "(() => { const u = core.uniforms(s); return Array.from({length: 500}, () => u()); })()", s=20250101
    )
    uniform = decoder_window.uniforms(20250101)
    mine = np.array([uniform() for _ in range(500)])
    np.testing.assert_array_equal(told, mine)
    assert mine.min() >= 0 and mine.max() < 1 and len(set(mine)) == 500
    # Uniform: mean 1/2 and variance 1/12, each within four standard errors.
    assert abs(mine.mean() - 1 / 2) < 4 * np.sqrt(1 / 12 / 500)
    assert abs(mine.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / 500)


def test_normal_and_poisson_numbers_have_the_moments_they_should():
    uniform = decoder_window.uniforms(3)
    normals = np.array([decoder_window.normal(uniform) for _ in range(4000)])
    assert abs(normals.mean()) < 4 / np.sqrt(4000) and abs(normals.var() - 1) < 4 * np.sqrt(2 / 4000)
    poissons = np.array([decoder_window.poisson(1.7, uniform) for _ in range(4000)])
    assert abs(poissons.mean() - 1.7) < 4 * np.sqrt(1.7 / 4000)
    assert abs(poissons.var() / poissons.mean() - 1) < 0.12


@pytest.mark.parametrize(("neurons", "window", "noise"), [(20, 4, 0.5), (3, 1, 0.0), (60, 24, 3.0)])
def test_the_decoder_reads_the_same_in_javascript_and_numpy(neurons, window, noise):
    figure = widgets.DecoderWindow(neurons=neurons, window=window, noise=noise, steps=120)
    told = node(
        """(() => {
          const truth = core.wander(120, 0.05, { seed });
          const spikes = core.counts(truth, 0.05, { neurons, noise, seed });
          const decoded = core.invert(spikes, 0.05).map((values) => core.smooth(values, window));
          return { truth, spikes, decoded, score: core.rSquared(truth, decoded, 23) };
        })()""",
        neurons=neurons,
        noise=noise,
        window=window,
        seed=figure.seed,
    )
    spikes = decoder_window.counts(figure.velocity(), 0.05, neurons, noise, figure.seed)
    np.testing.assert_allclose(told["truth"], figure.velocity(), atol=1e-6)
    np.testing.assert_allclose(told["spikes"], spikes, atol=1e-6)
    np.testing.assert_allclose(told["decoded"], figure.decoded(), atol=1e-6)
    assert told["score"] == pytest.approx(figure.score(), abs=1e-6)


def test_a_short_history_is_noisy_and_a_long_one_late():
    score = {window: widgets.DecoderWindow(window=window).score() for window in (1, 4, 24)}
    assert score[4] > score[1] + 0.1 and score[4] > score[24] + 0.1
    # Late: the decoded velocity fits the truth best when it is moved back by half the window.
    figure = widgets.DecoderWindow(window=9, neurons=60, noise=0.0)
    truth, decoded = figure.velocity()[0], figure.decoded()[0]
    fits = [np.corrcoef(truth[: 190 - lag], decoded[lag:190])[0, 1] for lag in range(9)]
    assert np.argmax(fits) == 4


def test_a_longer_window_leaves_the_present_bin_alone_when_it_is_one():
    values = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(decoder_window.smooth(values, 1), values)
    np.testing.assert_allclose(decoder_window.smooth(values, 2)[0], [0, 0.5, 1.5])


# ---- what the page gets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", FIGURES, ids=lambda cls: cls.__name__)
def test_each_module_stands_alone_and_offers_render(cls):
    source = cls._esm if isinstance(cls._esm, str) else str(cls._esm)
    assert not re.search(r"^import\b", source, re.MULTILINE)
    assert "http" not in source.replace("http://www.w3.org/2000/svg", "")
    address = "data:text/javascript;base64," + base64.b64encode(source.encode()).decode()
    script = f"""
    const m = await import({json.dumps(address)});
    process.stdout.write(JSON.stringify(typeof m.default.render));
    """
    assert javascript.run(script) == "function"


@pytest.mark.parametrize(
    "cls", [cls for cls in FIGURES if cls is not widgets.Frames], ids=lambda cls: cls.__name__
)
def test_each_figure_says_what_it_shows_and_has_a_still_picture(cls):
    figure = cls()
    data, _ = figure._repr_mimebundle_()
    assert len(figure.alt) > 60 and data["text/plain"] == figure.alt
    assert data["image/svg+xml"].count("<svg") == 1
    assert "application/vnd.jupyter.widget-view+json" in data
    assert len(figure.room) == 2 and all(200 < height < 1200 for height in figure.room)
    assert not pyplot.get_fignums(), "a still picture must not stay open"


def test_values_out_of_range_are_refused():
    with pytest.raises(traitlets.TraitError, match="radius"):
        widgets.EigenvalueEcho(radius=1.2)
    with pytest.raises(traitlets.TraitError, match="neurons"):
        widgets.DecoderWindow(neurons=2)


def test_a_figure_without_a_picture_says_what_is_missing():
    class Bare(widgets.LiveFigure):
        view = "eigenvalue_echo.js"

    with pytest.raises(NotImplementedError, match="Bare must draw a still picture"):
        Bare().picture()


# ---- pictures made in advance -----------------------------------------------------------------------------


def curve(value):
    """A small figure that depends on a value."""
    figure, axes = pyplot.subplots(figsize=figures.size(1, 0.5))
    axes.plot([0, value])
    return figure


def test_frames_draws_one_picture_for_each_value():
    made = widgets.frames(curve, [1, 2, 3], alt=lambda v: f"a line to {v}", label="end", unit="cm", start=1)
    assert len(made.pictures) == len(set(made.pictures)) == 3
    assert made.names == ["1 cm", "2 cm", "3 cm"]
    assert made.alts[2] == "a line to 3" and made.alt == "a line to 2" and made.still() == made.pictures[1]
    assert made.room == [round(690 / 2) + 104, round(358 / 2) + 104]
    assert not pyplot.get_fignums()


def test_frames_takes_axes_as_well_as_figures():
    assert "<svg" in widgets.frames(lambda v: curve(v).axes[0], [1], alt="a line").pictures[0]


@pytest.mark.parametrize(
    ("values", "words", "start", "sentence"),
    [
        ([], "a line", 0, "at least one value"),
        ([1], " ", 0, "alt text"),
        ([1, 2], "a line", 2, "counted from 0; got 2"),
    ],
)
def test_frames_refuses_what_it_cannot_show(values, words, start, sentence):
    with pytest.raises(ValueError, match=sentence):
        widgets.frames(curve, values, alt=words, start=start)
