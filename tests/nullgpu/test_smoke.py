"""Whole commands on the null GPU: torch's own CUDA code, with devices that compute nothing. It needs gcc.

Numbers are zero; what is asserted is where work went, how commands end and what they say.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOG = "log"  # of the devices, in the runs folder
BROKEN, SMALL = 2, 3  # devices: one fails after some updates, one has little memory
SETTINGS = {
    "NULLGPU_DEVICES": "4",
    "NULLGPU_MIB": "4096,4096,4096,24",
    "NULLGPU_BROKEN": f"{BROKEN}:100",
    # kernels that torch compiles for the card, and cuDNN's plans, would want more of a device
    "TORCH_DISABLE_NATIVE_JIT": "1",
    "TORCH_CUDNN_V8_API_DISABLED": "1",
    "OMP_NUM_THREADS": "1",
}
SHARED = {"data.limit": 96, "trainer.epochs": 2, "model.widths": [8], "tracking": "none", "trainer.device": "cuda"}


@dataclass(frozen=True)
class Told:
    """What became of commands: their ends by name, and the log of the devices, by process."""

    ends: dict[str, dict]
    log: dict[int, Counter]
    pid: int

    def document(self, name: str) -> dict:
        return json.loads(self.ends[name]["out"])


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> Path:
    """The null GPU, compiled."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    if (torch.version.cuda or "").partition(".")[0] != "13":
        pytest.skip(f"torch is built for CUDA {torch.version.cuda}, the null GPU stands for 13")
    packages = Path(torch.__file__).parents[1] / "nvidia"
    headers = next((path.parent for path in packages.glob("**/include/cuda_runtime_api.h")), None)
    if headers is None:
        pytest.skip("CUDA's headers are not installed")
    made = tmp_path_factory.mktemp("nullgpu") / "libcuda.so.1"
    flags = ["-O1", "-shared", "-fPIC", "-Wall", "-Werror", f"-I{HERE}", "-isystem", str(headers)]
    sources = [str(path) for path in sorted(HERE.glob("*.c"))]
    # under the driver's own name, by which torch asks for it
    subprocess.run(["gcc", *flags, *sources, "-o", str(made), f"-Wl,-soname,{made.name}", "-lpthread"], check=True)
    return made


def told_by(library: Path, folder: Path, commands: dict[str, list[str]]) -> Told:
    """Run commands one after another in a process on four null GPUs."""
    environment = {**os.environ, **SETTINGS, "LD_PRELOAD": str(library), "NULLGPU_LOG": str(folder / LOG)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.nullgpu.child"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lists = [[each.format(folder=folder) for each in words] for words in commands.values()]
    out, err = process.communicate(json.dumps(lists), timeout=500)
    assert process.returncode == 0, err
    log: dict[int, Counter] = {}
    for line in (folder / LOG).read_text().splitlines():
        pid, what, device, number = line.split()
        log.setdefault(int(pid), Counter())[f"{what} {number}" if what == "cublas" else what, int(device)] += 1
    return Told(dict(zip(commands, json.loads(out), strict=True)), log, process.pid)


def words(*first: str, **changes: object) -> list[str]:
    """Return a command with the shared overrides and others, "__" for the dot in their names."""
    overrides = SHARED | {name.replace("__", "."): value for name, value in changes.items()}
    return [*first, "--json", *(f"{name}={value}" for name, value in overrides.items()), "runs_dir={folder}"]


def doctor(*settings: str) -> list[str]:
    """Return a command that looks at the devices; its children's work is in no log."""
    return ["NULLGPU_LOG=/dev/null", *settings, "doctor", "--json", "--runs-dir", "{folder}"]


@pytest.fixture(scope="module")
def trained(library, tmp_path_factory) -> Told:
    """Trainings by themselves, in the process of the command."""
    folder = tmp_path_factory.mktemp("trained")
    return told_by(
        library,
        folder,
        {
            "mlp": words("train"),
            "cnn": words("train", model="cnn", trainer__device="cuda:1", trainer__deterministic="true"),
            "layer by layer": words("train", trainer__cuda_graph="false"),
            "bf16": words("train", trainer__precision="bf16", trainer__profile="true"),
            "stopped": words("stop", "train", seed=1),
            "resumed": ["train", "--resume", "last", "--runs-dir", "{folder}", "--json"],
            "no room for a graph": words("fill", "train", model__widths=[1000], trainer__diagnose="off"),
            "small": words("train", trainer__device=f"cuda:{SMALL}", model__widths=[2000]),
            "broken": words("train", trainer__device=f"cuda:{BROKEN}", trainer__epochs=40),
        },
    )


@pytest.fixture(scope="module")
def searched(library, tmp_path_factory) -> Told:
    """Sweeps and cvs, whose trials train in workers."""
    gpu, alone = {"launcher__gpus": [0]}, {"trainer__fuse": "off"}
    slices = "CUDA_VISIBLE_DEVICES=MIG-00000001,MIG-00000000"
    bf16 = {"trainer__precision": "bf16", "norm": "batch"}
    commands = {
        "all devices": doctor(f"NULLGPU_BROKEN={BROKEN}:0"),
        "by name": doctor("CUDA_VISIBLE_DEVICES=GPU-00000001,GPU-00000000"),
        "slices": doctor(slices),
        "one is none": doctor("CUDA_VISIBLE_DEVICES=0,9"),
        "none": doctor("CUDA_VISIBLE_DEVICES=9"),
        "dry sweep": words("sweep", "--dry-run", optimizer__lr="0.1,0.2,0.3", **gpu),
        "dry cv": words("cv", "--dry-run", cv__k=2, **gpu),
        "fused": words("sweep", optimizer__lr="0.1,0.2,0.3", trainer__fuse=3, **bf16, **gpu),
        "two devices": words(slices, "sweep", optimizer__lr="0.4,0.5,0.6,0.7", **alone),
        "one broken, one full": words(
            "sweep", optimizer__lr="0.8,0.9,1", launcher__gpus=[0, BROKEN, SMALL], trainer__epochs=40, **alone
        ),
    }
    return told_by(library, tmp_path_factory.mktemp("searched"), commands)


def of_process(told: Told, what: str) -> set[int]:
    """Return the devices that the commands' own process did something with."""
    return {device for kind, device in told.log.get(told.pid, Counter()) if kind == what}


@pytest.mark.parametrize("name", ["mlp", "cnn", "layer by layer", "bf16"])
def test_a_training_is_on_the_device(trained, name):
    document = trained.document(name)
    assert trained.ends[name]["code"] == 0
    expected = "cuda:1" if name == "cnn" else "cuda:0"
    assert (document["status"], document["epochs"], document["device"]) == ("finished", 2, expected)


def test_a_deterministic_training_is_one_of_its_device_and_cublas_knows(trained):
    log = trained.log[trained.pid]
    assert {device for what, device in log if what == "captured"} >= {0, 1}
    assert log["cublas 1", 1] >= 1
    assert ("cublas 0", 1) not in log


def test_updates_are_graphs(trained):
    assert trained.log[trained.pid]["captured", 0] >= 3
    assert ("replayed", 0) in trained.log[trained.pid]
    assert ("refused", 0) not in trained.log[trained.pid]


def test_a_training_goes_on_where_it_was_stopped(trained):
    assert trained.ends["stopped"]["code"] == 143
    assert (trained.document("stopped")["status"], trained.document("stopped")["epochs"]) == ("interrupted", 1)
    resumed = trained.document("resumed")
    assert (resumed["run_id"], resumed["status"]) == (trained.document("stopped")["run_id"], "finished")
    assert (resumed["epochs"], resumed["device"]) == (2, "cuda:0")


def test_a_profile_without_kernels_says_so(trained):
    assert "what bounds it is unknown, as the kernels were not recorded" in " ".join(
        trained.ends["bf16"]["err"].split()
    )


def test_without_room_for_a_graph_updates_go_on(trained):
    end = trained.ends["no room for a graph"]
    assert (end["code"], trained.document("no room for a graph")["status"]) == (0, "finished")
    (line,) = [line for line in end["err"].splitlines() if "graph" in line]
    assert line.startswith("updates are not replayed as a graph: CUDA out of memory. Tried to allocate")
    assert len(line) < 120


def test_a_full_device_is_named(trained):
    error = trained.document("small")["error"]
    assert (trained.ends["small"]["code"], error["kind"]) == (1, "environment")
    assert "out of memory; choose a smaller" in error["message"]
    assert ("full", SMALL) in trained.log[trained.pid]


def test_a_broken_device_is_named(trained):
    error = trained.document("broken")["error"]
    assert (trained.ends["broken"]["code"], error["kind"]) == (1, "environment")
    assert "the device failed (CUDA error: an illegal memory access" in error["message"]
    assert ("broken", BROKEN) in trained.log[trained.pid]


def test_the_first_process_of_a_search_never_begins_cuda(searched):
    assert {name: end["has_begun"] for name, end in searched.ends.items()} == dict.fromkeys(searched.ends, False)
    assert searched.pid not in searched.log
    assert len(searched.log) >= 6  # workers: one for each dry run, what is fused, and for each device


@pytest.mark.parametrize("name", ["dry sweep", "dry cv"])
def test_a_dry_run_measures_on_the_device(searched, name):
    plan = searched.document(name)
    assert (searched.ends[name]["code"], plan["dry_run"]) == (0, True)
    assert plan["device"].startswith("cuda:0 Null GPU 0")
    assert plan["groups"][0]["engine"] in ("solo", "fused")
    assert plan["memory"] > 0


@pytest.mark.parametrize(("name", "num"), [("fused", 3), ("two devices", 4), ("one broken, one full", 3)])
def test_all_trials_finish(searched, name, num):
    document = searched.document(name)
    assert (searched.ends[name]["code"], document["status"]) == (0, "finished")
    assert [trial["status"] for trial in document["trials"]] == ["finished"] * num
    assert {trial["metrics"]["val/loss"] for trial in document["trials"]} == {0.0}  # a CPU would have computed


def test_a_stack_of_three_is_a_program(searched):
    assert searched.document("fused")["groups"] == [{"size": 3, "engine": "fused"}]


def test_every_device_takes_part_and_the_broken_gives_way(searched):
    devices = {device for log in searched.log.values() for kind, device in log if kind == "launched"}
    assert devices == {0, 1, BROKEN, SMALL}
    assert any(("broken", BROKEN) in log for log in searched.log.values())
    assert any(("full", SMALL) in log for log in searched.log.values())


def test_trials_say_which_card_they_had(searched):
    folders = [Path(trial["run_dir"]) for trial in searched.document("two devices")["trials"]]
    names = [json.loads((folder / "manifest.json").read_text())["gpu"]["name"] for folder in folders]
    assert set(names) == {"Null GPU 0", "Null GPU 1"}


WELL = {f"cuda:{number}": (f"Null GPU {number}, 4.0 of 4.0 GiB free", None) for number in range(2)}
LISTED = "name devices as `nvidia-smi -L` lists them"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "all devices",
            WELL
            | {
                "cuda:2": (
                    "Null GPU 2: CUDA error: an illegal memory access was encountered",
                    "look at it with nvidia-smi, or take another card",
                ),
                "cuda:3": ("Null GPU 3: out of memory", "end other programs on it, or take another card"),
            },
        ),
        ("by name", {"cuda:0": WELL["cuda:1"], "cuda:1": WELL["cuda:0"]}),
        ("slices", {"MIG-00000001": WELL["cuda:1"], "MIG-00000000": WELL["cuda:0"]}),
        (
            "one is none",
            {
                "cuda:0": WELL["cuda:0"],
                "cuda": ("CUDA_VISIBLE_DEVICES=0,9: 9 is no device, and hides itself and what follows", LISTED),
            },
        ),
        ("none", {"cuda": ("CUDA_VISIBLE_DEVICES=9: 9 is no device, and hides itself and what follows", LISTED)}),
    ],
)
def test_the_doctor_tells_of_every_device(searched, name, expected):
    seen = {each["name"]: (each["value"], each["cure"]) for each in searched.document(name)}
    assert {place: told for place, told in seen.items() if place.startswith(("cuda", "MIG"))} == expected
