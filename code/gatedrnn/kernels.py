"""One layer, one direction, all steps: the torch functions under `gatedrnn.layers`."""

import torch
from torch.nn import functional


def rnn(inputs, h, weight_ih, weight_hh, bias_ih, bias_hh, relu=False):
    """Run a plain RNN over (T, B, I); return outputs (T, B, H) and the preactivations."""
    activation = torch.relu if relu else torch.tanh
    drive, outputs, preactivations = functional.linear(inputs, weight_ih, bias_ih), [], []
    for x in drive:
        preactivations.append(x + functional.linear(h, weight_hh, bias_hh))
        h = activation(preactivations[-1])
        outputs.append(h)
    return torch.stack(outputs), (torch.stack(preactivations),)


def lstm(inputs, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    """Run an LSTM over (T, B, I); return outputs (T, B, H) and the traces i, f, g, o, c."""
    drive, outputs, traces = functional.linear(inputs, weight_ih, bias_ih), [], []
    for x in drive:
        i, f, g, o = (x + functional.linear(h, weight_hh, bias_hh)).chunk(4, -1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh()
        outputs.append(h)
        traces.append((i, f, g, o, c))
    return torch.stack(outputs), tuple(torch.stack(trace) for trace in zip(*traces, strict=True))


def gru(inputs, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Run a GRU over (T, B, I); return outputs (T, B, H) and the traces r, z, n."""
    drive, outputs, traces = functional.linear(inputs, weight_ih, bias_ih), [], []
    for x in drive:
        (rx, zx, nx), (rh, zh, nh) = x.chunk(3, -1), functional.linear(h, weight_hh, bias_hh).chunk(3, -1)
        r, z = (rx + rh).sigmoid(), (zx + zh).sigmoid()
        n = (nx + r * nh).tanh()
        h = (1 - z) * n + z * h
        outputs.append(h)
        traces.append((r, z, n))
    return torch.stack(outputs), tuple(torch.stack(trace) for trace in zip(*traces, strict=True))
