"""Switches, channels and synapses as gated updates, against solvers, formulas and chance."""

import numpy as np
import pytest
from gatedrnn import cells, switches
from scipy.integrate import quad, solve_ivp
from scipy.optimize import approx_fprime

GENES = [(0.5, 2.0), (1.6, 4.0), (1.9, 2.0), (2.2, 6.0), (1.6, 1.0)]


def test_a_gated_update_is_that_of_a_gru_unit():
    rng = np.random.default_rng(0)
    parameters = cells.Parameters.initial("gru", 2, 3, rng)
    before, x = cells.GRUState(rng.normal(size=3)), rng.normal(size=2)
    after, gates = cells.gru_step(x, before, parameters)
    mine = switches.gated_update(before.hidden, gates.update, gates.new)
    np.testing.assert_allclose(mine, after.hidden, atol=1e-15)


@pytest.mark.parametrize(("feedback", "steepness"), GENES)
@pytest.mark.parametrize("tau", [1.0, 2.5])
def test_rests_are_where_made_and_lost_are_equal_and_stable_where_pushes_die_out(feedback, steepness, tau):
    switch = switches.GeneSwitch(feedback, steepness, tau)
    for s in (0.0, 0.05, 0.2, 0.41, 0.6):
        rests = switch.rests(s)
        assert len(rests.levels) in (1, 3, 2 if s == 0 else 1) and list(rests.levels) == sorted(rests.levels)
        np.testing.assert_allclose(switch.rate(rests.levels, s), 0, atol=1e-9)
        grid = np.linspace(1e-6, rests.levels[-1] + 5, 20_001)
        crossings = np.count_nonzero(np.diff(np.sign(switch.rate(grid, s))))
        assert crossings == len(rests.levels) - (rests.levels[0] == 0)
        for level, stable in zip(rests.levels, rests.stable, strict=True):
            slope = approx_fprime(np.array([level + 1e-3]), lambda x, s=s: switch.rate(x, s).item(), 1e-7)[0]
            assert (slope < 0) == stable


@pytest.mark.parametrize(("feedback", "steepness"), [(1.6, 4.0), (2.0, 2.0), (2.2, 6.0)])
def test_between_the_folds_there_are_three_rests_and_outside_one(feedback, steepness):
    switch = switches.GeneSwitch(feedback, steepness)
    levels, inputs = switch.folds()
    np.testing.assert_allclose(switch.steep(levels), 1, atol=1e-9)
    assert inputs[0] > inputs[1]
    assert len(switch.rests((inputs[0] + max(inputs[1], 0)) / 2).levels) == 3
    assert len(switch.rests(inputs[0] + 0.01).levels) == 1
    assert inputs[1] < 0.01 or len(switch.rests(inputs[1] - 0.01).levels) == 1
    assert not len(switches.GeneSwitch(feedback, 1.0).folds()[0])


def test_the_step_is_eulers_and_tends_to_the_solution():
    switch = switches.GeneSwitch(1.6, 4.0, tau=2.0)
    x = np.linspace(0, 3, 50)
    np.testing.assert_allclose(switch.step(x, 0.3, 0.1), x + 0.1 * switch.rate(x, 0.3), atol=1e-14)
    solved = solve_ivp(lambda t, x: switch.rate(x, 0.45), (0, 6), [0.2], rtol=1e-10, atol=1e-10).y[0, -1]
    errors = []
    for steps in (200, 400):
        level = 0.2
        for _ in range(steps):
            level = switch.step(level, 0.45, 6 / steps)
        errors.append(abs(level - solved))
    assert errors[1] == pytest.approx(errors[0] / 2, rel=0.1)


def test_a_push_dies_out_in_the_return_time():
    switch = switches.GeneSwitch(1.6, 4.0)
    rest = switch.rests(0.3).levels[2]
    tau = switch.return_time(rest)
    end = solve_ivp(lambda t, x: switch.rate(x, 0.3), (0, tau), [rest + 1e-4], rtol=1e-10, atol=1e-13).y[
        0, -1
    ]
    assert (end - rest) / 1e-4 == pytest.approx(np.exp(-1), rel=1e-3)


def test_a_gene_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="it is 0 or more"):
        switches.GeneSwitch().rests(-0.1)
    for wrong in ({"feedback": -1}, {"steepness": 0.5}, {"tau": 0}):
        with pytest.raises(ValueError, match="life time above 0"):
            switches.GeneSwitch(**wrong)


@pytest.mark.parametrize("voltage", [-30.0, 0.0, 10.0, 60.0])
def test_the_channel_follows_its_differential_equation(voltage):
    y = (10 - voltage) / 10
    alpha = 0.1 if voltage == 10 else 0.1 * y / (np.exp(y) - 1)
    beta = 0.125 * np.exp(-voltage / 80)
    solved = solve_ivp(lambda t, n: alpha * (1 - n) - beta * n, (0, 3), [0.2], rtol=1e-10, atol=1e-12).y[
        0, -1
    ]
    gate = switches.potassium_gate(voltage, 3.0)
    assert switches.gated_update(0.2, gate.keep, gate.target) == pytest.approx(solved, rel=1e-8)


def test_a_toggle_rests_where_each_gene_makes_what_is_lost():
    toggle, state = switches.Toggle(5.0, 2.0), np.array([4.0, 1.0])
    for _ in range(4000):
        state = toggle.step(state, np.zeros(2), 0.01)
    assert state[0] == pytest.approx(5 / (1 + state[1] ** 2)) and state[0] > 4 > 1 > state[1]
    assert state[1] == pytest.approx(5 / (1 + state[0] ** 2))
    for _ in range(1000):
        state = toggle.step(state, np.array([1.0, 0.0]), 0.01)
    assert state[1] > 4 > 1 > state[0]


@pytest.mark.parametrize("interval", [-3, -0.5, 0, 1, 4])
def test_the_synapse_captures_what_the_integral_says(interval):
    synapse = switches.Synapse(tag=1.5, protein=0.8, capture=3.0)
    weak, strong = 0.0, float(interval)
    product = lambda t: (  # noqa: E731
        np.exp(-(t - weak) / 1.5) * (t >= weak) * np.exp(-(t - strong) / 0.8) * (t >= strong)
    )
    area = quad(product, max(weak, strong), max(weak, strong) + 40)[0]
    assert synapse.captured(interval) == pytest.approx(1 - np.exp(-3 * area), rel=1e-6)
    times = np.arange(0, 30, 0.002)
    assert synapse.run(times, 10, 10 + interval)[-1, 2] == pytest.approx(synapse.captured(interval), abs=5e-3)


def test_nothing_is_captured_without_either_key():
    times = np.arange(0, 20, 0.01)
    assert switches.Synapse().run(times, weak=5, strong=-1)[-1, 2] == 0
    assert switches.Synapse().run(times, weak=-1, strong=5)[-1, 2] == 0


@pytest.mark.parametrize(("size", "copies"), [(5, 2000), (12, 1000)])
def test_the_exact_life_time_is_that_of_simulated_cells_and_of_the_generator(size, copies):
    noisy = switches.NoisySwitch(switches.GeneSwitch(1.6, 4.0), 0.3, size)
    on, off = noisy.edges()
    n = np.arange(off + 1, 3 * on + 61)
    rates = np.diag(-noisy.births(n) - noisy.deaths(n))
    rates += np.diag(noisy.births(n)[:-1], 1) + np.diag(noisy.deaths(n)[1:], -1)
    rates[-1, -1] += noisy.births(n[-1])  # nothing is made beyond the top
    by_matrix = np.linalg.solve(rates, -np.ones(len(n)))[on - off - 1]
    assert noisy.lifetime() == pytest.approx(by_matrix, rel=1e-6)
    falls = noisy.fall(np.random.default_rng(0), copies)
    assert abs(falls.mean() - noisy.lifetime()) < 4 * falls.std() / np.sqrt(copies)


def test_more_molecules_remember_longer_and_a_switch_without_two_rests_is_refused():
    switch = switches.GeneSwitch(1.6, 4.0)
    lives = [switches.NoisySwitch(switch, 0.3, size).lifetime() for size in (5, 10, 20, 40)]
    assert lives == sorted(lives) and lives[-1] > 10 * lives[0]
    with pytest.raises(ValueError, match="three rests"):
        switches.NoisySwitch(switch, 0.6, 10).lifetime()
