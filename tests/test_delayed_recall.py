"""The two tasks of chapter 2: what a sequence holds, and what guessing is worth."""

import numpy as np
import pytest
from gatedrnn import tasks


def test_delayed_recall_shows_a_cue_waits_and_signals():
    inputs, targets = tasks.delayed_recall(np.random.default_rng(0), batch_size=500, delay=7, noise=0.1)
    assert inputs.shape == (8, 500, 5) and targets.shape == (500,)
    assert (inputs[0, :, :4].argmax(axis=1) == targets).all()
    assert (inputs[:-1, :, 4] == 0).all() and (inputs[-1, :, 4] == 1).all()
    noise = inputs[1:, :, :4]
    assert noise.std() == pytest.approx(0.1, rel=0.05) and abs(noise.mean()) < 0.005
    assert np.bincount(targets, minlength=4) == pytest.approx(125, abs=40)


def test_after_the_cue_nothing_tells_the_answer():
    inputs, targets = tasks.delayed_recall(np.random.default_rng(1), batch_size=4000, delay=3)
    later = inputs[1:, :, :4].transpose(1, 0, 2).reshape(4000, -1)
    means = np.stack([later[targets == cue].mean(axis=0) for cue in range(4)])
    assert np.abs(means).max() < 5 * 0.1 / np.sqrt(900)


def test_adding_marks_one_number_in_each_half():
    inputs, targets = tasks.adding(np.random.default_rng(0), batch_size=3000, steps=11)
    numbers, marks = inputs[..., 0], inputs[..., 1]
    assert (marks[:5].sum(axis=0) == 1).all() and (marks[5:].sum(axis=0) == 1).all()
    np.testing.assert_allclose(targets, (numbers * marks).sum(axis=0))
    assert np.mean((targets - 1) ** 2) == pytest.approx(1 / 6, rel=0.08)
    assert numbers.min() >= 0 and numbers.max() < 1


@pytest.mark.parametrize(
    ("task", "sizes", "words"),
    [
        (tasks.delayed_recall, {"batch_size": 0, "delay": 3}, "batch_size of 1 or more, got 0"),
        (tasks.delayed_recall, {"batch_size": 2, "delay": 0}, "delay of 1 or more, got 0"),
        (tasks.adding, {"batch_size": 2, "steps": 1}, "at least 2 steps"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(task, sizes, words):
    with pytest.raises(ValueError, match=words):
        task(np.random.default_rng(0), **sizes)
