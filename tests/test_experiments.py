"""The committed tables: complete, made from the stated data, and reproducible row by row."""

from types import SimpleNamespace

import pytest
from conftest import drawn
from gatedrnn.datasets import REGISTRY, locate
from gatedrnn.experiments import EXPERIMENTS, motor_decoding, table
from gatedrnn.experiments.__main__ import main
from gatedrnn.experiments.running import run

KEY = ("recording", "model", "fold", "seed", "reaches")


@pytest.fixture(scope="module")
def decoding():
    return table("motor_decoding")


def test_every_experiment_has_a_table():
    for name in EXPERIMENTS:
        assert table(name).experiment == name


def test_the_table_is_complete_and_says_where_it_comes_from(decoding):
    assert [{name: row[name] for name in KEY} for row in decoding.rows] == motor_decoding.KEYS()
    (file,) = REGISTRY["m1_reach_dad"].files
    assert decoding.data == {"m1_reach_dad/chewie_demo.mat": file.digest}
    assert {"python", "gatedrnn", "numpy", "torch", "scikit-learn"} <= decoding.versions.keys()
    assert decoding.date >= "2026-11-24"
    assert decoding.tolerance == motor_decoding.TOLERANCE


def test_a_row_drawn_at_random_comes_out_again(decoding):
    present = [
        row for row in decoding.rows if row["recording"] == "simulated" or locate("m1_reach_dad") is not None
    ]
    row, key, message = drawn(present, KEY)
    again = motor_decoding.compute(key)
    tolerance = decoding.tolerance[row["model"]]
    for column in ("r2", "r2_settled", "r2_outputs"):
        assert again[column] == pytest.approx(row[column], abs=tolerance), message
    assert again["chosen"] == row["chosen"], message


def test_conditions_that_no_row_meets_are_an_error(decoding):
    with pytest.raises(KeyError, match="transformer"):
        decoding.where(model="transformer")
    with pytest.raises(ValueError, match="motor_decoding"):
        table("motor_decodin")


def test_by_fold_averages_the_seeds(decoding):
    rows = decoding.where(recording="simulated", model="lstm", fold=2, reaches=None)
    assert len(rows) == len(motor_decoding.SEEDS)
    mean = sum(row["r2"] for row in rows) / len(rows)
    assert decoding.by_fold(recording="simulated", model="lstm", reaches=None)[2] == pytest.approx(mean)


def test_hyperparameters_are_chosen_without_the_test_reaches(monkeypatch):
    """What is chosen must not change when the test reaches do."""
    whole = motor_decoding.recording("simulated")
    train, test = motor_decoding.split(whole, 0)
    assert not {target.tobytes() for target in train.kinematics} & {
        bin_.tobytes() for bin_ in test.kinematics if bin_.any()
    }
    seen = []
    monkeypatch.setattr(
        motor_decoding, "choose", lambda options, data, folds: seen.append(data) or options[0]
    )
    motor_decoding.fitted("wiener", train)
    assert seen == [train]


# The runner


def small(log, fail_at=None, data="abc"):
    def compute(key):
        if key["fold"] == fail_at:
            raise KeyboardInterrupt
        log.append(key["fold"])
        return {"r2": key["fold"] / 10}

    keys = [{"recording": "r", "model": "m", "fold": fold, "seed": 0, "reaches": None} for fold in range(4)]
    return SimpleNamespace(
        KEYS=lambda: keys, compute=compute, DATA=lambda: {"file": data}, TOLERANCE={"m": 0}
    )


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    log = []
    with pytest.raises(KeyboardInterrupt):
        run(small(log, fail_at=2), "small", tmp_path, progress=False)
    assert log == [0, 1] and not (tmp_path / "small.json").exists()
    path = run(small(log), "small", tmp_path, progress=False)
    assert log == [0, 1, 2, 3]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    import json

    content = json.loads(path.read_text(encoding="utf-8"))
    assert [row["r2"] for row in content["rows"]] == [0, 0.1, 0.2, 0.3]
    assert content["data"] == {"file": "abc"} and content["tolerance"] == {"m": 0}


def test_a_row_cut_short_is_made_again(tmp_path):
    log = []
    with pytest.raises(KeyboardInterrupt):
        run(small(log, fail_at=3), "small", tmp_path, progress=False)
    rows = tmp_path / "small.rows.jsonl"
    rows.write_text(rows.read_text(encoding="utf-8")[:-15], encoding="utf-8")
    run(small(log), "small", tmp_path, progress=False)
    assert log == [0, 1, 2, 2, 3]


def test_other_data_means_starting_again(tmp_path, capsys):
    log = []
    with pytest.raises(KeyboardInterrupt):
        run(small(log, fail_at=2), "small", tmp_path, progress=False)
    run(small(log, data="xyz"), "small", tmp_path, progress=False)
    assert log == [0, 1, 0, 1, 2, 3]
    assert "starting again" in capsys.readouterr().out


def test_fresh_throws_the_rows_away(tmp_path):
    log = []
    with pytest.raises(KeyboardInterrupt):
        run(small(log, fail_at=1), "small", tmp_path, progress=False)
    run(small(log), "small", tmp_path, fresh=True, progress=False)
    assert log == [0, 0, 1, 2, 3]


def test_a_missing_recording_is_one_sentence(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("GATEDRNN_DATA", str(tmp_path))
    assert main(["motor_decoding", "--folder", str(tmp_path)]) == 1
    message = capsys.readouterr().err.strip()
    assert message.startswith("motor_decoding needs a recording:") and "\n" not in message


def test_an_unknown_experiment_lists_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "motor_decoding" in capsys.readouterr().err


class Workers:
    """A cluster whose workers are done in the order in which they like."""

    def __init__(self, address):
        assert address == "tcp://host:8786"

    def run(self, function, calls):
        yield from [(place, function(*calls[place])) for place in reversed(range(len(calls)))]

    def close(self):
        pass


def test_the_workers_of_a_cluster_fill_the_same_table(tmp_path, monkeypatch):
    log = []
    monkeypatch.setattr("gatedrnn.experiments.running.Cluster", Workers)
    monkeypatch.setattr("gatedrnn.experiments.running.load", lambda name: small(log))
    for folder, options in (("here", {}), ("there", {"scheduler": "tcp://host:8786"})):
        run(small(log), "small", tmp_path / folder, progress=False, **options)
    assert log == [0, 1, 2, 3, 3, 2, 1, 0]
    assert (tmp_path / "here/small.json").read_bytes() == (tmp_path / "there/small.json").read_bytes()


def test_rows_are_kept_when_a_worker_stumbles(tmp_path, monkeypatch):
    log = []
    monkeypatch.setattr("gatedrnn.experiments.running.Cluster", Workers)
    monkeypatch.setattr("gatedrnn.experiments.running.load", lambda name: small(log))
    monkeypatch.setattr(
        Workers,
        "run",
        lambda self, function, calls: iter([(1, function(*calls[1])), (0, RuntimeError("no memory"))]),
    )
    with pytest.raises(RuntimeError, match="no memory"):
        run(small(log), "small", tmp_path, progress=False, scheduler="tcp://host:8786")
    run(small(log), "small", tmp_path, progress=False)
    assert log == [1, 0, 2, 3]


def test_a_scheduler_that_is_not_there_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("gatedrnn.cluster.CONNECT", 0.3)
    words = ["delayed_recall", "--folder", str(tmp_path), "--scheduler", "tcp://127.0.0.1:9"]
    assert main(words) == 1
    message = capsys.readouterr().err.splitlines()[-1]  # below the bar
    assert message.startswith("delayed_recall: no Dask scheduler answers")
