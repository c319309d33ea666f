"""Modes, time constants and echoes against closed forms and against running the network."""

import numpy as np
import pytest
from gatedrnn import dynamics


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
