import numpy as np

from dlexp.job.report.answer import Answers, Score
from dlexp.job.report.train import class_names, commands_again, data_name, score_cards, setting_words
from dlexp.run.folder import RunFolder
from dlexp.statistic.measure import Measure
from tests.job.report.made import classified, valued
from tests.job.report.record import record


def test_a_question_names_what_was_set_and_not_how_or_where_it_ran():
    params = {"model": "cnn", "optimizer.lr": "0.1", "trainer.epochs": "3", "trainer.threads": "1", "data.limit": "9"}
    assert setting_words(record(params=params)) == " with lr 0.1 and epochs 3"
    assert setting_words(record()) == ""


def test_classes_are_named_as_the_run_named_them_or_by_number():
    answers = classified([0, 1], [0, 1])
    report = {"val": {"recall_class": {"cat": 1, "dog": 1, "owl": None}}}
    assert class_names(record(report=report), answers) == ["cat", "dog", "owl"]
    assert class_names(record(), answers) == ["0", "1", "2"]
    assert class_names(record(), valued([1.0], [1.0])) == []
    lone = Answers(np.arange(2), np.array([0, 1]), np.array([[1.0], [-1.0]]), Measure())
    assert class_names(record(), lone) == ["0", "1"]


def test_data_are_named_by_the_result_else_by_the_option():
    assert data_name(record(data={"name": "iris"})) == "iris"
    assert data_name(record()) == "digits"


def test_a_corrected_value_of_another_metric_than_the_score_says_of_which():
    seen = Score("val/rmse", 54.7, (48.4, 61.1), 88)
    selection = {"metric": "val/loss", "corrected": 0.55, "corrected_interval": [0.4, 0.7]}
    notes = {card.label: card.note for card in score_cards(record(selection=selection), seen)}
    assert notes["corrected for picking the epoch"] == "loss, 0.4000 to 0.7000"
    selection = {**selection, "metric": "val/rmse"}
    notes = {card.label: card.note for card in score_cards(record(selection=selection), seen)}
    assert notes["corrected for picking the epoch"] == "0.4000 to 0.7000"


def test_a_run_of_pairs_is_asked_of_two_inputs(tmp_path):
    folder = RunFolder(tmp_path / "a1-pairs")
    asking = [commands_again(folder, record(task=task))[-1][0] for task in ("pairs", "multiclass")]
    assert asking == [f"dlexp predict {folder.path} {given}" for given in ("FIRST SECOND", "FILE")]
