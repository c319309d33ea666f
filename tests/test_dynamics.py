"""Modes, echoes, Jacobians and fixed points against closed forms, autograd and running the network."""

import numpy as np
import pytest
import torch
from gatedrnn import bptt, cells, dynamics

CELLS = ["rnn", "lstm", "gru"]
TORCH = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def rotation(angle, size=1.0):
    return size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def test_modes_of_a_diagonal_matrix_are_its_entries():
    modes = dynamics.eigenmodes(np.diag([0.5, -0.9, 0.99]), dt=0.01)
    np.testing.assert_allclose(modes.eigenvalues, [0.99, -0.9, 0.5])
    np.testing.assert_allclose(modes.decay_time, [-0.01 / np.log(s) for s in (0.99, 0.9, 0.5)])
    np.testing.assert_allclose(modes.frequency, [0, 50, 0])  # a sign change every 10 ms is 50 Hz


def test_a_damped_rotation_has_its_frequency_and_decay():
    modes = dynamics.eigenmodes(rotation(2 * np.pi * 0.1, 0.95), dt=0.02)  # a tenth of a turn every 20 ms
    np.testing.assert_allclose(modes.frequency, [5, 5])
    np.testing.assert_allclose(modes.decay_time, -0.02 / np.log(0.95))
    assert modes.eigenvalues[0].imag > 0 > modes.eigenvalues[1].imag


@pytest.mark.parametrize(
    ("W", "decay_time", "frequency"),
    [
        (np.zeros((2, 2)), [0, 0], [0, 0]),
        (np.eye(2), [np.inf, np.inf], [0, 0]),
        (rotation(np.pi / 3), [np.inf, np.inf], [1 / 6, 1 / 6]),
        ([[2.0]], [-1 / np.log(2)], [0]),
        ([[-1.0]], [np.inf], [0.5]),
    ],
)
def test_edges(W, decay_time, frequency):
    modes = dynamics.eigenmodes(W)
    np.testing.assert_allclose(modes.decay_time, decay_time)
    np.testing.assert_allclose(modes.frequency, frequency)


def test_modes_rebuild_the_matrix_and_its_powers():
    W = np.random.default_rng(0).normal(size=(8, 8)) / 3
    modes = dynamics.eigenmodes(W)
    assert (np.diff(np.abs(modes.eigenvalues)) <= 1e-12).all()
    np.testing.assert_allclose(modes.left @ modes.right, np.eye(8), atol=1e-12)
    power = modes.right @ np.diag(modes.eigenvalues**7) @ modes.left
    np.testing.assert_allclose(power, np.linalg.matrix_power(W, 7), atol=1e-12)


def test_a_defective_matrix_has_eigenvalues_but_no_left_partners():
    modes = dynamics.eigenmodes([[0.5, 1.0], [0.0, 0.5]])
    np.testing.assert_allclose(modes.eigenvalues, [0.5, 0.5])
    assert np.isnan(modes.left).all()


@pytest.mark.parametrize(("f", "tau"), [(0.5, 1.44), (0.9, 9.49), (0.99, 99.5), (0.0, 0.0), (1.0, np.inf)])
def test_time_constants_of_known_gates(f, tau):
    assert dynamics.time_constant(f) == pytest.approx(tau, abs=0.005)
    assert dynamics.time_constant(f, dt=0.02) == pytest.approx(tau * 0.02, abs=0.0001)


def test_time_constant_and_forget_gate_undo_each_other():
    tau = np.array([0.0, 0.5, 10.0, 1e6, np.inf])
    np.testing.assert_allclose(dynamics.time_constant(dynamics.forget_gate(tau, 0.1), 0.1), tau, rtol=1e-8)


def test_the_echo_is_what_running_the_network_gives():
    rng = np.random.default_rng(1)
    W, U, V = rng.normal(size=(4, 4)) / 3, rng.normal(size=(4, 2)), rng.normal(size=(3, 4))
    echo = dynamics.impulse_response(W, U, V, steps=6)
    assert echo.shape == (6, 3, 2)
    for pulse in range(2):
        h = np.zeros(4)
        for k in range(6):
            h = W @ h + U @ (np.eye(2)[pulse] if k == 0 else np.zeros(2))
            np.testing.assert_allclose(echo[k, :, pulse], V @ h, atol=1e-14)
    np.testing.assert_allclose(dynamics.impulse_response(W, U[:, 0], V[0], 6), echo[:, 0, 0])
    np.testing.assert_allclose(dynamics.impulse_response(W, U, steps=6)[3], np.linalg.matrix_power(W, 3) @ U)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dynamics.eigenmodes(np.zeros((2, 3))), r"square.*\(2, 3\)"),
        (lambda: dynamics.eigenmodes(np.zeros((0, 0))), "square"),
        (lambda: dynamics.eigenmodes([[np.nan]]), "NaN or infinity"),
        (lambda: dynamics.eigenmodes(np.eye(2), dt=0), "positive dt, got 0"),
        (lambda: dynamics.time_constant(1.2), "between 0 and 1, got 1.2"),
        (lambda: dynamics.time_constant(np.nan), "between 0 and 1, got nan"),
        (lambda: dynamics.forget_gate(-1.0), "0 or more, got -1.0"),
        (lambda: dynamics.impulse_response(np.eye(2), np.ones(3)), r"\(2, I\) or \(2,\).*got \(3,\)"),
        (
            lambda: dynamics.impulse_response(np.eye(2), np.ones(2), np.ones(3)),
            r"\(O, 2\) or \(2,\).*got \(3,\)",
        ),
        (lambda: dynamics.impulse_response(np.eye(2), np.ones(2), steps=0), "at least one step, got 0"),
    ],
)
def test_bad_input_is_told_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def random_run(cell, batch_shape=(), steps=6, size=4, seed=0):
    rng = np.random.default_rng(seed)
    parameters = cells.Parameters.initial(cell, 3, size, rng)
    inputs = rng.normal(size=(steps, *batch_shape, 3))
    kind = cells.STATES[cell]
    state = kind(*(rng.normal(size=(*batch_shape, size)) for _ in kind._fields))
    return inputs, state, parameters, cells.run(cells.STEPS[cell], inputs, state, parameters)


@pytest.mark.parametrize("cell", CELLS)
def test_jacobians_equal_autograd(cell):
    inputs, state, parameters, trace = random_run(cell)
    module = TORCH[cell](3, 4, dtype=torch.float64)
    module.load_state_dict({f"{name}_l0": torch.from_numpy(w) for name, w in parameters._asdict().items()})

    def step(flat, x):
        parts = tuple(part[None] for part in flat.split(4))
        end = module(x[None], parts if cell == "lstm" else parts[0])[1]
        return torch.cat([part[0] for part in (end if cell == "lstm" else [end])])

    found = dynamics.jacobians(state, parameters, trace)
    before = np.concatenate(state)
    for t in range(len(inputs)):
        x = torch.from_numpy(inputs[t])
        expected = torch.autograd.functional.jacobian(
            lambda flat, x=x: step(flat, x), torch.from_numpy(before)
        )
        np.testing.assert_allclose(found[t], expected, rtol=0, atol=1e-14)
        before = np.concatenate([part[t] for part in trace.states])


@pytest.mark.parametrize("cell", CELLS)
def test_jacobians_of_a_batch_are_those_of_each_alone(cell):
    inputs, state, parameters, trace = random_run(cell, (2,))
    together = dynamics.jacobians(state, parameters, trace)
    for b in range(2):
        alone = type(state)(*(part[b] for part in state))
        run = cells.run(cells.STEPS[cell], inputs[:, b], alone, parameters)
        np.testing.assert_allclose(together[:, b], dynamics.jacobians(alone, parameters, run), atol=1e-15)


def test_jacobians_of_relu():
    inputs, _, parameters, _ = random_run("rnn")
    trace = cells.run(lambda *step: cells.rnn_step(*step, nonlinearity="relu"), inputs, None, parameters)
    found = dynamics.jacobians(None, parameters, trace, nonlinearity="relu")
    np.testing.assert_array_equal(found, (trace.outputs > 0)[..., None] * parameters.weight_hh)


def test_the_direct_path_of_an_lstm_is_its_forget_gate():
    _, state, parameters, trace = random_run("lstm")
    found = dynamics.jacobians(state, parameters, trace)
    np.testing.assert_array_equal(found[:, 4:, 4:], trace.gates.forget[:, :, None] * np.eye(4))


@pytest.mark.parametrize("cell", CELLS)
def test_gradient_norms_are_those_of_backpropagation(cell):
    """A gradient sent back from the last state shrinks as the product of Jacobians says."""
    inputs, state, parameters, trace = random_run(cell, steps=9)
    kind = cells.STATES[cell]
    direction = np.random.default_rng(1).normal(size=4 * len(kind._fields))
    norms = dynamics.gradient_norms(dynamics.jacobians(state, parameters, trace), direction)
    d_state = kind(*np.split(direction, len(kind._fields)))
    zeros = np.zeros_like(trace.outputs)
    whole = bptt.BACKWARD[cell](inputs, state, parameters, trace, zeros, d_state)
    assert norms[0] == pytest.approx(np.linalg.norm(direction))
    assert norms[-1] == pytest.approx(np.linalg.norm(np.concatenate(whole.state)), rel=1e-12)


def test_no_gradient_exceeds_the_bound_and_a_linear_normal_network_meets_it():
    _, _, parameters, trace = random_run("rnn", (3,), steps=20, size=8)
    norms = dynamics.gradient_norms(dynamics.jacobians(None, parameters, trace))
    bound = dynamics.gradient_bound(parameters.weight_hh, 20)
    assert norms.shape == (21, 3)
    assert (norms <= bound[:, None] * (1 + 1e-12)).all()
    assert (norms[1:] < bound[1:, None]).all()  # tanh is flatter than 1 away from 0
    W = rotation(0.3, 0.95)
    linear = dynamics.gradient_norms(np.broadcast_to(W, (60, 2, 2)))
    np.testing.assert_allclose(linear, dynamics.gradient_bound(W, 60))
    assert linear[60] == pytest.approx(0.0461, abs=5e-5)


def test_a_bound_by_the_spectral_radius_would_be_wrong():
    W = np.array([[0.5, 5.0], [0.0, 0.5]])
    norms = dynamics.gradient_norms(np.broadcast_to(W, (5, 2, 2)))
    assert norms[1] > 5 > 0.5
    assert (norms <= dynamics.gradient_bound(W, 5)).all()


def test_lyapunov_exponents_of_known_systems():
    W = dynamics.with_modes([4.0, 10.0], [0.05, 0.0], rng=np.random.default_rng(0))
    found = dynamics.lyapunov_exponents(np.broadcast_to(W, (3000, *W.shape)))
    np.testing.assert_allclose(found, [-1 / 10, -1 / 4, -1 / 4], atol=1e-3)
    seconds = dynamics.lyapunov_exponents(np.broadcast_to(W, (3000, *W.shape)), dt=0.01)
    np.testing.assert_allclose(seconds, 100 * found)
    assert dynamics.lyapunov_exponents(np.zeros((3, 2, 2))).tolist() == [-np.inf, -np.inf]


def test_strong_random_networks_are_chaotic_and_weak_ones_are_not():
    """Sompolinsky, Crisanti & Sommers (1988): the border lies at a gain of 1."""
    rng = np.random.default_rng(3)
    W = rng.normal(size=(100, 100)) / 10
    start = cells.RNNState(rng.normal(size=100))
    largest = {}
    for gain in (0.5, 3.0):
        parameters = cells.Parameters(np.zeros((100, 1)), gain * W, np.zeros(100), np.zeros(100))
        trace = cells.run(cells.rnn_step, np.zeros((300, 1)), start, parameters)
        largest[gain] = dynamics.lyapunov_exponents(dynamics.jacobians(start, parameters, trace)[100:])[0]
    assert largest[0.5] < -0.3
    assert largest[3.0] > 0.1


@pytest.mark.parametrize("cell", CELLS)
def test_fixed_points_stand_still_and_carry_their_jacobian(cell):
    _, _, parameters, trace = random_run(cell, (5,), steps=8)
    x = np.array([0.3, -0.2, 0.5])
    points = dynamics.fixed_points(parameters, trace.states, x)
    assert len(points.states) >= 1
    assert points.speeds[0] < 1e-12
    kind = cells.STATES[cell]
    state = kind(*np.split(points.states[:1], len(kind._fields), axis=1))
    after = cells.run(cells.STEPS[cell], np.broadcast_to(x, (1, 1, 3)), state, parameters)
    np.testing.assert_allclose(np.concatenate(after.state, axis=1), points.states[:1], atol=1e-12)
    expected = dynamics.jacobians(state, parameters, after)[0]
    np.testing.assert_allclose(points.jacobians[:1], expected, atol=1e-12)
    sizes = np.abs(np.linalg.eigvals(points.jacobians[0]))
    np.testing.assert_allclose(np.abs(points.eigenvalues[0]), np.sort(sizes)[::-1])
    assert points.stable[0] == (sizes.max() < 1)


def test_two_units_that_excite_themselves_have_nine_fixed_points():
    parameters = cells.Parameters(np.zeros((2, 1)), 2 * np.eye(2), np.zeros(2), np.zeros(2))
    starts = np.stack(np.meshgrid(*[np.linspace(-1.2, 1.2, 13)] * 2), -1).reshape(-1, 2)
    points = dynamics.fixed_points(parameters, starts)
    assert len(points.states) == 9
    assert points.stable.sum() == 4
    rest = 0.9575040240772688  # h = tanh 2h
    found = sorted(map(tuple, (points.states / rest).round(6) + 0.0))
    assert found == [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]


def test_a_slow_point_is_kept_if_slow_enough():
    """Just before two fixed points are born, the ghost of them is slow."""
    parameters = cells.Parameters(np.ones((1, 1)), np.ones((1, 1)) * 1.5, np.zeros(1), np.zeros(1))
    starts = np.linspace(-1, 0, 11)[:, None]
    edge = np.arccosh(np.sqrt(1.5))
    x = np.array(
        [1.5 * np.tanh(edge) - edge + 0.002]
    )  # the fold lies at the bracket, a little beyond is no point
    ghost = np.array([-np.tanh(edge)])
    found = dynamics.fixed_points(parameters, starts, x, slow=0.01)
    near = np.abs(found.states[:, 0] - ghost) < 0.1
    assert near.sum() == 1
    assert 1e-5 < found.speeds[near][0] < 0.01
    few = dynamics.fixed_points(parameters, starts, x, slow=1e-6)
    assert not (np.abs(few.states[:, 0] - ghost) < 0.1).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda p, t: dynamics.jacobians(None, p, random_run("gru")[3]),
            "trace of a run with these LSTM weights",
        ),
        (lambda p, t: dynamics.gradient_norms(np.zeros((3, 2, 4))), r"square.*got shape \(3, 2, 4\)"),
        (lambda p, t: dynamics.gradient_norms(np.full((3, 2, 2), np.nan)), "NaN or infinity"),
        (lambda p, t: dynamics.gradient_norms(np.zeros((3, 2, 2)), np.ones(3)), "direction of 2 entries"),
        (lambda p, t: dynamics.gradient_bound(np.eye(2), -1), "0 steps or more, got -1"),
        (lambda p, t: dynamics.lyapunov_exponents(np.zeros((3, 2, 2)), dt=0), "positive dt"),
        (lambda p, t: dynamics.fixed_points(p, np.zeros((3, 4))), r"\(N, 8\) for this LSTM, got \(3, 4\)"),
        (lambda p, t: dynamics.fixed_points(p, np.full((3, 8), np.nan)), "starting points hold NaN"),
        (
            lambda p, t: dynamics.fixed_points(p, t.states, np.zeros(2)),
            r"one input of shape \(3,\), got \(2,\)",
        ),
    ],
)
def test_bad_input_about_trajectories_is_told_in_words(call, message):
    _, _, parameters, trace = random_run("lstm")
    with pytest.raises(ValueError, match=message):
        call(parameters, trace)
