"""Motor cortex: borders, windows, the real recording, and the simulated one with its known tuning."""

import numpy as np
import pytest
from gatedrnn import datasets
from gatedrnn.datasets import motor
from scipy.io import savemat

HERE = datasets.locate("m1_reach_dad")
with_recording = pytest.mark.skipif(
    HERE is None, reason="needs m1_reach_dad: gatedrnn data fetch m1_reach_dad"
)


def recording(lengths=(4, 6, 5), n_cells=3, **words):
    """A recording in which every spike count is the number of its bin."""
    n = sum(lengths)
    spikes = np.repeat(np.arange(n)[:, None], n_cells, axis=1)
    starts = np.cumsum([0, *lengths[:-1]])
    return datasets.Recording(
        spikes, np.zeros((n, 2)), 0.05, starts, np.zeros(len(lengths), int), "test", **words
    )


# --- windows and sequences


@pytest.mark.parametrize(("before", "after"), [(0, 0), (2, 0), (0, 3), (2, 1)])
def test_windows_are_consecutive_bins_of_one_reach(before, after):
    r = recording()
    X, index = datasets.windows(r, before, after)
    assert X.shape == (len(index), before + 1 + after, 3)
    np.testing.assert_array_equal(X[:, :, 0], index[:, None] + np.arange(-before, after + 1))
    assert (r.reach[X[:, :, 0]] == r.reach[index][:, None]).all()
    assert len(index) == sum(length - before - after for length in (4, 6, 5))


def test_windows_fill_what_lies_beyond_the_border():
    r = recording()
    X, index = datasets.windows(r, before=2, fill=-1)
    np.testing.assert_array_equal(index, np.arange(15))
    np.testing.assert_array_equal(X[4, :, 0], [-1, -1, 4])  # first bin of the second reach
    np.testing.assert_array_equal(X[5, :, 0], [-1, 4, 5])
    np.testing.assert_array_equal(X[9, :, 0], [7, 8, 9])


def test_windows_longer_than_every_reach_say_so():
    with pytest.raises(ValueError, match="the longest has 6 bins"):
        datasets.windows(recording(), before=6)
    with pytest.raises(ValueError, match="cannot be negative"):
        datasets.windows(recording(), before=-1)


def test_sequences_pad_the_shorter_reaches():
    r = recording()
    batch = datasets.sequences(r, [2, 0])
    assert batch.spikes.shape == (5, 2, 3) and batch.spikes.dtype == r.spikes.dtype
    np.testing.assert_array_equal(batch.index.T, [[10, 11, 12, 13, 14], [0, 1, 2, 3, -1]])
    np.testing.assert_array_equal(batch.spikes[..., 0].T, [[10, 11, 12, 13, 14], [0, 1, 2, 3, 0]])
    np.testing.assert_array_equal(batch.mask.sum(axis=0), [5, 4])


def test_a_recording_checks_its_parts():
    with pytest.raises(ValueError, match="same number of bins, got 3 and 2"):
        datasets.Recording(np.zeros((3, 1)), np.zeros((2, 2)), 0.05, [0], [0], "x")
    with pytest.raises(ValueError, match="must begin with 0"):
        datasets.Recording(np.zeros((3, 1)), np.zeros((3, 2)), 0.05, np.array([1]), [0], "x")


# --- a file of the same format, another animal


def save(path, halves, **changed):
    """Write recordings as the two halves of a file in the format of chewie_demo.mat."""
    content = {}
    for end, r in zip(("tr", "te"), halves, strict=True):
        content |= {"X" + end: r.kinematics, "Y" + end: r.spikes, "T" + end: r.targets[r.reach][:, None]}
    savemat(path, {**content, **changed})
    return path


def test_another_animal_with_reaches_of_many_lengths(tmp_path):
    halves = [datasets.simulate_motor(seed=s, n_reaches=60, n_cells=17, n_targets=3) for s in (1, 2)]
    loaded = datasets.load_motor(save(tmp_path / "mihi.mat", halves))
    assert loaded.name == "mihi" and loaded.n_cells == 17 and loaded.count_bins == 1
    np.testing.assert_array_equal(loaded.spikes, np.concatenate([r.spikes for r in halves]))
    np.testing.assert_allclose(loaded.kinematics, np.concatenate([r.kinematics for r in halves]))
    truth = np.concatenate([halves[0].reach, halves[1].reach + 60])
    repeated = np.mean(np.diff(np.concatenate([r.targets for r in halves])) == 0)
    assert repeated > 0.05  # borders that the target does not betray are in the test
    speed = np.linalg.norm(loaded.kinematics, axis=1)
    fast = speed > speed.max() / 4  # certainly no part of the slow stretch between two reaches
    _, index = datasets.windows(loaded, before=10)
    index = index[fast[index]]
    assert len(index) > 300
    assert (truth[index] == truth[index - 10]).all()


def test_a_jump_of_velocity_is_a_border_even_without_a_change_of_target():
    """Reaches of many lengths, each cut off at full speed."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(20, 30, 40)
    targets = rng.integers(0, 2, 40)
    speed = np.concatenate([np.linspace(0, 20, n) for n in lengths])
    angle = np.repeat(targets * np.pi, lengths)
    velocity = np.stack([speed * np.cos(angle), speed * np.sin(angle)], axis=1)
    found = motor.reach_starts(velocity, np.repeat(targets, lengths))
    np.testing.assert_array_equal(found, np.cumsum([0, *lengths[:-1]]))
    assert (np.diff(targets) == 0).any()


def test_rates_are_kept_as_they_are(tmp_path):
    r = datasets.simulate_motor(seed=1, n_reaches=8)
    path = save(tmp_path / "rates.mat", [r, r], Ytr=r.spikes / 0.4)
    loaded = datasets.load_motor(path)
    np.testing.assert_allclose(loaded.spikes[: r.n_bins], r.spikes / 0.4)


@pytest.mark.parametrize("width", [1, 3, 8])
def test_overlapping_counts_are_recognised_and_undone(tmp_path, width):
    rng = np.random.default_rng(0)
    lengths = np.full(40, 31)
    fine = rng.poisson(0.3, (lengths.sum(), 6))
    slid = np.stack([np.convolve(c, np.ones(width, int))[: len(c)] for c in fine.T], axis=1)
    speed = np.tile(np.linspace(0, 20, 31), 40)
    r = datasets.Recording(
        slid,
        np.stack([speed, speed], axis=1),
        0.01,
        np.arange(0, 31 * 40, 31),
        rng.integers(0, 4, 40),
        "slid",
    )
    path = save(tmp_path / "slid.mat", [r, r])
    loaded = datasets.load_motor(path)
    assert loaded.count_bins == width
    np.testing.assert_array_equal(loaded.starts, np.arange(0, 31 * 80, 31))
    undone = datasets.load_motor(path, per_bin=True)
    assert undone.count_bins == 1
    np.testing.assert_array_equal(undone.spikes, np.concatenate([fine, fine]))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"Xtr": np.zeros((5, 2))}, "one row per bin, got 5"),
        ({"Xte": np.full((7, 2), np.nan)}, "Xte holds values that are not finite"),
        ({"Xtr": np.zeros((7, 1))}, "Xtr must have 2 columns"),
        ({"Yte": np.full((7, 3), -1)}, "counts of 0 or more"),
        ({"Yte": np.zeros((7, 4))}, "same cells, got 3 and 4"),
        ({"Ttr": np.full((7, 1), 0.5)}, "whole target numbers"),
        ({"Ytr": np.array([["spikes"]])}, "Ytr must be a matrix of real numbers"),
    ],
)
def test_a_file_of_the_wrong_shape_is_refused_in_words(tmp_path, change, sentence):
    half = recording(lengths=(3, 4))
    path = save(tmp_path / "bad.mat", [half, half], **change)
    with pytest.raises(datasets.MalformedData, match=sentence):
        datasets.load_motor(path)


def test_files_that_are_no_recording_at_all(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        datasets.load_motor(tmp_path / "nothing.mat")
    with pytest.raises(FileNotFoundError, match="is a folder"):
        datasets.load_motor(tmp_path)
    (tmp_path / "text.mat").write_text("not MATLAB, but long enough to look like a header " * 10)
    with pytest.raises(datasets.MalformedData, match="cannot be read as a MATLAB file"):
        datasets.load_motor(tmp_path / "text.mat")
    savemat(tmp_path / "other.mat", {"position": np.zeros(3)})
    with pytest.raises(datasets.MalformedData, match=r"lacks Xtr, .* this file holds position"):
        datasets.load_motor(tmp_path / "other.mat")
    (tmp_path / "new.mat").write_bytes(
        b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n"
    )
    with pytest.raises(datasets.MalformedData, match="save it again with the option '-v7'"):
        datasets.load_motor(tmp_path / "new.mat")


def test_a_truncated_file_is_refused(tmp_path):
    half = recording(lengths=(30, 40))
    whole = save(tmp_path / "whole.mat", [half, half]).read_bytes()
    (tmp_path / "cut.mat").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(datasets.MalformedData):
        datasets.load_motor(tmp_path / "cut.mat")


# --- the real recording: the evidence that the module's docstring states


@with_recording
def test_the_real_recording_as_the_docstring_describes_it():
    r = datasets.load_motor(HERE / "chewie_demo.mat")
    assert r.spikes.shape == (3018, 71) and r.kinematics.shape == (3018, 2) and r.count_bins == 8
    lengths = r.stops - r.starts
    assert len(r.starts) == 98 and 1200 in r.starts
    assert sorted(lengths)[:2] == [20, 22] and (np.sort(lengths)[2:] == 31).all()
    step = np.linalg.norm(np.diff(r.kinematics, axis=0), axis=1)
    inside = r.reach[1:] == r.reach[:-1]
    assert step[inside].max() < 3 < 9 < step[~inside & (np.arange(1, 3018) != 1200)].min()
    length = np.linalg.norm(np.add.reduceat(r.kinematics, r.starts), axis=1)[lengths == 31]
    assert round(length.mean()) == 205 and round(length.max()) == 379


@with_recording
def test_spikes_per_bin_of_the_real_recording_sum_to_its_counts():
    r = datasets.load_motor(HERE / "chewie_demo.mat")
    fine = datasets.load_motor(HERE / "chewie_demo.mat", per_bin=True)
    assert fine.count_bins == 1 and fine.spikes.min() == 0 and fine.spikes.max() == 4
    for half in (slice(0, 1200), slice(1200, 3018)):
        total = np.cumsum(np.pad(fine.spikes[half], ((8, 0), (0, 0))), axis=0)
        np.testing.assert_array_equal((total[8:] - total[:-8])[7:], r.spikes[half][7:])


@with_recording
def test_only_the_width_of_8_and_its_divisors_explains_the_counts():
    counts = datasets.load_motor(HERE / "chewie_demo.mat").spikes[:1200]
    assert [w for w in range(2, 33) if motor._is_sliding_sum(counts, w)] == [2, 4, 8]


# --- the simulation


def test_the_same_seed_gives_the_same_recording():
    a, b, c = (datasets.simulate_motor(seed, n_reaches=5) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a.spikes, b.spikes)
    assert a.spikes.shape != c.spikes.shape or (a.spikes != c.spikes).any()


def test_simulated_reaches_are_smooth_and_go_where_they_should():
    r = datasets.simulate_motor(seed=0, n_reaches=80)
    displacement = np.add.reduceat(r.kinematics, r.starts) * r.bin_width
    distance = np.linalg.norm(displacement, axis=1)
    angle = np.arctan2(displacement[:, 1], displacement[:, 0])
    assert distance.mean() == pytest.approx(8, rel=0.03) and distance.std() == pytest.approx(0.8, rel=0.3)
    assert np.abs(np.angle(np.exp(1j * (angle - 2 * np.pi * r.targets / 8)))).max() < 1e-2
    speed = np.linalg.norm(r.kinematics, axis=1)
    assert speed[r.starts].max() == 0 and speed[r.stops - 1].max() == 0
    assert np.bincount(r.targets).tolist() == [10] * 8


def test_rates_follow_the_equation():
    tuning = datasets.Tuning(
        np.array([0.0, np.pi / 2]), np.array([10.0, 1.0]), np.array([2.0, 3.0]), np.array([0, 1])
    )
    rates = tuning.rates(np.array([[3.0, 0.0], [0.0, 4.0], [0.0, -4.0]]))
    np.testing.assert_allclose(rates, [[16, 13], [10, 0], [10, 1]], atol=1e-12)


def test_tuning_is_recovered_from_the_spikes():
    """Away from 0 the rates are linear in the velocity at the right lag, so least squares finds them."""
    r = datasets.simulate_motor(seed=0, n_reaches=400, n_cells=60)
    truth = r.tuning
    fastest = np.linalg.norm(r.kinematics, axis=1).max()
    chosen = (truth.baseline > truth.gain * fastest) & (truth.gain > 0.2)  # never silenced, yet clearly tuned
    assert chosen.sum() >= 5
    _, index = datasets.windows(r, before=0, after=4)
    designs = [
        np.column_stack([np.ones(len(index)), r.kinematics[index + lag]]) * r.bin_width for lag in range(5)
    ]
    for cell in np.flatnonzero(chosen):
        fits = [np.linalg.lstsq(A, r.spikes[index, cell], rcond=None)[:2] for A in designs]
        losses, lag = np.array([loss[0] for _, loss in fits]), truth.lag[cell]
        noise = losses.min() / len(index)
        assert (
            losses[lag] - losses.min()
        ) / noise < 9  # the true lag is within 3 standard errors of the best
        assert losses.max() - losses.min() > 9 * noise  # and a wrong one can be told from it
        (solution, loss), A = fits[lag], designs[lag]
        direction = truth.preferred_direction[cell]
        gain = truth.gain[cell] * np.array([np.cos(direction), np.sin(direction)])
        error = np.sqrt(np.diag(np.linalg.inv(A.T @ A)) * loss / len(index))
        assert np.abs((solution - [truth.baseline[cell], *gain]) / error).max() < 4
        assert error[0] < 0.3 and error[1:].max() < 0.05  # the test could tell a wrong tuning


def test_simulation_refuses_nonsense():
    with pytest.raises(ValueError, match="n_cells must be at least 1, got 0"):
        datasets.simulate_motor(seed=0, n_cells=0)
    with pytest.raises(ValueError, match="must be positive"):
        datasets.simulate_motor(seed=0, bin_width=0)
