"""One table in every form it can come in is one table."""

import gzip

import numpy as np
import pandas as pd
import polars as pl
import pytest
from backports import zstd

import thetahat as th
from thetahat.tables import read

HOSTILE = ['"><img src=x onerror=alert(1)>', "$\\alpha_1$", "a,b", "x\ny", "naïve ☃", " spaced ", "=cmd()"]


def people(rows=60):
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "age": rng.integers(20, 60, rows),
            "height": [None if k % 11 == 0 else float(h) for k, h in enumerate(rng.normal(170, 9, rows))],
            "town": [("Oslo", "Køge", None)[k] for k in rng.integers(3, size=rows)],
            "y": [("yes", "no")[k] for k in rng.integers(2, size=rows)],
        }
    )


def forms(folder):
    frame = people()
    csv = frame.write_csv().encode()
    (folder / "t.csv").write_bytes(csv)
    (folder / "t.csv.gz").write_bytes(gzip.compress(csv))
    (folder / "t.csv.zst").write_bytes(zstd.compress(csv))
    frame.write_csv(folder / "t.tsv", separator="\t")
    frame.write_parquet(folder / "t.parquet")
    frame.write_ipc(folder / "t.arrow")
    frame.write_ipc(folder / "t.feather")
    (folder / "t.parquet.gz").write_bytes(gzip.compress((folder / "t.parquet").read_bytes()))
    files = [path for path in folder.iterdir()]
    return [*files, frame, frame.to_pandas(), frame.to_arrow(), frame.lazy()]


def test_every_file_format_and_frame_library_gives_the_same_table(tmp_path):
    read_back = [read(form) for form in forms(tmp_path)]
    assert len(read_back) == 12
    assert {table.sha256 for table in read_back} == {read(people()).sha256}


def test_one_changed_cell_changes_the_hash():
    frame = people()
    other = frame.with_columns(age=pl.when(pl.int_range(pl.len()) == 7).then(0).otherwise(pl.col("age")))
    assert read(frame).sha256 != read(other).sha256


@pytest.mark.parametrize(("form", "library"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_result_tables_come_back_in_the_users_own_library(form, library):
    frame = people() if form == "polars" else people().to_pandas()
    result = th.compare(frame, "y", ["logistic"], resampling="cv:3")
    assert isinstance(result.table(), library)
    assert isinstance(result.pairs(), library)
    assert list(result.table()["model"]) != []


def test_pairs_are_the_same_from_a_file_and_from_every_library(tmp_path):
    pairs = [th.compare(form, "y", ["logistic"], resampling="cv:3").record.pairs for form in forms(tmp_path)]
    assert all(pair == pairs[0] for pair in pairs)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_column_name_is_only_a_name(tmp_path, name):
    frame = people().rename({"age": name})
    frame.write_csv(tmp_path / "t.csv")
    record = th.compare(tmp_path / "t.csv", "y", ["logistic"], resampling="cv:3").record
    assert name in {column.name for column in record.data.columns}


def test_missing_rows_are_dropped_or_refused_as_asked():
    dropped = th.compare(people(), "y", ["logistic"], resampling="cv:3", missing="drop").record
    assert dropped.data.rows_used == people().drop_nulls().height
    with pytest.raises(th.DataError, match="missing"):
        th.compare(people(), "y", ["logistic"], resampling="cv:3", missing="error")


@pytest.mark.parametrize(
    "pack", [gzip.compress, zstd.compress, lambda text: gzip.compress(gzip.compress(text))]
)
def test_a_file_that_unpacks_to_far_more_than_its_size_is_refused(pack, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(pack(b"a,b\n" + b"0,0\n" * 10_000_000))
    with pytest.raises(th.DataError, match="TH108.*unpacks to more than 1[0-9] MB") as refused:
        read(path)
    assert "Unpack it yourself" in str(refused.value)


def test_a_few_bytes_that_stand_for_a_billion_cells_are_refused(tmp_path):
    path = tmp_path / "t.parquet"
    pl.select(a=pl.repeat(0, 30_000_000, dtype=pl.Int8)).write_parquet(path)
    assert path.stat().st_size < 100_000
    with pytest.raises(th.DataError, match="TH108.*says that it holds 30000000 cells"):
        read(path)
