"""What a dry run of a sweep promises."""

from pathlib import Path

import pytest

from dlexp.execution.fusion import Choice
from dlexp.job.sweep import dry_run as job
from dlexp.job.sweep.dry_run import forecast

SHARED = ["tracking=none", "trainer.threads=1", "data.limit=300", "trainer.epochs=8"]
NARROW = "model.widths=[16]"
NET = """from torch import Size, nn

class Net(nn.Module):
    def __init__(self, width: int = 4, *, in_shape, num_outputs):
        super().__init__()
        if width == 5:
            raise RuntimeError("boom")
        self.layer = nn.Linear(Size(in_shape).numel(), num_outputs)

    def forward(self, x):
        return self.layer(x.flatten(1))
"""
LR = "optimizer.lr=tag(log,interval(1e-3,1))"


@pytest.fixture(autouse=True)
def _quickly(request, monkeypatch):
    """Measuring takes a second a structure."""
    if request.node.name != "test_counts_groups_and_nothing_written":
        fixed = {
            "num_params": 5,
            "steps": 10,
            "update": 1e-3,
            "evaluation": 1e-2,
            "saving": 0.0,
            "start": 0.0,
            "choosing": 0.0,
        }
        taken = {**fixed, "end": 0.0, "memory": 1, "free": 2, "disk": 1000, "disk_epoch": 10}
        monkeypatch.setattr(
            "dlexp.execution.aside.estimate",
            lambda components: job.Estimate(choice=Choice("solo", 1, 1.0, str(len(components))), **taken),
        )


def work(plan):
    return plan["seconds"] - plan["spent"]["preparing"]


def test_counts_groups_and_nothing_written(tmp_path):
    searched = ["optimizer.lr=0.1,1", "model.widths=[16],[8]", "seed=0,1"]
    plan = forecast([*SHARED, f"runs_dir={tmp_path}", *searched])
    assert (plan["settings"], plan["trials"], plan["rounds"]) == (4, 8, 1)
    assert [group["size"] for group in plan["groups"]] == [4, 4]
    assert [group["settings"]["model.widths"] for group in plan["groups"]] == [[16], [8]]
    assert all(group["engine"] in ("solo", "fused") and group["reason"] for group in plan["groups"])
    assert plan["num_params"] == [64 * 8 + 2 * 8 + 8 * 10 + 10, 64 * 16 + 2 * 16 + 16 * 10 + 10]
    assert 0 < plan["memory"] < plan["memory_free"]
    assert 8 * 2 * 1226 * 4 < plan["disk"] < plan["disk_free"]
    most = 0.05 * (1 + len(plan["spent"]))  # the sum and each of its terms are rounded to a tenth
    assert plan["seconds"] == pytest.approx(sum(plan["spent"].values()), abs=most)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("overrides", "rounds", "settings", "epochs", "together"),
    [
        (["search=random", "search.trials=12"], 1, 12, 12 * 8, 12),
        (["search=coarse_to_fine", "search.trials=12"], 3, 12, 4 * (2 + 4 + 8), 4),
        # rungs at 2, 4 and 8 epochs; those that go on train the difference
        (
            ["search=hyperband", "search.trials=8", "search.eta=2", "search.min_epochs=2"],
            3,
            8,
            8 * 2 + 4 * 2 + 2 * 4,
            8,
        ),
        (["search=random", "search.trials=6", "seed=0,1,2"], 1, 6, 3 * 6 * 8, 18),
    ],
)
def test_a_strategy_is_rehearsed_to_its_end(tmp_path, overrides, rounds, settings, epochs, together):
    plan = forecast([*SHARED, f"runs_dir={tmp_path}", NARROW, LR, *overrides])
    (group,) = plan["groups"]
    assert (plan["rounds"], plan["settings"], group["epochs"]) == (rounds, settings, epochs)
    assert work(plan) == pytest.approx(epochs * (10 * 1e-3 + 1e-2), abs=0.2)
    assert int(group["reason"]) == together  # measured with as many as train at a time


def test_structures_beyond_the_budget_count_as_the_mean(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "BUDGET", 1e-9)
    plan = forecast([*SHARED, f"runs_dir={tmp_path}", "model.widths=[16],[8],[4]"])
    assert plan["measured"] == 1
    assert work(plan) == pytest.approx(3 * 8 * 0.02, abs=0.2)
    assert [group["engine"] for group in plan["groups"]].count("not measured") == 2


def test_several_processes_share_the_time_and_need_the_memory(tmp_path):
    searched = [*SHARED, f"runs_dir={tmp_path}", NARROW, LR, "search=random", "search.trials=12"]
    alone = forecast([*searched, "launcher.workers=1"])
    three = forecast([*searched, "launcher.workers=3"])
    assert (alone["workers"], three["workers"]) == (1, 3)
    assert work(three) == pytest.approx(work(alone) / 3, abs=0.1)
    assert three["memory"] == 3 * alone["memory"]


@pytest.mark.parametrize(
    "searched",
    [
        [LR, "search=random", "search.trials=1000000000"],
        [
            "optimizer.lr=range(1,40001)",
            "regularizer=l2",
            "regularizer.weight=range(1,25001)",
            "search.trials=1000000000",
        ],
        ["search=tpe", LR, "search.trials=1000000000"],
    ],
)
def test_a_billion_trials_are_told_from_a_sample(tmp_path, monkeypatch, searched):
    monkeypatch.setattr(job, "MOST_REHEARSED", 200)
    monkeypatch.setattr(job, "MOST_REHEARSED_TPE", 20)
    plan = forecast([*SHARED, NARROW, *searched, f"runs_dir={tmp_path}"])
    assert plan["settings"] == plan["trials"] == 10**9
    assert sum(group["epochs"] for group in plan["groups"]) == 8 * 10**9
    # each epoch: 10 updates of 1 ms and an evaluation of 10 ms
    assert work(plan) * plan["workers"] == pytest.approx(8e9 * 0.02, rel=1e-6)


def test_hyperband_s_sample_has_its_share_of_epochs(tmp_path, monkeypatch):
    given = [*SHARED, NARROW, LR, "search=hyperband", "search.eta=2", f"runs_dir={tmp_path}"]
    exact = forecast([*given, "search.trials=800"])
    monkeypatch.setattr(job, "MOST_REHEARSED", 80)
    sampled = forecast([*given, "search.trials=800"])
    assert sampled["settings"] == exact["settings"] == 800
    assert sampled["groups"][0]["epochs"] == pytest.approx(exact["groups"][0]["epochs"], rel=0.05)


def test_a_setting_that_the_users_code_fails_is_told_and_the_others_are_estimated(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("own/model").mkdir(parents=True)
    Path("own/model/net.yaml").write_text("_target_: dry_net.Net\nwidth: 4\n")
    Path("dry_net.py").write_text(NET)
    plan = forecast([*SHARED, "trusted=[dry_net]", "model=net", "model.width=4,5"], Path("own"))
    assert (plan["settings"], plan["trials"]) == (1, 1)
    assert plan["skipped"] == ["fails model.width=5: error in dry_net.py:7: boom (RuntimeError)"]
    assert [record["status"] for record in plan["invalid"]] == ["failed"]
