"""A recurrent network with a readout at the end: one log odds for each stay."""

import torch
from torch import Tensor, nn

from gatedrnn import layers
from gatedrnn.risk.decay import DAY, GRUD


class Classifier(nn.Module):
    """A GRU or GRU-D, and a linear readout of its last state and of what is known at admission.

    Parameters
    ----------
    inputs : {"mean", "last", "mask", "decay"}
        See `gatedrnn.risk.Recurrent`.
    n_variables, hidden_size : int
    dropout : float
    """

    def __init__(self, inputs: str, n_variables: int, hidden_size: int, dropout: float):
        super().__init__()
        self.inputs = inputs
        if inputs == "decay":
            self.layer = GRUD(n_variables, hidden_size)
        else:
            columns = n_variables * (3 if inputs == "mask" else 1)
            self.layer = layers.GRU(columns, hidden_size, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.readout = nn.Linear(hidden_size + 7, 1)
        self.double()  # rounding then never decides how training goes

    def forward(self, value: Tensor, mask: Tensor, interval: Tensor, background: Tensor) -> Tensor:
        """Return log odds of death, shape (B,)."""
        value = self.drop(value)
        if self.inputs == "decay":
            states = self.layer(value, mask, interval)
        elif self.inputs == "mask":
            states, _ = self.layer(torch.cat([value, mask, torch.exp(-interval / DAY)], dim=-1))
        else:
            states, _ = self.layer(value)
        known = torch.cat([self.drop(states[:, -1]), background], dim=-1)
        return self.readout(known).squeeze(-1)


def loss(model: Classifier, value, mask, interval, background, death) -> Tensor:
    """Mean negative log likelihood of what happened."""
    log_odds = model(value, mask, interval, background)
    return nn.functional.binary_cross_entropy_with_logits(log_odds, death)
