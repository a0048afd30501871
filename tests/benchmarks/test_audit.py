"""The audit against papers and reference libraries: a quick part of it holds, and it sees what is wrong."""

import json
import sys

import numpy as np
import pytest

from benchmarks.audit import __main__ as command
from benchmarks.audit import draw, task, training, update
from benchmarks.audit.row import Row, apart, share
from benchmarks.measure import RESULTS
from dlexp.config.catalog import list_groups


@pytest.mark.parametrize("section", command.SECTIONS)
def test_a_quick_audit_holds(section):
    rows = list(command.SECTIONS[section](is_quick=True))
    assert rows
    assert [command.line(row) for row in rows if not row.ok] == []


def test_the_setups_name_every_option():
    groups = {
        "optimizer": training.OPTIMIZERS,
        "schedule": training.SCHEDULES,
        "regularizer": training.REGULARIZERS,
    }
    for group, setups in groups.items():
        named = {word.partition("=")[2] for setup in setups.values() for word in setup if word.startswith(f"{group}=")}
        assert named == set(list_groups()[group]) - {"none"}
    setups = [*training.SETUPS.values(), *(overrides for _, overrides in task.SETUPS.values())]
    losses = {word.partition("=")[2] for setup in setups for word in setup if word.startswith("loss=")}
    assert losses == set(list_groups()["loss"]) - {"auto"}


def test_a_wrong_rule_is_seen_and_ends_with_1(monkeypatch, capsys):
    monkeypatch.setitem(update.RULES, "AdamW", update.adam)  # whose decay is not there
    monkeypatch.setattr(training, "QUICK", ("adamw",))
    monkeypatch.setattr(sys, "argv", ["audit", "--only", "training", "--quick"])
    assert command.main() == 1
    assert "NOT OK" in capsys.readouterr().out


def test_a_shifted_copy_of_a_stream_is_seen():
    first = np.random.default_rng(0).random(1 << 12)
    assert not draw.independent("copy", [first, np.roll(first, 1)]).ok


def test_what_is_not_a_number_does_not_hold():
    assert apart([1.0, np.nan], [1.0, np.nan]) == 0.0
    assert not Row("a", "b", "c", apart([1.0, np.nan], [1.0, 2.0])).ok
    assert not Row("a", "b", "c", float("nan")).ok
    with pytest.raises(AssertionError, match="looks at nothing"):
        share([])


def test_the_record_is_a_whole_audit_that_holds():
    record = json.loads((RESULTS / "audit.json").read_text())["rows"]
    assert {row["section"] for row in record} == set(command.SECTIONS)
    assert {row["row"] for row in record if row["section"] == "training"} >= set(training.SETUPS)
    assert [row for row in record if not row["ok"]] == []
