"""The notebook runs from top to bottom, and shows its pictures."""

import os
import warnings
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parent.parent
PROMISED = {
    "draw(": "image/svg+xml",
    "explain(L, n[": "text/latex",
    "steps(": "text/html",
    ".figure": "image/png",
    "describe(": "text/plain",
}


def test_the_notebook_shows_everything_inline(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    notebook = nbformat.read(ROOT / "demos" / "seeing.ipynb", as_version=4)
    with warnings.catch_warnings():  # warnings of the notebook's own code
        warnings.simplefilter("ignore")
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) > 10
    for cell in cells:
        last = cell.source.rstrip().splitlines()[-1]
        kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
        assert not any(output.output_type == "error" for output in cell.outputs)
        if "nn.Frames(" in cell.source:
            assert [output for output in cell.outputs if "image/png" in output.get("data", {})]
        elif last.startswith("print("):
            assert any(output.output_type == "stream" and output.text.strip() for output in cell.outputs)
        else:
            assert next(kind for text, kind in PROMISED.items() if text in last) in kinds, last
    everything = str(notebook)
    assert everything.count("<svg") >= 7
