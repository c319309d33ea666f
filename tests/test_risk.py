"""From a chart to a risk: the invented ward, gaps and decay, models, measures, and checks that find leaks."""

import dataclasses
import json

import javascript
import numpy as np
import pytest
import torch
from gatedrnn import cells, datasets, risk, widgets
from gatedrnn.risk.decay import GRUD, InputDecay
from sklearn.linear_model import PoissonRegressor

WARD = datasets.simulate_icu(seed=0, n_stays=1).ward


@pytest.fixture(scope="module")
def simulated():
    return datasets.simulate_icu(seed=5, n_stays=3000)


@pytest.fixture(scope="module")
def few():
    return datasets.simulate_icu(seed=6, n_stays=400).stays


@pytest.fixture(scope="module")
def split(few):
    return risk.stratified_folds(few, k=4)[0]


# The invented ward


def test_states_fade_with_their_time_constants(simulated):
    states = simulated.states
    np.testing.assert_allclose(states.std(axis=(0, 1)), 1, atol=0.03)
    for lag in (1, 12):
        left = np.mean(states[:, lag:] * states[:, :-lag], axis=(0, 1))
        np.testing.assert_allclose(left, np.exp(-lag / WARD.time_constant), atol=0.04)


def test_measuring_follows_the_attention(simulated):
    seen = np.isfinite(simulated.stays.grid())
    for d in range(4):
        state = simulated.states[..., d]
        for low, high in ((-1.5, -0.5), (0.5, 1.5)):
            hours = (state > low) & (state < high)
            expected = WARD.measured(simulated.states)[..., d][hours].mean()
            spread = np.sqrt(expected * (1 - expected) / hours.sum())
            assert seen[..., d][hours].mean() == pytest.approx(expected, abs=4 * spread)


def test_death_has_the_stated_risk(simulated):
    stated = WARD.risk(simulated.states[:, -1])
    order = np.argsort(stated)
    for group in np.array_split(order, 5):
        spread = np.sqrt(np.mean(stated[group] * (1 - stated[group])) / len(group))
        assert simulated.stays.death[group].mean() == pytest.approx(stated[group].mean(), abs=3.5 * spread)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_hazard_is_recovered_from_true_states(seed):
    """Within 0.15: three standard errors at some 530 deaths."""
    simulated = datasets.simulate_icu(seed)
    days = simulated.stays.length_of_stay - 2
    model = PoissonRegressor(alpha=0, max_iter=1000)
    model.fit(simulated.states[:, -1], simulated.stays.death / days, sample_weight=days)
    np.testing.assert_allclose(model.coef_, WARD.hazard, atol=0.15)
    assert model.intercept_ == pytest.approx(np.log(WARD.base), abs=0.2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_decay_is_recovered_where_one_measures_by_the_clock(seed):
    by_clock = WARD._replace(attention=np.zeros(4))
    stays = datasets.simulate_icu(seed, ward=by_clock).stays
    decay = risk.Aging.of(risk.Scaling.of(stays)(stays.grid())).fit()
    np.testing.assert_allclose(24 / decay.slope.detach().numpy(), WARD.time_constant, rtol=0.16)
    np.testing.assert_allclose(decay.offset.detach().numpy(), np.log1p(WARD.noise**2), atol=0.05)


def test_the_stated_decay_has_the_smallest_error(simulated):
    state, rng = simulated.states[:, :, 1], np.random.default_rng(0)
    value = state[:, 10] + WARD.noise[1] * rng.standard_normal(len(state))
    best = WARD.decay(np.array([8.0]))[0, 1]
    errors = [np.mean((state[:, 18] - factor * value) ** 2) for factor in (best - 0.15, best, best + 0.15)]
    assert errors[1] == min(errors)


def test_a_ward_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        datasets.simulate_icu(seed=1, n_stays=0)
    with pytest.raises(ValueError, match="must be positive"):
        datasets.simulate_icu(seed=1, ward=WARD._replace(base=0.0))


def test_the_same_seed_gives_the_same_stays():
    one, two = (datasets.simulate_icu(seed=3, n_stays=30).stays for _ in range(2))
    np.testing.assert_array_equal(one.value, two.value)
    assert not np.array_equal(one.death, datasets.simulate_icu(seed=4, n_stays=30).stays.death)


# Stays


def test_select_until_and_plausible(few):
    rows = [7, 2, 7]
    chosen = few.select(rows)
    np.testing.assert_array_equal(chosen.grid(), few.grid()[rows])
    np.testing.assert_array_equal(chosen.death, few.death[rows])
    np.testing.assert_array_equal(few.select(few.death).record_id, few.record_id[few.death])
    assert few.until(24).hour.max() < 24
    np.testing.assert_array_equal(few.until(24).grid()[:, :24], few.grid()[:, :24])
    vital = dataclasses.replace(few, variables=("HR", "pH", "Temp", "Lactate"))
    vital = dataclasses.replace(vital, value=np.where(vital.variable == 1, 735.0, 37.0))
    assert set(vital.plausible().variable) == {0, 2, 3}


def test_stays_without_outcomes(tmp_path):
    record = "Time,Parameter,Value\n00:00,RecordID,9\n00:00,Age,40\n01:00,HR,80\n"
    (tmp_path / "9.txt").write_text(record)
    with pytest.raises(FileNotFoundError, match="outcomes=False"):
        datasets.load_icu(tmp_path)
    stays = datasets.load_icu(tmp_path, outcomes=False)
    assert stays.death is None and np.isnan(stays.survival).all() and "outcomes unknown" in repr(stays)
    assert stays.select([0]).death is None
    with pytest.raises(ValueError, match="no outcomes to learn from"):
        risk.Regression().fit(stays)
    with pytest.raises(ValueError, match="need outcomes"):
        risk.stratified_folds(stays)


# Gaps


def test_value_mask_and_interval_follow_the_recursion():
    rng = np.random.default_rng(0)
    scores = np.where(rng.random((5, 20, 3)) < 0.3, rng.normal(size=(5, 20, 3)), np.nan)
    series = risk.carry_forward(scores, hours=2.0)
    last, interval = np.zeros((5, 3)), np.zeros((5, 3))
    for t in range(20):
        if t:
            interval = 2.0 + np.where(np.isfinite(scores[:, t - 1]), 0, interval)
        last = np.where(np.isfinite(scores[:, t]), scores[:, t], last)
        np.testing.assert_array_equal(series.value[:, t], last)
        np.testing.assert_array_equal(series.interval[:, t], interval)
        np.testing.assert_array_equal(series.mask[:, t], np.isfinite(scores[:, t]))


def test_summaries_of_a_chart():
    scores = np.full((2, 48, 1), np.nan)
    scores[0, [3, 30, 40], 0] = 2.0, -1.0, 0.5
    got = risk.summaries(scores)
    first, last, least, greatest, mean, change, count, age = got[0]
    assert (first, last, least, greatest, mean) == (2.0, 0.5, -1.0, 2.0, 0.5)
    assert change == -0.25 - 2.0 and count == pytest.approx(np.log(4)) and age == 7 / 24
    assert np.isnan(got[1, :6]).all() and got[1, 6:].tolist() == [0.0, 2.0]


def test_scales_come_from_what_was_measured():
    rng = np.random.default_rng(0)
    value = np.concatenate([rng.normal(80, 10, 4000), rng.lognormal(3, 0.8, 4000)])
    variable = np.repeat([0, 1], 4000)
    some = datasets.simulate_icu(seed=1, n_stays=2).stays
    stays = dataclasses.replace(
        some, stay=np.zeros(8000, dtype=int), hour=np.zeros(8000), variable=variable, value=value
    )
    scaling = risk.Scaling.of(stays)
    assert scaling.logged.tolist() == [False, True, False, False]
    scores = scaling(np.array([[80.0, np.exp(3) - 1, np.nan, 5.0], [1e9, 1e30, np.nan, 0.0]]))
    np.testing.assert_allclose(scores[0, :2], 0, atol=0.12)
    assert np.isnan(scores[:, 2]).all() and scores[0, 3] == 5.0  # never seen: left as it is
    np.testing.assert_array_equal(scores[1, :2], 6.0)
    with pytest.raises(ValueError, match="same variables"):
        scaling(np.zeros((1, 48, 3)))


# GRU-D


def test_grud_is_the_gru_of_the_book_with_decay():
    torch.manual_seed(0)
    network = GRUD(3, 5).double()
    with torch.no_grad():
        network.state_decay.weight.uniform_(-0.5, 1)
        network.state_decay.bias.uniform_(-0.5, 1)
        network.input_decay.slope.uniform_(-1, 3)
    rng = np.random.default_rng(1)
    scores = np.where(rng.random((4, 30, 3)) < 0.4, rng.normal(size=(4, 30, 3)), np.nan)
    value, mask, interval = risk.carry_forward(scores)
    with torch.no_grad():
        got = network(*(torch.tensor(a) for a in (value, mask, interval))).numpy()
    weights = {name: parameter.detach().numpy() for name, parameter in network.named_parameters()}
    parameters = cells.Parameters(
        weights["from_input.weight"], weights["from_state.weight"],
        weights["from_input.bias"], weights["from_state.bias"],
    )  # fmt: skip
    state = np.zeros((4, 5))
    for t in range(30):
        days = interval[:, t] / 24
        gamma_x = np.exp(-np.maximum(0, weights["input_decay.slope"] * days + weights["input_decay.offset"]))
        drive = days @ weights["state_decay.weight"].T + weights["state_decay.bias"]
        x = mask[:, t] * value[:, t] + (1 - mask[:, t]) * gamma_x * value[:, t]
        before = cells.GRUState(np.exp(-np.maximum(0, drive)) * state)
        after, _ = cells.gru_step(np.concatenate([x, mask[:, t]], axis=1), before, parameters)
        state = after.hidden
        np.testing.assert_allclose(got[:, t], state, atol=1e-12)


def test_old_news_never_grows():
    decay = InputDecay(3)
    with torch.no_grad():
        decay.slope[:] = torch.tensor([-5.0, 0.0, 5.0])
        decay.offset[:] = torch.tensor([-1.0, -1.0, 1.0])
        gamma = decay.gamma(torch.arange(48.0)[:, None].expand(-1, 3))
    assert gamma.max() == 1 and gamma.min() >= 0 and (gamma[:, 0] == 1).all()
    assert (gamma[1:, 2] < gamma[:-1, 2]).all()


# The ideal


def test_beliefs_are_those_of_a_kalman_filter_where_times_tell_nothing():
    ward = WARD._replace(attention=np.zeros(4))
    stays = datasets.simulate_icu(seed=2, n_stays=40, ward=ward).stays
    ideal = risk.IdealRisk(ward)
    ideal.predict(stays)
    grid = stays.grid()
    for d in range(4):
        keep, noise = np.exp(-1 / ward.time_constant[d]), ward.noise[d] ** 2
        mean, variance = np.zeros(40), np.ones(40)
        for t, value in enumerate(grid[..., d].T):
            if t:
                mean, variance = keep * mean, keep**2 * variance + 1 - keep**2
            gain = np.where(np.isfinite(value), variance / (variance + noise), 0)
            mean, variance = mean + gain * (np.nan_to_num(value) - mean), (1 - gain) * variance
        np.testing.assert_allclose(ideal.expected[:, d], mean, atol=2e-3)


def test_the_ideal_is_calibrated_and_beats_those_that_see_less(simulated):
    death = simulated.stays.death
    full, values, times = (
        risk.IdealRisk(simulated.ward, **words).predict(simulated.stays)
        for words in ({}, {"use_times": False}, {"use_values": False})
    )
    assert full.mean() == pytest.approx(death.mean(), abs=0.02)
    line = risk.Recalibration().fit(full, death)
    assert line.slope == pytest.approx(1, abs=0.15)
    assert risk.brier(death, full) < min(risk.brier(death, values), risk.brier(death, times))
    assert values.mean() > death.mean() + 0.03  # silence taken for chance: too many deaths expected


# Models


@pytest.mark.parametrize(
    "model",
    [
        risk.Regression("means"),
        risk.Regression("summaries"),
        risk.Boosting(trees=(20,)),
        *(risk.Recurrent(inputs, epochs=2, hidden_size=8) for inputs in ("mean", "last", "mask", "decay")),
    ],
    ids=lambda model: getattr(model, "inputs", getattr(model, "features", "trees")),
)
def test_models_give_probabilities_again_and_again_and_see_neither_test_nor_future(few, split, model):
    train, test = (few.select(rows) for rows in split)
    first, second = (dataclasses.replace(model).fit(train).predict(test) for _ in range(2))
    assert first.shape == (len(split.test),) and ((first > 0) & (first < 1)).all()
    np.testing.assert_array_equal(first, second)
    fitted = dataclasses.replace(model).fit(train)
    risk.check_future(lambda stays: fitted.predict(stays.until(36)), test, hour=36)
    risk.check_fitting(
        lambda stays, rows: dataclasses.replace(model).fit(stays.select(rows)).predict, few, *split
    )
    chance, death = fitted.unseen
    assert len(chance) == len(death) and risk.Recalibration().fit(chance, death).slope != 1


def test_gru_d_learns_the_invented_ward():
    simulated = datasets.simulate_icu(seed=9, n_stays=2500)
    train, test = (simulated.stays.select(rows) for rows in risk.stratified_folds(simulated.stays, k=3)[0])
    model = risk.Recurrent("decay", epochs=4).fit(train)
    ideal = risk.auc(test.death, risk.IdealRisk(simulated.ward).predict(test))
    assert 0.68 < risk.auc(test.death, model.predict(test)) < ideal + 0.01


def test_models_refuse_what_they_cannot_learn_from(few):
    with pytest.raises(ValueError, match="only one"):
        risk.Regression().fit(few.select(~few.death))
    with pytest.raises(ValueError, match="expected inputs among"):
        risk.Recurrent("wavelets")


def test_a_model_reads_stays_that_miss_a_variable_altogether(few, split):
    train, test = (few.select(rows) for rows in split)
    without = train.keep(train.variable != 2)
    for model in (risk.Regression(), risk.Recurrent("decay", epochs=1, hidden_size=4)):
        assert np.isfinite(model.fit(without).predict(test)).all()


# Leaks


def test_a_patient_on_both_sides_is_found(few):
    risk.check_split(few, range(300), range(300, 400))
    with pytest.raises(risk.LeakError, match="1 patients are on both sides, first 299"):
        risk.check_split(few, range(300), range(299, 400))
    with pytest.raises(risk.LeakError, match="200 patients"):
        risk.check_split(few, range(200), range(200, 400), patient=np.arange(400) % 200)
    copies = few.select([*range(400), *range(10)])
    renamed = dataclasses.replace(copies, record_id=np.arange(410))
    with pytest.raises(risk.LeakError, match="10 charts are on both sides"):
        risk.check_split(renamed, range(400), range(400, 410))


def test_folds_keep_patients_together_and_deaths_even(few):
    patient = np.arange(400) // 2
    for train, test in risk.stratified_folds(few, k=5, patient=patient):
        risk.check_split(few, train, test, patient=patient)
        assert abs(few.death[test].mean() - few.death.mean()) < 0.04
        assert sorted([*train, *test]) == list(range(400))
    with pytest.raises(ValueError, match="2 ≤ k"):
        risk.stratified_folds(few, k=1)


@pytest.mark.parametrize(
    "peep",
    [
        lambda stays: np.nan_to_num(stays.grid()).sum(axis=(1, 2)),  # the whole stay
        lambda stays: np.isfinite(stays.grid()).sum(axis=(1, 2)),  # only how often
        lambda stays: stays.length_of_stay,
        lambda stays: np.nan_to_num(stays.survival),
        lambda stays: stays.death,
    ],
    ids=["values", "mask", "length of stay", "survival", "outcome"],
)
def test_the_future_is_found(few, peep):
    with pytest.raises(risk.LeakError, match="after hour 24"):
        risk.check_future(peep, few, hour=24)
    risk.check_future(lambda stays: np.nan_to_num(stays.until(24).grid()).sum(axis=(1, 2)), few, hour=24)


def test_a_gap_filled_from_the_next_value_is_found(few):
    def backwards(stays):
        return risk.carry_forward(stays.grid()[:, ::-1]).value[:, ::-1][:, 23].sum(axis=-1)

    with pytest.raises(risk.LeakError):
        risk.check_future(backwards, few, hour=24)


def test_scales_and_features_from_test_patients_are_found(few, split):
    def scaled_on_all(stays, rows):
        scaling = risk.Scaling.of(stays)
        return lambda s: risk.carry_forward(scaling(s.grid())).value[:, -1].sum(axis=1)

    def chosen_on_all(stays, rows):
        best = np.argmax(
            [risk.auc(stays.death, np.nan_to_num(risk.means(stays.grid()))[:, d]) for d in range(4)]
        )
        return lambda s: np.nan_to_num(risk.means(s.grid()))[:, best] * stays.death.mean()

    for fit in (scaled_on_all, chosen_on_all):
        with pytest.raises(risk.LeakError, match="only test patients changed"):
            risk.check_fitting(fit, few, *split)


# Measures


def test_measures_against_their_definitions():
    rng = np.random.default_rng(0)
    death, chance = rng.random(200) < 0.2, np.round(rng.random(200), 1)
    pairs = [(a > b) + 0.5 * (a == b) for a in chance[death] for b in chance[~death]]
    assert risk.auc(death, chance) == pytest.approx(np.mean(pairs))
    p = 0.35
    alarm = chance >= p
    worth = (alarm & death).sum() / 200 - (alarm & ~death).sum() / 200 * p / (1 - p)
    assert risk.net_benefit(death, chance, [p])[0] == pytest.approx(worth)
    assert risk.brier(death, chance) == pytest.approx(np.mean((chance - death) ** 2))
    with pytest.raises(ValueError, match="above 0 and below 1"):
        risk.net_benefit(death, chance, [0.0])
    with pytest.raises(ValueError, match="one risk for each stay"):
        risk.auc(death, chance[:-1])


def test_a_true_probability_is_calibrated_and_a_bent_one_is_mended():
    rng = np.random.default_rng(1)
    log_odds = rng.normal(-2, 1.2, 40_000)
    true = 1 / (1 + np.exp(-log_odds))
    death = rng.random(40_000) < true
    bent = 1 / (1 + np.exp(-(1 + 2 * log_odds)))
    assert risk.calibration(death, true).error < 0.01 < 0.05 < risk.calibration(death, bent).error
    line = risk.Recalibration().fit(bent, death)
    assert line.slope == pytest.approx(0.5, abs=0.02) and line.intercept == pytest.approx(-0.5, abs=0.05)
    assert risk.calibration(death, line(bent)).error < 0.01
    assert risk.auc(death, line(bent)) == pytest.approx(risk.auc(death, bent))


def test_the_bootstrap_covers_and_pairs():
    rng = np.random.default_rng(2)
    death = rng.random(400) < 0.3
    score = death + rng.normal(0, 1.2, 400)
    low, high = risk.bootstrap(risk.auc, death, score, draws=200)
    assert low < risk.auc(death, score) < high and 0.05 < high - low < 0.2
    low, high = risk.bootstrap(risk.auc, death, score + rng.normal(0, 0.1, 400), score, draws=200)
    assert low < 0 < high and high - low < 0.05  # paired: the common part of the spread is gone


# The live figure


@pytest.mark.parametrize(
    "tau, noise, slope, offset", [(12.0, 0.5, 0.02, 0.0), (3.0, 0.0, 0.4, -0.5), (48.0, 1.0, 0.1, 1.5)]
)
def test_the_figure_computes_what_numpy_does(tau, noise, slope, offset):
    figure = widgets.StaleValue(tau=tau, noise=noise, slope=slope, offset=offset)
    script = f"""
    import * as core from {json.dumps(javascript.CORE)};
    const ages = Array.from({{ length: 49 }}, (_, i) => i);
    const yours = core.staleFactor(ages, {slope}, {offset});
    const best = core.bestFactor(ages, {tau}, {noise});
    const errors = core.staleError(ages, yours, {tau}, {noise});
    console.log(JSON.stringify([yours, best, errors, [core.typicalError(errors)]]));
    """
    got = javascript.run(script)
    expected = (
        figure.factor(),
        figure.best(),
        figure.error(figure.factor()),
        [figure.typical(figure.factor())],
    )
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert figure.typical(figure.best()) <= figure.typical(figure.factor())
    assert len(figure.picture().axes) == 2
