"""The dry run of a cv counts every training and measures each structure."""

from dlexp.job.cv.dry_run import forecast

QUICK = ["data=wine", "trainer.epochs=3", "trainer.batch_size=16", "tracking=none", "trainer.threads=1"]


def test_folds_settings_and_seeds_are_counted(tmp_path):
    plan = forecast([*QUICK, "cv.k=3", "optimizer.lr=0.1,0.2", "seed=0,1,2", f"runs_dir={tmp_path / 'runs'}"])
    assert (plan["kind"], plan["trials"], plan["settings"], plan["seeds"], plan["folds"]) == ("cv", 18, 2, 3, 3)
    # 142 examples outside the test part: 94 or 95 train in a fold, six batches of 16 at most
    assert plan["data"]["num_train"] + plan["data"]["num_val"] == 142
    assert sum(group["size"] for group in plan["groups"]) == 18
    assert plan["steps"] == 18 * 3 * -(-plan["data"]["num_train"] // 16)
    assert plan["seconds"] > 0
    assert not (tmp_path / "runs").exists()


def test_inner_trainings_and_winners_are_counted(tmp_path):
    nested = ["cv=nested", "cv.k=2", "cv.inner_k=3", "optimizer.lr=0.1,0.2,0.3", "trainer.fuse=off"]
    plan = forecast([*QUICK, *nested, f"runs_dir={tmp_path / 'runs'}"])
    assert (plan["form"], plan["trials"]) == ("nested", 2 * (3 * 3 + 1))
    assert {group["engine"] for group in plan["groups"]} == {"solo"}
