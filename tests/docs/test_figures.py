"""The figures that the pages show are those of the records in benchmarks/results."""

import json
import re
import statistics
from pathlib import Path
from typing import Any

import pytest

from benchmarks import search
from benchmarks.diagnose import table as diagnosis
from benchmarks.measure import RESULTS, replace_between
from benchmarks.page import reproduce as claims
from benchmarks.statistic import table

DOCS = Path(__file__).parents[2] / "docs"
VALIDATE = (DOCS / "validate.md").read_text(encoding="utf-8")
PROSE = re.sub(r"\s+", " ", VALIDATE)


def record(name: str, **wanted: Any) -> list[dict[str, Any]]:
    rows = json.loads((RESULTS / f"{name}.json").read_text())["rows"]
    chosen = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    assert chosen
    return chosen


@pytest.mark.parametrize(
    ("page", "name", "written"),
    [
        ("validate.md", "estimator", table.table),
        ("benchmarks.md", "search", lambda: search.table(record("search"))),
        ("diagnose.md", "diagnose", lambda: diagnosis.tables(record("diagnose"))),
        ("reproduce.md", "claims", lambda: claims.table(json.loads((RESULTS / "reproduce.json").read_text()))),
    ],
)
def test_a_table_is_that_of_its_record(page, name, written):
    text = (DOCS / page).read_text(encoding="utf-8")
    assert replace_between(text, name, written()) == text


def percents(rule: str) -> str:
    rows = [row[rule] for row in record("against_best", scores="model", truth="equal") if row["settings"] > 2]
    return f"{100 * min(rows):.0f} to {100 * max(rows):.0f} %"


def test_what_the_page_says_of_the_comparison_with_the_best():
    assert f"Over the pairs with the best alone it would be {percents('best_only')} of 5 to 20 settings" in PROSE
    assert f"calls an equal setting worse in {percents('hsu')}." in PROSE
    rates = [row["all_pairs"] - 2 * 0.007 for row in record("against_best")]  # 1,000 repetitions: two standard errors
    assert max(rates) <= 0.05
    assert "at most [5 % of tables]" in PROSE


def has_errors(row: dict[str, Any]) -> bool:
    return row["score"] == "loss" or row["errors_of_winner"] >= 5


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        ("equal", "all equal"),
        ("spread", "spread as much as their noise"),
        ("wide", "spread three times as much"),
        ("plateau", "many near a common best"),
    ],
)
def test_the_bias_of_what_is_corrected(truth, words):
    cells = []
    for epochs in (1, 10):
        rows = [row for row in record("selection", truth=truth, score="right", epochs=epochs) if has_errors(row)]
        worst = max(rows, key=lambda row: row["bias"])
        doubt = f" (+- {worst['error']:.2f})" if worst["bias"] > 0.3 else ""
        cells.append(f"{min(row['bias'] for row in rows):+.2f} to {worst['bias']:+.2f}{doubt}")
    assert f"| {words} | {cells[0]} | {cells[1]} |" in VALIDATE


def test_what_the_page_says_of_all_rows_of_the_correction():
    rows = record("selection")
    below = [row for row in rows if row["is_below_limit"]]
    assert f"{len(rows)} rows" in PROSE
    assert f"{len(below)} of {len(rows)} rows are" in PROSE
    beyond = sorted(row["bias"] for row in rows if not row["holds"])
    assert f"Three rows are far beyond ({beyond[0]:+.2f} to {beyond[-1]:+.2f})" in PROSE
    assert len(beyond) == 3
    near = sorted(row["bias"] for row in rows if row["holds"] and not row["is_below_limit"] and row["score"] == "right")
    assert f"Three more ({near[0]:+.2f} to {near[-1]:+.2f})" in PROSE
    assert len(near) == 3
    losses = record("selection", score="loss")
    few, many = ([row["bias"] for row in losses if (row["examples"] > 50) == is_many] for is_many in (False, True))
    assert f"| losses, 500 examples and more | | {min(many):+.2f} to {max(many):+.2f} |" in VALIDATE
    assert f"| losses, 50 examples | | up to {max(few):+.2f} |" in VALIDATE
    covered = [row["coverage"] for row in rows]
    spoken = f"{min(covered):.2f} to {max(covered):.2f} of the repetitions, median {statistics.median(covered):.2f}"
    assert spoken in PROSE


def test_what_the_page_says_of_other_estimators():
    rows = [row for row in record("selection") if row["others"]]
    beyond = {name: sum(abs(row["others"][name]) >= 0.3 for row in rows) for name in rows[0]["others"]}
    gap = [row["others"]["out_of_bag"] for row in rows]
    assert (
        f"Of the others tried ({len(rows)} rows), beyond 0.3 in: out-of-bag gap {beyond['out_of_bag']} "
        f"({min(gap):+.2f} to {max(gap):+.2f}), the same over sqrt(2) {beyond['out_of_bag_over_root_2']}, bootstrap of "
        f"the means {beyond['bootstrap']}, Tibshirani and Tibshirani (2009) {beyond['tibshirani_2009']}, normal "
        f"shrinkage {beyond['normal_shrinkage']}, shrunk plug-in {beyond['shrunk_plug_in']}; this one "
        f"{sum(abs(row['bias']) >= 0.3 for row in rows)}."
    ) in PROSE


def test_the_search_meets_what_the_page_requires():
    assert search.missed(record("search")) == []


def test_what_the_page_on_baselines_says_of_scikit_learn():
    page = (DOCS / "baselines.md").read_text(encoding="utf-8")
    rows = record("audit", section="neighbour")
    assert f"{len(rows)} rows" in page
    means = [match for row in rows if (match := re.search(r"mean ([\d.]+) \(([\d.]+)\)", row["quantity"]))]
    shown = re.findall(r"^\|.*\| (\d) \| ([\d.]+) \| ([\d.]+) \|$", page, re.M)
    assert [(ours, theirs) for _, ours, theirs in shown] == [match.groups() for match in means]
