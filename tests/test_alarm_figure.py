"""The live alarm: its JavaScript against NumPy, and what threshold, duration and price do."""

import json

import javascript
import numpy as np
import pytest
from gatedrnn import widgets
from gatedrnn.decoders import alarms


@pytest.fixture(scope="module")
def figure():
    return widgets.AlarmThreshold()


def in_javascript(figure, threshold, duration, missed):
    """Run ``alarmOutcome`` of core.js under node on the figure's discharges."""
    shots = [{"scores": [v / 100 for v in s["scores"]], "onset": s["onset"]} for s in figure.shots]
    alarm = {"threshold": threshold, "duration": duration, "release": figure.clock["release"]}
    rules = {"missed": missed, **figure.clock}
    script = f"""
    import {{ alarmOutcome }} from {json.dumps(javascript.CORE)};
    const told = alarmOutcome({json.dumps(shots)}, {json.dumps(alarm)}, {json.dumps(rules)});
    process.stdout.write(JSON.stringify(told));
    """
    return javascript.run(script)


@pytest.mark.parametrize(
    ("threshold", "duration", "missed"),
    [(0.75, 2, 10), (0.3, 1, 1), (0.5, 12, 50), (1.0, 5, 3), (1.5, 12, 50)],
)
def test_the_figure_judges_as_numpy_does(figure, threshold, duration, missed):
    figure.threshold, figure.duration, figure.missed = threshold, duration, missed
    told, mine = in_javascript(figure, threshold, duration, missed), figure.outcome()
    warnings = np.array([np.nan if w is None else w for w in told["warnings"]])
    np.testing.assert_allclose(warnings, mine["warning"], atol=1e-6)
    assert told["cost"] == pytest.approx(mine["cost"], abs=1e-6)
    count = {name: told["fates"].count(name) for name in ("caught", "missed", "false", "early", "quiet")}
    assert count["caught"] == mine["caught"] and count["missed"] == mine["missed"]
    assert count["false"] + count["early"] == mine["false"]
    assert sum(count.values()) == len(figure.shots)


def test_the_alarm_of_any_score_is_that_of_numpy():
    rng = np.random.default_rng(1)
    scores = rng.random((40, 25))
    script = f"""
    import {{ firstAlarm }} from {json.dumps(javascript.CORE)};
    const rules = {json.dumps([[t, d, r] for t in (0.4, 0.7) for d in (1, 4) for r in (0.8, 1.0)])};
    const told = rules.map(([threshold, duration, release]) =>
      {json.dumps(scores.T.tolist())}.map((shot) => firstAlarm(shot, {{ threshold, duration, release }})));
    process.stdout.write(JSON.stringify(told));
    """
    rules = [(t, d, r) for t in (0.4, 0.7) for d in (1, 4) for r in (0.8, 1.0)]
    for told, rule in zip(javascript.run(script), rules, strict=True):
        np.testing.assert_array_equal(told, alarms.first_alarms(scores, alarms.Alarm(*rule)))


def test_the_discharges_are_those_of_the_simulator(figure):
    assert [shot["onset"] >= 0 for shot in figure.shots] == [True] * 12 + [False] * 28
    assert all(0 <= shot["onset"] < len(shot["scores"]) for shot in figure.shots[:12])
    assert len(json.dumps(figure.shots)) < 20_000  # a page carries them


def test_a_threshold_between_is_cheapest_and_moves_down_as_misses_cost_more(figure):
    figure.duration = 2
    levels = np.arange(30, 151, 2) / 100
    cheapest = []
    for figure.missed in (1, 10, 50):
        prices = [figure.outcome(level)["cost"] for level in levels]
        cheapest.append(levels[int(np.argmin(prices))])
        assert min(prices) < min(prices[0], prices[-1])
    assert cheapest[0] >= cheapest[1] >= cheapest[2] and cheapest[0] > cheapest[2]


def test_a_longer_duration_silences_false_alarms_and_shortens_warnings(figure):
    figure.threshold, figure.missed = 0.75, 10
    brief, long = [], []
    for outcome, figure.duration in ((brief, 1), (long, 5)):
        outcome.append(figure.outcome())
    assert long[0]["false"] < brief[0]["false"]
    both = ~np.isnan(long[0]["warning"]) & ~np.isnan(brief[0]["warning"])
    assert (long[0]["warning"][both] < brief[0]["warning"][both]).all()


def test_the_still_picture_draws_every_discharge(figure):
    from matplotlib import pyplot

    picture = figure.picture()
    assert len(picture.axes[0].lines) == 41 and len(picture.axes[1].lines) == 2
    pyplot.close(picture)
