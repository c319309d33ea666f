"""Set 1: what its two measuring items promise, and how its mistakes are told apart."""

import numpy as np
import pytest
from banks import verdict
from banks.set1 import choose
from gatedrnn.practice import sets


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
