"""A run's best checkpoint on the validation part, or on the sealed test part, whose openings are counted."""

from pathlib import Path
from typing import Any

from dlexp.config.signature import import_path_of_user_code
from dlexp.engine import checkpoint
from dlexp.error import DataError, RunError
from dlexp.job.assemble import assemble
from dlexp.job.finish import evaluate_part
from dlexp.job.ready import check_test
from dlexp.tracker import scan
from dlexp.tracker.plain import plain

KINDS = ("train", "trial", "fold")


def evaluate(ref: str, runs_dir: Path, split: str) -> dict[str, Any]:
    """Evaluate a run, store the predictions and return what ``dlexp eval --json`` prints.

    Args:
        ref: Run id, unique prefix, folder or last.
        runs_dir: Folder of all runs.
        split: "val" or "test".

    Raises:
        RunError: No such run, it has no checkpoint, or another process has it.
        DataError: The data are not those of the run.
        ConfigError: There is no test part.
    """
    folder = scan.find(runs_dir, ref)
    manifest, config = folder.manifest, folder.config
    if manifest["kind"] not in KINDS:
        raise RunError(f"{ref}: got a {manifest['kind']}; name one of the runs in it, {folder.path}/*/*")
    folder.lock()
    try:
        weights, _ = checkpoint.load(folder.checkpoints / "best")
        if config["trusted"]:
            import_path_of_user_code()
        built = assemble(config)
        data = built.dataset
        if data.fingerprint != manifest["data"]["fingerprint"]:
            raise DataError(f"{data.name}: the data changed since run {folder.run_id} was trained")
        check_test(data, split == "test")
        built.run.step.forward.load_weights(0, {name: value.to(built.device) for name, value in weights.items()})
        # Counted before it is opened: a kill in between must not leave an opening uncounted.
        openings = manifest["test_openings"] + (split == "test")
        folder.update_manifest(test_openings=openings)
        folder.log(f"evaluated on {split}")
        rows = getattr(data, split)
        scalars, by_class = evaluate_part(built, folder, split, rows)
    finally:
        folder.unlock()
    return plain(
        {
            "kind": "eval",
            "run_id": folder.run_id,
            "run_dir": str(folder.path),
            "split": split,
            "num_examples": len(rows),
            "metrics": {f"{split}/{name}": value for name, value in scalars.items()},
            "confusion_matrix": by_class.pop("confusion", None),
            "report": by_class,
            "class_names": data.class_names,
            "openings": openings,
        }
    )
