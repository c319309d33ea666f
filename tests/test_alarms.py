"""Alarms, their verdicts and costs, splits of discharges, and predictors that must not look ahead."""

import dataclasses

import numpy as np
import pytest
from gatedrnn.datasets import simulate_density_limit
from gatedrnn.decoders import LeakError, alarms, disruption
from gatedrnn.decoders.alarms import Alarm
from sklearn.metrics import roc_auc_score

PREDICTORS = {
    "fraction": disruption.GreenwaldFraction(5),
    "logistic": disruption.RowClassifier("logistic", history=True),
    "trees": disruption.RowClassifier("boosting", history=True),
    "gru": disruption.RecurrentClassifier("gru", hidden_size=4, epochs=2),
    "lstm": disruption.RecurrentClassifier("lstm", hidden_size=4, epochs=2),
}


@pytest.fixture(scope="module")
def campaign():
    return simulate_density_limit(seed=3, n_discharges=120)


@pytest.fixture(scope="module")
def fitted(campaign):
    train = campaign.select(range(90))
    return {name: dataclasses.replace(predictor).fit(train) for name, predictor in PREDICTORS.items()}


def by_hand(scores, threshold, duration, release):
    """One discharge's alarm, told as the rule is told."""
    clock = 0
    for row, score in enumerate(scores):
        if score >= threshold or (clock and score >= release * threshold):
            clock += 1
        else:
            clock = 0
        if clock == duration:
            return row
    return -1


# Alarms


@pytest.mark.parametrize("duration", [1, 2, 5])
@pytest.mark.parametrize("release", [0.7, 1.0])
def test_alarms_follow_the_rule(duration, release):
    rng = np.random.default_rng(0)
    scores = rng.random((60, 30))
    scores[40:, ::3] = np.nan
    levels = np.array([0.3, 0.6, 0.8])
    raised = alarms.first_alarms(scores, Alarm(levels[:, None], duration, release))
    for level, row in zip(levels, raised, strict=True):
        expected = [by_hand(column, level, duration, release) for column in scores.T]
        np.testing.assert_array_equal(row, expected)


def test_hysteresis_keeps_the_clock_running_and_a_fall_sets_it_back():
    scores = np.array([[1.0, 0.95, 1.0, 0.95], [1.0, 0.5, 1.0, 0.95]]).T
    assert alarms.first_alarms(scores, Alarm(1.0, 3, 0.9)).tolist() == [2, -1]
    assert alarms.first_alarms(scores, Alarm(1.0, 3, 1.0)).tolist() == [-1, -1]


def made_up():
    """Three discharges of 100 rows; in the last the phase takes the last 20."""
    d = simulate_density_limit(seed=0, n_discharges=3)
    rows = np.tile(np.arange(100), 3)
    columns = dict.fromkeys(d.units, np.ones(300))
    columns |= {"discharge_ID": np.repeat([1, 2, 3], 100), "time": np.round(0.26 + 0.01 * rows, 6)}
    columns["density_limit_phase"] = ((np.repeat([0, 0, 1], 100) > 0) & (rows >= 80)).astype(int)
    return dataclasses.replace(d, **columns, starts=np.array([0, 100, 200]), truth=None)


@pytest.mark.parametrize(
    ("row", "fate", "warning"),
    [
        (29, "false", np.nan),  # more than 0.5 s before the phase
        (30, "caught", 0.69),
        (80, "caught", 0.19),
        (96, "caught", 0.03),
        (97, "missed", np.nan),  # later than the deadline
        (-1, "missed", np.nan),
    ],
)
def test_an_alarm_counts_from_half_a_second_before_the_phase_to_the_deadline(row, fate, warning):
    verdicts = alarms.judge(made_up(), np.array([-1, 50, row]))
    np.testing.assert_array_equal(verdicts.caught, [False, False, fate == "caught"])
    np.testing.assert_array_equal(verdicts.missed, [False, False, fate == "missed"])
    np.testing.assert_array_equal(verdicts.false, [False, True, fate == "false"])
    assert verdicts.warning[2] == pytest.approx(warning, nan_ok=True)
    price = {"caught": 0, "missed": 10, "false": 1}[fate]
    assert alarms.cost(verdicts, 10) == pytest.approx((1 + price) / 3)


def test_a_delay_shortens_the_warning_and_can_lose_the_catch():
    verdicts = alarms.judge(made_up(), np.array([[-1, -1, 90], [-1, -1, 96]]), delay=0.01)
    assert verdicts.warning[0, 2] == pytest.approx(0.08)
    assert verdicts.missed[1, 2]


def test_tuning_finds_the_cheapest_of_its_alarms(campaign):
    scores = alarms.padded(campaign, campaign.greenwald_fraction)
    for price in (1, 10, 100):
        best, paid = alarms.tune(campaign, scores, price, durations=(1, 3))
        again = alarms.cost(alarms.judge(campaign, alarms.first_alarms(scores, best)), price)
        assert again == pytest.approx(paid)
        for duration in (1, 3):
            for level in np.linspace(0.2, 1.6, 15):
                other = alarms.judge(campaign, alarms.first_alarms(scores, Alarm(level, duration)))
                assert alarms.cost(other, price) >= paid - 0.1 * max(1, paid)
    silent = alarms.judge(campaign, np.full(len(campaign.starts), -1))
    assert alarms.cost(silent, 10) == pytest.approx(10 * campaign.limited.mean())


def test_the_area_under_the_receiver_curve_is_that_of_the_peaks(campaign):
    scores = alarms.padded(campaign, campaign.greenwald_fraction)
    for duration in (1, 3):
        curve = alarms.receiver(campaign, scores, duration)
        peaks = alarms.peak_scores(campaign, scores, duration)
        assert curve.area == pytest.approx(roc_auc_score(campaign.limited, peaks))
        assert (np.diff(curve.false) >= 0).all() and (np.diff(curve.caught) >= 0).all()


def test_a_peak_is_the_highest_threshold_that_alarms_in_time(campaign):
    scores = alarms.padded(campaign, campaign.greenwald_fraction)
    peaks = alarms.peak_scores(campaign, scores, 3)
    for number in (*np.flatnonzero(campaign.limited)[:5], *np.flatnonzero(~campaign.limited)[:5]):
        one, column = campaign.select([number]), scores[:, [number]]
        for level, works in ((peaks[number], True), (peaks[number] * 1.0001, False)):
            raised = alarms.first_alarms(column, Alarm(level, 3, 1.0))[0]
            deadline = one.time[-1] - alarms.DEADLINE + 1e-9 if one.limited[0] else np.inf
            assert (raised >= 0 and one.time[raised] <= deadline) == works


# Splits


def test_folds_hold_whole_discharges_of_either_kind_once(campaign):
    folds = alarms.shot_folds(campaign, k=4)
    np.testing.assert_array_equal(np.sort(np.concatenate([f.test for f in folds])), np.arange(120))
    for fold in folds:
        assert not set(fold.train) & set(fold.test) and len(fold.train) + len(fold.test) == 120
        rows = [np.flatnonzero(np.isin(campaign.shot, part)) for part in fold]
        alarms.check_shots(campaign, *rows)
    counts = [campaign.limited[fold.test].sum() for fold in folds]
    assert max(counts) - min(counts) <= 1
    with pytest.raises(ValueError, match="at least k discharges of either kind"):
        alarms.shot_folds(campaign.select(np.flatnonzero(~campaign.limited)), k=2)


def test_the_check_fails_on_shuffled_rows_and_on_a_single_shared_row(campaign):
    rows = np.random.default_rng(0).permutation(len(campaign.time))
    with pytest.raises(LeakError, match="discharges have rows on both sides"):
        alarms.check_shots(campaign, rows[1000:], rows[:1000])
    train = np.flatnonzero(campaign.shot < 60)
    test = np.flatnonzero(campaign.shot >= 60)
    alarms.check_shots(campaign, train, test)
    with pytest.raises(LeakError, match="1 rows are in both sets"):
        alarms.check_shots(campaign, train, np.append(test, train[5]))
    half = campaign.stops[59] - 3  # the last rows of one discharge on the other side
    with pytest.raises(LeakError, match="1 discharges have rows on both sides"):
        alarms.check_shots(
            campaign, train[train < half], np.append(test, np.arange(half, campaign.stops[59]))
        )


# Predictors


@pytest.mark.parametrize("name", PREDICTORS)
def test_no_score_depends_on_a_later_row_or_another_discharge(campaign, fitted, name):
    test = campaign.select(range(90, 120))
    before = fitted[name].predict(test)
    row = test.starts[7] + 40
    changed = {}
    for column in disruption.SIGNALS:
        values = getattr(test, column).copy()
        values[row : test.stops[7]] *= 1.7
        changed[column] = values
    after = fitted[name].predict(dataclasses.replace(test, **changed))
    same = np.ones(len(before), dtype=bool)
    same[row : test.stops[7]] = False
    np.testing.assert_array_equal(after[same], before[same])
    assert np.abs(after[~same] - before[~same]).max() > 1e-6


@pytest.mark.parametrize("name", PREDICTORS)
def test_a_discharge_alone_scores_as_among_others(campaign, fitted, name):
    test = campaign.select(range(90, 120))
    alone = fitted[name].predict(campaign.select([95]))
    np.testing.assert_allclose(alone, fitted[name].predict(test)[test.shot == 5], atol=1e-12)


def test_time_and_number_of_a_discharge_are_not_seen(campaign):
    other = dataclasses.replace(campaign, time=campaign.time + 5, discharge_ID=campaign.discharge_ID[::-1])
    np.testing.assert_array_equal(disruption.measurements(other), disruption.measurements(campaign))


def test_histories_are_means_and_changes_of_the_own_past(campaign):
    values = campaign.density[:, None]
    found = disruption.histories(campaign, values, horizons=(4,))
    for shot in (0, 5):
        own = campaign.density[campaign.shot == shot]
        for t in (0, 2, 30):
            first = max(0, t - 3)
            expected = [own[t], own[first : t + 1].mean(), own[t] - own[first], own[t] - own[: t + 1].mean()]
            np.testing.assert_allclose(found[campaign.starts[shot] + t], expected, atol=1e-9)


def test_values_that_are_missing_are_held_from_the_past(campaign):
    density = campaign.density.copy()
    row = campaign.starts[2]
    density[row] = density[row + 10] = np.nan
    current = campaign.plasma_current.copy()
    current[row + 20] = 0
    seen = disruption.measurements(dataclasses.replace(campaign, density=density, plasma_current=current))
    assert np.isfinite(seen).all()
    np.testing.assert_allclose(seen[row + 10, 0], np.log(density[row + 9]))
    np.testing.assert_allclose(seen[row, 0], np.median(np.log(density[np.isfinite(density)])))


def test_a_reversed_current_counts_by_its_size(campaign):
    turned = dataclasses.replace(campaign, plasma_current=-campaign.plasma_current)
    np.testing.assert_allclose(disruption.measurements(turned), disruption.measurements(campaign))


def test_the_same_seed_trains_the_same_network(campaign, fitted):
    train, test = campaign.select(range(90)), campaign.select(range(90, 120))
    again = dataclasses.replace(PREDICTORS["gru"]).fit(train).predict(test)
    np.testing.assert_array_equal(again, fitted["gru"].predict(test))
    other = dataclasses.replace(PREDICTORS["gru"], seed=1).fit(train).predict(test)
    assert np.abs(other - again).max() > 1e-3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: disruption.GreenwaldFraction(0), "rows ≥ 1, got 0"),
        (lambda: disruption.RowClassifier("forest"), "logistic or boosting"),
        (lambda: disruption.RecurrentClassifier("rnn"), "gru or lstm, got 'rnn'"),
        (lambda: disruption.RecurrentClassifier(stride=0), "stride of 1"),
    ],
)
def test_unknown_settings_are_said_in_words(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_scores_for_other_rows_are_refused(campaign):
    with pytest.raises(ValueError, match="one value for each of"):
        alarms.padded(campaign, np.ones(3))
