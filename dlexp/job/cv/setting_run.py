"""One setting of a cv: its folder, its trainings, and its end."""

from typing import Any

from dlexp.config.override import override_of
from dlexp.job.cv.document import CVResult
from dlexp.job.cv.fold_run import FoldResult, FoldRun, configure
from dlexp.job.cv.result import conclude_cv
from dlexp.job.cv.spec import CVSpec, Setting
from dlexp.run import name
from dlexp.run.environment import now
from dlexp.run.folder import SETTINGS, RunFolder

_OWN = ("run_id", "slug", "status", "start", "end", "resumes", "form", "params")


def create_setting(spec: CVSpec, parent: RunFolder, number: int) -> RunFolder:
    """Make the folder of a setting inside the cv's; the cv's lock covers it."""
    setting, seeds = spec.settings[number], spec.seeds
    about = {key: value for key, value in parent.manifest.items() if key not in _OWN}
    folder = RunFolder.create(
        parent.path,
        SETTINGS,
        name.slug([override_of(key, value) for key, value in setting.values.items()]),
        config=setting.config,
        overrides=setting.overrides,
        manifest={
            **about,
            "form": "plain",
            "cv": parent.run_id,
            "number": number,
            "params": setting.params | ({"seed": seeds} if len(seeds) > 1 else {}),
        },
    )
    folder.unlock()
    return folder


def conclude_setting(
    spec: CVSpec, folder: RunFolder, ends: list[FoldResult], *, is_interrupted: bool, has_figures: bool
) -> CVResult:
    """Write the result of a setting's cv, unless it is there already, and return it."""
    result = folder.result
    if result is not None and result["complete"] and folder.manifest["status"] == result["status"]:
        return result
    result = conclude_cv(folder, spec, ends, is_interrupted=is_interrupted, has_figures=has_figures)
    folder.update_manifest(status=result["status"], end=now())
    return result


def fold_runs(spec: CVSpec, setting: Setting, folder: RunFolder) -> list[FoldRun]:
    """Return the trainings of one setting: every fold under every seed."""
    return [
        FoldRun(folder, fold, seed, configure(setting.config, fold, seed), params=_shown(spec, setting, seed))
        for fold in spec.folds
        for seed in spec.seeds
    ]


def _shown(spec: CVSpec, setting: Setting, seed: int) -> dict[str, Any]:
    return setting.values | ({"seed": seed} if len(spec.seeds) > 1 else {})
