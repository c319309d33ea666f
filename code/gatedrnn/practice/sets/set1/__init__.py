"""Set 1, *Echo and time scales*: what a recurrent network remembers, for how long, and how to measure it."""

from gatedrnn.practice.items import ExerciseSet, WrittenItem
from gatedrnn.practice.sets.set1 import choose_network, echo, measure_tau, modes, run_rnn, time_constant

WRITTEN = WrittenItem(
    name="written_answer",
    title="Why the slowest mode did not decide",
    points=3,
    criteria=(
        "One point each: the echo is a sum of modes, and the cue decides how much of each is in it; the "
        "slowest mode therefore decides only if the cue excites it, or after so long that the others are "
        "gone; a measurement or a figure from this notebook is named in support."
    ),
)

SET = ExerciseSet(
    name="set-1",
    title="Echo and time scales",
    notebook="echo-and-time-scales.ipynb",
    items=(
        time_constant.ITEM,
        echo.ITEM,
        modes.ITEM,
        run_rnn.ITEM,
        measure_tau.ITEM,
        choose_network.ITEM,
        WRITTEN,
    ),
    minutes=(20, 40),
)
