"""Cached machine code is never that of another version of what it calls."""

import os
import subprocess
import sys

CALLER = """
import inlined_one
from called import shifted
from thetahat.numerics.compiled import kernel

@kernel
def both(x):
    return 2.0 * shifted(x) + 100.0 * inlined_one.shifted(x)

print(both(1.0), sum(both.stats.cache_hits.values()))
"""
CALLEE = """
from thetahat.numerics.compiled import {how}

@{how}
def shifted(x):
    return x + {by}
"""


def answer(folder):
    found = subprocess.run(
        [sys.executable, "-c", "import caller"], cwd=folder, capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])},
    )  # fmt: skip
    return found.stdout.split()


def put(folder, name, text):
    path = folder / f"{name}.py"
    path.write_text(text)
    # The time that every file of a wheel has.
    os.utime(path, (1_580_601_600, 1_580_601_600))


def test_a_kernel_is_compiled_anew_when_one_that_it_calls_changes(tmp_path):
    put(tmp_path, "called", CALLEE.format(how="kernel", by=1.0))
    put(tmp_path, "inlined_one", CALLEE.format(how="inlined", by=1.0))
    put(tmp_path, "caller", CALLER)
    assert answer(tmp_path) == ["204.0", "0"]
    assert answer(tmp_path) == ["204.0", "1"]
    put(tmp_path, "called", CALLEE.format(how="kernel", by=2.0))
    assert answer(tmp_path) == ["206.0", "0"]
    put(tmp_path, "inlined_one", CALLEE.format(how="inlined", by=2.0))
    assert answer(tmp_path) == ["306.0", "0"]


ENTRY = """
from numba import types
from thetahat.numerics.compiled import entry
from called import shifted

def twice(x):
    return 2.0 * shifted(x)

made = entry(twice, types.float64(types.float64))
print(made.ctypes(1.0), made._cache_hits)
"""


def test_an_entry_is_compiled_anew_when_a_kernel_that_it_calls_changes(tmp_path):
    put(tmp_path, "called", CALLEE.format(how="kernel", by=1.0))
    put(tmp_path, "caller", ENTRY)
    assert answer(tmp_path) == ["4.0", "0"]
    assert answer(tmp_path) == ["4.0", "1"]
    put(tmp_path, "called", CALLEE.format(how="kernel", by=2.0))
    assert answer(tmp_path) == ["6.0", "0"]
