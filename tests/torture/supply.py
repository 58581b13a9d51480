"""What is installed, and what importing it reaches for."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

from numpy.random import Generator
from packaging.requirements import Requirement
from packaging.version import Version

from tests.torture.record import Record

TITLE = "Supply chain"
CLAIM = (
    "Every dependency has a lower bound (`make oldest` installs exactly those and runs the tests of "
    "units, laws and edges), what is installed here satisfies it, every import of the package is of a "
    "declared dependency, and none of its modules uses pickle, eval, exec, the shell or the network of "
    "its own. A fault is an exception to any of these."
)
NOT_COVERED = (
    "known vulnerabilities: `pip-audit` asks a service of advisories and has no offline database, so it "
    "was not run for this page; `make audit` runs it where there is a network, and `make sbom` writes "
    "the list of parts (CycloneDX) that other scanners take."
)
SHORT, LONG = 3, 3

ROOT = Path(__file__).parents[2]
NAMES = {"sklearn": "scikit-learn", "llvmlite": "numba", "backports": "backports-zstd"}
# Optional, or of the standard library of a later Python.
GUARDED = {"compression", "distributed"}
FORBIDDEN = re.compile(
    r"^\s*(import|from)\s+(pickle|marshal|shelve|dill|cloudpickle|subprocess|socket|urllib|http|requests|ctypes)\b"
    r"|(?<![\w.])(eval|exec)\(|os\.(system|popen)\(|allow_pickle\s*=\s*True|joblib\.load\(",
    re.MULTILINE,
)
# The error that says that joblib could not take a digest is named, nothing is unpickled.
KNOWN = {"comparison/checkpoint.py": {"import pickle"}}


def _bounds() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wrong = []
    for text in (*project["dependencies"], *extras["dask"], *extras["skops"]):
        wanted = Requirement(text)
        if not any(part.operator == ">=" for part in wanted.specifier):
            wrong.append(f"{text} has no lower bound")
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        if Version(version(wanted.name)) not in wanted.specifier:
            wrong.append(f"{text}, and {version(wanted.name)} is installed")
    return wrong


def _imports() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {Requirement(text).name.replace(".", "-") for text in project["dependencies"]}
    declared |= {Requirement(text).name for extra in ("dask", "skops") for text in
                 project["optional-dependencies"][extra]}  # fmt: skip
    wrong = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for top in {name.partition(".")[0] for name in names}:
                known = top in sys.stdlib_module_names or top in GUARDED | {"thetahat"}
                if not known and re.sub("[_.]", "-", NAMES.get(top, top)) not in declared:
                    wrong.append(
                        f"{path.relative_to(ROOT)} imports {top}, which pyproject.toml does not name"
                    )
    return wrong


QUIET = """
import sys
sys.addaudithook(lambda event, args: event.startswith("socket.") and sys.exit(f"reaches for {event}"))
import thetahat
for name in thetahat.__all__:
    getattr(thetahat, name)
"""


def _reaching() -> list[str]:
    wrong = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        allowed = KNOWN.get(str(path.relative_to(ROOT / "src" / "thetahat")), set())
        wrong += [
            f"{path.relative_to(ROOT)}: {found[0].strip()}"
            for found in FORBIDDEN.finditer(path.read_text())
            if found[0].strip() not in allowed
        ]
    quiet = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, check=False)
    return wrong + ([f"importing it: {quiet.stderr[-200:]}"] if quiet.returncode else [])


def run(cases: int, rng: Generator) -> Record:
    """Look at the bounds, the imports and what the sources reach for."""
    found = {"lower bounds": _bounds(), "undeclared imports": _imports(), "code, shell, network": _reaching()}
    findings = [line for lines in found.values() for line in lines]
    return Record(
        cases,
        crashes=len(findings),
        heads=("looked at", "exceptions"),
        parts={name: [str(len(lines))] for name, lines in found.items()},
        findings=findings,
    )
