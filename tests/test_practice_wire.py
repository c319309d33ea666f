"""The language between grader and worker: what travels arrives, and everything else is refused."""

import doctest
import json
import math

import numpy as np
import pytest
from gatedrnn.practice import products, wire
from gatedrnn.practice.wire import (
    MAX_LINE,
    MAX_NUMBERS,
    Other,
    WireError,
    pack,
    read_line,
    unpack,
    write_line,
)

VALUES = [
    0.1,
    -1e300,
    7,
    "text",
    np.zeros((0, 3)),
    np.arange(6.0).reshape(2, 3),
    np.array([1 + 2j, -3.0]),
    (1, 2.5, np.ones(2)),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_arrives_as_it_left(value):
    arrived = unpack(read_line(write_line(pack(value))))
    if isinstance(value, tuple):
        for one, other in zip(value, arrived, strict=True):
            np.testing.assert_array_equal(one, other)
    else:
        assert type(arrived) is type(value)
        np.testing.assert_array_equal(arrived, value)
        assert np.shape(arrived) == np.shape(value)


def test_numbers_that_json_cannot_say_travel_as_words():
    packed = pack(np.array([np.nan, np.inf, -np.inf]))
    assert packed["values"] == ["nan", "inf", "-inf"]
    json.dumps(packed, allow_nan=False)
    arrived = unpack(packed)
    assert math.isnan(arrived[0]) and arrived[1] == math.inf and arrived[2] == -math.inf


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.float32(0.5), "number"),
        (np.int64(3), "number"),
        (np.array(2.0), "number"),
        (True, "integer"),
        ([1, 2, 3], "array"),
        ([[1, 2], [3, 4]], "array"),
        ([[1], [2, 3]], "sequence"),
        ((), "sequence"),
        (10**400, "other"),
        (np.array(["a"]), "other"),
        (np.array([None]), "other"),
        (None, "other"),
        ({"a": 1}, "other"),
        (b"bytes", "other"),
        (print, "other"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_value_gets_its_kind(value, kind):
    assert pack(value)["kind"] == kind


def test_a_torch_tensor_travels_as_an_array():
    torch = pytest.importorskip("torch")
    assert unpack(pack(torch.ones(2, requires_grad=True))).tolist() == [1.0, 1.0]


def test_other_types_are_named_and_nothing_more():
    assert unpack(pack(None)) == Other("NoneType")


@pytest.mark.parametrize(
    "value", [np.zeros(MAX_NUMBERS + 1), [None] * (MAX_NUMBERS + 1)], ids=["array", "list"]
)
def test_too_much_is_refused_before_it_is_sent(value):
    with pytest.raises(WireError, match=f"more than {MAX_NUMBERS}"):
        pack(value)


def test_too_deep_is_refused_before_it_is_sent():
    value = 1.0
    for _ in range(100):
        value = (value,)
    with pytest.raises(WireError, match="deeper"):
        pack(value)


ARRAY = {"kind": "array", "shape": [2], "values": [1.0, 2.0]}
REFUSED = {
    "nothing": None,
    "a bare number": 3.0,
    "a list": [1.0],
    "no kind": {"value": 1.0},
    "a kind that is no word": {"kind": ["number"], "value": 1.0},
    "an unknown kind": {"kind": "pickle", "value": "gASVAA=="},
    "a key too many": {"kind": "number", "value": 1.0, "points": 15},
    "a key too few": {"kind": "array", "shape": [2]},
    "an unknown word": {"kind": "number", "value": "one"},
    "true for a number": {"kind": "number", "value": True},
    "a number out of range": {"kind": "number", "value": 10**400},
    "a fraction for an integer": {"kind": "integer", "value": 1.5},
    "a large integer": {"kind": "integer", "value": 2**60},
    "a shape that does not fit": ARRAY | {"shape": [3]},
    "a shape that is no list": ARRAY | {"shape": 2},
    "a negative shape": ARRAY | {"shape": [-1, -2]},
    "a shape of fractions": ARRAY | {"shape": [2.0]},
    "a shape of truths": ARRAY | {"shape": [True, 2]},
    "too many axes": ARRAY | {"shape": [1] * 9 + [2]},
    "a huge shape": ARRAY | {"shape": [10**9, 10**9]},
    "an object among numbers": ARRAY | {"values": [1.0, {}]},
    "nothing among numbers": ARRAY | {"values": [1.0, None]},
    "values that are no list": ARRAY | {"values": "12"},
    "an imaginary part too short": ARRAY | {"imaginary": [1.0]},
    "an imaginary part that is no list": ARRAY | {"imaginary": None},
    "a wrong object inside": {"kind": "sequence", "values": [ARRAY, 1.0]},
    "text that is a number": {"kind": "text", "value": 3},
}


@pytest.mark.parametrize("packed", REFUSED.values(), ids=REFUSED)
def test_what_is_not_in_the_table_is_refused(packed):
    with pytest.raises(WireError) as refused:
        unpack(packed)
    assert len(str(refused.value)) < 200


def test_many_small_answers_are_counted_together():
    half = {"kind": "array", "shape": [MAX_NUMBERS // 2], "values": [0.0] * (MAX_NUMBERS // 2)}
    with pytest.raises(WireError, match="more than"):
        unpack({"kind": "sequence", "values": [half, half]})


def test_a_deep_answer_is_refused():
    packed = ARRAY
    for _ in range(20):
        packed = {"kind": "sequence", "values": [packed]}
    with pytest.raises(WireError, match="deeper"):
        unpack(packed)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[1]",
        b"3",
        b"null",
        b'{"value": NaN}',
        b'{"value": Infinity}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"value": ' + b"9" * 10_000 + b"}",
        b" " * (MAX_LINE + 1),
    ],
    ids=lambda line: repr(line[:20]),
)
def test_a_line_that_is_no_object_is_refused(line):
    with pytest.raises(WireError):
        read_line(line)


def test_examples_in_the_documentation_run():
    for module in (wire, products):
        results = doctest.testmod(module)
        assert results.attempted > 0 and results.failed == 0
