import numpy as np

from dlexp.job.report.answer import Answers
from dlexp.job.report.train import class_names, data_name, setting_words
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
