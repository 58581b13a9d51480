import errno
import io
import json
import os
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from thetahat.errors import ResultFileError, ThetaHatError, UsageError
from thetahat.estimation.saving import load, save
from thetahat.linear.regressors import LinearRegression
from thetahat.results import saving
from thetahat.results.packed import read_packed, write_packed
from thetahat.results.saving import replace_file

FORM = "thetahat model"
SAID = {"format": FORM, "schema_version": 1}
KEPT = {"numbers": np.arange(12.0).reshape(3, 4)}


class FailingFile(io.FileIO):
    """A file whose disk is full."""

    code = errno.ENOSPC

    def write(self, content):
        super().write(bytes(content)[: len(content) // 2])
        raise OSError(self.code, os.strerror(self.code))


def raising(code):
    def fail(*_args, **_options):
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("call", ["mkstemp", "write", "fsync", "chmod", "replace"])
def test_a_disk_that_fails_leaves_the_previous_file_and_nothing_beside_it(call, code, tmp_path, monkeypatch):
    path = tmp_path / "model"
    write_packed(path, SAID, KEPT)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        if call == "mkstemp":
            patch.setattr(saving.tempfile, "mkstemp", raising(code))
        elif call == "write":
            failing = type("Failing", (FailingFile,), {"code": code})
            patch.setattr(saving, "open", failing, raising=False)
        else:
            patch.setattr(saving.os, call, raising(code))
        with pytest.raises(UsageError, match="cannot be written"):
            write_packed(path, SAID | {"more": 1}, KEPT)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_no_temporary_file(tmp_path, monkeypatch):
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(saving.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "result", b"content")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_was_writing_is_swept_away_and_a_living_one_is_not(tmp_path):
    path = tmp_path / "result"
    dead = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, signal; from thetahat.results import saving\n"
            "saving.os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
            "saving.replace_file('result', b'half')",
        ],
        cwd=tmp_path,
        check=False,
    )
    assert dead.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".result.")
    with saving.replacing(path) as beside:
        assert list(tmp_path.iterdir()) == [beside]
        with saving.replacing(path) as other:
            assert beside.exists()
            assert other != beside
    assert list(tmp_path.iterdir()) == [path]
    # Another file of a similar name is not touched, nor one of another machine.
    for name in (".result.x", ".results.00000000.here.1.abc", left.name.replace("." + str(os.getpid()), "")):
        (tmp_path / name).touch()
    kept = set(tmp_path.iterdir()) - {left}
    saving.remove_file(path)
    assert set(tmp_path.iterdir()) == kept - {path}


def zipped(path, description, arrays=b"", how=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr("model.json", description)
        archive.writestr("arrays.safetensors", arrays)


def test_a_compressed_file_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    zipped(tmp_path / "bomb", b"[" + b" " * 50_000_000 + b"]", how=zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(zipfile.ZipFile, "read", raising(errno.ENOMEM))
    with pytest.raises(ResultFileError, match="is compressed, or claims more"):
        read_packed(tmp_path / "bomb", FORM, 1)


def test_deep_json_is_refused(tmp_path):
    zipped(tmp_path / "deep", b"[" * 200_000)
    with pytest.raises(ResultFileError, match="damaged"):
        read_packed(tmp_path / "deep", FORM, 1)


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ResultFileError, match="is not a file"):
        read_packed(tmp_path / "pipe", FORM, 1)


def refusal(path):
    try:
        load(path)
    except ThetaHatError as error:
        return str(error)
    return None


def test_damaged_models_are_refused_by_name(tmp_path):
    X = np.arange(12.0).reshape(6, 2) ** 1.5
    path = tmp_path / "model"
    save(LinearRegression().fit(X, X[:, 0]), path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for case in range(300):
        content = bytearray(whole)
        if case % 2:
            del content[rng.integers(len(content)) :]
        else:
            content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(content)
        said = refusal(path)
        assert said is None or str(path) in said
        refused += said is not None
    assert refused > 200


def test_a_description_of_another_schema_is_refused(tmp_path):
    zipped(tmp_path / "later", json.dumps(SAID | {"schema_version": 9}), b"\x02\0\0\0\0\0\0\0{}")
    with pytest.raises(ResultFileError, match="schema version 9"):
        read_packed(tmp_path / "later", FORM, 1)
