"""From a chart to a risk of death: what is missing, what has grown old, and how good the risk is.

Models learn from `gatedrnn.datasets.Stays` and predict others, ``model.fit(train).predict(test)``; checks
raise `LeakError` when a patient or the future crosses a split.
"""

from gatedrnn.decoders import Fold, LeakError
from gatedrnn.risk.aging import Aging
from gatedrnn.risk.ideal import IdealRisk
from gatedrnn.risk.inputs import Background, Scaling, Series, carry_forward, means, summaries
from gatedrnn.risk.measures import (
    Calibration,
    Recalibration,
    auc,
    average_precision,
    bootstrap,
    brier,
    calibration,
    net_benefit,
)
from gatedrnn.risk.models import Boosting, Recurrent, Regression
from gatedrnn.risk.splits import check_fitting, check_future, check_split, stratified_folds

__all__ = [
    "Aging",
    "Background",
    "Boosting",
    "Calibration",
    "Fold",
    "IdealRisk",
    "LeakError",
    "Recalibration",
    "Recurrent",
    "Regression",
    "Scaling",
    "Series",
    "auc",
    "average_precision",
    "bootstrap",
    "brier",
    "calibration",
    "carry_forward",
    "check_fitting",
    "check_future",
    "check_split",
    "means",
    "net_benefit",
    "stratified_folds",
    "summaries",
]
