"""Set 2: what a learner hears who forgets the return, and who leaves the gradients as they came."""

import numpy as np
from banks import verdict


def test_a_forgotten_return_is_called_by_its_name():
    found = verdict("step_jacobian", "def step_jacobian(h, W_hh):\n    print(h.shape)")
    assert found.got == "None (is there a return?)"


def test_gradients_that_come_back_as_they_were_earn_nothing():
    assert verdict("clip_gradients", "def clip_gradients(dW, db, limit):\n    return dW, db").points == 0


def test_gradients_may_be_shortened_in_place():
    source = (
        "def clip_gradients(dW, db, limit):\n"
        "    factor = min(1, limit / np.hypot(np.linalg.norm(dW), np.linalg.norm(db)))\n"
        "    dW *= factor\n"
        "    db *= factor\n"
        "    return dW, db"
    )
    found = verdict("clip_gradients", source)
    assert found.points == found.out_of
    assert np.all([earned == points for _, earned, points in found.questions])
