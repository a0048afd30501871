"""What `init_from` may name, and the file of weights that each is."""

from pathlib import Path

import pytest
from safetensors.torch import load_file

from dlexp.config.override import parse
from dlexp.error import ConfigError, RunError
from dlexp.job.transfer.locate import locate
from dlexp.run import scan
from dlexp.weight.source import read_weights
from tests.command import run

TINY = ("model.widths=[4]", "trainer.epochs=1", "data.limit=60", "tracking=none", "trainer.threads=1")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Return a folder with a run, a sweep of two trials, and the run's exported files."""
    place = tmp_path_factory.mktemp("place")
    for arguments in (
        ("train", *TINY),
        ("export", "last", "--format", "safetensors", "--out", "net.safetensors"),
        ("export", "last", "--format", "pt2", "--out", "net.pt2"),
        ("sweep", *TINY, "optimizer.lr=0.1,0.2"),
    ):
        done = run(place, *arguments)
        assert done.returncode == 0, done.stderr
    return place


@pytest.fixture
def here(place, monkeypatch) -> Path:
    monkeypatch.chdir(place)
    return place


def named(text: str) -> tuple[str, object]:
    (override,) = parse([text])
    return override.key, override.value


def test_a_run_by_its_id_its_folder_and_last_is_the_file_of_its_best_weights(here):
    folder = next(path for path in scan.run_paths(here / "runs") if scan.RunFolder(path).manifest["kind"] == "train")
    wanted = str(folder / "checkpoints" / "best" / "weights.safetensors")
    for ref in (folder.name.partition("-")[0], folder.name[:9], str(folder), str(folder.relative_to(here))):
        for key in ("init_from", "init_from.run"):
            text, other = locate([f"{key}={ref}", "seed=1"])
            assert (named(text), other) == (("init_from.run", wanted), "seed=1")
    (text,) = locate([f"init_from={{run: {folder.name.partition('-')[0]}, skip: [output]}}"])
    assert named(text) == ("init_from", {"run": wanted, "skip": ["output"]})


def test_of_a_sweep_its_settings_by_their_place(here):
    sweep = scan.find(here / "runs", "last")
    assert sweep.result is not None
    ranked = sorted(sweep.result["trials"], key=lambda trial: -trial["value"])
    for ref, trial in (("last", ranked[0]), (f"{sweep.run_id}:1", ranked[0]), ("last:2", ranked[1])):
        (text,) = locate([f"init_from={ref}"])
        assert named(text) == ("init_from.run", f"{trial['run_dir']}/checkpoints/best/weights.safetensors")
    (text,) = locate([f"init_from=null,{ranked[0]['run_id']},{ranked[1]['run_id']}"])
    expression = parse([text])[0].sweep
    assert expression is not None
    assert expression.values == [None, *(f"{t['run_dir']}/checkpoints/best/weights.safetensors" for t in ranked)]


@pytest.mark.parametrize("name", ["net.safetensors", "net.pt2"])
def test_exported_files_hold_the_weights_of_their_run(here, name):
    (text,) = locate([f"init_from={name}"])
    assert named(text) == ("init_from.run", str(here / name))
    folder = next(path for path in scan.run_paths(here / "runs") if scan.RunFolder(path).manifest["kind"] == "train")
    weights = load_file(folder / "checkpoints" / "best" / "weights.safetensors")
    given = {
        key.removeprefix("network."): value for key, value in read_weights(str(here / name), "init_from.run").items()
    }
    assert all((given[key] == value).all() for key, value in weights.items())
    done = run(here, "train", *TINY, f"init_from={name}", "freeze=[hidden*]", "--json")
    assert done.returncode == 0, done.stderr
    manifest = scan.find(here / "runs", "last").manifest
    assert (manifest["init_from"]["taken"], manifest["init_from"]["anew"]) == (len(weights), [])
    assert manifest["contents"].keys() == {"init_from.run"}


def test_other_overrides_stay_as_they_are(here):
    texts = ["optimizer.lr=0.1", "init_from.skip=[output]", "freeze=[hidden*]", "+extra=1"]
    assert locate(texts) == texts
    assert locate(["init_from=null"]) == ["init_from.run=null"]


def test_what_has_no_weights_is_refused_with_the_cure(here):
    assert run(here, "train", *TINY, "optimizer.lr=1e30").returncode == 3
    with pytest.raises(ConfigError, match=r"init_from.run: got last, which is diverged; name another run"):
        locate(["init_from=last"])
    folder = scan.find(here / "runs", "last")
    folder.update_manifest(status="interrupted")
    with pytest.raises(ConfigError, match=r"is interrupted; let it come to its end \(`dlexp train --resume"):
        locate(["init_from=last"])
    folder.update_manifest(status="finished")
    with pytest.raises(ConfigError, match=r"which has no weights at .*; restore them, or train it anew"):
        locate(["init_from=last"])
    with pytest.raises(RunError, match="no such run"):
        locate(["init_from=nowhere"])
    with pytest.raises(ConfigError, match=r"got net.onnx; weights are read of .safetensors, .pt2, .pth, .*: export"):
        locate(["init_from=net.onnx"])
    with pytest.raises(
        ConfigError, match=r"init_from.run: got absent.pth; there is no such file: name a run by its id"
    ):
        locate(["init_from=absent.pth"])
