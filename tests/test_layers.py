"""The torch layers against torch.nn: outputs, states, gradients, weights, packing; what bad input is told."""

import copy
import pickle

import numpy as np
import pytest
import torch
from gatedrnn import cells, kernels, layers, products
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence

NAMES = ["RNN", "LSTM", "GRU"]
TOLERANCE = 1e-12


def pair(name, *sizes, **words):
    """Make our layer and torch's with the same weights, in float64."""
    ours = getattr(layers, name)(*sizes, dtype=torch.float64, **words)
    theirs = getattr(torch.nn, name)(*sizes, dtype=torch.float64, **words)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def random_state(layer, name, batch=None, seed=1):
    """Draw an initial state that needs a gradient."""
    rng = torch.Generator().manual_seed(seed)
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    shape = (rows, layer.hidden_size) if batch is None else (rows, batch, layer.hidden_size)
    parts = [torch.randn(shape, generator=rng, dtype=torch.float64).requires_grad_() for _ in range(2)]
    return tuple(parts) if name == "LSTM" else parts[0]


def tensors(result):
    """Flatten output and state into one list of tensors."""
    flat = []
    for item in result:
        flat.extend([item] if isinstance(item, torch.Tensor) else tensors(item))
    return flat


def everything(layer, x, state):
    """Return outputs, states and the gradients of a random scalar of them: weights, input, initial state."""
    x = x.clone().requires_grad_()
    flat = tensors(layer(x, state))
    rng = torch.Generator().manual_seed(2)
    scalar = sum((part * torch.randn(part.shape, generator=rng, dtype=part.dtype)).sum() for part in flat)
    sources = [x, *layer.parameters(), *([] if state is None else tensors([state]))]
    return flat + list(torch.autograd.grad(scalar, sources))


def assert_same(ours, theirs, tolerance=TOLERANCE):
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape
        assert mine.dtype == other.dtype
        # Gradients of weights grow with T·B; the tolerance is relative to the largest number of each tensor.
        torch.testing.assert_close(mine, other, rtol=0, atol=tolerance * max(1.0, other.abs().max().item()))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize(("steps", "batch"), [(1, 1), (1, 4), (7, 1), (12, 3), (150, 2)])
def test_equals_torch_in_outputs_states_and_gradients(name, with_state, steps, batch):
    ours, theirs = pair(name, 3, 5)
    x = torch.randn(steps, batch, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    state = random_state(ours, name, batch) if with_state else None
    assert_same(everything(ours, x, state), everything(theirs, x, state))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("with_state", [False, True])
def test_equals_torch_with_every_option(name, num_layers, bidirectional, batch_first, bias, with_state):
    words = {
        "num_layers": num_layers,
        "bidirectional": bidirectional,
        "batch_first": batch_first,
        "bias": bias,
    }
    ours, theirs = pair(name, 2, 4, **words)
    x = torch.randn(5, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    state = random_state(ours, name, 5 if batch_first else 3) if with_state else None
    assert_same(everything(ours, x, state), everything(theirs, x, state))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("chunk", [1, 3, 8])
def test_where_the_steps_are_cut_into_chunks_makes_no_difference(name, bidirectional, chunk, monkeypatch):
    monkeypatch.setattr(kernels.problem, "CHUNK", chunk * 2 * 4)  # batch and units below
    ours, theirs = pair(name, 3, 4, num_layers=2, bidirectional=bidirectional)
    x = torch.randn(11, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    state = random_state(ours, name, 2)
    assert_same(everything(ours, x, state), everything(theirs, x, state))
    with torch.no_grad():
        assert_same(tensors(ours(x, state)), tensors(theirs(x, state)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", ["output", "state", "weights frozen", "input only"])
def test_gradients_where_only_a_part_is_asked_for(name, part):
    ours, theirs = pair(name, 3, 4, bidirectional=True)
    found = []
    for layer in (ours, theirs):
        x = torch.ones(5, 2, 3, dtype=torch.float64, requires_grad="only" in part or "frozen" in part)
        layer.requires_grad_("only" not in part and "frozen" not in part)
        output, state = layer(x)
        state = tensors([state])[-1]  # of an LSTM only the cell state: its hidden state is told nothing
        scalar = state.square().sum() if part == "state" else output.square().sum()
        sources = [x] if x.requires_grad else list(layer.parameters())
        found.append(list(torch.autograd.grad(scalar, sources)))
    assert_same(*found)


def test_the_chunks_of_that_test_are_as_long_as_they_say(monkeypatch):
    monkeypatch.setattr(kernels.problem, "CHUNK", 3 * 2 * 4)
    problem = kernels.problem.Problem([torch.zeros(11, 2, 3)], [], [torch.zeros(1, 2, 4)])
    assert [chunk.stop - chunk.start for chunk in problem.chunks()] == [3, 3, 3, 2]


@pytest.mark.parametrize(("units", "off"), [(4, 2e-6), (64, 5e-6), (256, 5e-6)])
@pytest.mark.parametrize("scale", [0.0, 1e-4, 1.0, 100.0])
def test_an_rnn_in_single_precision_is_off_by_little_from_rest_to_saturation(units, off, scale):
    """Its steps run on the logistic function of twice the drive; double precision takes tanh."""
    torch.manual_seed(1)
    ours, exact = layers.RNN(8, units), torch.nn.RNN(8, units, dtype=torch.float64)
    exact.load_state_dict(ours.state_dict())
    x = scale * torch.randn(60, 3, 8)
    h_0 = torch.randn(1, 3, units).tanh()
    output, state, (gates,) = ours(x, h_0, return_gates=True)
    expected, end = exact(x.double(), h_0.double())
    for mine, other in ((output, expected), (state, end), (gates.preactivation.tanh(), expected)):
        torch.testing.assert_close(mine.double(), other, rtol=0, atol=off)
    assert output.abs().max() <= 1
    first, middle = ours(x[:30], h_0)
    torch.testing.assert_close(torch.cat([first, ours(x[30:], middle)[0]]), output, rtol=0, atol=off)


def test_an_rnn_in_single_precision_has_the_gradients_of_torch_from_rest_to_saturation():
    torch.manual_seed(2)
    ours, theirs = layers.RNN(8, 64), torch.nn.RNN(8, 64)
    theirs.load_state_dict(ours.state_dict())
    for scale in (1e-3, 1.0, 30.0):
        x = scale * torch.randn(40, 3, 8)
        for mine, other in zip(everything(ours, x, None), everything(theirs, x, None), strict=True):
            torch.testing.assert_close(mine, other, rtol=0, atol=1e-5 * max(1.0, other.abs().max().item()))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("onednn", [True, False])
def test_single_precision_on_large_layers_equals_torch(name, threads, onednn, monkeypatch):
    monkeypatch.setattr(products, "_onednn_is_faster", lambda: onednn)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        torch.manual_seed(0)
        ours, theirs = getattr(layers, name)(96, 128), getattr(torch.nn, name)(96, 128)
        theirs.load_state_dict(ours.state_dict())
        x = torch.randn(12, 64, 96)
        for mine, other in zip(everything(ours, x, None), everything(theirs, x, None), strict=True):
            torch.testing.assert_close(mine, other, rtol=0, atol=2e-5 * max(1.0, other.abs().max().item()))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("name", NAMES)
def test_backward_twice_over_a_kept_graph_but_not_through_itself(name):
    ours, _ = pair(name, 3, 4)
    x = torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True)
    loss = ours(x)[0].square().sum()
    first = torch.autograd.grad(loss, x, retain_graph=True)
    assert_same(list(first), list(torch.autograd.grad(loss, x, retain_graph=True)))
    with pytest.raises(RuntimeError, match="derived by hand and cannot be differentiated again"):
        torch.autograd.grad(loss, x, create_graph=True)


@pytest.mark.parametrize("hand_over", [0, 2**30])
def test_where_the_lstm_hands_over_to_torch_makes_no_difference(hand_over, monkeypatch):
    monkeypatch.setattr(layers, "HAND_OVER", hand_over)
    words = {"num_layers": 2, "bidirectional": True, "batch_first": True}
    ours, theirs = layers.LSTM(3, 6, **words), torch.nn.LSTM(3, 6, **words)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(4, 9, 3, generator=torch.Generator().manual_seed(1))
    state = tuple(part.detach().float().requires_grad_() for part in random_state(ours, "LSTM", 4))
    by_hand = "_DifferentiableBackward" in str(ours(x, state)[1][1].grad_fn.next_functions)
    assert by_hand == (hand_over == 0)
    for mine, other in zip(everything(ours, x, state), everything(theirs, x, state), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours(x, state, return_gates=True)[0], ours(x, state)[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_relu_equals_torch(bidirectional):
    ours, theirs = pair("RNN", 3, 6, nonlinearity="relu", num_layers=2, bidirectional=bidirectional)
    x = torch.randn(9, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    state = random_state(ours, "RNN", 4)
    assert_same(everything(ours, x, state), everything(theirs, x, state))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("with_state", [False, True])
def test_input_without_a_batch(name, with_state):
    ours, theirs = pair(name, 3, 4, num_layers=2, bidirectional=True, batch_first=True)
    x = torch.randn(6, 3, dtype=torch.float64)
    state = random_state(ours, name) if with_state else None
    assert_same(everything(ours, x, state), everything(theirs, x, state))


@pytest.mark.parametrize("name", NAMES)
def test_gradients_equal_finite_differences(name):
    ours, _ = pair(name, 2, 3, num_layers=2, bidirectional=True)
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    state = random_state(ours, name, 2)

    def function(x, *state_and_weights):
        parts = 2 if name == "LSTM" else 1
        state = state_and_weights[:parts] if parts == 2 else state_and_weights[0]
        weights = dict(zip(dict(ours.named_parameters()), state_and_weights[parts:], strict=True))
        return tuple(tensors(torch.func.functional_call(ours, weights, (x, state))))

    assert torch.autograd.gradcheck(function, (x, *tensors([state]), *ours.parameters()))


@pytest.mark.parametrize("name", NAMES)
def test_gradients_flow_from_every_gate(name):
    ours, _ = pair(name, 2, 3, bidirectional=True)
    x = torch.randn(4, 2, 2, dtype=torch.float64, requires_grad=True)

    def function(x, *weights):
        weights = dict(zip(dict(ours.named_parameters()), weights, strict=True))
        gates = torch.func.functional_call(ours, weights, (x,), {"return_gates": True})[2]
        return tuple(part for trace in gates for part in trace)

    assert torch.autograd.gradcheck(function, (x, *ours.parameters()))


@pytest.mark.parametrize("name", NAMES)
def test_half_and_half_equals_whole(name):
    ours, _ = pair(name, 3, 4, num_layers=2)
    x = torch.randn(10, 2, 3, dtype=torch.float64)
    whole, state = ours(x)
    first, middle = ours(x[:5])
    second, end = ours(x[5:], middle)
    assert_same([torch.cat([first, second]), *tensors([end])], [whole, *tensors([state])])


@pytest.mark.parametrize("name", NAMES)
def test_weights_go_both_ways(name):
    words = {"num_layers": 2, "bidirectional": True}
    ours = getattr(layers, name)(3, 4, **words)
    theirs = getattr(torch.nn, name)(3, 4, **words)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = torch.randn(5, 2, 3)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x)[0], theirs(x)[0])
    torch.manual_seed(9)
    ours.reset_parameters()
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(x)[0], theirs(x)[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_numbers_of_torch(name):
    made = []
    for module in (layers, torch.nn):
        torch.manual_seed(5)
        made.append(getattr(module, name)(3, 4, num_layers=2, bidirectional=True))
    for mine, other in zip(made[0].parameters(), made[1].parameters(), strict=True):
        assert torch.equal(mine, other)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("batch_first", [False, True])
def test_dropout_drops_what_torch_drops(name, batch_first):
    ours, theirs = pair(name, 3, 8, num_layers=3, dropout=0.4, batch_first=batch_first)
    x = torch.randn(6, 2, 3, dtype=torch.float64)
    outputs = []
    for layer in (ours, theirs):
        torch.manual_seed(6)
        outputs.append(layer(x)[0])
    assert_same(outputs[:1], outputs[1:])
    assert not torch.allclose(ours(x)[0], ours(x)[0])
    assert torch.equal(ours.eval()(x)[0], ours(x)[0])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("enforce_sorted", [False, True])
def test_packed_sequences_equal_torch(name, bidirectional, enforce_sorted):
    ours, theirs = pair(name, 3, 4, num_layers=2, bidirectional=bidirectional)
    lengths = [6, 4, 4, 1] if enforce_sorted else [4, 6, 1, 4]
    sequences = [torch.randn(length, 3, dtype=torch.float64, requires_grad=True) for length in lengths]
    state = random_state(ours, name, 4)
    found = []
    for layer in (ours, theirs):
        packed = pack_sequence(sequences, enforce_sorted=enforce_sorted)
        output, end = layer(packed, state)
        rng = torch.Generator().manual_seed(7)
        flat = [output.data, *tensors([end])]
        scalar = sum((p * torch.randn(p.shape, generator=rng, dtype=p.dtype)).sum() for p in flat)
        sources = [*sequences, *tensors([state]), *layer.parameters()]
        found.append([*flat, output.batch_sizes, *torch.autograd.grad(scalar, sources)])
        for index in ("sorted_indices", "unsorted_indices"):
            mine, original = getattr(output, index), getattr(packed, index)
            assert (mine is None and original is None) or torch.equal(mine, original)
    assert_same(*found)


def test_gates_of_a_packed_sequence_are_those_of_each_alone():
    ours, _ = pair("LSTM", 3, 4, bidirectional=True)
    x = torch.randn(6, 2, 3, dtype=torch.float64)
    packed = pack_padded_sequence(x, torch.tensor([4, 6]), enforce_sorted=False)
    output, _, gates = ours(packed, return_gates=True)
    alone_output, _, alone_gates = ours(x[:4, 0], return_gates=True)
    assert_same([pad_packed_sequence(output)[0][:4, 0]], [alone_output])
    for trace, alone in zip(gates, alone_gates, strict=True):
        assert_same([part[:4, 0] for part in trace], list(alone))
        assert not any(part[4:, 0].any() for part in trace)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch", [None, 2])
def test_gates_equal_the_cells_gate_by_gate(name, bidirectional, batch):
    ours, _ = pair(name, 3, 4, num_layers=2, bidirectional=bidirectional)
    shape = (7, 3) if batch is None else (7, batch, 3)
    inputs = np.random.default_rng(8).normal(size=shape)
    output, _, gates = ours(torch.from_numpy(inputs), return_gates=True)
    step = cells.STEPS[name.lower()]
    directions = 2 if bidirectional else 1
    assert len(gates) == 2 * directions
    for layer in range(2):
        outputs = []
        for direction in range(directions):
            parameters = cells.Parameters.from_torch(ours, layer, reverse=direction == 1)
            turn = slice(None, None, -1 if direction else None)
            trace = cells.run(step, inputs[turn], None, parameters)
            found = gates[layer * directions + direction]
            for field, expected in trace.gates._asdict().items():
                np.testing.assert_allclose(getattr(found, field).detach(), expected[turn], rtol=0, atol=1e-13)
            if name == "LSTM":
                np.testing.assert_allclose(found.cell.detach(), trace.states.cell[turn], rtol=0, atol=1e-13)
            outputs.append(trace.outputs[turn])
        inputs = np.concatenate(outputs, axis=-1)
    np.testing.assert_allclose(output.detach(), inputs, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_asking_for_gates_changes_nothing_else(name):
    ours, _ = pair(name, 3, 4, num_layers=2, bidirectional=True, batch_first=True)
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    output, state, gates = ours(x, return_gates=True)
    assert_same([output, *tensors([state])], tensors(ours(x)), 1e-15)
    assert all(part.shape == (2, 5, 4) for trace in gates for part in trace)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_type_is_kept(name, dtype):
    layer = getattr(layers, name)(3, 4, dtype=dtype)
    x = torch.randn(5, 2, 3, dtype=dtype)
    assert all(part.dtype == dtype for part in tensors(layer(x)))
    theirs = getattr(torch.nn, name)(3, 4, dtype=dtype)
    theirs.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer(x)[0], theirs(x)[0])


@pytest.mark.parametrize("name", NAMES)
def test_no_gradient_no_graph(name):
    ours, theirs = pair(name, 3, 4, bidirectional=True)
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    with torch.no_grad():
        found = tensors(ours(x))
        assert_same(found, tensors(theirs(x)))
    assert not any(part.requires_grad for part in found)


@pytest.mark.parametrize("name", NAMES)
def test_copies_and_pickles(name):
    ours, _ = pair(name, 3, 4, num_layers=2)
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert torch.equal(twin(x)[0], ours(x)[0])


def test_representation_says_what_is_unusual():
    assert repr(layers.GRU(3, 4)) == "GRU(3, 4)"
    assert repr(layers.LSTM(3, 4, 2, dropout=0.5)) == "LSTM(3, 4, num_layers=2, dropout=0.5)"
    assert repr(layers.RNN(3, 4, nonlinearity="relu")) == "RNN(3, 4, nonlinearity=relu)"


NAN = torch.zeros(4, 2, 3)
NAN[2, 1, 0] = float("nan")
BAD_CALLS = {
    "rank": (torch.zeros(4), None, r"\(T, B, I\), or \(T, I\) without a batch, got \(4,\)"),
    "rank 4": (torch.zeros(4, 2, 3, 1), None, r"got \(4, 2, 3, 1\)"),
    "features": (torch.zeros(4, 2, 5), None, r"expected 3 features .* got 5"),
    "no steps": (torch.zeros(0, 2, 3), None, "at least one time step"),
    "type": (torch.zeros(4, 2, 3, dtype=torch.float64), None, "float32 .* got torch.float64"),
    "nan": (NAN, None, "NaN or infinity, first at step 2"),
    "state batch": (torch.zeros(4, 2, 3), torch.zeros(1, 1, 6), r"\(1, 2, 6\).*got \(1, 1, 6\)"),
    "state rank": (torch.zeros(4, 2, 3), torch.zeros(1, 6), r"\(1, 2, 6\).*got \(1, 6\)"),
    "state type": (torch.zeros(4, 2, 3), torch.zeros(1, 2, 6).double(), "initial h as torch.float32"),
    "unbatched state": (
        torch.zeros(4, 3),
        torch.zeros(1, 1, 6),
        r"\(1, 6\), that is \(layers · directions, H\)",
    ),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls_are_told_in_one_sentence(name, case):
    x, state, message = BAD_CALLS[case]
    if state is not None and name == "LSTM":
        state = (state, state)
    with pytest.raises(ValueError, match=message) as error:
        getattr(layers, name)(3, 6)(x, state)
    assert "\n" not in str(error.value)


def test_a_state_with_the_wrong_number_of_parts():
    with pytest.raises(ValueError, match="LSTM to be h and c, got 1 tensor"):
        layers.LSTM(3, 6)(torch.zeros(4, 2, 3), torch.zeros(1, 2, 6))
    with pytest.raises(ValueError, match="GRU to be h, got 2 tensors"):
        layers.GRU(3, 6)(torch.zeros(4, 2, 3), (torch.zeros(1, 2, 6), torch.zeros(1, 2, 6)))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"input_size": 0}, "input_size to be a positive whole number, got 0"),
        ({"hidden_size": 2.5}, "hidden_size to be a positive whole number, got 2.5"),
        ({"num_layers": True}, "num_layers to be a positive whole number"),
        ({"dropout": 1.5}, "dropout to be a probability between 0 and 1, got 1.5"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_bad_constructor_words(name, words, message):
    with pytest.raises(ValueError, match=message):
        getattr(layers, name)(**({"input_size": 3, "hidden_size": 4} | words))


def test_what_is_not_supported_says_what_to_do_instead():
    with pytest.raises(ValueError, match=r"proj_size 0, got 2.*torch\.nn\.Linear"):
        layers.LSTM(3, 4, proj_size=2)
    with pytest.raises(ValueError, match='"tanh" or "relu", got \'gelu\''):
        layers.RNN(3, 4, nonlinearity="gelu")


def test_large_finite_inputs_are_not_taken_for_infinity():
    x = torch.full((4, 2, 3), 3e38)
    assert layers.RNN(3, 4)(x)[0].isfinite().all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", NAMES)
def test_equals_torch_on_cuda(name):
    ours, theirs = pair(name, 3, 5, num_layers=2, bidirectional=True)
    x = torch.randn(12, 4, 3, dtype=torch.float64, device="cuda")
    assert_same(everything(ours.cuda(), x, None), everything(theirs.cuda(), x, None), 1e-10)
