"""Chapter 6 says what is true: beliefs against enumeration, its numbers, its leaks, its live figure."""

import itertools
import json
from pathlib import Path

import javascript
import numpy as np
import pytest
from gatedrnn import widgets
from gatedrnn.decoders import hidden_markov
from gatedrnn.decoders.hidden_markov import TwoStates

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "chapters" / "principles" / "06-looking-both-ways.md"
RATES = np.array([[0.3, 0.3, 0.7], [0.6, 0.8, 0.2]])


def enumerated(counts, switch, at, heard):
    """Log odds of state 1 in bin ``at`` from the bins ``heard``, by summing over every path of states."""
    chance = np.zeros(2)
    for path in itertools.product((0, 1), repeat=len(counts)):
        p = 0.5 * np.prod([switch if a != b else 1 - switch for a, b in itertools.pairwise(path)])
        for t in heard:
            rate = RATES[path[t]]
            p *= np.prod(rate ** counts[t] * np.exp(-rate))
        chance[path[at]] += p
    return np.log(chance[1] / chance[0])


# The exact beliefs


@pytest.mark.parametrize("switch", [0.03, 0.3])
def test_every_belief_is_the_sum_over_all_paths(switch):
    world = TwoStates(RATES, switch)
    counts = np.random.default_rng(2).poisson(0.7, (7, 3))
    ways = {
        "past": (world.past(counts), lambda t: range(t + 1)),
        "future": (world.future(counts), lambda t: range(t, 7)),
        "both": (world.both(counts), lambda t: range(7)),
        "lag 0": (world.lagged(counts, 0), lambda t: range(t + 1)),
        "lag 2": (world.lagged(counts, 2), lambda t: range(min(t + 3, 7))),
    }
    for odds, heard in ways.values():
        expected = [enumerated(counts, switch, t, heard(t)) for t in range(7)]
        np.testing.assert_allclose(odds, expected, atol=1e-12)


def test_a_lag_longer_than_the_recording_is_the_whole_recording():
    counts, _ = TwoStates(RATES, 0.1).draw(np.random.default_rng(0), 30, 4)
    world = TwoStates(RATES, 0.1)
    np.testing.assert_allclose(world.lagged(counts, 40), world.both(counts), atol=1e-12)


def test_the_recording_has_the_rates_and_the_switches_that_were_asked_for():
    counts, states = TwoStates(RATES, 0.05).draw(np.random.default_rng(1), 400, 200)
    assert (np.diff(states, axis=0) != 0).mean() == pytest.approx(0.05, abs=0.003)
    for state in (0, 1):
        np.testing.assert_allclose(counts[states == state].mean(axis=0), RATES[state], atol=0.02)


@pytest.mark.parametrize("lag", [None, 0, 3])
def test_influence_is_the_derivative_of_the_belief(lag):
    evidence, p, at, nudge = np.random.default_rng(3).normal(size=12), 0.07, 5, 1e-6

    def belief(e):
        return (hidden_markov.forward(e, p) + hidden_markov.backward(e, p, lag))[at]

    slopes = [(belief(evidence + d) - belief(evidence - d)) / (2 * nudge) for d in nudge * np.eye(12)]
    np.testing.assert_allclose(hidden_markov.influence(evidence, p, at, lag), slopes, atol=1e-8)


def test_nonsense_is_refused_in_words():
    with pytest.raises(ValueError, match="one row per state"):
        TwoStates([[0.1, 0.2]], 0.1)
    with pytest.raises(ValueError, match="probability to switch"):
        TwoStates(RATES, 0.5)
    with pytest.raises(ValueError, match="cells last"):
        TwoStates(RATES, 0.1).past(np.ones((5, 2)))
    with pytest.raises(ValueError, match="lag of 0"):
        TwoStates(RATES, 0.1).lagged(np.ones((5, 3)), -1)


# The live figure


def in_javascript(figure):
    """Run core.js under node on what the figure's model holds."""
    script = f"""
    import {{ beliefs, influence }} from {json.dumps(javascript.CORE)};
    const e = {json.dumps(list(figure.evidence))};
    const odds = beliefs(e, {figure.switch}, {figure.lag});
    const weights = Array.from(influence(e, {figure.switch}, {figure.at}));
    process.stdout.write(JSON.stringify({{ ...odds, weights }}));
    """
    return {name: np.array(values) for name, values in javascript.run(script).items()}


@pytest.mark.parametrize(
    "numbers",
    [{}, {"at": 0, "lag": 0, "switch": 0.2}, {"at": 79, "lag": 20, "switch": 0.005}, {"at": 57, "lag": 3}],
)
def test_the_figure_is_the_exact_belief(numbers):
    figure = widgets.BothWays(**numbers)
    told = in_javascript(figure)
    for name, odds in figure.odds().items():
        np.testing.assert_allclose(told[name], odds, atol=1e-6)
    weights = hidden_markov.influence(figure.evidence, figure.switch, figure.at)
    np.testing.assert_allclose(told["weights"], weights, atol=1e-6)


def test_what_the_page_says_to_try_happens():
    odds = widgets.BothWays().odds()
    assert widgets.BothWays().states[29:31] == [0, 1]  # it moves from 1.50 s on
    assert odds["past"][30] < 0  # the past is against it
    flips = [lag for lag in range(21) if widgets.BothWays(lag=lag).odds()["lagged"][30] > 0]
    assert flips and min(flips) > 0  # a patient observer changes its mind
    middle = [1 / (1 + np.exp(-of[45])) for of in odds.values()]
    assert np.ptp(middle) < 0.03
    assert odds["past"][-1] == pytest.approx(odds["both"][-1]) == pytest.approx(odds["lagged"][-1])
    wide, narrow = (hidden_markov.influence(widgets.BothWays().evidence, p, 30).sum() for p in (0.025, 0.2))
    assert narrow < wide


def test_the_still_picture_draws_evidence_and_beliefs():
    from matplotlib import pyplot

    figure = widgets.BothWays().picture()
    assert len(figure.axes[0].patches) == 80 and len(figure.axes[1].lines) == 4
    pyplot.close(figure)


# What the page computes


@pytest.mark.notebook
def test_two_ways_to_the_same_number_agree(said):
    assert said["bayes_gap"] < 1e-12
    assert said["by_hand_gap"] < 1e-12 and said["last_gap"] < 1e-12 and said["unturned_gap"] > 0.1
    assert said["ceiling"] == pytest.approx(np.log(39), rel=1e-9)


@pytest.mark.notebook
def test_evidence_from_both_sides_beats_one_and_no_network_beats_the_ideal(said):
    assert said["net_both_low"] > said["ideal_past"] > said["alone"]
    assert said["ideal_twice"] < said["ideal_both"]
    for name in ("past", "future", "lag_5", "lag_10", "both"):
        assert said[f"net_{name}_high"] < said[f"ideal_{name}"] + 0.3
    assert said["parameters_both"] < said["parameters_past"]
    assert said["at_past"] < 30 < said["at_both"] and said["before_future"] < 30 < said["before_both"]
    assert said["short_lag_10"] > said["short_lag_5"] > 0
    assert said["share_2"] < said["share_5"] < said["share_10"] < 100


@pytest.mark.notebook
def test_adding_is_as_good_at_its_task_and_worse_at_another(said):
    assert abs(said["task_added"] - said["task_joined"]) < 1
    assert said["anew_added_high"] < said["anew_joined_low"]
    assert said["anew_added"] < said["anew_narrow"]


@pytest.mark.notebook
def test_the_leaks_are_where_the_page_says(said):
    assert said["leak_past"] == 0 == said["leak_wait"]
    assert min(said["leak_both"], said["leak_smooth"]) > 0.5 and said["leak_mean"] > 1e-3
    assert said["told_both_low"] > 3 * said["next_ideal"]
    assert said["told_past_high"] <= said["next_ideal"] + 0.01
    assert said["used_both_high"] < said["used_past_low"]
