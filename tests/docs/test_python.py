"""What the page on Python and the notebook show runs, and says what they say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "notebook" / "digits.ipynb"


def test_the_example_of_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["run"].status == "finished"


def test_the_cells_of_the_notebook_run_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert names["trained"]["status"] == "finished"
    assert len(names["wrong"]) == round(359 * (1 - names["trained"]["metrics"]["val/accuracy"]))
    assert names["pair"]["verdict"] in ("a", "b", "cannot tell")


@pytest.mark.slow
def test_jupyter_runs_the_notebook(tmp_path):
    import nbclient
    import nbformat

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    done = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in done["cells"] if cell["cell_type"] == "code" for output in cell["outputs"]]
    assert any("<table>" in output.get("data", {}).get("text/html", "") for output in shown)
    assert not any(output["output_type"] in ("error", "stream") for output in shown)
