"""The checks in a notebook: right answers pass, and each typical mistake is met by its own hint."""

import math
import warnings

import numpy as np
import pytest
from gatedrnn.practice import CheckError, check, sets
from gatedrnn.practice.checking import ask, describe, hints
from gatedrnn.practice.judge import judge

ITEMS = [item for name in sets.MODULES for item in sets.load(name).questions]

TIME = "def time_constant(f, dt):\n    return "
ECHO = """
def echo(W, U, pulse, steps):
    h = {first}
    states = {states}
    for t in range({count}):
        h = {next}
        states.append(h)
    return {result}
"""
ECHO_IN_PLACE = """
def echo(W, U, pulse, steps):
    h = U @ pulse
    states = [h]
    for t in range(steps - 1):
        h[:] = W @ h
        states.append(h)
    return np.stack(states)
"""
ECHO_IN_PLACE_LATE = """
def echo(W, U, pulse, steps):
    h = U @ pulse
    states = []
    for t in range(steps):
        states.append(h)
        h[:] = W @ h
    return np.stack(states)
"""
MODES = """
def modes(W, dt):
    v = {values}
    tau, frequency = {tau}, {frequency}
    order = {order}
    return {result}
"""
RUN = """
def run_rnn(inputs, h0, W_ih, W_hh, b_ih, b_hh):
    h = {start}
    outputs = {outputs}
    for x in inputs:
        h = {step}
        outputs.append(h)
    return {result}
"""
MEASURE = """
def measure_tau(trace, dt):
    stop = {stop}
    t = {t}
    y = {y}
    slope, start = np.polyfit(t, y, 1)
    return {result}
"""
CHOOSE = """
def choose_network(networks, U, pulse, delay, dt):
    steps = {steps}
    left = []
    for W in networks:
        h = start = U @ pulse
        for _ in range(steps):
            h = W @ h
        left.append({share})
    left = np.array(left)
    best = {best}
    return {result}
"""


def echo(**changes):
    """A right answer to `echo`, with some pieces changed."""
    pieces = dict(first="U @ pulse", states="[h]", count="steps - 1", next="W @ h", result="np.stack(states)")
    return ECHO.format(**{**pieces, **changes})


def modes(**changes):
    """A right answer to `modes`, with some pieces changed."""
    pieces = dict(values="np.linalg.eigvals(W)", tau="-dt / np.log(np.abs(v))", order="np.argsort(-tau)")
    pieces |= dict(frequency="np.abs(np.angle(v)) / (2 * np.pi * dt)", result="tau[order], frequency[order]")
    return MODES.format(**{**pieces, **changes})


def run_rnn(**changes):
    """A right answer to `run_rnn`, with some pieces changed."""
    pieces = dict(start="h0", outputs="[]", result="np.stack(outputs), h")
    pieces["step"] = "np.tanh(W_ih @ x + b_ih + W_hh @ h + b_hh)"
    return RUN.format(**{**pieces, **changes})


def measure_tau(**changes):
    """A right answer to `measure_tau`, with some pieces changed."""
    pieces = dict(stop="next((k for k, y in enumerate(trace) if y < 0.25 * trace[0]), len(trace))")
    pieces |= dict(t="dt * np.arange(stop)", y="np.log(trace[:stop])", result="-1 / slope")
    return MEASURE.format(**{**pieces, **changes})


def choose(**changes):
    """A right answer to `choose_network`, with some pieces changed."""
    pieces = dict(steps="round(delay / dt)", share="np.linalg.norm(h) / np.linalg.norm(start)")
    pieces |= dict(best="left.argmax()", result="left, best")
    return CHOOSE.format(**{**pieces, **changes})


RIGHT = {
    "time_constant": TIME + "np.where(f == 1, np.inf, -dt / np.log(f))",
    "echo": echo(),
    "modes": modes(),
    "run_rnn": run_rnn(),
    "measure_tau": measure_tau(),
    "choose_network": choose(),
}

# (item, the mistake that must be recognised, points that are earned all the same, the learner's code)
WRONG = [
    ("time_constant", "minus sign missing", 0, TIME + "dt / np.log(f)"),
    ("time_constant", "log10 instead of ln", 0, TIME + "np.where(f == 1, np.inf, -dt / np.log10(f))"),
    ("time_constant", "half-life instead of time constant", 0, TIME + "dt * np.log(0.5) / np.log(f)"),
    ("time_constant", "dt forgotten", 0, TIME + "-1 / np.log(f)"),
    ("time_constant", "divided by dt", 0, TIME + "-1 / np.log(f) / dt"),
    ("time_constant", "rate instead of time", 0, TIME + "-np.log(f) / dt"),
    ("time_constant", "1/(1 − f) instead of the logarithm", 0, TIME + "dt / (1 - np.asarray(f))"),
    ("time_constant", "f = 1 gives minus infinity", 1, TIME + "-dt / np.log(f)"),
    ("time_constant", "an end left as NaN or 0", 1,
     TIME + "np.where((f == 0) | (f == 1), np.nan, -dt / np.log(f))"),
    ("time_constant", "math.log on an array", 1, TIME + "-dt / math.log(f)"),
    ("time_constant", "if on an array", 1, TIME + "np.inf if f == 1 else -dt / np.log(f)"),
    ("time_constant", "an end that stops with an error", 1,
     TIME + "np.array([[-dt / math.log(x) for x in row] for row in f]) if np.ndim(f) else -dt / math.log(f)"),
    ("echo", "one step late", 0, echo(first="W @ (U @ pulse)")),
    ("echo", "one step late", 0, echo(states="[0 * h]", next="W @ h if t else h")),
    ("echo", "W transposed", 1, echo(next="h @ W")),
    ("echo", "power of each entry instead of a matrix power", 1,
     echo(next="(W ** (t + 1)) @ (U @ pulse)")),
    ("echo", "the pulse never ends", 0, echo(next="W @ h + U @ pulse")),
    ("echo", "state forgotten at every step", 0, echo(next="W @ np.zeros(len(W))")),
    ("echo", "tanh in a linear network", 0, echo(first="np.tanh(U @ pulse)", next="np.tanh(W @ h)")),
    ("echo", "time along the second axis", 0, echo(result="np.stack(states, axis=1)")),
    ("echo", "one row too many", 0, echo(count="steps")),
    ("echo", "one row too many", 0, echo(states="[0 * h, h]")),
    ("echo", "only the last state", 0, echo(result="h")),
    ("echo", "one array kept in every row", 0, ECHO_IN_PLACE),
    ("echo", "one array kept in every row", 0, ECHO_IN_PLACE_LATE),
    ("echo", "input multiplied entry by entry", 0, echo(first="U * pulse")),
    ("echo", "weights and inputs swapped", 1, echo(first="U.T @ pulse")),
    ("modes", "angle not divided by 2π", 1, modes(frequency="np.abs(np.angle(v)) / dt")),
    ("modes", "dt forgotten", 1, modes(frequency="np.abs(np.angle(v)) / (2 * np.pi)")),
    ("modes", "dt forgotten", 1, modes(tau="-1 / np.log(np.abs(v))")),
    ("modes", "minus sign missing", 1, modes(tau="dt / np.log(np.abs(v))", order="np.argsort(tau)")),
    ("modes", "half-life instead of decay time", 1, modes(tau="-dt / np.log2(np.abs(v))")),
    ("modes", "real part instead of modulus", 1,
     modes(tau="-dt / np.log(np.abs(v.real))", order="np.argsort(-np.abs(v))")),
    ("modes", "imaginary part instead of angle", 1, modes(frequency="np.abs(v.imag) / (2 * np.pi * dt)")),
    ("modes", "arctan of a ratio instead of angle", 1,
     modes(frequency="np.abs(np.arctan(v.imag / v.real)) / (2 * np.pi * dt)")),
    ("modes", "signed frequencies", 1, modes(frequency="np.angle(v) / (2 * np.pi * dt)")),
    ("modes", "signed frequencies", 1,
     modes(frequency="np.angle(v) / (2 * np.pi * dt)", order="np.argsort(tau)[::-1]")),
    ("modes", "singular values instead of eigenvalues", 0,
     modes(values="np.linalg.svd(W, compute_uv=False)", order="np.argsort(-v)")),
    ("modes", "eigenvalues of the symmetric case", 0,
     modes(values="np.linalg.eigvalsh(W)", order="np.argsort(-np.abs(v))")),
    ("modes", "not sorted, slowest first", 0, modes(order="np.argsort(tau)")),
    ("modes", "not sorted, slowest first", 0, modes(order="np.arange(len(v))")),
    ("modes", "each array in an order of its own", 1,
     modes(result="np.sort(tau)[::-1], np.sort(frequency)[::-1]")),
    ("modes", "each array in an order of its own", 1, modes(result="np.sort(tau)[::-1], np.sort(frequency)")),
    ("modes", "each array in an order of its own", 1, modes(result="np.sort(tau)[::-1], frequency")),
    ("modes", "each array in an order of its own", 0, modes(result="np.sort(tau), np.sort(frequency)")),
    ("modes", "one of each pair dropped", 0,
     modes(values="np.array([v for v in np.linalg.eigvals(W) if np.imag(v) >= 0])")),
    ("modes", "logarithm of a complex number", 1,
     modes(tau="-dt / np.log(v.astype(complex))", order="np.argsort(-np.abs(v))")),
    ("modes", "logarithm of a complex number", 0, modes(tau="-dt / np.log(v.astype(complex))")),
    ("run_rnn", "one bias missing", 1, run_rnn(step="np.tanh(W_ih @ x + b_ih + W_hh @ h)")),
    ("run_rnn", "one bias missing", 1, run_rnn(step="np.tanh(W_ih @ x + W_hh @ h + b_hh)")),
    ("run_rnn", "both biases missing", 1, run_rnn(step="np.tanh(W_ih @ x + W_hh @ h)")),
    ("run_rnn", "bias added after the tanh", 1, run_rnn(step="np.tanh(W_ih @ x + W_hh @ h) + b_ih + b_hh")),
    ("run_rnn", "initial state ignored", 2, run_rnn(start="np.zeros(len(W_hh))")),
    ("run_rnn", "state reset at every step", 0, run_rnn(step="np.tanh(W_ih @ x + b_ih + W_hh @ h0 + b_hh)")),
    ("run_rnn", "recurrent weights transposed", 0,
     run_rnn(step="np.tanh(W_ih @ x + b_ih + h @ W_hh + b_hh)")),
    ("run_rnn", "tanh missing", 0, run_rnn(step="W_ih @ x + b_ih + W_hh @ h + b_hh")),
    ("run_rnn", "tanh on one term only", 0, run_rnn(step="W_ih @ x + b_ih + np.tanh(W_hh @ h + b_hh)")),
    ("run_rnn", "sigmoid instead of tanh", 0,
     run_rnn(step="1 / (1 + np.exp(-(W_ih @ x + b_ih + W_hh @ h + b_hh)))")),
    ("run_rnn", "initial state among the outputs", 0, run_rnn(outputs="[h0]")),
    ("run_rnn", "initial state returned as final state", 0, run_rnn(result="np.stack(outputs), h0")),
    ("run_rnn", "one value returned instead of two", 0, run_rnn(result="np.stack(outputs)")),
    ("run_rnn", "a product that does not fit", 0,
     run_rnn(step="np.tanh(x @ W_ih + b_ih + W_hh @ h + b_hh)")),
    ("measure_tau", "minus sign missing", 0, measure_tau(result="1 / slope")),
    ("measure_tau", "dt forgotten", 0, measure_tau(t="np.arange(stop)")),
    ("measure_tau", "slope instead of its inverse", 0, measure_tau(result="-slope")),
    ("measure_tau", "log10 instead of ln", 0, measure_tau(y="np.log10(trace[:stop])")),
    ("measure_tau", "half-life instead of time constant", 0, measure_tau(result="-np.log(2) / slope")),
    ("measure_tau", "logarithm of negative samples", 1, measure_tau(stop="len(trace)")),
    ("measure_tau", "noise floor in the fit", 1, measure_tau(stop="len(trace)", y="np.log(np.abs(trace))")),
    ("measure_tau", "noise floor in the fit", 1,
     measure_tau(stop="len(trace)", y="np.log(np.maximum(trace, 1e-12))")),
    ("measure_tau", "fit without a logarithm", 0,
     measure_tau(stop="len(trace)", y="trace", result="-start / slope")),
    ("measure_tau", "area under the curve", 1, measure_tau(result="trace.sum() * dt / trace[0]")),
    ("choose_network", "chosen by the slowest mode", 1,
     choose(best="np.argmax([np.abs(np.linalg.eigvals(W)).max() for W in networks])")),
    ("choose_network", "one step late or early", 1, choose(steps="round(delay / dt) - 1")),
    ("choose_network", "norm instead of share", 1, choose(share="np.linalg.norm(h)")),
    ("choose_network", "per cent instead of a share", 1,
     choose(share="100 * np.linalg.norm(h) / np.linalg.norm(start)")),
    ("choose_network", "squared norm", 1, choose(share="(h @ h) / (start @ start)")),
    ("choose_network", "delay in steps", 0, choose(steps="int(delay)")),
    ("choose_network", "the worst instead of the best", 1, choose(best="left.argmin()")),
    ("choose_network", "counted from one", 1, choose(best="left.argmax() + 1")),
    ("choose_network", "network instead of its index", 1, choose(best="networks[left.argmax()]")),
    ("choose_network", "network instead of its index", 1, choose(best="left.max()")),
    ("choose_network", "share lost instead of share left", 0,
     choose(share="1 - np.linalg.norm(h) / np.linalg.norm(start)")),
    ("choose_network", "index and shares swapped", 0, choose(result="best, left")),
    ("choose_network", "one value returned instead of two", 0, choose(result="best")),
]  # fmt: skip


def function(name, source):
    """The function that a learner's source defines."""
    namespace = {"np": np, "math": math}
    exec(source, namespace)
    return namespace[name]


def verdict(name, source):
    """What the check makes of it."""
    item = sets.find_item(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return judge(item, ask(item, function(name, source)))


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_reference_and_a_second_right_answer_earn_everything(item):
    assert judge(item, ask(item, item.reference)).points == item.points
    assert verdict(item.name, RIGHT[item.name]).points == item.points


@pytest.mark.parametrize(
    ("name", "mistake", "points", "source"), WRONG, ids=[f"{item}: {mistake}" for item, mistake, *_ in WRONG]
)
def test_a_typical_mistake_meets_its_own_hint(name, mistake, points, source):
    found = verdict(name, source)
    assert found.misconception == mistake
    assert found.points == points < found.out_of
    hint = {known.name: known.hint for known in sets.find_item(name).misconceptions}[mistake]
    assert found.hint == hint


@pytest.mark.parametrize("best", ["0", "1", "2"])
@pytest.mark.parametrize("share", ["np.linalg.norm(h) / np.linalg.norm(start)", "h.sum()", "0.5"])
def test_an_index_that_is_wrong_by_chance_is_given_no_reason(share, best):
    found = verdict("choose_network", choose(share=share, best=best))
    assert found.points < found.out_of
    assert found.misconception == ""
    assert found.hint == sets.find_item("choose_network").hints[0]


def test_of_two_mistakes_the_one_spoken_about_is_explained():
    found = verdict(
        "choose_network", choose(share="100 * np.linalg.norm(h) / np.linalg.norm(start)", best="0")
    )
    assert "what is left" in found.message
    assert found.misconception == "per cent instead of a share"


def test_every_known_misconception_is_in_the_bank():
    known = {(item.name, misconception.name) for item in ITEMS for misconception in item.misconceptions}
    assert known == {(name, mistake) for name, mistake, *_ in WRONG}


@pytest.mark.parametrize("name", sets.MODULES)
def test_a_set_knows_enough_mistakes_and_each_says_something_else(name):
    misconceptions = [known for item in sets.load(name).questions for known in item.misconceptions]
    assert len(misconceptions) >= 5
    assert all(known.wrong or known.error for known in misconceptions)
    for item in sets.load(name).questions:
        texts = [known.hint for known in item.misconceptions]
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", sets.MODULES)
def test_a_set_keeps_to_its_size(name):
    exercise_set = sets.load(name)
    assert 10 <= exercise_set.points <= 20
    assert exercise_set.written
    assert 20 <= exercise_set.minutes[0] <= exercise_set.minutes[1] <= 40


def test_item_names_are_unique_over_all_sets():
    names = [item.name for item in ITEMS]
    assert len(set(names)) == len(names)


def test_references_agree_with_a_second_solution_over_many_draws():
    rng = np.random.default_rng(11)
    for item in ITEMS:
        solution = function(item.name, RIGHT[item.name])
        for question in item.questions:
            for _ in range(40):
                arguments = question.draw(rng)
                with np.errstate(all="ignore"):
                    expected, got = item.reference(*arguments), solution(*arguments)
                pairs = zip(expected, got, strict=True) if isinstance(got, tuple) else [(expected, got)]
                for one, other in pairs:
                    np.testing.assert_allclose(other, one, rtol=question.rtol, atol=question.atol)


def test_measured_time_constants_are_close_to_the_true_ones():
    item = sets.find_item("measure_tau")
    rng = np.random.default_rng(4)
    for _ in range(200):
        tau, dt = rng.uniform(0.2, 1.0), 0.005
        t = dt * np.arange(int(8 * tau / dt))
        trace = 1.7 * (np.exp(-t / tau) + 0.02 * rng.normal(size=t.size))
        assert abs(item.reference(trace, dt) / tau - 1) < 0.06  # the item allows 0.15


def test_in_most_draws_the_slowest_mode_is_a_trap():
    item = sets.find_item("choose_network")
    rng = np.random.default_rng(5)
    trapped = 0
    for _ in range(100):
        networks, *rest = item.questions[0].draw(rng)
        left, best = item.reference(networks, *rest)
        slowest = int(np.argmax([np.abs(np.linalg.eigvals(W)).max() for W in networks]))
        trapped += slowest != best
        assert np.sort(left)[-1] > 1.2 * np.sort(left)[-2]  # a clear winner: no tie decides a mark
    assert 50 <= trapped <= 85


# -- what a learner sees


def test_a_right_answer_is_told_in_one_line(capsys):
    check("echo", function("echo", RIGHT["echo"]))
    assert capsys.readouterr().out == "echo: right, 3 of 3 points.\n"


def test_a_wrong_answer_shows_call_expected_got_and_hint():
    with pytest.raises(CheckError) as failed:
        check("time_constant", lambda f, dt: dt / np.log(np.asarray(f)))
    text = str(failed.value)
    for piece in (
        "0 of 2 points so far",
        "a number is off",
        "call     time_constant(",
        "expected",
        "got      -",
    ):
        assert piece in text
    assert "Your times are negative" in " ".join(text.split())
    assert failed.value._render_traceback_() == text.splitlines()


@pytest.mark.parametrize(
    ("name", "source", "off"),
    [
        ("echo", echo(result="np.stack(states).T"), "the shape is off"),
        ("echo", echo(next="2 * W @ h"), "the state is off"),
        ("echo", echo(result="None"), "the type is off"),
        ("echo", echo(next="W @ h / 0 * 0"), "a value is not finite"),
        ("run_rnn", run_rnn(result="np.stack(outputs), 2 * h"), "the state is off in state"),
        ("run_rnn", run_rnn(step="np.tanh(W_ih @ x) * h"), "a number is off in outputs"),
        ("modes", "def modes(W, dt):\n    return {}", "the type is off"),
        ("modes", "def modes(W, dt):\n    return unknown", "the call stopped with an error"),
    ],
)
def test_a_verdict_says_what_is_off(name, source, off):
    found = verdict(name, source)
    assert off in found.message
    assert found.hint


def test_an_unwritten_function_raises_not_implemented_only():
    def echo(W, U, pulse, steps):
        raise NotImplementedError("replace this line with your answer")

    with pytest.raises(NotImplementedError, match="echo: not written yet"):
        check("echo", echo)


def test_a_call_instead_of_a_function_is_said_in_words():
    with pytest.raises(CheckError, match="without calling it"):
        check("echo", np.zeros(3))


def test_an_unknown_item_lists_the_known_ones():
    with pytest.raises(KeyError, match="time_constant"):
        check("ehco", print)


def test_hints_come_in_three_levels():
    item = sets.find_item("echo")
    assert [len(hints(item, level)) for level in range(5)] == [0, 1, 2, 3, 3]
    with pytest.raises(CheckError) as failed:
        check("echo", lambda W, U, pulse, steps: W, hint=2)
    text = " ".join(str(failed.value).split())
    assert item.hints[0] in text and item.hints[1] in text and item.hints[2] not in text
    assert "hint=3" in text


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_the_third_level_draws_the_expected_plot_beside_the_learners(item, monkeypatch):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    check(item.name, item.reference, hint=3)
    expected, yours = shown[0].axes
    assert expected.get_title(loc="left") == "expected" and yours.get_title(loc="left") == "yours"
    assert expected.get_xlabel() and expected.get_ylabel()
    for one, other in zip(expected.lines, yours.lines, strict=True):
        np.testing.assert_array_equal(one.get_ydata(), other.get_ydata())
    plt.close("all")


def test_the_third_level_works_before_the_function_does(monkeypatch):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, "show", lambda: None)
    with pytest.raises(CheckError):
        check("modes", lambda W, dt: 1 / 0, hint=3)
    assert "ZeroDivisionError" in plt.gcf().axes[1].texts[0].get_text()
    plt.close("all")


def test_a_function_that_changes_its_arguments_does_not_change_the_question():
    def run(inputs, h0, W_ih, W_hh, b_ih, b_hh):
        outputs, h = function("run_rnn", RIGHT["run_rnn"])(inputs, h0, W_ih, W_hh, b_ih, b_hh)
        for array in (inputs, h0, W_ih, W_hh, b_ih, b_hh):
            array[...] = np.nan
        return outputs, h

    item = sets.find_item("run_rnn")
    assert judge(item, ask(item, run)).points == item.points


def test_lists_and_plain_tuples_are_as_good_as_arrays():
    item = sets.find_item("modes")
    solution = function("modes", RIGHT["modes"])
    assert (
        judge(item, ask(item, lambda W, dt: [list(part) for part in solution(W, dt)])).points == item.points
    )


def test_a_verdict_fits_a_narrow_notebook():
    for name, _, _, source in WRONG:
        for line in describe(verdict(name, source), hints(sets.find_item(name), 3)).splitlines():
            assert len(line) <= 92
