"""One training over two processes: the numbers of a single one, whatever the model and the rule; one folder, one voice.

Expected: the gradient of a batch is a sum over its examples, so that where they are computed changes rounding alone: in
float64 at most 1e-9 after some updates. All scenes are played by the same two processes, which start once.
"""

import json
import math
from pathlib import Path

import pytest
import torch

from tests.command import run as command
from tests.job.train.device_case import BY_DEVICE, CASES, WIDE, beside
from tests.job.train.pair import SYNCED, assert_same_numbers, history, numbers, run_in, small, stopped, together, told


def table(join, folder: Path):
    world = join()
    trained = {name: numbers(beside(folder, case), world.exchange) for name, case in (CASES | BY_DEVICE).items()}
    world.close()
    return trained


def wide_table(join, folder: Path):
    world = join()
    trained = [numbers(case, world.exchange) for case in WIDE]
    world.close()
    return trained


def trains(join, folder: Path):
    return told(folder / "trains", "train", *small(*SYNCED), "--json")


def is_stopped(join, folder: Path):
    world = join()
    status = stopped(SYNCED, folder / "stopped", 1, world)
    world.close()
    return status


def goes_on(join, folder: Path):
    return told(folder, "train", "--resume", "last", "--runs-dir", "alone")


def has_nothing_left(join, folder: Path):
    return told(folder, "train", "--resume", "last", "--runs-dir", "alone")


def differs(join, folder: Path):
    from dlexp.launcher.devices.launched import rank

    return told(folder / "differs", "train", *small(f"seed={rank()}"))


def lacks_data(join, folder: Path):
    from dlexp.launcher.devices.launched import rank

    place = folder / "absent.csv" if rank() else folder / "there.csv"
    return told(folder / "lacks", "train", *small("data=csv", f"data.path={place}", "data.target=y"))


def is_mistyped(join, folder: Path):
    return told(folder / "mistyped", "train", "modle=cnn")


def has_too_few(join, folder: Path):
    return told(folder / "few", "train", *small("trainer.batch_size=3"))


def sweeps(join, folder: Path):
    return told(folder / "sweeps", "sweep", "seed=1,2")


SCENES = [table, trains, is_stopped, goes_on, has_nothing_left, differs, lacks_data, is_mistyped, has_too_few, sweeps]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("devices")


@pytest.fixture(scope="module")
def played(folder):
    (folder / "there.csv").write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(60)))
    rows = [f"{i % 7},{i % 3},{'ab'[i % 2] if i % 5 else ''},{i % 11 / 4 if i % 2 else ''}\n" for i in range(90)]
    (folder / "gaps.csv").write_text("p,q,kind,size\n" + "".join(rows))
    assert stopped(SYNCED, folder / "alone", 1) == "interrupted"
    return together({scene.__name__: scene for scene in SCENES}, folder)


@pytest.fixture(scope="module")
def alone(folder, played):
    """The training that the commands do, by a single process."""
    code, out, _ = told(folder / "single", "train", *small(*SYNCED), "--json")
    assert code == 0
    return json.loads(out)


def assert_equal(single, shared):
    for one_device, many in zip(single["epochs"], shared["epochs"], strict=True):
        assert one_device.keys() == many.keys()
        assert {name: many[name] for name in one_device} == pytest.approx(one_device, rel=1e-9, abs=1e-9, nan_ok=True)
    for kind in ("weights", "state"):
        assert single[kind].keys() == shared[kind].keys()
        for name, value in single[kind].items():
            torch.testing.assert_close(shared[kind][name], value, rtol=1e-9, atol=1e-9)


def assert_same_history(first: Path, second: Path):
    assert [record["epoch"] for record in history(second)] == [1, 2, 3]
    assert_same_numbers(history(first), history(second))


@pytest.mark.parametrize("name", CASES)
def test_two_processes_have_the_numbers_of_one(played, folder, name):
    first, second = (trained[name] for trained in played["table"])
    assert all(torch.equal(value, second["weights"][key]) for key, value in first["weights"].items())
    assert_equal(numbers(beside(folder, CASES[name])), first)


@pytest.mark.parametrize("name", BY_DEVICE)
def test_batch_norm_by_device_is_one_model_all_the_same(played, name):
    first, second = (trained[name] for trained in played["table"])
    assert all(torch.equal(value, second["weights"][key]) for key, value in first["weights"].items())
    assert first["epochs"] == second["epochs"]
    assert math.isfinite(first["epochs"][-1]["train/loss"])


def test_the_first_process_writes_and_says_what_there_is(played, folder, alone):
    (code, out, err), (other_code, *other) = played["trains"]
    assert (code, other_code) == (0, 0)
    assert other == ["", ""]
    result = json.loads(out)
    assert result["metrics"] == pytest.approx(alone["metrics"], rel=1e-9, abs=1e-9, nan_ok=True)
    assert "device  2 devices, each cpu" in err
    assert "trainer.batch_size=31 does not divide by 2 devices, which compute 15 or 16 examples of a batch" in err
    assert_same_history(Path(alone["run_dir"]), run_in(folder / "trains" / "runs").path)


def test_a_run_stopped_over_two_processes_goes_on_in_one(played, folder, alone):
    assert played["is_stopped"] == ["interrupted", ""]
    done = command(folder, "train", "--resume", "last", "--runs-dir", "stopped", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["metrics"] == pytest.approx(alone["metrics"], rel=1e-9, abs=1e-9, nan_ok=True)
    assert_same_history(Path(alone["run_dir"]), run_in(folder / "stopped").path)


def test_a_run_stopped_in_one_process_goes_on_over_two(played, folder, alone):
    assert [code for code, *_ in played["goes_on"]] == [0, 0]
    assert_same_history(Path(alone["run_dir"]), run_in(folder / "alone").path)
    (code, out, _), other = played["has_nothing_left"]
    assert "there is nothing to resume" in out
    assert (code, other) == (0, [0, "", ""])


@pytest.mark.parametrize(
    ("scene", "line"),
    [
        ("differs", "config error: process 1 of 2: got another configuration than process 0; start all with the same"),
        ("lacks_data", "data error: process 1 of 2: "),
        ("is_mistyped", "config error: unknown key modle; did you mean model?"),
        (
            "has_too_few",
            "config error: trainer.batch_size: got 3; 2 devices need at least 4, 2 each for batch norm, un",
        ),
        ("sweeps", "config error: torchrun: got 2 processes for `dlexp sweep`; over many devices goes `dlexp train`"),
    ],
)
def test_what_cannot_be_is_one_line_of_the_first_process(played, scene, line):
    (code, out, err), other = played[scene]
    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.count("\n") == 1
    assert other == [2, "", ""]


@pytest.mark.slow
def test_every_rule_with_every_kind_of_dropout(tmp_path):
    first, second = together({"wide_table": wide_table}, tmp_path)["wide_table"]
    for case, shared, other in zip(WIDE, first, second, strict=True):
        assert all(torch.equal(value, other["weights"][key]) for key, value in shared["weights"].items()), case
        assert_equal(numbers(case), shared)


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="fewer than two CUDA devices")
@pytest.mark.parametrize("shard", ["false", "true"])
def test_two_cards_have_the_numbers_of_one(tmp_path, shard):
    arguments = small(*SYNCED, f"trainer.shard={shard}", "trainer.device=cuda")
    (code, single, _), (other_code, both, err) = (
        told(tmp_path / name, "train", *arguments, f"launcher.devices={num}", "--json")
        for num, name in ((1, "single"), (2, "both"))
    )
    assert (code, other_code) == (0, 0)
    assert "2 devices, each cuda" in err
    assert json.loads(both)["metrics"] == pytest.approx(json.loads(single)["metrics"], rel=1e-9, abs=1e-9, nan_ok=True)
