"""The training loop: reproducible, clipped, stopped in time, and clear about what went wrong."""

import copy
import itertools

import pytest
import torch
from gatedrnn import layers
from gatedrnn.training import DivergenceError, fit
from torch import nn


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.drop, self.readout = layers.GRU(3, 6), nn.Dropout(0.2), nn.Linear(6, 1)

    def forward(self, x):
        return self.readout(self.drop(self.layer(x)[0][-1]))


def error(model, x, y):
    return ((model(x) - y) ** 2).mean()


@pytest.fixture
def data():
    """Sequences (T, B, I) and the number to be read at their end, (1, B, 1) with examples on axis 1."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(12, 40, 3, generator=generator)
    return x, x[:, :, 0].mean(0)[None, :, None]


def reader(seed=0):
    torch.manual_seed(seed)
    return Reader()


def train(data, **words):
    model = reader()
    loss = lambda model, x, y: ((model(x) - y[0]) ** 2).mean()  # noqa: E731
    log = fit(model, loss, data, batch_axis=1, progress=False, **{"epochs": 8, **words})
    return model, log


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_it_learns(data):
    _, log = train(data, epochs=60)
    assert log.loss[-1] < 0.4 * log.loss[0]
    assert log.best_epoch == 59 and not log.stopped_early
    assert len(log.gradient_norm) == 60 * 3  # 40 examples in batches of 16


def test_the_same_seed_gives_the_same_numbers_and_leaves_the_callers_random_numbers_alone(data):
    first, log = train(data)
    torch.manual_seed(5)
    expected = torch.rand(3)
    model = reader()
    torch.manual_seed(5)
    again = fit(
        model, lambda m, x, y: ((m(x) - y[0]) ** 2).mean(), data, batch_axis=1, epochs=8, progress=False
    )
    assert torch.equal(torch.rand(3), expected)
    assert again == log and torch.equal(weights(model), weights(first))


def test_another_seed_gives_other_numbers(data):
    assert not torch.allclose(weights(train(data)[0]), weights(train(data, seed=1)[0]), atol=1e-4)


def test_one_and_two_threads_agree(data):
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(train(data, epochs=20))
    finally:
        torch.set_num_threads(before)
    (one, log_one), (two, log_two) = results
    torch.testing.assert_close(weights(one), weights(two), atol=1e-5, rtol=0)
    assert log_one.loss == pytest.approx(log_two.loss, abs=1e-5)


def test_early_stopping_returns_to_the_best_weights():
    # Training pulls the weight to 3; the validation set is best served by 1, which lies on the way.
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    x = torch.ones(16, 1)
    log = fit(
        model,
        error,
        (x, 3 * x),
        validation=(x, x),
        epochs=500,
        learning_rate=0.02,
        patience=5,
        progress=False,
    )
    assert log.stopped_early and len(log.loss) == log.best_epoch + 6
    assert log.validation[log.best_epoch] == min(log.validation)
    assert model.weight.item() == pytest.approx(1, abs=0.02)


def test_without_patience_the_last_weights_stay():
    model = nn.Linear(1, 1, bias=False)
    x = torch.ones(16, 1)
    log = fit(model, error, (x, 3 * x), validation=(x, x), epochs=300, learning_rate=0.05, progress=False)
    assert model.weight.item() == pytest.approx(3, abs=0.05)
    assert len(log.validation) == 300 and log.best_epoch == 299


def test_the_log_holds_the_norm_before_clipping(data):
    model, (x, y) = reader(), data
    model.drop.p = 0.0
    alone = copy.deepcopy(model)
    (100 * (alone(x) - y[0]) ** 2).mean().backward()
    norm = torch.cat([p.grad.flatten() for p in alone.parameters()]).norm().item()
    loss = lambda model, x, y: (100 * (model(x) - y[0]) ** 2).mean()  # noqa: E731
    log = fit(model, loss, data, batch_axis=1, batch_size=40, epochs=1, clip=0.5, progress=False)
    assert norm > 0.5
    assert log.gradient_norm == pytest.approx([norm], rel=1e-4)
    assert log.clipped == 1.0
    applied = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
    assert applied == pytest.approx(0.5, rel=1e-4)


def test_no_clipping_still_logs_the_norm(data):
    _, log = train(data, clip=None)
    assert min(log.gradient_norm) > 0 and log.clipped == 0.0


def test_a_falling_learning_rate_ends_at_rest(data):
    snapshots = []

    def loss(model, x, y):
        snapshots.append(weights(model))
        return ((model(x) - y[0]) ** 2).mean()

    fit(reader(), loss, data, batch_axis=1, epochs=10, decay=True, progress=False)
    steps = [(b - a).norm().item() for a, b in itertools.pairwise(snapshots)]
    assert steps[-1] < 0.1 * steps[0]


def test_divergence_is_one_sentence_and_keeps_the_last_good_weights(data):
    x, y = data
    model, calls = reader(), []

    def loss(model, x, y):
        calls.append(weights(model))
        value = ((model(x) - y[0]) ** 2).mean()
        return value * float("nan") if len(calls) == 5 else value

    with pytest.raises(DivergenceError) as caught:
        fit(model, loss, (x, y), batch_axis=1, epochs=4, clip=None, progress=False)
    message = str(caught.value)
    assert "step 4" in message and "gradient norm nan" in message and "\n" not in message
    assert "clip gradients" in message and "learning rate (now 0.01)" in message
    assert torch.equal(weights(model), calls[-1])


def test_an_infinite_gradient_of_a_finite_loss_is_caught():
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    x = torch.ones(4, 1)
    with pytest.raises(DivergenceError, match=r"gradient norm (inf|nan)"):
        fit(model, lambda m, x: m(x).abs().sqrt().mean(), (x,), epochs=1, progress=False)
    assert model.weight.item() == 0


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(data, tmp_path):
    whole, log = train(data, epochs=6, decay=False)
    file = tmp_path / "run.pt"
    train(data, epochs=2, checkpoint=file)
    resumed, later = train(data, epochs=6, checkpoint=file)
    assert later == log
    assert torch.equal(weights(resumed), weights(whole))
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


def test_a_finished_run_is_not_run_again(data, tmp_path):
    file = tmp_path / "run.pt"
    _, log = train(data, epochs=3, checkpoint=file)
    _, again = train(data, epochs=3, checkpoint=file)
    assert again == log


def test_a_run_that_stopped_early_stays_stopped(tmp_path):
    x = torch.ones(16, 1)
    words = {"validation": (x, x), "epochs": 500, "learning_rate": 0.02, "patience": 5, "progress": False}
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    log = fit(model, error, (x, 3 * x), checkpoint=tmp_path / "run.pt", **words)
    other = nn.Linear(1, 1, bias=False)
    again = fit(other, error, (x, 3 * x), checkpoint=tmp_path / "run.pt", **words)
    assert again == log and torch.equal(other.weight, model.weight)


def test_bad_input_is_said_in_words(data):
    x, y = data
    with pytest.raises(ValueError, match=r"same number of examples.*axis 1, got \[40, 39\]"):
        fit(reader(), error, (x, y[:, 1:]), batch_axis=1)
    with pytest.raises(ValueError, match="patience needs validation data"):
        fit(reader(), error, data, batch_axis=1, patience=3)


def test_the_bar_shows_only_when_asked_for(data, capfd):
    train(data, epochs=2)
    assert capfd.readouterr().err == ""
    fit(reader(), lambda m, x, y: ((m(x) - y[0]) ** 2).mean(), data, batch_axis=1, epochs=2)
    assert "training" in capfd.readouterr().err
