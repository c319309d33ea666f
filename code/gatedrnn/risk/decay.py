"""GRU-D: a gated recurrent unit for measurements that are missing most of the time, and grow old."""

import math

import torch
from torch import Tensor, nn

DAY = 24.0  # hours; the slopes are learned per day, where they are of the size of other weights


class InputDecay(nn.Module):
    """Lets the last measurement of each variable fade towards its mean, 0, as it grows old.

    x̂_t = m_t x_t + (1 − m_t) γ_t x_last, γ_t = exp(−max(0, w δ_t + b)), one w and one b for each variable.

    Parameters
    ----------
    n_variables : int

    Notes
    -----
    Che et al., Scientific Reports 8:6085 (2018), equations 10 and 11, for scores whose mean is 0.
    """

    def __init__(self, n_variables: int):
        super().__init__()
        self.slope = nn.Parameter(torch.full((n_variables,), 1.0))  # per day
        self.offset = nn.Parameter(torch.full((n_variables,), 0.1))

    def gamma(self, interval: Tensor) -> Tensor:
        """Return γ for intervals in hours, (…, n_variables)."""
        return torch.exp(-torch.relu(self.slope * interval / DAY + self.offset))  # eq-decay

    def forward(self, value: Tensor, mask: Tensor, interval: Tensor) -> Tensor:
        """Return x̂ of the shape of its arguments, (…, n_variables); see `gatedrnn.risk.Series`."""
        return value * (mask + (1 - mask) * self.gamma(interval))  # eq-decayed-input


class GRUD(nn.Module):
    """A GRU whose inputs and whose state fade while nothing is measured.

    Before each step the state decays, ĥ = γ_h ⊙ h with γ_h = exp(−max(0, W_γ δ + b_γ)); then a GRU step
    follows on the decayed input x̂ and the mask m:

    r = σ(W_r x̂ + V_r m + U_r ĥ + b_r), z likewise,
    n = tanh(W_n x̂ + V_n m + b_n + r ⊙ (U_n ĥ + c_n)), h = (1 − z) ⊙ n + z ⊙ ĥ.

    Gates are those of torch and of this book: z keeps, and r acts after the recurrent product. The paper has
    the two the other way round.

    Parameters
    ----------
    n_variables : int
    hidden_size : int
        Units H.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> network = GRUD(3, 5)
    >>> value, mask, interval = torch.zeros(2, 48, 3), torch.zeros(2, 48, 3), torch.ones(2, 48, 3)
    >>> network(value, mask, interval).shape
    torch.Size([2, 48, 5])

    Notes
    -----
    Che et al., Scientific Reports 8:6085 (2018), equations 10 to 17.
    """

    def __init__(self, n_variables: int, hidden_size: int):
        super().__init__()
        self.hidden_size = hidden_size
        self.input_decay = InputDecay(n_variables)
        self.state_decay = nn.Linear(n_variables, hidden_size)
        self.from_input = nn.Linear(2 * n_variables, 3 * hidden_size)  # W and V beside each other, b
        self.from_state = nn.Linear(hidden_size, 3 * hidden_size)  # U, c
        bound = 1 / math.sqrt(hidden_size)
        for parameter in (*self.from_input.parameters(), *self.from_state.parameters()):
            nn.init.uniform_(parameter, -bound, bound)
        nn.init.uniform_(self.state_decay.weight, 0, 0.1 / n_variables)  # at first the state hardly fades
        nn.init.zeros_(self.state_decay.bias)

    def forward(self, value: Tensor, mask: Tensor, interval: Tensor, state: Tensor | None = None) -> Tensor:
        """Return the states after every step.

        Parameters
        ----------
        value, mask, interval : Tensor, shape (B, T, n_variables)
            See `gatedrnn.risk.Series`.
        state : Tensor, shape (B, H), optional
            Before the first step; zeros by default.

        Returns
        -------
        Tensor, shape (B, T, H)
        """
        decayed = self.input_decay(value, mask, interval)
        keep = torch.exp(-torch.relu(self.state_decay(interval / DAY))).unbind(1)  # eq-decay
        drive = self.from_input(torch.cat([decayed, mask], dim=-1)).unbind(1)
        state = value.new_zeros(len(value), self.hidden_size) if state is None else state
        states = []
        for gamma, x in zip(keep, drive, strict=True):
            state = self._step(x, gamma * state)  # eq-decayed-state
            states.append(state)
        return torch.stack(states, dim=1)

    def _step(self, drive: Tensor, state: Tensor) -> Tensor:
        """One GRU step from the summed input and the decayed state."""
        h = self.hidden_size
        recurrent = self.from_state(state)
        reset, update = torch.sigmoid(drive[:, : 2 * h] + recurrent[:, : 2 * h]).chunk(2, dim=-1)
        new = torch.tanh(drive[:, 2 * h :] + reset * recurrent[:, 2 * h :])
        return torch.lerp(new, state, update)  # (1 − z) n + z ĥ
