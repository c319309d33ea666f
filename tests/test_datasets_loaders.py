"""Hippocampus, calcium, intensive care, fusion: real files where at hand, small ones of the same schema."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from gatedrnn import datasets
from scipy.io import savemat


def needs(name):
    missing = datasets.locate(name) is None
    return pytest.mark.skipif(missing, reason=f"needs {name}: gatedrnn data fetch {name}")


def refused(loader, *paths):
    """What a loader says about files that it cannot use."""
    with pytest.raises(datasets.MalformedData) as problem:
        loader(*paths)
    assert "\n" not in str(problem.value) and str(problem.value).endswith(".")
    return str(problem.value)


# --- hippocampus


def mouse(folder, shape=(2, 1, 2), spoil=lambda activity, position: None):
    """Two files of a made-up mouse that runs three laps of 10 bins in each session."""
    rng = np.random.default_rng(0)
    activity, position = np.empty(shape, dtype=object), np.empty(shape, dtype=object)
    for place in np.ndindex(shape):
        position[place] = np.tile(np.arange(3, 13), 3).astype(np.uint8)[:, None]
        activity[place] = rng.exponential(size=(30, 4 + place[0])) * (rng.random((30, 4 + place[0])) < 0.1)
    spoil(activity, position)
    savemat(folder / "M1_spike_train.mat", {"spike_train": activity})
    savemat(folder / "M1_stimulus_trace.mat", {"stimulus_trace": position})
    return (folder / "M1_spike_train.mat", folder / "M1_stimulus_trace.mat"), activity


def test_ca1_of_another_mouse(tmp_path):
    paths, activity = mouse(tmp_path)
    sessions = datasets.load_ca1(*paths, frame_rate=10)
    assert [(s.environment, s.session, s.direction) for s in sessions] == list(np.ndindex(2, 1, 2))
    assert sessions[3].name == "M1, environment 2, session 1, direction 2" and sessions[3].n_cells == 5
    assert sessions[0].bin_width == 0.1 and sessions[0].units == ("bin of the track",)
    np.testing.assert_allclose(sessions[2].spikes, activity[1, 0, 0], rtol=1e-6)
    np.testing.assert_array_equal(sessions[0].starts, [0, 10, 20])
    np.testing.assert_array_equal(sessions[1].targets, [1, 1, 1])
    assert sessions[0].kinematics.shape == (30, 1)
    both = datasets.join(sessions[:2])
    np.testing.assert_array_equal(both.starts, np.arange(0, 60, 10))
    with pytest.raises(ValueError, match="same cells"):
        datasets.join([sessions[0], sessions[2]])


def test_ca1_skips_empty_sessions(tmp_path):
    def spoil(activity, position):
        activity[0, 0, 1] = position[0, 0, 1] = np.zeros((0, 0))

    paths, _ = mouse(tmp_path, spoil=spoil)
    assert len(datasets.load_ca1(*paths)) == 3


def test_ca1_files_that_do_not_fit(tmp_path):
    def shorten(activity, position):
        position[1, 0, 0] = position[1, 0, 0][:-1]

    paths, _ = mouse(tmp_path, spoil=shorten)
    said = refused(datasets.load_ca1, *paths)
    assert "M1, environment 2, session 1, direction 1: activity has 30 bins and position 29" in said
    assert "lacks spike_train" in refused(datasets.load_ca1, *paths[::-1])
    (tmp_path / "other").mkdir()
    others, _ = mouse(tmp_path / "other", shape=(1, 1, 2))
    assert "two files of the same mouse" in refused(datasets.load_ca1, paths[0], others[1])
    with pytest.raises(ValueError, match="pass both files"):
        datasets.load_ca1(paths[0])


@pytest.mark.parametrize("lap", [np.arange(3, 13), np.arange(22, 2, -1), np.r_[1, 1, 2, 4, 6, 8]])
def test_ca1_of_mice_that_run_other_laps(tmp_path, lap):
    """Another direction, another length of the track, and other numbers of cells in every session."""

    def spoil(activity, position):
        for number, place in enumerate(np.ndindex(activity.shape)):
            position[place] = np.tile(lap, 2 + number)[None].astype(float)  # a row, where others have columns
            activity[place] = np.zeros((len(lap) * (2 + number), 1 + number))

    paths, _ = mouse(tmp_path, shape=(1, 3, 2), spoil=spoil)
    for number, session in enumerate(datasets.load_ca1(*paths)):
        assert session.n_cells == 1 + number
        assert session.starts.tolist() == [len(lap) * k for k in range(2 + number)]


def test_ca1_at_ten_frames_per_second_may_move_twice_as_far_per_frame(tmp_path):
    def spoil(activity, position):
        for place in np.ndindex(activity.shape):
            position[place] = np.tile([1, 5, 9, 13, 17], 6)[:, None]

    paths, _ = mouse(tmp_path, spoil=spoil)
    assert [len(datasets.load_ca1(*paths, frame_rate=rate)[0].starts) for rate in (20, 10)] == [30, 6]


def test_ca1_with_frames_and_cells_that_are_missing(tmp_path):
    def spoil(activity, position):
        activity[0, 0, 0][:, 1] = np.nan  # a cell that this session lacks
        position[0, 0, 0] = position[0, 0, 0].astype(float)
        position[0, 0, 0][4] = np.nan
        activity[0, 0, 0][15] = np.nan

    paths, activity = mouse(tmp_path, spoil=spoil)
    session = datasets.load_ca1(*paths)[0]
    assert session.spikes.shape == (28, 4) and (session.spikes[:, 1] == 0).all()
    assert session.starts.tolist() == [0, 4, 9, 14, 18]
    np.testing.assert_allclose(session.spikes[4, 0], activity[0, 0, 0][5, 0], rtol=1e-6)


def test_ca1_saved_sparse_or_with_cells_first(tmp_path):
    from scipy.sparse import csc_matrix

    paths, _ = mouse(tmp_path)
    plain = datasets.load_ca1(*paths)
    for way in (csc_matrix, np.transpose):
        (tmp_path / way.__name__).mkdir()

        def spoil(activity, position, way=way):
            for place in np.ndindex(activity.shape):
                activity[place] = way(activity[place])

        other, _ = mouse(tmp_path / way.__name__, spoil=spoil)
        for one, two in zip(plain, datasets.load_ca1(*other), strict=True):
            np.testing.assert_array_equal(one.spikes, two.spikes)


def test_ca1_of_a_single_session_without_a_cell_array(tmp_path):
    savemat(tmp_path / "M2_spike_train.mat", {"spike_train": np.ones((20, 3))})
    savemat(tmp_path / "M2_stimulus_trace.mat", {"stimulus_trace": np.tile(np.arange(10), 2)})
    (session,) = datasets.load_ca1(tmp_path / "M2_spike_train.mat", tmp_path / "M2_stimulus_trace.mat")
    assert session.n_cells == 3 and session.starts.tolist() == [0, 10]


def test_ca1_pieces_that_are_missing_from_one_file_are_said(tmp_path):
    def lose_position(activity, position):
        position[0, 0, 1] = np.zeros((0, 0))

    paths, _ = mouse(tmp_path, spoil=lose_position)
    said = refused(datasets.load_ca1, *paths)
    assert "M1, environment 1, session 1, direction 2: activity has 30 bins and position 0" in said

    def nothing(activity, position):
        for place in np.ndindex(activity.shape):
            activity[place] = activity[place] * np.nan
            position[place] = position[place] * np.nan

    paths, _ = mouse(tmp_path, spoil=nothing)
    assert "no bin has a value" in refused(datasets.load_ca1, *paths)


@needs("hippocampus_ca1_zivlab")
def test_the_real_mouse():
    sessions = datasets.load_ca1()
    assert len(sessions) == 16 and sessions[0].spikes.shape == (2419, 646)
    for s in sessions:
        inside = s.reach[1:] == s.reach[:-1]
        assert np.abs(np.diff(s.kinematics[:, 0])[inside]).max() <= 2
        assert s.kinematics.min() == 3 and s.kinematics.max() == 22 and 28 < len(s.starts) < 70
    pairs = [(a.n_cells, b.n_cells) for a, b in zip(sessions[::2], sessions[1::2], strict=True)]
    assert all(a == b for a, b in pairs)


# --- calcium


def neuron(path, **changed):
    """A file with one neuron: 10 s at 100 Hz, three spikes."""
    fields = {
        "events_AP": np.array([[2.0], [2.5], [7.005]]) * 1e4,
        "fluo_time": np.arange(1, 1001)[None] / 100,
        "fluo_mean": np.linspace(0, 1, 1000)[:, None],
    }
    entry = {k: v for k, v in {**fields, **changed}.items() if v is not None}
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = entry
    savemat(path, {"CAttached": cell})
    return path


def test_calcium_of_another_neuron(tmp_path):
    path = neuron(tmp_path / "CAttached_b.mat")
    neuron(tmp_path / "CAttached_a.mat")
    (r,) = datasets.load_calcium(path)
    np.testing.assert_allclose(r.spike_times, [2.0, 2.5, 7.005])
    assert r.time.shape == r.fluorescence.shape == (1000,) and r.frame_rate == pytest.approx(100)
    assert r.name == "CAttached_b" and r.starts.tolist() == [0]
    assert [q.name for q in datasets.load_calcium(tmp_path)] == ["CAttached_a", "CAttached_b"]
    listed = datasets.load_calcium([path, tmp_path / "CAttached_a.mat"])
    assert [q.name for q in listed] == ["CAttached_b", "CAttached_a"]


def test_calcium_in_bins(tmp_path):
    (r,) = datasets.load_calcium(neuron(tmp_path / "n.mat"))
    b = r.binned(10)
    assert b.bin_width == 0.1 and len(b.fluorescence) == 100 and b.spikes.sum() == 3
    np.testing.assert_array_equal(np.flatnonzero(b.spikes), [19, 24, 69])  # time begins at 0.01 s
    np.testing.assert_allclose(b.fluorescence[3], r.fluorescence[30:40].mean())
    with pytest.raises(ValueError, match="at most the 100"):
        r.binned(200)


def test_calcium_without_a_value_leaves_a_gap(tmp_path):
    mean = np.linspace(0, 1, 1000)
    mean[200:400] = np.nan
    (r,) = datasets.load_calcium(neuron(tmp_path / "n.mat", fluo_mean=mean[:, None]))
    assert len(r.time) == 800 and r.starts.tolist() == [0, 200]
    b = r.binned(10)
    assert b.starts.tolist() == [0, 20] and b.spikes.sum() == 2  # one spike falls into the gap
    assert np.isfinite(b.fluorescence).all()


def test_calcium_files_that_do_not_fit(tmp_path):
    path = tmp_path / "bad.mat"
    assert "lacks events_AP" in refused(datasets.load_calcium, neuron(path, events_AP=None))
    said = refused(datasets.load_calcium, neuron(path, fluo_mean=np.zeros((7, 1))))
    assert "equally long, got 1000 and 7" in said
    backwards = np.arange(1000, 0, -1)[None] / 100
    assert "increasing order" in refused(datasets.load_calcium, neuron(path, fluo_time=backwards))
    in_ms = np.array([[2000.0], [2500.0], [7005.0]]) * 1e4
    assert "units of 0.1 ms" in refused(datasets.load_calcium, neuron(path, events_AP=in_ms))
    savemat(path, {"CAttached": np.zeros((2, 2))})
    assert "must be a cell array of structures" in refused(datasets.load_calcium, path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"holds no \.mat file"):
        datasets.load_calcium(tmp_path / "empty")


@needs("calcium_gt_cascade")
def test_the_real_calcium_recordings():
    recordings = datasets.load_calcium()
    assert len(recordings) == 23
    assert sum(len(r.spike_times) for r in recordings) == 6783
    assert round(sum(r.time[-1] for r in recordings)) == 4297
    for r in recordings:
        b = r.binned(30)
        assert b.spikes.sum() == len(r.spike_times) and len(r.starts) == 1
        after = np.convolve(b.spikes, np.ones(8))[: len(b.spikes)]  # fluorescence follows the spikes
        assert np.corrcoef(after, b.fluorescence)[0, 1] > np.corrcoef(after[::-1], b.fluorescence)[0, 1]


# --- intensive care

RECORDS = {
    "set-a/20.txt": "00:00,RecordID,20\n00:00,Age,70\n00:00,Gender,1\n00:00,Height,-1\n00:00,ICUType,2\n"
    "00:00,Weight,-1\n01:45,HR,80\n01:30,HR,60\n48:00,Temp,36.5\n",
    "set-a/3.txt": "00:00,RecordID,3\n00:00,Age,54\n00:00,Gender,0\n00:00,Height,160\n00:00,ICUType,4\n"
    "00:00,Weight,81\n00:10,pH,7.4\n",
}
OUTCOMES = "RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death\n"
OUTCOMES += "3,6,1,5,-1,0\n20,-1,8,8,3,1\n99,1,1,1,1,1\n"


def ward(folder, kind="folder", records=RECORDS, outcomes=OUTCOMES, end="\n"):
    """Records of two stays, loose or packed, with their outcomes."""
    folder.mkdir(exist_ok=True)
    bodies = {n: ("Time,Parameter,Value\n" + body).replace("\n", end).encode() for n, body in records.items()}
    if kind == "folder":
        (folder / "set-a").mkdir(exist_ok=True)
        for name, body in bodies.items():
            (folder / name).write_bytes(body)
    elif kind == "zip":
        with zipfile.ZipFile(folder / "set-a.zip", "w") as archive:
            for name, body in bodies.items():
                archive.writestr(name, body)
    else:
        with tarfile.open(folder / "set-a.tar.gz", "w:gz") as archive:
            for name, body in bodies.items():
                info = tarfile.TarInfo("backup/" + name)
                info.size = len(body)
                archive.addfile(info, io.BytesIO(body))
    (folder / "Outcomes-a.txt").write_text(outcomes)
    return folder


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_icu_stays_of_another_set(tmp_path, kind, end):
    stays = datasets.load_icu(ward(tmp_path / "w", kind, end=end))
    assert stays.record_id.tolist() == [3, 20] and stays.death.tolist() == [False, True]
    np.testing.assert_array_equal(stays.descriptors, [[54, 0, 160, 4], [70, 1, np.nan, 2]])
    np.testing.assert_array_equal(stays.saps, [6, np.nan])
    np.testing.assert_array_equal(stays.survival, [np.nan, 3])
    measured = [(stays.stay[k], stays.hour[k], stays.variables[stays.variable[k]]) for k in range(5)]
    assert measured == [(0, 0, "Weight"), (0, 1 / 6, "pH"), (1, 1.5, "HR"), (1, 1.75, "HR"), (1, 48, "Temp")]
    assert stays.units[stays.variables.index("HR")] == "beats/min"


def test_icu_on_a_grid(tmp_path):
    stays = datasets.load_icu(ward(tmp_path / "w"))
    hourly = stays.grid()
    assert hourly.shape == (2, 48, 37) and np.isfinite(hourly).sum() == 4
    assert hourly[1, 1, stays.variables.index("HR")] == 70
    assert hourly[1, 47, stays.variables.index("Temp")] == 36.5
    assert stays.grid(8).shape == (2, 6, 37)
    with pytest.raises(ValueError, match="must divide 48"):
        stays.grid(7)


def test_icu_finds_records_and_outcomes_where_they_may_be(tmp_path):
    folder = ward(tmp_path / "w")
    assert len(datasets.load_icu(folder / "set-a").record_id) == 2
    packed = ward(tmp_path / "p", "tar")
    assert len(datasets.load_icu(packed / "set-a.tar.gz").record_id) == 2
    (packed / "Outcomes-a.txt").rename(tmp_path / "results.txt")
    with pytest.raises(FileNotFoundError, match="no file Outcomes"):
        datasets.load_icu(packed)
    assert datasets.load_icu(packed, tmp_path / "results.txt").death.sum() == 1


def test_icu_files_that_do_not_fit(tmp_path):
    def spoilt(name, **words):
        return refused(datasets.load_icu, ward(tmp_path / name, **words))

    bad = {"set-a/3.txt": RECORDS["set-a/3.txt"] + "0:10;HR;7\n"}
    assert "record 3.txt: expected hh:mm,parameter,value, got '0:10;HR;7'" in spoilt("a", records=bad)
    assert "lacks the columns In-hospital_death" in spoilt(
        "b", outcomes=OUTCOMES.replace("In-hospital_death", "x")
    )
    assert "no outcome for record 20" in spoilt("c", outcomes=OUTCOMES.replace("20,", "21,"))
    assert "must be 0 or 1" in spoilt("d", outcomes=OUTCOMES.replace("3,1\n", "3,2\n"))
    assert "must hold numbers" in spoilt("e", outcomes=OUTCOMES.replace("3,6", "3,six"))
    damaged = ward(tmp_path / "f", "tar") / "set-a.tar.gz"
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert "cannot be unpacked" in refused(datasets.load_icu, damaged)
    (tmp_path / "g").mkdir()
    with pytest.raises(FileNotFoundError, match="holds 0 archives and no records"):
        datasets.load_icu(tmp_path / "g")


@needs("physionet2012_seta")
def test_the_real_stays():
    stays = datasets.load_icu()
    assert len(stays.record_id) == 4000 and stays.death.mean() == pytest.approx(0.1385)
    assert stays.hour.min() >= 0 and stays.hour.max() <= 48
    assert np.isnan(stays.grid()).mean() == pytest.approx(0.797, abs=5e-4)
    assert (np.diff(stays.stay) >= 0).all() and np.isfinite(stays.value).all()


# --- fusion

HEADER = "discharge_ID,time,density_limit_phase,density,"
HEADER += "elongation,minor_radius,plasma_current,toroidal_B_field,triangularity"
ROWS = [
    "1000606013,0.26,0,1.5,1.6,0.21,0.8,5.4,0.37",
    "1000606012,0.27,1,2.0,1.6,0.20,0.5,5.4,0.37",
    "1000606012,0.26,0,1.0,1.6,0.20,-0.5,5.4,0.37",
]


def table(path, header=HEADER, rows=tuple(ROWS)):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_density_limit_table(tmp_path):
    d = datasets.load_density_limit(table(tmp_path / "d.csv"))
    assert d.discharge_ID.tolist() == [1000606012, 1000606012, 1000606013]
    assert d.time.tolist() == [0.26, 0.27, 0.26] and d.density_limit_phase.tolist() == [0, 1, 0]
    assert d.starts.tolist() == [0, 2] and d.units["density"] == "1e20 m^-3"
    np.testing.assert_allclose(d.greenwald_fraction[:2], np.array([1.0, 2.0]) * np.pi * 0.04 / 0.5)


def test_density_limit_table_with_columns_in_another_order(tmp_path):
    header = ",".join(["", *reversed(HEADER.split(",")), "note"])
    rows = [",".join([str(k), *reversed(row.split(",")), "7"]) for k, row in enumerate(ROWS)]
    a = datasets.load_density_limit(table(tmp_path / "a.csv"))
    b = datasets.load_density_limit(table(tmp_path / "b.csv", header, rows))
    for name in HEADER.split(","):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_density_limit_tables_that_do_not_fit(tmp_path):
    def spoilt(**words):
        return refused(datasets.load_density_limit, table(tmp_path / "d.csv", **words))

    assert "lacks the columns triangularity" in spoilt(header=HEADER.replace("triangularity", "delta"))
    assert "every cell must be a number" in spoilt(rows=[*ROWS, ROWS[0].replace("1.5", "high")])
    assert "every cell must be a number" in spoilt(rows=[*ROWS, "1000606012,0.3"])
    assert "must be 0 or 1" in spoilt(rows=[ROWS[0].replace("0.26,0", "0.26,2")])
    assert "holds no row" in spoilt(rows=[])
    with pytest.raises(FileNotFoundError, match="does not exist"):
        datasets.load_density_limit(tmp_path / "nothing.csv")


@needs("open_density_limit")
def test_the_real_density_limit_table():
    d = datasets.load_density_limit()
    assert len(d.time) == 264385 and len(d.starts) == 2333
    assert d.density_limit_phase.mean() == pytest.approx(0.0136, abs=5e-5)
