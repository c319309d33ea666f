"""Set 2, *BPTT by hand*: blame carried back through a tanh network, checked, clipped and cut short."""

from gatedrnn.practice.items import ExerciseSet, WrittenItem
from gatedrnn.practice.sets.set2 import (
    carry_blame,
    clip_gradients,
    numerical_gradient,
    shortest_window,
    step_jacobian,
    weight_gradients,
)

WRITTEN = WrittenItem(
    name="written_growth",
    title="Growth on the way to nothing",
    points=3,
    criteria=(
        "One point each: the spectral radius decides what is left after many steps, not what happens on the "
        "way, which the norm of the matrix and of its powers bounds; a matrix whose modes are not at right "
        "angles can make blame grow first; a number or a figure from this notebook is named in support."
    ),
)

SET = ExerciseSet(
    name="set-2",
    title="Backpropagation through time, by hand",
    notebook="bptt-by-hand.ipynb",
    items=(
        step_jacobian.ITEM,
        carry_blame.ITEM,
        weight_gradients.ITEM,
        numerical_gradient.ITEM,
        clip_gradients.ITEM,
        shortest_window.ITEM,
        WRITTEN,
    ),
    minutes=(30, 40),
)
