from typing import Any, cast

from dlexp.job.report.frame import about_line, closing, time_card
from dlexp.report.model import Commands, Table
from tests.job.report.record import record


def test_a_run_in_a_line():
    line = about_line(record(data={"name": "digits", "num_train": 1079, "num_val": 359}, num_params=26378))
    assert line == (
        "training run · r1 · data digits (1,079 training, 359 validation examples) · model mlp (26,378 parameters) · "
        "status finished"
    )


def test_every_page_ends_with_commands_configuration_and_environment():
    environment = {
        "python": "3.11",
        "packages": {"torch": "2.14"},
        "git": {"commit": "0123456789abcdef", "dirty": True},
    }
    document: Any = {
        "run": record(params={"optimizer.lr": "0.1", "model": "mlp"}),
        "command": "dlexp train optimizer.lr=0.1",
        "overrides": ["optimizer.lr=0.1"],
        "resumes": 2,
        "test_openings": 1,
        "environment": environment,
        "exports": [],
    }
    again, configuration, made = closing(cast(Any, document), [("dlexp show r1", "shows it")])
    commands, typed, facts = again.blocks[0], configuration.blocks[0], made.blocks[0]
    assert isinstance(commands, Commands)
    assert commands.lines[0] == ("dlexp train optimizer.lr=0.1", "what was run")
    assert isinstance(typed, Table)
    assert [row.cells for row in typed.rows] == [("optimizer.lr", "0.1")]
    assert isinstance(facts, Table)
    cells = {row.cells[0]: row.cells[1] for row in facts.rows}
    assert (cells["test part opened"], cells["gone on with"]) == ("1 time", "2 times")
    assert (cells["torch"], cells["commit"]) == ("2.14", "0123456789 and changes")
    assert (configuration.is_folded, made.is_folded, again.is_folded) == (True, True, False)


def test_a_run_without_seconds_has_a_card_all_the_same():
    assert time_card(record()).value == "unknown"
    assert time_card(record(seconds=2.0)).value == "2.0 s"
