"""Fetching: where a data set is found, and what is said and kept when something goes wrong."""

import errno
import hashlib
import http.server
import io
import os
import shutil
import socket
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import gatedrnn.cli
import pytest
from gatedrnn import datasets
from gatedrnn.datasets import command, digests, fetching, registry

CONTENT = {"a.mat": b"spikes" * 5000, "deep folder/b.txt": b"line 1\nline 2\n"}
REAL = os.environ.get("GATEDRNN_DATA")


class Server(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT; `trouble` maps a path to what goes wrong with it, `asked` lists what was asked for."""

    def do_GET(self):
        name = self.path.strip("/").replace("%20", " ")
        self.server.asked.append(name)
        trouble = self.server.trouble.get(name)
        if trouble == "missing":
            self.send_error(404)
            return
        body = b"something else" if trouble == "changed" else CONTENT[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if trouble == "broken off" else body)

    def log_message(self, *words):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.trouble, server.asked = {}, []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    monkeypatch.delenv("GATEDRNN_DATA", raising=False)
    monkeypatch.setattr(fetching, "cache_folder", lambda: folder)
    return folder


def register(monkeypatch, tmp_path, port):
    """Make `toy` the one known data set, to be had from 127.0.0.1."""
    a, b = CONTENT.values()
    (tmp_path / "registry.toml").write_text(
        f"""
        [toy]
        title = "A toy"
        citation = "Nobody (2026)"
        licence = "none"
        source = "http://127.0.0.1:{port}/page"
        base = "http://127.0.0.1:{port}/"
        [[toy.files]]
        path = "a.mat"
        size = {len(a)}
        sha256 = "{hashlib.sha256(a).hexdigest()}"
        [[toy.files]]
        path = "deep folder/b.txt"
        git_blob = "{hashlib.sha1(b"blob %d" % len(b) + bytes(1) + b).hexdigest()}"
        """
    )
    toy = registry.read_registry(tmp_path / "registry.toml")
    for module in (fetching, command):
        monkeypatch.setattr(module, "REGISTRY", toy)


@pytest.fixture
def toy(monkeypatch, tmp_path, server, cache):
    register(monkeypatch, tmp_path, server.server_port)
    return cache / "toy"


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def fails(*words) -> str:
    """What `gatedrnn data …` says when it fails: one sentence on stderr, nothing on stdout, exit code 1."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        assert gatedrnn.cli.main(["data", "fetch", "--quiet", *words]) == 1
    said = err.getvalue()
    assert out.getvalue() == "" and "Traceback" not in said
    assert said.startswith("gatedrnn data: ") and said.endswith(".\n") and said.count("\n") == 1
    return said


# --- the good case


def test_downloads_once_then_takes_from_the_cache(toy, server):
    assert datasets.fetch("toy", progress=False) == toy
    assert files(toy) == CONTENT
    assert datasets.fetch("toy", progress=False) == toy
    assert server.asked == list(CONTENT)
    assert fetching.state("toy") == "cached" and datasets.locate("toy") == toy


def test_only_what_is_missing_is_downloaded(toy, server):
    datasets.fetch("toy", progress=False)
    (toy / "a.mat").unlink()
    assert datasets.locate("toy") is None
    datasets.fetch("toy", progress=False)
    assert server.asked == [*CONTENT, "a.mat"] and files(toy) == CONTENT


def test_progress_is_shown(toy, capsys):
    datasets.fetch("toy")
    assert "toy" in capsys.readouterr().err


def test_the_bar_ends_at_the_true_size():
    class Bar:
        n = 100

        def update(self, n):
            self.n += n

    bar = Bar()
    progress = fetching._FileProgress(bar, 2500)
    for _ in range(3):
        progress.update(1024)
    assert bar.n == 2600  # pooch counts whole chunks, the bar does not overshoot
    progress.reset()
    progress.update(2500)
    assert bar.n == 2600


def test_the_user_s_own_folder_comes_first(toy, server, tmp_path, monkeypatch):
    own = tmp_path / "own"
    for name, body in CONTENT.items():
        (own / "toy" / name).parent.mkdir(parents=True, exist_ok=True)
        (own / "toy" / name).write_bytes(body)
    monkeypatch.setenv("GATEDRNN_DATA", str(own))
    assert datasets.fetch("toy") == own / "toy" == datasets.locate("toy")
    assert fetching.state("toy") == "local" and server.asked == []


# --- everything that can go wrong


def test_unknown_name_lists_the_known_ones_and_a_close_one():
    said = fails("m1_reach")
    assert "did you mean 'm1_reach_dad'?" in said
    assert all(name in said for name in registry.REGISTRY)


def test_no_network(monkeypatch, tmp_path, cache):
    with socket.socket() as closed:  # a port on which nobody listens once it is closed
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    register(monkeypatch, tmp_path, port)
    said = fails("toy")
    assert f"no connection to http://127.0.0.1:{port}/a.mat" in said
    assert str(cache / "toy" / "a.mat") in said and "set GATEDRNN_DATA" in said
    assert files(cache) == {} and datasets.locate("toy") is None


def test_interrupted_download_leaves_nothing_half(toy, server):
    server.trouble["deep folder/b.txt"] = "broken off"
    assert "connection broke off" in fails("toy")
    assert files(toy) == {"a.mat": CONTENT["a.mat"]}
    server.trouble.clear()
    datasets.fetch("toy", progress=False)
    assert files(toy) == CONTENT and server.asked.count("a.mat") == 1


def test_a_download_stopped_by_the_user_leaves_nothing_half(toy, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(fetching, "matches", stop)
    assert gatedrnn.cli.main(["data", "fetch", "--quiet", "toy"]) == 130
    assert files(toy) == {}


def test_the_server_has_no_such_file(toy, server):
    server.trouble["a.mat"] = "missing"
    said = fails("toy")
    assert "answered 404" in said and str(toy / "a.mat") in said and files(toy) == {}


def test_a_download_with_the_wrong_hash_is_kept_aside_and_named(toy, server):
    server.trouble["a.mat"] = "changed"
    said = fails("toy")
    assert f"kept as {toy / 'a.mat.wrong-hash'} and will not be used" in said
    assert files(toy) == {"a.mat.wrong-hash": b"something else"}
    assert str(toy / "a.mat.wrong-hash-2") in fails("toy")  # the first one is not overwritten
    server.trouble.clear()
    datasets.fetch("toy", progress=False)
    assert files(toy) == {
        **CONTENT,
        "a.mat.wrong-hash": b"something else",
        "a.mat.wrong-hash-2": b"something else",
    }


def test_a_byte_flipped_in_the_cache_is_noticed_and_the_file_replaced(toy):
    datasets.fetch("toy", progress=False)
    damaged = bytearray(CONTENT["a.mat"])
    damaged[1234] ^= 1
    (toy / "a.mat").write_bytes(damaged)
    assert fetching.state("toy") == "damaged" and datasets.locate("toy") is None
    datasets.fetch("toy", progress=False)
    assert files(toy) == {**CONTENT, "a.mat.wrong-hash": bytes(damaged)}


def test_a_byte_flipped_in_the_user_s_own_folder(toy, tmp_path, monkeypatch):
    datasets.fetch("toy", progress=False)
    own = tmp_path / "own"
    shutil.copytree(toy, own / "toy")
    damaged = bytearray(CONTENT["deep folder/b.txt"])
    damaged[3] ^= 1
    (own / "toy/deep folder/b.txt").write_bytes(damaged)
    monkeypatch.setenv("GATEDRNN_DATA", str(own))
    said = fails("toy")
    assert f"{own / 'toy/deep folder/b.txt'} is not the file it should be" in said and "left as it is" in said
    assert (own / "toy/deep folder/b.txt").read_bytes() == damaged
    assert datasets.locate("toy") is None and fetching.state("toy") == "damaged"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_disk_full(toy, monkeypatch, number):
    def full(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", full)
    said = fails("toy")
    assert f"no space left in {toy} (0.0 MB for a.mat)" in said and "set GATEDRNN_DATA" in said
    assert files(toy) == {}


def test_cache_that_cannot_be_written(toy):
    toy.parent.write_text("a file where the cache should be")
    said = fails("toy")
    assert f"cannot write to {toy}" in said and "set GATEDRNN_DATA" in said


def test_gatedrnn_data_that_is_no_folder(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("GATEDRNN_DATA", str(tmp_path / "nowhere"))
    assert f"set to {tmp_path / 'nowhere'}, which is not a folder" in fails("toy")
    assert fetching.state("toy") == "not here" and datasets.locate("toy") is None


def test_gatedrnn_data_that_lacks_the_data_set(toy, server, tmp_path, monkeypatch):
    monkeypatch.setenv("GATEDRNN_DATA", str(tmp_path))
    said = fails("toy")
    assert f"({tmp_path}) lacks toy/a.mat and 1 more" in said and "/page" in said
    assert server.asked == []


# --- the command's list, the registry, the digests


def test_list_says_where_each_data_set_is(toy, capsys):
    assert gatedrnn.cli.main(["data", "list"]) == 0
    before = capsys.readouterr().out
    datasets.fetch("toy", progress=False)
    assert gatedrnn.cli.main(["data", "list"]) == 0
    after = capsys.readouterr().out
    assert before.splitlines()[1].split() == ["toy", "–", "not", "here", "none"]
    assert after.splitlines()[1].split() == ["toy", "–", "cached", "none"]
    assert "Cite: Nobody (2026)" in after and str(toy.parent) in after


def test_fetch_prints_the_folder(toy, capsys):
    assert gatedrnn.cli.main(["data", "fetch", "--quiet", "toy"]) == 0
    assert capsys.readouterr().out == f"{toy}\n"


def test_every_registered_data_set_is_complete_and_pinned():
    for name, dataset in registry.REGISTRY.items():
        assert dataset.files and dataset.title and dataset.citation and dataset.licence, name
        for file in dataset.files:
            assert file.address.startswith("https://") and " " not in file.address
            assert len(file.digest) == (40 if file.kind == "git_blob" else 64)
            pinned = any(len(part) == 40 for part in file.address.split("/")) or "/1.0.0/" in file.address
            assert pinned, f"{file.address} may change"


def test_records_are_recognised_however_they_were_packed(tmp_path):
    records = {"2.txt": b"Time,Parameter,Value\n00:00,Age,54\n", "1.txt": b"Time,Parameter,Value\n"}
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for name, body in records.items():
            info = tarfile.TarInfo(f"backup/set-a/{name}")
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in sorted(records):
            archive.writestr(f"set-a/{name}", records[name].replace(b"\n", b"\r\n"))
        archive.writestr("set-a/README.md", "not a record")
    with zipfile.ZipFile(tmp_path / "changed.zip", "w") as archive:
        archive.writestr("set-a/1.txt", records["1.txt"])
        archive.writestr("set-a/2.txt", records["2.txt"].replace(b"54", b"55"))
    expected = digests.records(tmp_path / "a.tar.gz")
    assert digests.matches(tmp_path / "a.zip", "records", expected)
    assert not digests.matches(tmp_path / "changed.zip", "records", expected)
    whole = (tmp_path / "a.tar.gz").read_bytes()
    for damage in (whole[:-40], whole[:60] + b"\0\0\0\0" + whole[64:], b"no archive"):
        (tmp_path / "damaged").write_bytes(damage)
        assert not digests.matches(tmp_path / "damaged", "records", expected)


def test_git_blob_is_the_name_that_git_gives(tmp_path):
    (tmp_path / "hello").write_bytes(b"hello world\n")
    assert digests.git_blob(tmp_path / "hello") == "3b18e512dba79e4c8300dd08aeb37f8e728b8dad"


@pytest.mark.skipif(not REAL, reason="needs GATEDRNN_DATA")
@pytest.mark.parametrize("name", sorted(registry.REGISTRY))
def test_the_data_sets_at_hand_pass_their_hashes(name):
    if not (Path(REAL) / name).is_dir():
        pytest.skip(f"{name} is not in GATEDRNN_DATA")
    assert datasets.fetch(name) == Path(REAL) / name
