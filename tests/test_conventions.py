"""The converters against each library's published equations, written down here once more in NumPy.

The restatements follow the sources of flax.linen, haiku and equinox, and the papers' numbered equations; none
of the libraries is imported.
"""

import numpy as np
import pytest
from gatedrnn import conventions
from gatedrnn.cells import GRUState, LSTMState, Parameters, gru_step, initial_state, lstm_step, run

INPUTS, H, T = 3, 5, 12


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def case(cell, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(T, 2, INPUTS)), Parameters.initial(cell, INPUTS, H, rng)


def follow(step, inputs, state):
    """Run another library's step, which returns its own state first, and stack the outputs."""
    outputs = []
    for x in inputs:
        state, output = step(x, state)
        outputs.append(output)
    return np.stack(outputs), state


def zeros():
    return np.zeros((2, H))


def dense(entry, x):
    return x @ entry["kernel"] + entry.get("bias", 0)


# Each library's step


def flax_lstm(p):
    def step(x, carry):
        c, h = carry
        i = sigmoid(dense(p["ii"], x) + dense(p["hi"], h))
        f = sigmoid(dense(p["if"], x) + dense(p["hf"], h))
        g = np.tanh(dense(p["ig"], x) + dense(p["hg"], h))
        o = sigmoid(dense(p["io"], x) + dense(p["ho"], h))
        c = f * c + i * g
        h = o * np.tanh(c)
        return (c, h), h

    return step


def flax_gru(p):
    def step(x, h):
        r = sigmoid(dense(p["ir"], x) + dense(p["hr"], h))
        z = sigmoid(dense(p["iz"], x) + dense(p["hz"], h))
        n = np.tanh(dense(p["in"], x) + r * dense(p["hn"], h))
        h = (1 - z) * n + z * h
        return h, h

    return step


def haiku_lstm(p):
    def step(x, state):
        h, c = state
        gated = np.concatenate([x, h], axis=-1) @ p["linear"]["w"] + p["linear"]["b"]
        i, g, f, o = np.split(gated, 4, axis=-1)
        c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return (h, c), h

    return step


def haiku_gru(p):
    def step(x, h):
        (z_x, r_x, a_x), (z_h, r_h, _) = np.split(x @ p["w_i"] + p["b"], 3, -1), np.split(h @ p["w_h"], 3, -1)
        z, r = sigmoid(z_x + z_h), sigmoid(r_x + r_h)
        a = np.tanh(a_x + (r * h) @ p["w_h"][:, 2 * H :])
        h = (1 - z) * h + z * a
        return h, h

    return step


def equinox_lstm(p):
    def step(x, state):
        h, c = state
        i, f, g, o = np.split(x @ p["weight_ih"].T + h @ p["weight_hh"].T + p["bias"], 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return (h, c), h

    return step


def equinox_gru(p):
    def step(x, h):
        from_x = np.split(x @ p["weight_ih"].T + p["bias"], 3, axis=-1)
        from_h = np.split(h @ p["weight_hh"].T, 3, axis=-1)
        reset, inp = sigmoid(from_x[0] + from_h[0]), sigmoid(from_x[1] + from_h[1])
        new = np.tanh(from_x[2] + reset * (from_h[2] + p["bias_n"]))
        h = new + inp * (h - new)
        return h, h

    return step


LSTMS = {
    "flax": (conventions.to_flax, conventions.from_flax, flax_lstm),
    "haiku": (conventions.to_haiku, conventions.from_haiku, haiku_lstm),
    "equinox": (conventions.to_equinox, conventions.from_equinox, equinox_lstm),
}
GRUS = {
    "flax": (conventions.to_flax, conventions.from_flax, flax_gru, gru_step),
    "equinox": (conventions.to_equinox, conventions.from_equinox, equinox_gru, gru_step),
    "haiku": (conventions.to_haiku, conventions.from_haiku, haiku_gru, conventions.gru_step_reset_before),
}


@pytest.mark.parametrize("library", LSTMS)
def test_lstm_there_and_back(library):
    to, back, restated = LSTMS[library]
    inputs, parameters = case("lstm")
    outputs, state = follow(restated(to(parameters)), inputs, (zeros(), zeros()))
    ours = run(lstm_step, inputs, None, parameters)
    np.testing.assert_allclose(outputs, ours.outputs, rtol=0, atol=1e-14)
    state = conventions.from_flax_carry(state) if library == "flax" else LSTMState(*state)
    np.testing.assert_allclose(state.cell, ours.state.cell, rtol=0, atol=1e-14)
    np.testing.assert_allclose(state.hidden, ours.state.hidden, rtol=0, atol=1e-14)
    again = run(lstm_step, inputs, None, back(to(parameters)))
    np.testing.assert_allclose(again.outputs, ours.outputs, rtol=0, atol=1e-14)


@pytest.mark.parametrize("library", GRUS)
def test_gru_there_and_back(library):
    to, back, restated, step = GRUS[library]
    inputs, parameters = case("gru")
    reset = conventions.RESET[library]
    outputs, _ = follow(restated(to(parameters, reset=reset)), inputs, zeros())
    ours = run(step, inputs, None, parameters).outputs
    np.testing.assert_allclose(outputs, ours, rtol=0, atol=1e-14)
    again = run(step, inputs, None, back(to(parameters, reset=reset))).outputs
    np.testing.assert_allclose(again, ours, rtol=0, atol=1e-14)


def test_a_carry_goes_there_and_back():
    state = initial_state("lstm", 4)._replace(cell=np.ones(4))
    cell, hidden = conventions.to_flax_carry(state)
    assert cell.all() and not hidden.any()
    np.testing.assert_array_equal(conventions.from_flax_carry((cell, hidden)).cell, state.cell)


# The papers


def paper_gru(w, keeps):
    """Cho et al. 2014, equations 5 to 8 (keeps), or Chung et al. 2014, equations 5 to 8 (updates)."""

    def step(x, h):
        r = sigmoid(x @ w["W_r"].T + h @ w["U_r"].T)
        z = sigmoid(x @ w["W_z"].T + h @ w["U_z"].T)
        candidate = np.tanh(x @ w["W"].T + (r * h) @ w["U"].T)
        h = z * h + (1 - z) * candidate if keeps else (1 - z) * h + z * candidate
        return h, h

    return step


@pytest.mark.parametrize(("paper", "keeps"), [("cho2014", True), ("chung2014", False)])
def test_the_papers_grus(paper, keeps):
    rng = np.random.default_rng(1)
    weights = {
        name: rng.normal(size=(H, INPUTS if name[0] == "W" else H))
        for name in ("W_r", "U_r", "W_z", "U_z", "W", "U")
    }
    inputs = rng.normal(size=(T, 2, INPUTS))
    outputs, _ = follow(paper_gru(weights, keeps), inputs, zeros())
    ours = run(conventions.gru_step_reset_before, inputs, None, conventions.from_paper(weights, paper))
    np.testing.assert_allclose(ours.outputs, outputs, rtol=0, atol=1e-13)


def test_the_lstm_of_1997():
    rng = np.random.default_rng(2)
    names = [f"{letter}_{gate}" for letter in "WU" for gate in ("in", "c", "out")]
    w = {name: 0.5 * rng.normal(size=(H, INPUTS if name[0] == "W" else H)) for name in names}

    def step(x, state):
        y, s = state
        net = {gate: x @ w[f"W_{gate}"].T + y @ w[f"U_{gate}"].T for gate in ("in", "c", "out")}
        s = s + sigmoid(net["in"]) * (4 * sigmoid(net["c"]) - 2)
        y = sigmoid(net["out"]) * (2 * sigmoid(s) - 1)
        return (y, s), y

    inputs = rng.normal(size=(T, 2, INPUTS))
    outputs, (_, s) = follow(step, inputs, (zeros(), zeros()))
    ours = run(lstm_step, inputs, None, conventions.from_hochreiter1997(w))
    np.testing.assert_allclose(ours.outputs, outputs, rtol=0, atol=1e-13)
    np.testing.assert_allclose(2 * ours.state.cell, s, rtol=0, atol=1e-13)
    assert (ours.gates.forget == 1).all()


# What cannot be converted


def test_the_two_places_of_the_reset_gate_are_two_cells():
    inputs, parameters = case("gru")
    after = run(gru_step, inputs, None, parameters).outputs
    before = run(conventions.gru_step_reset_before, inputs, None, parameters).outputs
    assert np.abs(after - before).max() > 0.01
    with pytest.raises(ValueError, match=r"resets before the recurrent product, as haiku does, got .* after"):
        conventions.to_haiku(parameters)
    for to in (conventions.to_flax, conventions.to_equinox):
        with pytest.raises(ValueError, match="train again, or keep the cell"):
            to(parameters, reset="before")


def test_they_are_one_cell_where_the_matrix_is_diagonal_and_the_bias_zero():
    inputs, parameters = case("gru")
    parameters.weight_hh[2 * H :] = np.diag(np.diag(parameters.weight_hh[2 * H :]))
    with pytest.raises(ValueError, match="bias zero"):
        conventions.to_haiku(parameters)
    parameters.bias_hh[2 * H :] = 0
    outputs, _ = follow(haiku_gru(conventions.to_haiku(parameters)), inputs, zeros())
    np.testing.assert_allclose(outputs, run(gru_step, inputs, None, parameters).outputs, rtol=0, atol=1e-14)


def test_flipping_turns_keep_into_update():
    inputs, parameters = case("gru")
    keep = run(gru_step, inputs, None, parameters)
    x, state = inputs[0], GRUState(keep.outputs[3])
    _, kept = gru_step(x, state, parameters)
    _, flipped = gru_step(x, state, conventions.flip_update(parameters))
    np.testing.assert_allclose(flipped.update, 1 - kept.update, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(flipped.new, kept.new)
    for once, twice in zip(
        parameters, conventions.flip_update(conventions.flip_update(parameters)), strict=True
    ):
        np.testing.assert_array_equal(once, twice)


def test_converting_leaves_the_original_alone():
    _, parameters = case("gru")
    before = [part.copy() for part in parameters]
    conventions.flip_update(parameters)
    conventions.to_haiku(parameters, reset="before")
    for part, copy in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(part, copy)


def test_bad_input_is_told_what_was_expected():
    rnn, lstm = (Parameters.initial(cell, INPUTS, H, np.random.default_rng(0)) for cell in ("rnn", "lstm"))
    for to in (conventions.to_flax, conventions.to_haiku, conventions.to_equinox):
        with pytest.raises(ValueError, match="an LSTM or a GRU, got those of RNN"):
            to(rnn)
    with pytest.raises(ValueError, match="expected the parameters of gru, got those of LSTM"):
        conventions.flip_update(lstm)
    with pytest.raises(ValueError, match="an entry 'ir', got ii"):
        conventions.from_flax({"ii": {}})
    with pytest.raises(ValueError, match="an entry 'w_i', got w"):
        conventions.from_haiku({"w": 1})
    with pytest.raises(ValueError, match='"cho2014" or "chung2014"'):
        conventions.from_paper({}, "cho2015")
    with pytest.raises(ValueError, match='reset="before" or reset="after"'):
        conventions.to_flax(Parameters.initial("gru", INPUTS, H, np.random.default_rng(0)), reset="during")
