"""Set 6, *Both directions*: reading backwards, waiting, and catching who has looked ahead."""

from gatedrnn.practice.items import ExerciseSet, WrittenItem
from gatedrnn.practice.sets.set6 import (
    look_ahead,
    pair_with_lag,
    reverse_padded,
    run_both,
    smallest_lag,
)

WRITTEN = WrittenItem(
    name="written_allowed",
    title="When two directions are cheating",
    points=3,
    criteria=(
        "One point each: a decoder that drives a device has no future to read, so the offline number does "
        "not hold for it; a lag is the honest middle and its price is said in time; a number or a figure "
        "from this notebook is named in support."
    ),
)

SET = ExerciseSet(
    name="set-6",
    title="Both directions",
    notebook="both-directions.ipynb",
    items=(
        reverse_padded.ITEM,
        run_both.ITEM,
        pair_with_lag.ITEM,
        smallest_lag.ITEM,
        look_ahead.ITEM,
        WRITTEN,
    ),
    minutes=(30, 40),
)
