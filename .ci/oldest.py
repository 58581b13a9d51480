"""Print the lower bound of every dependency of pyproject.toml as a constraint, for ``make oldest``."""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
# Of the tests only what they hold results against: the tools that run them may be new.
PEERS = {"pandas", "pyarrow", "statsmodels", "mlxtend", "mpmath"}
wanted = list(project["dependencies"])
for extra, requirements in project["optional-dependencies"].items():
    wanted += [
        each
        for each in requirements
        if extra not in ("test", "docs") or re.match(r"[\w.-]+", each)[0] in PEERS
    ]
for requirement in dict.fromkeys(wanted):
    found = re.match(r"([\w.-]+)(?:\[[^]]*\])?>=([\w.]+)", requirement)
    if found is None:
        sys.exit(f"pyproject.toml: {requirement!r} has no lower bound")
    sys.stdout.write(f"{found[1]}=={found[2]}\n")
