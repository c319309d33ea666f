"""Set 0, *A set of your own*: a small set to start from, which ``new_set`` copies."""

from gatedrnn.practice.items import ExerciseSet, WrittenItem

from . import choose_keep, smooth

WRITTEN = WrittenItem(
    name="written_answer",
    title="What the choice costs",
    points=2,
    criteria=(
        "One point each: keeping more takes away more noise and lags further behind; a number or a figure "
        "from this notebook is named in support."
    ),
)

SET = ExerciseSet(
    name="set-0",
    title="A set of your own",
    notebook="a-set-of-your-own.ipynb",
    items=(smooth.ITEM, choose_keep.ITEM, WRITTEN),
    minutes=(20, 30),
)
