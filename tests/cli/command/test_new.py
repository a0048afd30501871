"""`dlexp new`: what is written works as it stands, for every kind, and nothing is overwritten."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dlexp.build.contract import CONTRACTS
from tests.docs.test_schema import faults

KINDS = (*sorted(set(CONTRACTS) - {"normalize", "dropout"}), "metric")


@pytest.fixture
def written(tmp_path, monkeypatch, command) -> Path:
    """A folder with one component of each kind."""
    monkeypatch.chdir(tmp_path)
    for kind in KINDS:
        assert command("new", kind, f"my_{kind}", "--quiet") == (0, "", "")
    return tmp_path


def test_all_kinds_pass_their_tests_and_train_together(written, command):
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    tested = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", written / "my_parts"],
        cwd="/",  # so that the folder is not importable for another reason
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    chosen = [f"{kind}=my_{kind}" for kind in KINDS if kind != "metric"] + ["experiment=my_metric"]
    fixed = ["--config-dir", "conf", "trusted=[my_parts]", *chosen, "trainer.epochs=2", "tracking=none"]
    code, out, err = command("train", *fixed)
    assert (code, err) == (0, "")
    assert "my_metric" in out
    code, out, err = command("sweep", *fixed, "optimizer.lr=0.001,0.01", "loss.gamma=0,1", "schedule.scale=10,100")
    assert (code, err) == (0, "")
    assert "8 trials" in out
    assert "failed" not in out
    out, _ = tested.communicate(timeout=120)
    assert tested.returncode == 0, out


def test_every_file_is_formatted_and_every_parameter_stands_in_the_yaml(written):
    checked = subprocess.run([sys.executable, "-m", "ruff", "format", "--check", "--line-length=120", "."], cwd=written)
    assert checked.returncode == 0
    for kind in KINDS:
        path = next(written.glob(f"conf/*/my_{kind}.yaml"))
        content = yaml.safe_load(path.read_text())
        title = f"My{kind.capitalize()}"
        target = content["metric"]["extra"][0] if kind == "metric" else content["_target_"]
        assert target == f"my_parts.my_{kind}.{title}"
        tree = ast.parse((written / "my_parts" / f"my_{kind}.py").read_text())
        assert title in [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert yaml.safe_load((written / "conf/optimizer/my_optimizer.yaml").read_text()).items() >= {
        ("lr", 0.001),
        ("momentum", 0.9),
    }


def test_what_comes_next_is_printed_and_a_project_folder_is_taken(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    code, out, _ = command("new", "model", "two_paths")
    assert code == 0
    assert "dlexp train --config-dir conf 'trusted=[my_parts]' model=two_paths" in out
    assert (tmp_path / "my_parts" / "two_paths.py").is_file()
    Path("dlexp.toml").write_text('config_dir = "settings"\n')
    Path("settings").mkdir()
    _, out, _ = command("new", "loss", "gentle", "--package", "mine")
    assert "dlexp train 'trusted=[mine]' loss=gentle" in out
    assert (tmp_path / "settings" / "loss" / "gentle.yaml").is_file()


def test_the_json_document_names_what_was_written(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("new", "metric", "sure", "--json")
    assert code == 0
    assert "wrote" in err
    written = json.loads(out)
    assert faults("new", written) == []
    assert written["option"] == "experiment=sure"
    assert all((tmp_path / written[name]).is_file() for name in ("code", "test", "settings"))
