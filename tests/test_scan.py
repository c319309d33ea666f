"""The minimal cells: both ways through time agree and stay finite over 10,000 steps."""

import numpy as np
import pytest
import torch
from gatedrnn import scan

LAYERS = [scan.MinGRU, scan.MinLSTM]


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def by_the_equations(layer, inputs, h):
    """Run a layer in NumPy, straight from the paper's equations."""
    gates = inputs @ layer.to_gates.weight.detach().numpy().T + layer.to_gates.bias.detach().numpy()
    outputs = []
    for step in zip(*np.split(gates, layer.gates, axis=-1), strict=True):
        *openings, new = step
        new = np.where(new >= 0, new + 0.5, sigmoid(new))
        if layer.gates == 2:
            add = sigmoid(openings[0])
            keep = 1 - add
        else:
            keep, add = (sigmoid(a) for a in openings)
            keep, add = keep / (keep + add), add / (keep + add)
        h = keep * h + add * new
        outputs.append(h)
    return np.stack(outputs)


def outputs_and_gradients(layer, x, hx, parallel):
    x, hx = x.clone().requires_grad_(), hx.clone().requires_grad_()
    output, state = layer(x, hx, parallel=parallel)
    weighing = torch.randn(output.shape, generator=torch.Generator().manual_seed(3), dtype=x.dtype)
    scalar = (output * weighing).sum() + state.square().sum()
    return [output, state, *torch.autograd.grad(scalar, [x, hx, *layer.parameters()])]


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("parallel", [False, True])
def test_equals_the_equations(kind, parallel):
    layer = kind(3, 4, dtype=torch.float64)
    rng = np.random.default_rng(0)
    inputs, h = 3 * rng.normal(size=(9, 2, 3)), rng.normal(size=(2, 4))
    output, state = layer(torch.from_numpy(inputs), torch.from_numpy(h)[None], parallel=parallel)
    expected = by_the_equations(layer, inputs, h)
    np.testing.assert_allclose(output.detach(), expected, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(state[0].detach(), output[-1].detach())


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("steps", [1, 2, 33, 10_000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_ways_agree_in_outputs_and_gradients(kind, steps, dtype):
    torch.manual_seed(0)
    layer = kind(3, 4, dtype=dtype)
    x, hx = 2 * torch.randn(steps, 2, 3, dtype=dtype), torch.randn(1, 2, 4, dtype=dtype)
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    pairs = zip(
        outputs_and_gradients(layer, x, hx, True), outputs_and_gradients(layer, x, hx, False), strict=True
    )
    for one, other in pairs:
        assert one.dtype == dtype
        torch.testing.assert_close(
            one, other, rtol=tolerance, atol=tolerance * max(1, other.abs().max().item())
        )


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("opening", [-30.0, 0.0, 30.0])
def test_ten_thousand_steps_stay_finite_and_agree(kind, opening):
    """Also with gates that stay shut, or that replace the state at every step."""
    torch.manual_seed(1)
    layer = kind(2, 3)
    with torch.no_grad():
        layer.to_gates.bias[:3] += opening
    x, hx = torch.randn(10_000, 1, 2), torch.ones(1, 1, 3)
    fast, slow = (outputs_and_gradients(layer, x, hx, parallel) for parallel in (True, False))
    for one, other in zip(fast, slow, strict=True):
        assert one.isfinite().all()
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5 * max(1, other.abs().max().item()))


@pytest.mark.parametrize("kind", LAYERS)
def test_gradcheck(kind):
    layer = kind(2, 3, dtype=torch.float64)
    x = torch.randn(5, 2, 2, dtype=torch.float64, requires_grad=True)
    hx = torch.randn(1, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, hx: layer(x, hx), (x, hx))
    assert torch.autograd.gradgradcheck(lambda x, hx: layer(x, hx), (x, hx))


@pytest.mark.parametrize("kind", LAYERS)
def test_trained_in_parallel_and_run_on_step_by_step(kind):
    layer = kind(3, 4, dtype=torch.float64, batch_first=True)
    x = torch.randn(2, 12, 3, dtype=torch.float64)
    whole, _ = layer(x)
    first, state = layer(x[:, :6])
    outputs = [first]
    for t in range(6, 12):
        output, state = layer(x[:, t : t + 1], state, parallel=False)
        outputs.append(output)
    torch.testing.assert_close(torch.cat(outputs, 1), whole, rtol=0, atol=1e-14)
    alone, _ = layer(x[0])
    torch.testing.assert_close(alone, whole[0])


def test_positive_is_positive_and_continuous():
    x = torch.tensor([-20.0, -1e-9, 0.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(
        scan.positive(x), torch.tensor([2.06e-9, 0.5, 0.5, 1.5]).double(), rtol=1e-2, atol=0
    )


@pytest.mark.parametrize("steps", range(1, 12))
def test_a_scan_of_any_length_equals_the_loop_and_takes_any_sign(steps):
    rng = np.random.default_rng(steps)
    keep, new, h = rng.uniform(size=(steps, 2, 3)), rng.normal(size=(steps, 2, 3)), rng.normal(size=(2, 3))
    found = scan.scan(*(torch.from_numpy(part) for part in (np.log(keep), new, h)))
    for t in range(steps):
        h = keep[t] * h + new[t]
        np.testing.assert_allclose(found[t], h, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("x", "hx", "message"),
    [
        (torch.zeros(4), None, r"\(T, B, 3\) or \(T, 3\), got \(4,\)"),
        (torch.zeros(4, 2, 5), None, r"got \(4, 2, 5\)"),
        (torch.zeros(0, 2, 3), None, "at least one time step"),
        (torch.zeros(4, 2, 3).double(), None, "float32, like the weights, got torch.float64"),
        (torch.full((4, 2, 3), float("nan")), None, "NaN or infinity"),
        (torch.zeros(4, 2, 3), torch.zeros(2, 4), r"shape \(1, 2, 4\), got \(2, 4\)"),
    ],
)
@pytest.mark.parametrize("kind", LAYERS)
def test_bad_input_is_told_in_words(kind, x, hx, message):
    with pytest.raises(ValueError, match=message):
        kind(3, 4)(x, hx)


def test_bad_sizes():
    with pytest.raises(ValueError, match="hidden_size to be a positive whole number, got 0"):
        scan.MinGRU(3, 0)
