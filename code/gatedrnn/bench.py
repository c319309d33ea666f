"""Time the layers beside torch.nn: ``python -m gatedrnn.bench`` prints tables and writes ``bench.json``.

Everything is measured in pairs, one after the other in one process, and compared as the ratio of each pair;
the table shows the median ratio and the middle half of all. A machine that is busy with something else
slows both down, so read the ratios, not the milliseconds. A short call is repeated and its fastest time
counts.

- *training*: forward, backward and gradients of all weights; *inference*: forward without gradients.
- *LSTM* is the layer as it is; *LSTM by hand* never hands over to torch's compiled LSTM.
- *loop*: the same cell as textbooks publish it, step by step under autograd.
- *memory*: how far one training step raises the peak of a fresh process.
- *MinGRU*: all steps at once against step by step and against the GRU, by the length of the sequence.
- *floor*: how fast this machine multiplies matrices and moves memory at best, and the least that a training
  step of an LSTM could take at these speeds; *parts*: where its time goes instead.

With ``--keep`` the numbers also replace the table that the book shows, `KEPT`; see `keep`.
"""

import argparse
import contextlib
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import torch

import gatedrnn
from gatedrnn import layers, products, scan

SIZES = [  # steps, batch, inputs, units
    (50, 16, 32, 32),
    (100, 32, 64, 64),
    (200, 32, 64, 128),
    (200, 64, 128, 128),
    (400, 64, 128, 256),
]
QUICK = SIZES[:2]
LENGTHS = [64, 256, 1024, 4096]
KEPT = Path(__file__).parent / "benchmark.json"  # what the book's appendix shows
PATIENCE = 0.05  # seconds: long enough that one call of several is not interrupted by another program
CELLS = ["RNN", "GRU", "LSTM", "LSTM by hand"]
OPERATIONS = 13  # of a step of the LSTM by hand beside its products: 7 forwards and 6 backwards
MINIMAL = {"MinGRU": scan.MinGRU, "MinLSTM": scan.MinLSTM, "GRU": layers.GRU, "LSTM": layers.LSTM}


class Loop(torch.nn.Module):
    """A cell written out step by step and left to autograd, as in a textbook."""

    def __init__(self, cell: str, input_size: int, hidden_size: int):
        super().__init__()
        gates = {"RNN": 1, "LSTM": 4, "GRU": 3}[cell]
        self.cell, self.hidden_size = cell, hidden_size
        self.from_input = torch.nn.Linear(input_size, gates * hidden_size)
        self.from_hidden = torch.nn.Linear(hidden_size, gates * hidden_size)

    def forward(self, inputs):
        """Run over (T, B, I); return the outputs and the last hidden state."""
        h = c = inputs.new_zeros(inputs.shape[1], self.hidden_size)
        outputs = []
        for x in inputs:
            a, u = self.from_input(x), self.from_hidden(h)
            if self.cell == "RNN":
                h = torch.tanh(a + u)
            elif self.cell == "LSTM":
                i, f, g, o = (a + u).chunk(4, -1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
            else:
                (r, z, n), (u_r, u_z, u_n) = a.chunk(3, -1), u.chunk(3, -1)
                z = (z + u_z).sigmoid()
                h = (1 - z) * (n + (r + u_r).sigmoid() * u_n).tanh() + z * h
            outputs.append(h)
        return torch.stack(outputs), h


@contextlib.contextmanager
def handing_over(cell: str):
    """Keep our LSTM from handing over to torch's if it is to be measured by hand."""
    kept = layers.HAND_OVER
    layers.HAND_OVER = 0 if cell.endswith("by hand") else kept
    try:
        yield
    finally:
        layers.HAND_OVER = kept


def seconds(action) -> float:
    """Return the time of the fastest of as many calls as fit in PATIENCE, at least one."""
    fastest, until = math.inf, time.perf_counter() + PATIENCE
    while fastest == math.inf or time.perf_counter() < until:
        start = time.perf_counter()
        action()
        fastest = min(fastest, time.perf_counter() - start)
    return fastest


def training_step(module, inputs, told):
    """Return one training step as a function of nothing."""

    def step():
        module.zero_grad(set_to_none=True)
        module(inputs)[0].backward(told)

    return step


def inference(module, inputs):
    """Return one forward pass without gradients as a function of nothing."""

    def step():
        with torch.no_grad():
            module(inputs)

    return step


def in_pairs(ours, theirs, repeats: int) -> dict:
    """Time two functions in turns; the order within a pair alternates."""
    ours(), theirs()
    mine, others = [], []
    for repeat in range(repeats):
        pair = [(ours, mine), (theirs, others)]
        for action, times in pair if repeat % 2 else reversed(pair):
            times.append(seconds(action))
    ratios = sorted(a / b for a, b in zip(mine, others, strict=True))
    low, middle, high = statistics.quantiles(ratios, n=4) if repeats > 1 else ratios * 3
    return {
        "ours_ms": 1e3 * statistics.median(mine),
        "theirs_ms": 1e3 * statistics.median(others),
        "ratio": middle,
        "ratio_quartiles": [low, high],
    }


def compare(cell: str, size: tuple, repeats: int, against: str) -> dict:
    """Compare our layer with torch.nn's, or with the loop, in training and inference."""
    steps, batch, input_size, hidden_size = size
    torch.manual_seed(0)
    name = cell.split()[0]
    ours = getattr(layers, name)(input_size, hidden_size)
    if against == "torch.nn":
        theirs = getattr(torch.nn, name)(input_size, hidden_size)
    else:
        theirs = Loop(name, input_size, hidden_size)
    inputs, told = torch.randn(steps, batch, input_size), torch.randn(steps, batch, hidden_size)
    with handing_over(cell):
        training = in_pairs(training_step(ours, inputs, told), training_step(theirs, inputs, told), repeats)
        forward = in_pairs(inference(ours, inputs), inference(theirs, inputs), repeats)
    return {"cell": cell, "size": size, "against": against, "training": training, "inference": forward}


def peak_memory(cell: str, size: tuple, module: str) -> float | None:
    """Return by how many MB a training step raises the peak of a fresh process; None where unknown."""
    call = [sys.executable, "-m", "gatedrnn.bench", "--one-step", module, cell, *map(str, size)]
    answer = subprocess.run(call, capture_output=True, text=True, check=True).stdout.split()[-1]
    return None if answer == "unknown" else float(answer)


def one_step(module: str, cell: str, size: tuple) -> str:
    """Do one training step after a small one, and say by how many MB the peak rose."""
    torch.set_num_threads(1)
    steps, batch, input_size, hidden_size = size
    make = getattr(torch.nn if module == "torch.nn" else layers, cell.split()[0])
    layer = make(input_size, hidden_size)
    inputs, told = torch.randn(steps, batch, input_size), torch.randn(steps, batch, hidden_size)
    with handing_over(cell):
        training_step(layer, inputs[:2], told[:2])()
        before = peak_bytes()
        training_step(layer, inputs, told)()
    return "unknown" if before is None else str((peak_bytes() - before) / 1e6)


def peak_bytes() -> int | None:
    """Return the most memory that this process has held so far; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux; getrusage there also counts what the process was forked from
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    try:
        import resource
    except ImportError:
        return None  # Windows
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def minimal(length: int, repeats: int) -> list[dict]:
    """Time a training step of the minimal cells, all steps at once, against what they could replace."""
    torch.manual_seed(0)
    inputs = torch.randn(length, 16, 64)
    made = {name: make(64, 64) for name, make in MINIMAL.items()}

    def step(name, **words):
        made[name].zero_grad(set_to_none=True)
        made[name](inputs, **words)[0].sum().backward()

    def pair(ours, theirs, **words):
        times = in_pairs(lambda: step(ours), lambda: step(theirs, **words), repeats)
        return {"steps": length, "cell": ours, "against": theirs if not words else "step by step"} | times

    return [pair("MinGRU", "MinGRU", parallel=False), pair("MinGRU", "GRU"), pair("MinLSTM", "LSTM")]


def rates(numbers: int = 2**23) -> dict:
    """Measure the best this machine does: multiply-and-adds of a large product, bytes of a long sum."""
    a, b, out = torch.randn(3, 1024, 1024)
    candidates = [lambda: torch.mm(a, b, out=out)]
    if hasattr(torch.ops.mkldnn, "_linear_pointwise") and torch.backends.mkldnn.is_available():
        candidates.append(lambda: torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], None))
    x, y = torch.randn(2, numbers)
    return {
        "gflops": 2 * 1024**3 / min(map(least, candidates)) / 1e9,
        "gb_per_s": 3 * 4 * numbers / least(lambda: torch.add(x, y, out=y)) / 1e9,
    }


def floor(size: tuple, best: dict) -> dict:
    """Return the least milliseconds of an LSTM's training step: arithmetic and memory traffic at full speed.

    Products: W_ih x and W_hh h forwards; dL/dh backwards; dL/dW_ih and dL/dW_hh, each 2 operations per row
    and weight. Bytes: each of input, four gates, c, h, dL/dh, four dL/da is written once and read once.
    """
    steps, batch, input_size, hidden_size = size
    operations = 2 * steps * batch * 4 * hidden_size * (2 * input_size + 3 * hidden_size)
    traffic = 2 * 4 * steps * batch * (input_size + 11 * hidden_size)
    return {
        "floor_products_ms": operations / best["gflops"] / 1e6,
        "floor_memory_ms": traffic / best["gb_per_s"] / 1e6,
    }


def least(action, repeats: int = 5) -> float:
    """Return the time of the fastest call, for what has nothing to be compared with in turns."""
    action()
    return min(seconds(action) for _ in range(repeats))


def parts(size: tuple) -> dict:
    """Return the milliseconds of a training step of the LSTM by hand, and of what it is made of.

    The products are done again with nothing between them. What it costs to start the other operations of a
    step is seen by starting as many on a single number. The rest is their arithmetic and memory traffic.
    """
    steps, batch, input_size, hidden_size = size
    layer, inputs = layers.LSTM(input_size, hidden_size), torch.randn(steps, batch, input_size)
    with handing_over("LSTM by hand"):
        whole = least(training_step(layer, inputs, torch.randn(steps, batch, hidden_size)))
    one = torch.zeros(1)

    def start():
        for _ in range(steps * OPERATIONS):
            torch.mul(one, one, out=one)

    return {
        "whole_ms": 1e3 * whole,
        "products_ms": 1e3 * least(products_of(layer, inputs)),
        "starting_ms": 1e3 * least(start),
    }


@torch.no_grad()
def products_of(layer, inputs):
    """Return all matrix products of a training step as a function of nothing."""
    steps, batch, _ = inputs.shape
    weight_ih, weight_hh = layer.weight_ih_l0.detach(), layer.weight_hh_l0.detach()
    rows, hidden = inputs.flatten(0, 1), torch.randn(steps, batch, layer.hidden_size)
    gates, d_hidden = torch.zeros(steps, batch, len(weight_hh)), torch.zeros_like(hidden)
    drive = products.write_product(weight_ih, layer.bias_ih_l0.detach(), len(rows))
    forth, back = products.add_product(weight_hh, batch), products.add_product(weight_hh.t(), batch)
    d_weights = torch.zeros_like(weight_ih.t()), torch.zeros_like(weight_hh.t())

    def run():
        drive(gates.flatten(0, 1), rows)
        for a, h in zip(gates, hidden, strict=True):
            forth(a, h)
        for a, d_h in zip(gates, d_hidden, strict=True):
            back(d_h, a)
        for d_weight, left in zip(d_weights, (rows, hidden.flatten(0, 1)), strict=True):
            products.add_outer_products(d_weight, left, gates.flatten(0, 1))

    return run


def load() -> list[float]:
    """Return how many programs wanted the processor in the last minute; nothing where unknown."""
    return [round(os.getloadavg()[0], 1)] if hasattr(os, "getloadavg") else []


def geometric_mean(values) -> float:
    """Return the mean of ratios: twice as fast and half as fast cancel."""
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def show(title: str, found: dict) -> str:
    """Lay out one comparison as a line."""
    low, high = found["ratio_quartiles"]
    return (
        f"  {title:<38} {found['ours_ms']:>9.2f} ms {found['theirs_ms']:>9.2f} ms"
        f"   ratio {found['ratio']:.2f}  ({low:.2f} … {high:.2f})"
    )


def measure(threads: int, sizes: list, lengths: list, repeats: int, say=print) -> dict:
    """Run everything on so many threads; say each line as it comes."""
    torch.set_num_threads(threads)
    report = {"threads": threads, "layers": [], "loop": [], "minimal": [], "geometric_means": {}}
    for against, rows in (("torch.nn", report["layers"]), ("loop", report["loop"])):
        for cell in CELLS if against == "torch.nn" else CELLS[:3]:
            say(f"\n{cell}, ours against {against}, {threads} thread{'s' if threads > 1 else ''}")
            for size in sizes if against == "torch.nn" else sizes[:3]:
                rows.append(compare(cell, size, repeats, against))
                for kind in ("training", "inference"):
                    say(show(f"{kind} (T, B, I, H) = {size}", rows[-1][kind]))
            means = {
                kind: geometric_mean(row[kind]["ratio"] for row in rows if row["cell"] == cell)
                for kind in ("training", "inference")
            }
            report["geometric_means"][f"{cell} against {against}"] = means
            say("  geometric mean of the ratios: " + ", ".join(f"{k} {v:.2f}" for k, v in means.items()))
    say(f"\nMinimal cells, all steps at once, training, {threads} thread{'s' if threads > 1 else ''}")
    for length in lengths:
        for row in minimal(length, repeats):
            report["minimal"].append(row)
            say(show(f"{row['cell']} against {row['against']}, T = {length}", row))
    report["best"] = rates()
    say(
        "\nAt best {gflops:.0f} GFLOP/s and {gb_per_s:.0f} GB/s; LSTM by hand, in ms:".format(
            **report["best"]
        )
    )
    report["lstm"] = [{"size": size} | floor(size, report["best"]) | parts(size) for size in sizes]
    for row in report["lstm"]:
        words = ", ".join(f"{name[:-3].replace('_', ' ')} {row[name]:.2f}" for name in row if "_ms" in name)
        say(f"  {row['size']}: {words}")
    return report


def measure_memory(size: tuple, say=print) -> list[dict]:
    """Compare the peak memory of a training step."""
    say(f"\nMemory of a training step at (T, B, I, H) = {size}: ours, torch.nn")
    rows = []
    for cell in CELLS:
        ours, theirs = (peak_memory(cell, size, module) for module in ("ours", "torch.nn"))
        rows.append({"cell": cell, "size": size, "ours_mb": ours, "theirs_mb": theirs})
        known = ours is not None and theirs
        say(
            f"  {cell:<14}"
            + (f"{ours:>8.0f} MB {theirs:>8.0f} MB   ratio {ours / theirs:.2f}" if known else " unknown")
        )
    return rows


def keep(report: dict, path: Path | None = None) -> str | None:
    """Replace the book's table by a complete report; otherwise leave it and return why.

    Complete is: all sizes, one and two threads, at least nine pairs each. The file is replaced whole, after
    everything has been measured, so that a run that is stopped changes nothing.
    """
    sizes = [tuple(row["size"]) for row in report["threads"][0]["layers"]]
    lacking = []
    if set(sizes) != set(SIZES):
        lacking.append("all sizes (leave out --quick)")
    if [run["threads"] for run in report["threads"]] != [1, 2]:
        lacking.append("one and two threads")
    if report["repeats"] < 9:
        lacking.append("nine pairs or more (--repeats)")
    if lacking:
        return f"The book's table was not replaced: it wants {', '.join(lacking)}."
    path = path or KEPT
    part = path.with_suffix(".part")
    part.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
    return None


def kept() -> dict:
    """Return the report that the book shows."""
    return json.loads(KEPT.read_text(encoding="utf-8"))


def main(words: list[str] | None = None) -> int:
    """Measure, print the tables and write the JSON file."""
    parser = argparse.ArgumentParser(prog="python -m gatedrnn.bench", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="two small sizes, few repeats: a minute instead of ten"
    )
    parser.add_argument(
        "--threads", type=int, nargs="+", metavar="N", help="thread counts (default: 1 and 2)"
    )
    parser.add_argument(
        "--repeats", type=int, metavar="N", help="pairs of each comparison (default: 9, quick 5)"
    )
    parser.add_argument("--json", default="bench.json", metavar="FILE", help="where to write the numbers")
    parser.add_argument("--keep", action="store_true", help="also replace the table that the book shows")
    parser.add_argument("--one-step", nargs=6, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.one_step:
        module, cell, *size = options.one_step
        print(one_step(module, cell, tuple(map(int, size))))
        return 0
    sizes, lengths = (QUICK, LENGTHS[:2]) if options.quick else (SIZES, LENGTHS)
    threads = options.threads or [1, 2][: os.cpu_count()]
    repeats = options.repeats or (5 if options.quick else 9)
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "gatedrnn": gatedrnn.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "repeats": repeats,
        "load": load(),
        "threads": [measure(count, sizes, lengths, repeats) for count in threads],
        "memory": measure_memory(sizes[-1]),
    }
    report["load"] += load()
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
    print(f"\nWritten to {options.json}")
    if options.keep:
        print(keep(report) or f"and to {KEPT}; commit it if the machine was quiet (load {report['load']}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
