"""The only language that the grader and a learner's process speak: one JSON object a line, nothing else.

A value is one of a handful of tagged objects; anything that does not follow the schema to the letter is
refused with :class:`WireError`. Nothing here evaluates, imports or unpickles what came in, so a hostile
answer is at worst a wrong one.

==============  =====================================================================================
``kind``        other keys
==============  =====================================================================================
``number``      ``value``: a finite float, or one of the words ``"nan"``, ``"inf"``, ``"-inf"``
``integer``     ``value``: an integer of at most 53 bits
``array``       ``shape``: list of lengths; ``values``: its numbers in C order; ``imaginary`` if complex;
                ``type`` if not float64: ``"float32"``, ``"integer"``, ``"boolean"``
``stored``      ``name``: of a file with a large array; from the grader only, see `pack`
``sequence``    ``values``: list of tagged objects (a tuple, or a list that is no rectangular array)
``text``        ``value``: a string
``other``       ``type``: the name of a Python type that has no place here (``NoneType``, ``dict``, …)
==============  =====================================================================================
"""

import json
import math
from typing import NamedTuple

import numpy as np

MAX_LINE = 8_000_000  # bytes of one message
MAX_NUMBERS = 200_000  # numbers in one value, all arrays together
MAX_AXES = 8
MAX_DEPTH = 6  # sequences in sequences
MAX_TEXT = 4_000
LARGE = 2_000  # numbers in an array from which the grader puts it in a file
TYPES = {"float32": np.float32, "integer": np.int64, "boolean": np.bool_}  # of arrays, besides float64
WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
ARRAY_KEYS = {"kind", "shape", "values", "imaginary", "type"}


class WireError(ValueError):
    """What came over the wire does not follow the schema; the message says in one sentence why."""


class Other(NamedTuple):
    """Stands for a value that cannot be an answer: only the name of its type is known.

    Examples
    --------
    >>> unpack(pack(None))
    Other(type='NoneType')
    """

    type: str


def pack(value, store=None, _depth: int = 0) -> dict:
    """Turn a value into its tagged object.

    Parameters
    ----------
    value : object
        Numbers, NumPy arrays, torch tensors, tuples, lists and strings travel; of everything else only the
        type's name does.
    store : callable, optional
        ``store(array) -> name`` keeps an array of more than ``LARGE`` numbers in a file. The grader sends the
        arguments of a call so; answers always travel as numbers.

    Returns
    -------
    dict
        See the table at the top of this module.

    Raises
    ------
    WireError
        If the value has more than ``MAX_NUMBERS`` numbers or is nested deeper than ``MAX_DEPTH``.

    Examples
    --------
    >>> pack(0.5)
    {'kind': 'number', 'value': 0.5}
    >>> unpack(pack((1, [[2.0, float("inf")]])))
    (1, array([[ 2., inf]]))
    """
    if _depth > MAX_DEPTH:
        raise WireError(f"the value is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        return {"kind": "text", "value": value[:MAX_TEXT]}
    if isinstance(value, tuple):
        return {"kind": "sequence", "values": [pack(part, store, _depth + 1) for part in value]}
    if type(value) in (int, bool) and abs(value) < 2**53:
        return {"kind": "integer", "value": int(value)}
    if isinstance(value, list):
        return _pack_list(value, store, _depth)
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        value = value.detach().cpu().numpy()  # a torch tensor, without importing torch
    if isinstance(value, (np.ndarray, np.generic, int, float, complex)) or hasattr(value, "__array__"):
        return _pack_array(np.asarray(value), type(value).__name__, store)
    return {"kind": "other", "type": type(value).__name__[:80]}


def _pack_list(value: list, store, depth: int) -> dict:
    """A rectangular list of numbers is an array; any other list is a sequence."""
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind in "biufc":
        return _pack_array(array, "list", store)
    if len(value) > MAX_NUMBERS:
        raise WireError(f"the list has {len(value)} entries, more than {MAX_NUMBERS}")
    return {"kind": "sequence", "values": [pack(part, store, depth + 1) for part in value]}


def _pack_array(array: np.ndarray, type_name: str, store=None) -> dict:
    if array.dtype.kind not in "biufc":
        return {"kind": "other", "type": f"{type_name} of {array.dtype}"[:80]}
    if store is not None and array.size > LARGE:
        return {"kind": "stored", "name": store(array)}
    if array.size > MAX_NUMBERS:
        raise WireError(f"the array has {array.size} numbers, more than {MAX_NUMBERS}")
    if array.ndim == 0 and array.dtype.kind in "biuf":
        return {"kind": "number", "value": _word(float(array))}
    packed = {"kind": "array", "shape": list(array.shape)}
    if array.dtype.kind == "c":
        packed["imaginary"] = [_word(number) for number in array.imag.astype(float).ravel().tolist()]
    exact = array.dtype.kind in "bi" and bool(np.all(np.abs(array.astype(float)) < 2**53))
    if exact:
        packed["type"] = "boolean" if array.dtype.kind == "b" else "integer"
        packed["values"] = array.astype(np.int64).ravel().tolist()
        return packed
    if array.dtype == np.float32:
        packed["type"] = "float32"
    packed["values"] = [_word(number) for number in array.real.astype(float).ravel().tolist()]
    return packed


def _word(number: float):
    """JSON has no words for NaN and the infinities; ours are explicit."""
    if math.isfinite(number):
        return number
    return "nan" if math.isnan(number) else ("inf" if number > 0 else "-inf")


def unpack(packed, load=None):
    """Turn a tagged object back into a value, refusing everything that is not in the table.

    Parameters
    ----------
    packed : object
        What came over the wire.
    load : callable, optional
        ``load(name) -> array`` for arrays in files; without it, as in the grader, they are refused.

    Raises
    ------
    WireError
        With one sentence that says what is wrong with it.

    Examples
    --------
    >>> unpack({"kind": "array", "shape": [2], "values": [1.0, "nan"]})
    array([ 1., nan])
    >>> unpack({"kind": "array", "shape": [3], "values": [1.0]})
    Traceback (most recent call last):
    gatedrnn.practice.wire.WireError: an array of shape (3,) came with 1 numbers
    """
    budget = [MAX_NUMBERS]
    return _unpack(packed, budget, 0, load)


def _unpack(packed, budget: list[int], depth: int, load):
    if not isinstance(packed, dict) or not isinstance(packed.get("kind"), str):
        raise WireError("a value must be an object with a kind")
    if depth > MAX_DEPTH:
        raise WireError(f"a value is nested deeper than {MAX_DEPTH} levels")
    kind, keys = packed["kind"], set(packed)
    if kind == "number" and keys == {"kind", "value"}:
        return _number(packed["value"])
    if kind == "integer" and keys == {"kind", "value"} and _is_integer(packed["value"]):
        return packed["value"]
    if kind == "text" and keys == {"kind", "value"} and isinstance(packed["value"], str):
        return printable(packed["value"][:MAX_TEXT])
    if kind == "other" and keys == {"kind", "type"} and isinstance(packed["type"], str):
        return Other(printable(packed["type"][:80]))
    if kind == "sequence" and keys == {"kind", "values"} and isinstance(packed["values"], list):
        _spend(budget, len(packed["values"]))
        return tuple(_unpack(part, budget, depth + 1, load) for part in packed["values"])
    if kind == "array" and {"kind", "shape", "values"} <= keys <= ARRAY_KEYS:
        return _unpack_array(packed, budget)
    if kind == "stored" and keys == {"kind", "name"} and load is not None:
        return load(packed["name"])
    raise WireError(f"there is no kind {kind[:20]!r} with the keys {sorted(map(str, keys))[:6]}")


def _unpack_array(packed: dict, budget: list[int]) -> np.ndarray:
    shape, values = packed["shape"], packed["values"]
    if not isinstance(shape, list) or len(shape) > MAX_AXES or not all(map(_is_length, shape)):
        raise WireError("the shape of an array must be a short list of lengths")
    columns = [packed[key] for key in ("values", "imaginary") if key in packed]
    for column in columns:
        if not isinstance(column, list) or len(column) != math.prod(shape):
            count = len(column) if isinstance(column, list) else "no"
            raise WireError(f"an array of shape {tuple(shape)} came with {count} numbers")
        _spend(budget, len(column))
    if "type" in packed:
        return _unpack_typed(packed, shape, values)
    real = np.array([_number(number) for number in values], dtype=float).reshape(shape)
    if len(columns) == 1:
        return real
    imaginary = np.array([_number(number) for number in columns[1]], dtype=float).reshape(shape)
    return real + 1j * imaginary


def _unpack_typed(packed: dict, shape: list[int], values: list) -> np.ndarray:
    """An array of another type than float64; its numbers must be of that type."""
    name = packed["type"]
    if not isinstance(name, str) or name not in TYPES or "imaginary" in packed:
        raise WireError("the type of an array must be one of " + ", ".join(TYPES))
    if name == "float32":
        with np.errstate(over="ignore"):
            return np.array([_number(number) for number in values], dtype=np.float32).reshape(shape)
    if not all(map(_is_integer, values)):
        raise WireError(f"an array of type {name} must hold integers of at most 53 bits")
    return np.array(values, dtype=TYPES[name]).reshape(shape)


def _spend(budget: list[int], count: int) -> None:
    budget[0] -= count
    if budget[0] < 0:
        raise WireError(f"the answer has more than {MAX_NUMBERS} numbers")


def _number(value) -> float:
    if isinstance(value, str) and value in WORDS:
        return WORDS[value]
    if type(value) in (int, float) and abs(value) < 1e308:
        return float(value)
    raise WireError("a number must be a finite number or one of the words nan, inf, -inf")


def _is_integer(value) -> bool:
    return type(value) is int and abs(value) < 2**53


def _is_length(value) -> bool:
    return type(value) is int and 0 <= value <= MAX_NUMBERS


def printable(text: str) -> str:
    """Return the text without what could steer a terminal: control characters and the like become ``�``.

    Examples
    --------
    >>> printable("no\\x1b[2J trick")
    'no�[2J trick'
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def write_line(message: dict) -> bytes:
    """One message as one line of bytes."""
    return json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def read_line(line: bytes) -> dict:
    """Read one line as one object; every way in which that can fail is a :class:`WireError`."""
    if len(line) > MAX_LINE:
        raise WireError(f"a message is longer than {MAX_LINE} bytes")
    try:
        message = json.loads(line.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise WireError("a message is nested too deeply") from None
    except (ValueError, OverflowError):
        raise WireError("a message is not a line of JSON") from None
    if not isinstance(message, dict):
        raise WireError("a message is not an object")
    return message


def _refuse_constant(word: str):
    raise ValueError(word)
