"""Set 4, *The GRU, and what to spend*: a second cell, its price, and a choice that is more than luck."""

from gatedrnn.practice.items import ExerciseSet, WrittenItem
from gatedrnn.practice.sets.set4 import (
    compare_pairs,
    count_parameters,
    gru_step,
    largest_layer,
    spend_budget,
)

WRITTEN = WrittenItem(
    name="written_choice",
    title="Which cell for which task",
    points=3,
    criteria=(
        "One point each: the two cells are compared at equal numbers of parameters and seed by seed; what is "
        "noise is called noise, whatever was hoped for; a number or a figure from this notebook is named in "
        "support."
    ),
)

SET = ExerciseSet(
    name="set-4",
    title="The GRU, and what to spend",
    notebook="gru-and-budget.ipynb",
    items=(
        gru_step.ITEM,
        count_parameters.ITEM,
        largest_layer.ITEM,
        compare_pairs.ITEM,
        spend_budget.ITEM,
        WRITTEN,
    ),
    minutes=(30, 40),
    packages=("figures", "tasks", "training"),
    cell_seconds=60.0,
    seconds=180.0,
)
