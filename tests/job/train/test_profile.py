"""Where an update's time goes: by hand from events, and written beside a run whose numbers stay the same."""

import csv
import gzip
import json
from types import SimpleNamespace

import pytest

from dlexp.config.resolve import resolve
from dlexp.error import ConfigError
from dlexp.job.cv import cv
from dlexp.job.sweep import sweep
from dlexp.job.train import train
from dlexp.job.train.profile import DATA, MEASURED, PROBE, digest

QUICK = ["tracking=none", "trainer.threads=1", "trainer.epochs=1", "data.limit=100", "model.widths=[8]"]


def event(name: str, spent: float, parent=None, total: float = 0.0, device: str = "CPU"):
    return SimpleNamespace(
        name=name,
        self_cpu_time_total=0.0 if device == "CUDA" else spent,
        self_device_time_total=spent if device == "CUDA" else 0.0,
        cpu_time_total=total,
        cpu_parent=parent,
        device_type=SimpleNamespace(name=device),
        is_user_annotation=False,
    )


def test_the_shares_of_an_update_on_a_cpu():
    probe, data = event(PROBE, 5), event(DATA, 7, total=10 * MEASURED)
    events = [probe, data, *(event("aten::add_", 2, probe) for _ in range(9)), event("aten::index_select", 50, data)]
    for _ in range(MEASURED):
        events += [event("aten::addmm", 42), event("aten::relu", 12), event("aten::view", 1)]
    profile = digest(events, 100e-6, is_cuda=False)
    # 2 us of every operator are its start: 40 of arithmetic, 10 of memory, 0 of view; 10 of data, 40 are left
    assert profile.shares == pytest.approx({"launches": 0.4, "data": 0.1, "arithmetic": 0.4, "memory": 0.1})
    assert [(each.name, each.calls) for each in profile.operators] == [
        ("aten::addmm", 1),
        ("aten::relu", 1),
        ("aten::view", 1),
    ]
    assert [each.seconds for each in profile.operators] == pytest.approx([40e-6, 10e-6, 0])


def test_an_update_that_a_neighbour_disturbed_does_not_count():
    events = [event("aten::mm", spent) for spent in (*[30, 10] * (MEASURED - 1), 30, 9_000)]
    (mm,) = digest(events, 100e-6, is_cuda=False).operators
    assert (mm.calls, mm.seconds) == (2, pytest.approx(40e-6))


def test_the_shares_of_an_update_on_a_card_are_those_of_its_kernels():
    events = [event(DATA, 3, total=30 * MEASURED)]
    for _ in range(MEASURED):
        events += [event("aten::addmm", 500), event("sm90_xmma_gemm_f32", 60, device="CUDA")]
        events += [event("vectorized_elementwise_kernel", 20, device="CUDA")]
    profile = digest(events, 1e-3, is_cuda=True)
    assert profile.shares == pytest.approx({"launches": 0.89, "data": 0.03, "arithmetic": 0.06, "memory": 0.02})
    assert str(profile).startswith(
        "an update takes 1,000 us: launches 89 %, arithmetic 6 %, data 3 %, memory 2 %; bound by launches"
    )


def test_without_a_card_s_kernels_nothing_is_said_to_bound_an_update():
    profile = digest([event(DATA, 3, total=30), event("aten::addmm", 500)], 1e-3, is_cuda=True)
    assert (profile.shares, profile.operators) == ({}, [])
    assert str(profile).startswith(
        "an update takes 1,000 us; what bounds it is unknown, as the kernels were not recorded"
    )


@pytest.mark.parametrize(
    ("name", "is_arithmetic"),
    [
        *[("aten::mm", True), ("aten::addmm", True), ("aten::bmm", True), ("aten::convolution_backward", True)],
        *[("mkldnn::_linear_pointwise", True), ("void cutlass::Kernel", True), ("aten::comm", False)],
        *[("aten::contiguous", False), ("aten::native_batch_norm", False), ("aten::add_", False)],
    ],
)
def test_what_counts_as_arithmetic(name, is_arithmetic):
    shares = digest([event(name, MEASURED)], 1e-6, is_cuda=False).shares
    assert (shares["arithmetic"], shares["memory"]) == (is_arithmetic, not is_arithmetic)


def test_a_profile_lies_beside_a_run_whose_numbers_stay_the_same(tmp_path):
    results = []
    for value in ("true", "false"):
        overrides = [*QUICK, "model=cnn", "model.channels=[4]", "augment=flip_crop", f"trainer.profile={value}"]
        composed = resolve([*(each for each in overrides if "widths" not in each), f"runs_dir={tmp_path / value}"])
        results.append(train.start(composed, announce=lambda _about: lambda _event: None))
    profiled, plain = results
    assert profiled.result["metrics"] == plain.result["metrics"]
    assert [line.split(" takes ")[0] for line in profiled.notes[:1]] == ["an update"]
    assert len(profiled.notes) == len(plain.notes) + 1
    (folder,) = (tmp_path / "true").glob("*/*/profile")
    with (folder / "operators.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    assert any("convolution" in row["operator"] for row in rows)
    spent = [float(row["microseconds an update"]) for row in rows]
    assert spent == sorted(spent, reverse=True)
    assert spent[-1] > 0
    names = {
        each["name"] for each in json.loads(gzip.decompress((folder / "trace.json.gz").read_bytes()))["traceEvents"]
    }
    assert {DATA, "aten::convolution_backward"} <= names
    assert not list((tmp_path / "false").glob("*/*/profile"))


@pytest.mark.parametrize("start", [sweep.start, cv.start])
def test_many_trials_are_not_profiled(tmp_path, start):
    overrides = [*QUICK, "trainer.profile=true", f"runs_dir={tmp_path}", "optimizer.lr=0.1,0.2"]
    with pytest.raises(ConfigError, match=r"trainer\.profile: got true; false for many trials"):
        start(overrides, None, announce=lambda _about: lambda _event: None)
