"""Set 7, the capstone: decode a recording never seen before, honestly, and better than a Wiener filter."""

from gatedrnn.practice.items import ExerciseSet, WrittenItem
from gatedrnn.practice.sets.set7 import decode, histories, split_reaches

WRITTEN = WrittenItem(
    name="written_card",
    title="A model card",
    points=3,
    criteria=(
        "One point each: what it was trained and tested on, with the split and its guard; how well it does, "
        "against a baseline and with a spread, from this notebook; where it fails or must not be used."
    ),
)

SET = ExerciseSet(
    name="set-7",
    title="Capstone: a recording never seen before",
    notebook="capstone.ipynb",
    items=(histories.ITEM, split_reaches.ITEM, decode.ITEM, WRITTEN),
    minutes=(30, 40),
    packages=("figures", "datasets"),
    recordings=("m1_reach_dad",),
    cell_seconds=60.0,
    seconds=180.0,
)
