"""Tasks whose ideal observer is known: their truth, what choices tell, and leaks that are caught."""

import numpy as np
import pytest
from gatedrnn import decisions
from gatedrnn.decoders import LeakError
from scipy.stats import norm

TASKS = (decisions.accumulate, decisions.integrate_in_context, decisions.delayed_match)


@pytest.mark.parametrize("task", TASKS)
def test_the_ideal_observer_is_right_as_often_as_it_believes(task):
    """Its log odds are calibrated: among trials with about the same odds, that share has answer 1."""
    trials = task(np.random.default_rng(0), 20_000)
    believed = 1 / (1 + np.exp(-trials.odds))
    for low, high in ((0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1)):
        these = (believed >= low) & (believed <= high)
        error = np.sqrt(believed[these].mean() * (1 - believed[these].mean()) / these.sum())
        assert abs(trials.targets[these].mean() - believed[these].mean()) < 4 * error + 1e-9
    assert abs(trials.right(trials.odds).mean() - trials.expected(trials.odds)) < 4 * 0.5 / np.sqrt(20_000)


@pytest.mark.parametrize("task", TASKS)
def test_no_observer_of_the_inputs_is_expected_to_do_better_than_the_ideal(task):
    trials = task(np.random.default_rng(1), 3000)
    best = trials.expected(trials.odds)
    rng = np.random.default_rng(2)
    for _ in range(20):
        other = trials.inputs.reshape(len(trials.inputs), 3000, -1)
        odds = np.einsum("tbi,ti->b", other, rng.normal(size=(other.shape[0], other.shape[2])))
        assert trials.expected(odds) <= best
    assert trials.expected(-trials.odds) == pytest.approx(1 - best)


@pytest.mark.parametrize(("strength", "listened"), [(0.1, 9), (0.2, 16), (0.4, 25)])
def test_accumulation_has_the_accuracy_of_the_formula(strength, listened):
    settings = {"listen": (listened, listened), "strengths": (strength,)}
    trials = decisions.accumulate(np.random.default_rng(3), 40_000, **settings)
    known = norm.cdf(strength * np.sqrt(listened))
    assert decisions.best_accuracy(strength, listened) == pytest.approx(known)
    assert abs(trials.right(trials.odds).mean() - known) < 4 * np.sqrt(known * (1 - known) / 40_000)
    assert (np.sign(trials.odds) == np.sign(trials.inputs.sum(axis=(0, 2)))).all()


def add_up(trials, kept):
    total = np.zeros(len(trials.targets))
    for evidence in trials.inputs[:, :, 0]:
        total = kept * total + evidence
    return total


@pytest.mark.parametrize("kept", [0.7, 0.9, 0.98, 1.0])
def test_a_known_leak_is_recovered_from_choices_and_costs_what_it_should(kept):
    noise = decisions.accumulate(np.random.default_rng(4), 20_000, listen=(20, 20), strengths=(0.0,))
    found = decisions.weighing(noise, add_up(noise, kept))
    assert abs(found.kept - kept) < 3.5 * found.kept_error < 0.05
    trials = decisions.accumulate(np.random.default_rng(5), 20_000)
    known = decisions.leaky_accuracy(trials.strength, trials.listened, kept).mean()
    assert abs(trials.right(add_up(trials, kept)).mean() - known) < 4 * 0.5 / np.sqrt(20_000)


def test_early_evidence_that_weighs_more_shows_as_a_share_above_one():
    noise = decisions.accumulate(np.random.default_rng(4), 20_000, listen=(20, 20), strengths=(0.0,))
    start = (noise.inputs[:, :, 0] != 0).argmax(axis=0)
    ago = np.arange(len(noise.inputs))[:, None] - start
    primacy = (noise.inputs[:, :, 0] * np.where(ago >= 0, 0.9 ** np.maximum(ago, 0), 0)).sum(axis=0)
    assert decisions.weighing(noise, primacy).kept == pytest.approx(1 / 0.9, abs=0.02)


def test_weighing_asks_for_the_trials_that_it_needs():
    mixed = decisions.accumulate(np.random.default_rng(0), 50)
    with pytest.raises(ValueError, match="one duration without a signal"):
        decisions.weighing(mixed, mixed.odds)
    noise = decisions.accumulate(np.random.default_rng(0), 50, listen=(9, 9), strengths=(0.0,))
    with pytest.raises(ValueError, match="same answer in every trial"):
        decisions.weighing(noise, np.ones(50))


def test_context_and_irrelevant_stream_are_what_they_say():
    trials = decisions.integrate_in_context(np.random.default_rng(6), 5000)
    cue = trials.inputs[..., 2:]
    assert (cue == cue[0]).all() and (cue.sum(axis=-1) == 1).all()
    sums = trials.inputs[..., :2].sum(axis=0)
    relevant = np.where(cue[0, :, 0] == 1, sums[:, 0], sums[:, 1])
    other = np.where(cue[0, :, 0] == 1, sums[:, 1], sums[:, 0])
    assert (np.sign(relevant) == np.sign(trials.odds)).all()
    assert abs(np.mean((other > 0) == (trials.targets == 1)) - 0.5) < 4 * 0.5 / np.sqrt(5000)


def test_a_match_without_noise_is_seen_and_the_delay_is_silent():
    trials = decisions.delayed_match(np.random.default_rng(7), 400, noise=1e-3, delay=(5, 5))
    assert trials.right(trials.odds).all() and 0.4 < trials.targets.mean() < 0.6
    shown = np.abs(trials.inputs).sum(axis=-1) > 0.5
    assert (shown.sum(axis=0) == 6).all()
    assert not trials.inputs[-8:-3].any() and trials.inputs[-11:-8].any(axis=-1).all()


@pytest.mark.parametrize(
    ("task", "settings", "words"),
    [
        (decisions.accumulate, {"listen": (0, 5)}, "listen"),
        (decisions.accumulate, {"listen": (5, 36)}, "listen"),
        (decisions.integrate_in_context, {"listen": (9, 8)}, "listen"),
        (decisions.delayed_match, {"delay": (2, 35)}, "delay"),
        (decisions.accumulate, {"batch_size": 0}, "batch_size"),
    ],
)
def test_tasks_that_make_no_sense_are_refused(task, settings, words):
    with pytest.raises(ValueError, match=words):
        task(np.random.default_rng(0), **({"batch_size": 3} | settings))


def test_a_leak_per_step_outside_0_and_1_is_refused():
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        decisions.leaky_accuracy(0.2, 10, 1.2)


@pytest.mark.parametrize("task", TASKS)
def test_a_test_set_of_the_training_seed_is_caught_and_a_fresh_one_passes(task):
    train = task(np.random.default_rng(11), 60)
    decisions.check_fresh(train, task(np.random.default_rng(12), 60))
    with pytest.raises(LeakError, match="60 of 60 test trials were trained on"):
        decisions.check_fresh(train, task(np.random.default_rng(11), 60))
    fresh = task(np.random.default_rng(13), 5)
    mixed = fresh._replace(inputs=np.concatenate([fresh.inputs[:, :4], train.inputs[:, 9:10]], axis=1))
    with pytest.raises(LeakError, match="1 of 5"):
        decisions.check_fresh(train, mixed)
