"""The page of an ensemble says what the document does, in every form."""

import numpy as np
import pytest

from dlexp.job.ensemble.ensemble import Wish, start
from dlexp.job.report.page import report
from tests.job.compare import compared


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_the_page_answers_with_the_nested_score(tmp_path, task):
    draw = np.random.default_rng(0)
    if task == "regression":
        target = draw.normal(size=60)
        outputs = [target + draw.normal(size=60) for _ in range(3)]
    else:
        target = np.arange(60) % 3
        outputs = [compared.logits(seed, target, 0.8) for seed in range(3)]
    refs = [compared.write_run(tmp_path, each, target, task=task).run_id for each in outputs]
    result = start(refs, tmp_path, Wish(steps=4)).result
    document = report(["last"], tmp_path, "md")
    assert (document["about"], document["question"]) == (
        "ensemble",
        "Is a mean of 3 models better than the best of them on made-up?",
    )
    nested, pair = result["scores"][0]["nested"], result["scores"][0]["pairs"][0]
    shown = f"{nested['value']:.4f}" if task == "regression" else f"{100 * nested['value']:.1f} %"
    assert shown in document["answer"]
    assert f"p = {pair['p_holm']:.2g}" in document["answer"]
    is_open = pair["verdict"] == "cannot tell" and len(result["members"]) > 1
    assert document["answer"].startswith("Cannot tell" if is_open else ("Yes", "No"))
    text = (tmp_path / "made-up").glob("*ensemble*/report.md")
    page = next(text).read_text()
    assert all(member["label"].split()[0] in page for member in result["members"])
    assert "ensemble, flattered" in page
