"""The page of a comparison, drawn while the documentation is built, so that a reader can open a real one."""

from __future__ import annotations

import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import thetahat as th


def draw(app: Sphinx, fault: Exception | None) -> None:
    """Write ``penguins.html`` beside the pages."""
    page = Path(app.outdir) / "penguins.html"
    if fault is None and app.builder.name == "html" and not page.exists():
        table = str(files("thetahat.datasets") / "penguins.csv")
        models = ["logistic", "svm-rbf", "forest", "boosting"]
        with tempfile.TemporaryDirectory() as folder:
            drawn = Path(folder) / page.name
            th.compare(table, target="species", models=models).to_html(drawn)
            page.write_bytes(drawn.read_bytes())


def setup(app: Sphinx) -> dict[str, Any]:
    """Draw it when everything else is there."""
    app.connect("build-finished", draw)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
