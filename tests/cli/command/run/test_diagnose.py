"""`dlexp diagnose` as users and scripts run it."""

import json

from tests import command
from tests.diagnose.case import SMALL


def test_a_finding_with_its_cure(tmp_path):
    done = command.run(tmp_path, "diagnose", *SMALL, "init=zeros", "norm=none")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    (first,) = [line for line in lines if line.startswith("finding")]
    assert first.startswith("finding symmetric: hidden weights whose rows are all equal 2")
    assert any(line.strip().startswith("try init=kaiming_normal: dlexp train") for line in lines)
    assert list(tmp_path.iterdir()) == []


def test_one_document_and_an_unknown_run(tmp_path):
    done = command.run(tmp_path, "diagnose", *SMALL, "--json", "--quiet")
    assert json.loads(done.stdout)["kind"] == "diagnosis"
    assert command.run(tmp_path, "diagnose", "nothing").returncode == 2


def test_the_device_of_what_has_not_begun_is_a_setting(tmp_path):
    done = command.run(tmp_path, "diagnose", *SMALL, "--device", "cpu")
    cure = "--device: has no effect without a run; trainer.device=cpu does it"
    assert (done.returncode, done.stderr.strip()) == (2, f"config error: {cure}")


def test_a_loss_that_does_not_fall_is_told_where_no_rule_says_why(tmp_path):
    words = [*SMALL, "norm=none", "model.widths=[16]", "optimizer.lr=0.001"]
    done = command.run(tmp_path, "diagnose", *words)
    assert (done.returncode, done.stderr) == (0, "")
    last = done.stdout.splitlines()[-1]
    assert last.startswith("no rule says why the loss, ")
    assert last.endswith(" is not below 0.9 of a constant prediction's, 2.303")
    document = json.loads(command.run(tmp_path, "diagnose", *words, "--json", "--quiet").stdout)
    assert (document["findings"], document["consequence"]) == ([], last.removeprefix("no rule says why "))
