"""The simulated tokamak: its table, its physics, and the limit found again."""

import numpy as np
import pytest
from gatedrnn import datasets
from gatedrnn.decoders import alarms, density_limit

SHARP = {"n_discharges": 600, "impurity": 0, "noise": 0.02, "dropouts": 0}


@pytest.fixture(scope="module")
def campaign():
    return datasets.simulate_density_limit(seed=7, n_discharges=500)


def write(discharges, path):
    """Write discharges in the schema of the Open Density Limit Database."""
    names = list(discharges.units)
    columns = np.column_stack([getattr(discharges, name) for name in names])
    np.savetxt(path, columns, delimiter=",", header=",".join(names), comments="", fmt="%.9g")
    return path


def test_the_table_has_the_schema_of_the_database_and_reads_back(campaign, tmp_path):
    assert list(campaign.units) == [
        "discharge_ID",
        "time",
        "density_limit_phase",
        "density",
        "elongation",
        "minor_radius",
        "plasma_current",
        "toroidal_B_field",
        "triangularity",
    ]
    read = datasets.load_density_limit(write(campaign, tmp_path / "table.csv"))
    for name in campaign.units:
        np.testing.assert_allclose(getattr(read, name), getattr(campaign, name), rtol=1e-8)
    np.testing.assert_array_equal(read.starts, campaign.starts)
    assert read.truth is None


def test_rows_are_10_ms_apart_and_about_as_many_are_in_the_phase_as_in_the_real_table():
    phases = []
    for seed in range(4):
        d = datasets.simulate_density_limit(seed=seed, n_discharges=800)
        inside = np.diff(d.shot) == 0
        np.testing.assert_allclose(np.diff(d.time)[inside], 0.01, atol=1e-9)
        phases.append(d.density_limit_phase.mean())
        assert 90 < np.diff(d.starts).mean() < 135
    assert np.mean(phases) == pytest.approx(0.0136, abs=0.002)


def test_quantities_are_of_the_size_of_the_machine(campaign):
    assert campaign.plasma_current.mean() == pytest.approx(0.83, abs=0.1)
    assert campaign.minor_radius.mean() == pytest.approx(0.22, abs=0.002)
    assert campaign.toroidal_B_field.mean() == pytest.approx(5.46, abs=0.25)
    assert campaign.density.mean() == pytest.approx(1.44, abs=0.35)
    assert campaign.elongation.mean() == pytest.approx(1.62, abs=0.02)
    assert (campaign.density > 0).all() and (campaign.plasma_current > 0.05).all()


def test_the_same_seed_gives_the_same_discharges():
    one, two, other = (datasets.simulate_density_limit(seed, n_discharges=20) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.density, two.density)
    assert len(one.time) != len(other.time) or (one.density != other.density).any()


def test_the_phase_begins_when_the_load_reaches_one_and_lasts_to_the_end(campaign):
    on = campaign.density_limit_phase > 0
    assert campaign.truth.load[~on].max() < 1
    onset = np.flatnonzero(np.diff(campaign.density_limit_phase, prepend=0) == 1)
    assert (campaign.truth.load[onset] >= 1).all()
    np.testing.assert_array_equal(on[campaign.stops - 1], campaign.limited)
    assert len(onset) == campaign.limited.sum()
    assert (np.isfinite(campaign.truth.lock) == campaign.limited).all()
    lock = campaign.truth.lock[campaign.limited]
    assert (lock > campaign.time[onset]).all() and (
        lock < campaign.time[campaign.stops - 1][campaign.limited] + 0.01
    ).all()


def test_the_load_follows_its_equation(campaign):
    """Between two rows of one discharge, with the fraction of the later row held."""
    truth = campaign.truth
    later = np.flatnonzero(np.diff(campaign.shot) == 0) + 1
    drive = truth.greenwald_fraction[later] / (truth.limit * (1 - truth.impurity[later]))
    gain = 1 - np.exp(-0.01 / truth.build_up)
    expected = truth.load[later - 1] + gain * (drive - truth.load[later - 1])
    np.testing.assert_allclose(truth.load[later], expected, rtol=1e-12)


def test_the_true_fraction_is_what_clean_sensors_measure():
    d = datasets.simulate_density_limit(seed=1, n_discharges=40, noise=0, dropouts=0)
    before = d.density_limit_phase == 0
    sampled = (np.arange(len(d.time)) - d.starts[d.shot]) % 2 == 0  # the others hold the last sample
    rows = before & sampled
    np.testing.assert_allclose(d.greenwald_fraction[rows], d.truth.greenwald_fraction[rows], rtol=1e-9)


def test_dropouts_stick_or_miscount_in_about_the_share_that_is_asked():
    words = {"seed": 2, "n_discharges": 300, "noise": 0}
    clean, faulty = (datasets.simulate_density_limit(dropouts=share, **words) for share in (0, 0.1))
    changed = np.abs(clean.density - faulty.density) > 1e-12
    assert 0.06 < changed.mean() < 0.12
    jump = np.abs(clean.density - faulty.density)[changed]
    assert np.isclose(jump, 0.8).mean() > 0.2


def test_a_prompt_limit_has_no_puffs_that_get_away():
    prompt, slow = (datasets.simulate_density_limit(seed=1, build_up=t, **SHARP) for t in (1e-3, 0.1))

    def unharmed(d):
        return (np.maximum.reduceat(d.truth.greenwald_fraction, d.starts)[~d.limited] > 1).sum()

    assert unharmed(prompt) == 0 and unharmed(slow) > 5


def test_selected_discharges_are_whole_and_in_order(campaign):
    part = campaign.select([4, 2])
    for number, shot in enumerate((4, 2)):
        rows = slice(campaign.starts[shot], campaign.stops[shot])
        np.testing.assert_array_equal(part.density[part.shot == number], campaign.density[rows])
    assert part.truth is None
    with pytest.raises(ValueError, match="at least one discharge, got none"):
        campaign.select([])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"n_discharges": 0}, "n_discharges must be at least 1, got 0"),
        ({"limit": 0}, "must be positive, got 0"),
        ({"build_up": -1}, "must be positive"),
        ({"impurity": 0.5}, "impurity ≤ 0.3"),
        ({"dropouts": 1}, "dropouts < 1"),
    ],
)
def test_what_cannot_be_simulated_is_said_in_words(words, message):
    with pytest.raises(ValueError, match=message):
        datasets.simulate_density_limit(seed=0, **words)


@pytest.mark.parametrize(("limit", "build_up"), [(1.0, 0.1), (0.8, 0.05), (1.2, 0.08)])
@pytest.mark.parametrize("seed", [21, 22])
def test_a_clean_limit_is_found_within_5_percent_and_30_ms(limit, build_up, seed):
    d = datasets.simulate_density_limit(seed=seed, limit=limit, build_up=build_up, **SHARP)
    found = density_limit.fit_limit(d)
    assert found.median == pytest.approx(limit, rel=0.05)
    assert found.build_up == pytest.approx(build_up, abs=0.03)
    assert found.spread < 0.05


@pytest.mark.parametrize("seed", [31, 32])
def test_a_limit_that_varies_is_found_with_its_spread(seed):
    d = datasets.simulate_density_limit(seed=seed, n_discharges=800)
    bearable = d.truth.limit * (1 - d.truth.impurity[(d.starts + d.stops) // 2])
    found = density_limit.fit_limit(d)
    assert found.median == pytest.approx(np.median(bearable), rel=0.12)
    assert found.spread == pytest.approx(np.log(bearable).std(), abs=0.06)
    assert found.build_up == pytest.approx(0.1, abs=0.05)


def test_leaving_out_the_discharges_that_never_collapsed_finds_a_limit_too_low():
    d = datasets.simulate_density_limit(seed=31, n_discharges=800)
    whole = density_limit.fit_limit(d)
    broken = density_limit.fit_limit(d.select(np.flatnonzero(d.limited)))
    assert broken.median < 0.97 * whole.median


def test_a_limit_that_nobody_reached_cannot_be_found(campaign):
    with pytest.raises(ValueError, match="three discharges that reach it, got 0"):
        density_limit.fit_limit(campaign.select(np.flatnonzero(~campaign.limited)))


def test_rows_filled_in_from_the_future_are_seen(campaign):
    filled = datasets.simulate_density_limit(seed=7, n_discharges=100, interpolated=True)
    assert alarms.looks_ahead(campaign) < 1e-3  # a chance mean among the dropouts
    for column in ("density", "minor_radius", "plasma_current"):
        assert alarms.looks_ahead(filled, column) == pytest.approx(0.5, abs=0.02)
    assert alarms.looks_ahead(campaign.select([0]), "discharge_ID") == 0
