"""What a learner sees: the check in the notebook, its words and its hints."""

import numpy as np
import pytest
from banks import function, verdict
from banks.set1 import RIGHT, echo, run_rnn
from gatedrnn.practice import CheckError, check, sets
from gatedrnn.practice.checking import ask, hints
from gatedrnn.practice.judge import judge


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
