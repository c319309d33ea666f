"""Set 5, *Learning dynamics*: how a run starts, what its log says, and one that has to be repaired."""

from gatedrnn.practice.items import ExerciseSet, WrittenItem
from gatedrnn.practice.sets.set5 import (
    choose_rate,
    chrono_biases,
    diagnose,
    first_explosion,
    repaired,
    stop_early,
)

WRITTEN = WrittenItem(
    name="written_repair",
    title="What the repair was worth",
    points=3,
    criteria=(
        "One point each: the log is read, and each fault is named with the sign that shows it; the faults "
        "are taken out one at a time, so that it can be said what each was worth; a number or a figure from "
        "this notebook is named in support."
    ),
)

SET = ExerciseSet(
    name="set-5",
    title="Learning dynamics",
    notebook="learning-dynamics.ipynb",
    items=(
        chrono_biases.ITEM,
        first_explosion.ITEM,
        diagnose.ITEM,
        stop_early.ITEM,
        choose_rate.ITEM,
        repaired.ITEM,
        WRITTEN,
    ),
    minutes=(35, 40),
    cell_seconds=60.0,
    seconds=180.0,
)
