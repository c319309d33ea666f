"""Set 3, *An LSTM cell*: four gates in one step, a run over a sequence, and which gate it could lose."""

from gatedrnn.practice.items import ExerciseSet, WrittenItem
from gatedrnn.practice.sets.set3 import direct_path, forget_bias, least_needed_gate, lstm_step, run_lstm

WRITTEN = WrittenItem(
    name="written_verdict",
    title="A gate that is nearly always open",
    points=3,
    criteria=(
        "One point each: the mean of a gate does not tell what happens in the few steps in which it shuts; "
        "an effect on the outputs depends on what is in the cell and on who listens, so it must be measured "
        "with the network run again; a number or a figure from this notebook is named in support."
    ),
)

SET = ExerciseSet(
    name="set-3",
    title="An LSTM cell",
    notebook="an-lstm-cell.ipynb",
    items=(
        forget_bias.ITEM,
        lstm_step.ITEM,
        run_lstm.ITEM,
        direct_path.ITEM,
        least_needed_gate.ITEM,
        WRITTEN,
    ),
    minutes=(25, 40),
)
