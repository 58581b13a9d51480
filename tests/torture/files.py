"""Damaged, swollen and hostile files of every kind that is read."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import re
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from backports import zstd
from numpy.random import Generator
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

import thetahat as th
from tests.torture.capped import Lost, run_capped
from tests.torture.record import Record

TITLE = "Files"
CLAIM = (
    "Tables (CSV, compressed CSV, Parquet, Arrow, LIBSVM, as a whole and as a stream), saved results, models "
    "of every kind and checkpoints are cut, flipped, spliced, swollen and rewritten within their own format "
    "(types, shapes, names, depth), then read, and what was read is used. A fault is an error that does not "
    "name its cause, a process that dies, more than {bound}, or a file, a process, a socket or code that "
    "reading reached for."
)
NOT_COVERED = (
    "strings of Parquet and Arrow files that unpack to far more than their size (these formats do not say "
    "how much in a place that is read first), files of skops beyond their refusal (the loading itself is "
    "that library's), and pages in a browser. The changes are drawn by a seed and not shrunk."
)
SHORT, LONG = 200, 8_000

# What reading may take beside what is there already: so many bytes for each of the file, and a little.
TIMES, SPARE = 4_000, 300_000_000
CLAIM = CLAIM.format(bound=f"{TIMES:,} times the bytes of the file and {SPARE // 1_000_000} MB of memory")
CAP = 60.0
# Room for the process: a length that lies fails at once instead of filling the machine.
ADDRESSES = 12 << 30
PRICKED = re.compile(
    r"os\.(system|exec|fork|posix_spawn|remove|rename|chmod|mkdir)|subprocess\.|socket\.|shutil\.|pickle\.|"
    r"ctypes\.dlopen$"
)
_seen: list[str] = []
_ready: list[Path] = []


# What is written once, whole and sound.


def _write_all(folder: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = np.where(X[:, 0] + rng.normal(size=60) > 0, "a", "b")
    frame = pl.DataFrame({f"x{k}": column for k, column in enumerate(X.T)}).with_columns(
        name=pl.Series([f'say "{k % 7}", né' for k in range(60)]), y=pl.Series(y)
    )
    text = frame.write_csv().encode()
    (folder / "t.csv").write_bytes(text)
    (folder / "t.csv.gz").write_bytes(gzip.compress(text))
    (folder / "t.csv.zst").write_bytes(zstd.compress(text))
    frame.write_parquet(folder / "t.parquet")
    frame.write_ipc(folder / "t.arrow", compression="lz4")
    lines = [
        " ".join([str(int(label == "a")), *(f"{j + 1}:{v:.4g}" for j, v in enumerate(row))])
        for row, label in zip(X, y, strict=True)
    ]
    (folder / "t.libsvm").write_text("\n".join(lines) + "\n")
    for kind in ("csv", "parquet", "libsvm"):
        (folder / f"stream.{kind}").write_bytes((folder / f"t.{kind}").read_bytes())
    th.compare(frame.drop("name"), "y", ["logistic"], resampling="cv:2x3").to_json(folder / "r.json")
    for name, model in _models(X, y).items():
        th.save(model, folder / f"{name}.model")
    from thetahat.estimation.regression import fit_table

    fit_table(frame.drop("name"), "y", "logistic").save(folder / "table.model")
    th.fit_stream(frame.drop("name"), target="y", model="sgd-logistic", epochs=1).save(
        folder / "stream.model"
    )
    th.MLPClassifier((3,), max_iter=2, random_state=0, checkpoint=folder / "network.checkpoint").fit(X, y)
    _comparison_under_way(frame, folder / "comparison.checkpoint")


def _comparison_under_way(frame: pl.DataFrame, path: Path) -> None:
    from thetahat.comparison import checkpoint

    class Stop(Exception):
        pass

    def progress(done: int, of: int) -> None:
        if done == 2:
            raise Stop

    checkpoint.FIRST = checkpoint.SHARE = 0.0
    with contextlib.suppress(Stop):
        th.compare(
            frame, "y", ["logistic"], resampling="cv:3", tune="none", checkpoint=path, progress=progress
        )


def _models(X: Any, y: Any) -> dict[str, Any]:
    number = X[:, 1]
    return {
        "linear": th.LinearRegression().fit(X, number),
        "logistic": th.LogisticRegression().fit(X, y),
        "sgd": th.SGDClassifier(random_state=0, average=True).fit(X, y),
        "svc": th.SVC().fit(X, y),
        "novelty": th.OneClassSVM().fit(X),
        "pca": th.PCA(2).fit(X),
        "incremental": th.IncrementalPCA(2).fit(X),
        "kernel": th.KernelPCA(2, kernel="rbf").fit(X),
        "network": th.MLPClassifier((3,), max_iter=2, random_state=0).partial_fit(X, y, classes=["a", "b"]),
        "forward": th.MLPRegressor(hidden_layer_sizes=(3,), max_iter=2, random_state=0).fit(X, number),
    }


# What is done to it.


def _bytes_changed(content: bytes, rng: Generator) -> bytes:
    out = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        way = rng.integers(6)
        at = int(rng.integers(len(out) + 1))
        if way == 0:
            del out[at:]
        elif way == 1 and out:
            out[min(at, len(out) - 1)] ^= 1 << int(rng.integers(8))
        elif way == 2:
            out[at:at] = rng.bytes(int(rng.integers(1, 40)))
        elif way == 3:
            del out[at : at + int(rng.integers(1, 200))]
        elif way == 4:
            # Lengths that lie.
            width = int(rng.choice([1, 2, 4, 8]))
            out[at : at + width] = bytes(rng.choice([b"\xff", b"\x7f", b"\x00", b"\x80"])) * width
        else:
            out += out[at : at + 400]
    return bytes(out)


HOSTILE = (
    "__class__", "../../etc/passwd", "=cmd|'/c calc'!A1", "<script>alert(1)</script>", "\u202etxt", "a\nb",
    "\0", "x" * 5000, "", " ", "1e309", "-inf", "nan", "9" * 400, "0x1f", "os.system", "{{7*7}}",
    "'); DROP TABLE t;--", "e\u0301" * 50, "\ud7ff\U0010ffff", "true", "1_000", "\uff11\uff12", "9999-99-99",
    "0:9999999999999999999",
)  # fmt: skip


def _text_changed(content: bytes, rng: Generator) -> bytes:
    """Put hostile cells, headers, quotes and widths into text."""
    lines = content.decode(errors="replace").split("\n")
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, min(3, len(lines)))) if rng.random() < 0.4 else int(rng.integers(len(lines)))
        mark = "," if "," in lines[at] else " "
        cells = lines[at].split(mark)
        place = int(rng.integers(len(cells)))
        way = rng.integers(6)
        if way <= 2:
            cells[place] = str(rng.choice(HOSTILE))
        elif way == 3:
            cells[place] += '"'
        elif way == 4:
            cells = cells * int(rng.choice([2, 50, 2000]))
        else:
            cells[place : place + 1] = []
        lines[at] = mark.join(cells)
    return "\n".join(lines).encode(errors="replace")


SCALARS: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 10**30, 1.5, 1e308, float("nan"), float("inf"), *HOSTILE[:12],
)  # fmt: skip


def _tree_changed(said: Any, rng: Generator) -> Any:
    """Change some places of a JSON tree: other types, other keys, twice, away, or deep."""
    for _ in range(int(rng.integers(1, 4))):
        places: list[tuple[Any, Any]] = []
        stack = [said]
        while stack:
            node = stack.pop()
            for key, child in list(node.items()) if isinstance(node, dict) else list(enumerate(node)):
                places.append((node, key))
                if isinstance(child, dict | list):
                    stack.append(child)
        if not places:
            return said
        node, key = places[int(rng.integers(len(places)))]
        way = int(rng.integers(8))
        scalar = SCALARS[int(rng.integers(len(SCALARS)))]
        other = places[int(rng.integers(len(places)))]
        if way <= 2:
            node[key] = scalar
        elif way == 3:
            del node[key]
        elif way == 4:
            node[key] = json.loads(json.dumps(other[0][other[1]]))
        elif way == 5 and isinstance(node, dict):
            node[str(scalar)] = node.pop(key)
        elif way == 6:
            node[key] = [json.loads(json.dumps(node[key]))] * int(rng.choice([0, 1, 3, 1000]))
        else:
            deep: Any = 0
            for _ in range(int(rng.choice([5, 120]))):
                deep = {"list": [deep]} if way % 2 else [deep]
            node[key] = deep
    return said


def _arrays_changed(arrays: dict[str, Any], rng: Generator) -> dict[str, Any]:
    name = str(rng.choice(sorted(arrays)))
    array = arrays[name]
    way = int(rng.integers(8))
    if way == 0:
        arrays[name] = array.astype(rng.choice(["f4", "f8", "i8", "u4", "u1", "?"]))
    elif way == 1:
        arrays[name] = array.reshape(-1)
    elif way == 2:
        arrays[name] = array[: len(array) // 2] if array.ndim else array.reshape(1)
    elif way == 3:
        arrays[name] = np.zeros(tuple(rng.choice([0, 1, 2, 5], size=int(rng.integers(0, 4)))), array.dtype)
    elif way == 4:
        arrays[name] = np.zeros((0, int(rng.choice([10**6, 10**9, 2**40]))), array.dtype)
    elif way == 5 and array.size:
        flat = array.copy().reshape(-1)
        big = rng.choice([np.nan, np.inf, 1e300]) if array.dtype.kind == "f" else np.iinfo(array.dtype).max
        flat[int(rng.integers(flat.size))] = big if array.dtype.kind != "b" else True
        arrays[name] = flat.reshape(array.shape)
    elif way == 6:
        del arrays[name]
    else:
        arrays[name] = np.concatenate([array, array]) if array.ndim else array
    return arrays


def _packed_changed(content: bytes, rng: Generator) -> bytes:
    """Rewrite a model within its format, so that no checksum speaks against it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    said = next(name for name in parts if name.endswith(".json"))
    arrays = next(name for name in parts if name.endswith(".safetensors"))
    way = int(rng.integers(10))
    if way <= 4:
        parts[said] = json.dumps(_tree_changed(json.loads(parts[said]), rng)).encode()
    elif way <= 7:
        held = _arrays_changed(load_arrays(parts[arrays]), rng)
        parts[arrays] = save_arrays({name: np.ascontiguousarray(part) for name, part in held.items()})
    elif way == 8:
        parts[str(rng.choice([said, arrays]))] = _bytes_changed(parts[said], rng)
    else:
        parts[said] = rng.choice([b"[" * 100_000, b" " * 3_000_000, b'{"a":' * 50_000, b"1" * 5000])
    out = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if rng.random() < 0.15 else zipfile.ZIP_STORED
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", how) as archive:
        warnings.simplefilter("ignore")
        for name, part in parts.items():
            archive.writestr(name, part)
        if rng.random() < 0.1:
            archive.writestr(str(rng.choice(["../../x", said, "/etc/passwd", "__init__.py"])), b"import os")
    return out.getvalue()


def _bomb(content: bytes, rng: Generator) -> bytes:
    zeros = b"a,b\n" + b"0,0\n" * 60_000_000
    once = gzip.compress(zeros, 9) if rng.random() < 0.5 else zstd.compress(zeros)
    return once if rng.random() < 0.5 else gzip.compress(once)


def _rows_bomb(content: bytes, rng: Generator) -> bytes:
    """Hold a billion equal numbers in a few bytes."""
    out = io.BytesIO()
    lazy = pl.select(pl.repeat(0, 30_000_000, dtype=pl.Int8)).lazy()
    frame = lazy.select(pl.all().alias("a"), pl.all().alias("b")).collect()
    frame.write_parquet(out, compression="zstd", row_group_size=30_000_000)
    return out.getvalue()


def _json_changed(content: bytes, rng: Generator) -> bytes:
    if rng.random() < 0.05:
        return bytes(rng.choice([b"[" * 200_000, b'{"a":' * 100_000, b"9" * 100_000]))
    return json.dumps(_tree_changed(json.loads(content), rng)).encode()


# How it is read, and what is then done with what was read.


def _table(path: Path) -> None:
    from thetahat.tables import read

    _ = read(path).sha256


def _stream(path: Path) -> None:
    rows = sum(batch.height for batch in th.open_source(path).batches(1000))
    assert rows >= 0


def _result(path: Path) -> None:
    found = th.Comparison.read(path)
    found.table(), found.pairs(), found._repr_html_()


def _model(path: Path) -> None:
    model = th.load(path)
    if isinstance(model, th.StreamFit):
        model.summary()
        return
    if not hasattr(model, "n_features_in_"):
        model.summary()
        return
    X = np.random.default_rng(0).normal(size=(5, model.n_features_in_))
    model.predict(X) if hasattr(model, "predict") else model.transform(X)
    if hasattr(model, "partial_fit"):
        y = getattr(model, "classes_", np.zeros(1))[np.zeros(5, int)]
        model.partial_fit(X, y) if hasattr(model, "predict") else model.partial_fit(X)


def _network(path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = np.where(X[:, 0] + rng.normal(size=60) > 0, "a", "b")
    th.MLPClassifier((3,), max_iter=2, random_state=0, checkpoint=path).fit(X, y)


def _comparison(path: Path) -> None:
    from thetahat.comparison.checkpoint import FORM, KINDS, Checkpoint, Kept
    from thetahat.results.stored import read_object

    of = read_object(path, KINDS, Kept, FORM).fingerprint
    Checkpoint(path, of, 0.0).read(3, 2)


Change = Callable[[bytes, Generator], bytes]
TEXT: tuple[Change, ...] = (_bytes_changed, _text_changed, _text_changed)
PACKED: tuple[Change, ...] = (_bytes_changed, _packed_changed, _packed_changed, _packed_changed)
KINDS: dict[str, tuple[str, Callable[[Path], None], tuple[Change, ...]]] = {
    "CSV": (r"t\.csv", _table, TEXT),
    "compressed CSV": (r"t\.csv\.(gz|zst)", _table, (*(_bytes_changed,) * 30, _bomb)),
    "Parquet": (r"t\.parquet", _table, (*(_bytes_changed,) * 30, _rows_bomb)),
    "Arrow": (r"t\.arrow", _table, (_bytes_changed,)),
    "LIBSVM": (r"t\.libsvm|stream\.libsvm", _stream, TEXT),
    "streams": (r"stream\.(csv|parquet)", _stream, TEXT),
    "results": (r"r\.json", _result, (_bytes_changed, _json_changed, _json_changed)),
    "models": (r".*\.model", _model, PACKED),
    "training": (r"network\.checkpoint", _network, PACKED),
    "comparisons under way": (r"comparison\.checkpoint", _comparison, PACKED),
}
SHARE = {"models": 6, "CSV": 2, "results": 2}


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event == "exec":
        # A module that a library imports when it is first wanted is code of this installation.
        reached = not os.path.exists(arguments[0].co_filename)
    elif event == "open":
        writes = isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        reached = bool(writes) and not str(arguments[0]).startswith(str(_ready[0]))
    else:
        reached = PRICKED.match(event) is not None
    if reached:
        _seen.append(f"{event}{arguments!r:.80}")


_watching: list[bool] = []


def _prepare() -> Path:
    """Import and compile what reading needs, once a process, before anything is watched."""
    if _ready:
        return _ready[0]
    import resource

    warnings.simplefilter("ignore")
    folder = Path(tempfile.mkdtemp(prefix="files-"))
    _write_all(folder)
    for path in sorted(folder.iterdir()):
        for pattern, use, _ in KINDS.values():
            if re.fullmatch(pattern, path.name):
                use(path)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    _ready.append(folder)
    sys.addaudithook(_audit)
    return folder


def attempt(case: tuple[str, int]) -> tuple[str, str]:
    """Change a file, read it, and return what became of it and what is wrong with that."""
    kind, seed = case
    rng = np.random.default_rng(seed)
    folder = _prepare()
    pattern, use, changes = KINDS[kind]
    source = [path for path in sorted(folder.iterdir()) if re.fullmatch(pattern, path.name)]
    chosen = source[int(rng.integers(len(source)))]
    change = changes[int(rng.integers(len(changes)))]
    try:
        content = change(chosen.read_bytes(), rng)
    except Exception as error:
        return "crashed", f"the case could not be made: {kind} {seed}: {error!r}"
    place = folder / "hostile"
    place.mkdir(exist_ok=True)
    path = place / chosen.name
    path.write_bytes(content)
    _seen.clear()
    before = _rest()
    _watching.append(True)
    outcome, fault = "read", ""
    try:
        with np.errstate(all="ignore"):
            use(path)
    except th.ThetaHatError as error:
        outcome = "refused"
        fault = "" if str(error) else "an error without a word"
    except (ValueError, TypeError) as error:
        # What was read is used by a caller of scikit-learn's interface, whose errors these are.
        outcome = "refused later"
        fault = "" if str(error) and kind == "models" else f"{type(error).__name__}: {error}"
    except BaseException as error:
        outcome, fault = "crashed", f"{type(error).__name__}: {error}"
    finally:
        _watching.clear()
    taken = _peak() - before
    if taken > SPARE + TIMES * len(content):
        fault = fault or f"took {taken / 1e6:.0f} MB for {len(content)} bytes"
    if _seen:
        fault = fault or f"reached for {_seen[0]}"
    path.unlink(missing_ok=True)
    return outcome, fault and f"{chosen.name} {kind} {seed}: {fault[:200]}"


def _rest() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])


def run(cases: int, rng: Generator) -> Record:
    """Read that many files."""
    shares = [kind for kind in KINDS for _ in range(SHARE.get(kind, 1))]
    tried = [(shares[number % len(shares)], int(rng.integers(2**62))) for number in range(cases)]
    os.environ["RUST_BACKTRACE"] = "0"
    answers = run_capped(attempt, tried, cap=CAP)
    outcomes: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    crashed = hung = 0
    findings = []
    for (kind, seed), answer in zip(tried, answers, strict=True):
        if isinstance(answer, Lost):
            answer = ("hung" if answer.hung else "died"), f"{kind} {seed}: {answer.cause}"
        outcome, fault = answer
        outcomes[kind][outcome] += 1
        if fault:
            outcomes[kind]["faults"] += 1
            hung, crashed = hung + (outcome == "hung"), crashed + (outcome != "hung")
            findings.append(fault)
    columns = ("read", "refused", "refused later", "faults")
    return Record(
        cases,
        crashed,
        hung,
        0,
        heads=("file", "files", *columns),
        parts={
            kind: [f"{n:,}" for n in (_tries(count), *(count[name] for name in columns))]
            for kind, count in outcomes.items()
            if count
        },
        findings=findings,
    )


def _tries(count: Counter[str]) -> int:
    return count.total() - count["faults"]
