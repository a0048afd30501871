"""One setting of a cv: its folder says what the cv's does and what the setting is, and its result is written once."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dlexp.job.cv import setting_run
from dlexp.job.cv.setting_run import conclude_setting, create_setting
from dlexp.job.cv.spec import CVSpec, Setting
from dlexp.run.folder import RunFolder

ABOUT = {"kind": "cv", "seed": 0, "device": "cpu", "data": {"name": "wine"}, "form": "settings", "params": {"a": 1}}


@pytest.fixture
def parent(tmp_path):
    made = RunFolder.create(tmp_path, "wine", "cv", config={}, overrides=[], manifest=ABOUT)
    yield made
    made.unlock()


def spec_of(seeds: list[int]) -> CVSpec:
    settings = [
        Setting({"optimizer.lr": lr}, {"optimizer": {"lr": lr}}, [f"optimizer.lr={lr}"], {"optimizer.lr": lr})
        for lr in (0.1, 0.2)
    ]
    return cast(CVSpec, SimpleNamespace(settings=settings, seeds=seeds))


@pytest.mark.parametrize(("seeds", "more"), [([3], {}), ([0, 1], {"seed": [0, 1]})])
def test_the_folder_stands_in_the_cv_s_and_is_a_plain_cv_of_one_setting(parent, seeds, more):
    folder = create_setting(spec_of(seeds), parent, 1)
    assert folder.path.parent.parent == parent.path
    assert (folder.config, folder.overrides) == ({"optimizer": {"lr": 0.2}}, ["optimizer.lr=0.2"])
    manifest = folder.manifest
    assert (manifest["form"], manifest["cv"], manifest["number"]) == ("plain", parent.run_id, 1)
    assert manifest["params"] == {"optimizer.lr": 0.2} | more
    assert {key: manifest[key] for key in ("kind", "seed", "device", "data")} == {
        key: ABOUT[key] for key in ("kind", "seed", "device", "data")
    }
    assert folder.run_id != parent.run_id
    assert folder.path.name.endswith("-lr0.2")


def test_a_whole_result_is_returned_as_it_is_and_another_is_written_anew(parent, monkeypatch):
    spec = spec_of([0])
    folder = create_setting(spec, parent, 0)
    made: list[Path] = []

    def conclude(folder: RunFolder, _spec: Any, _ends: Any, *, is_interrupted: bool, has_figures: bool) -> Any:
        assert not has_figures
        made.append(folder.path)
        result = {"status": "interrupted" if is_interrupted else "finished", "complete": not is_interrupted}
        folder.write_result(result)
        return result

    monkeypatch.setattr(setting_run, "conclude_cv", conclude)
    cut = conclude_setting(spec, folder, [], is_interrupted=True, has_figures=False)
    assert (cut["complete"], folder.manifest["status"]) == (False, "interrupted")
    whole = conclude_setting(spec, folder, [], is_interrupted=False, has_figures=False)
    assert (whole["complete"], folder.manifest["status"], "end" in folder.manifest) == (True, "finished", True)
    assert conclude_setting(spec, folder, [], is_interrupted=False, has_figures=False) == whole
    assert len(made) == 2
