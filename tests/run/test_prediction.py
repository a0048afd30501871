import numpy as np
import pytest

from dlexp.error import RunError


def test_predictions_are_read_without_pickle(fake_run):
    folder = fake_run().folder
    folder.write_predictions("val", ["a", "bc"], np.array([1, 0]), np.eye(2, dtype=np.float32))
    with np.load(folder.path / "predictions" / "val.npz", allow_pickle=False) as archive:
        assert archive["id"].tolist() == ["a", "bc"]
        assert archive["output"].dtype == np.float32
    assert folder.predictions("val")["target"].tolist() == [1, 0]
    with pytest.raises(RunError, match="no predictions for test"):
        folder.predictions("test")


def test_predictions_that_do_not_fit_are_refused(fake_run):
    with pytest.raises(AssertionError):
        fake_run().folder.write_predictions("val", ["a"], [1, 0], np.eye(2))
    with pytest.raises(AssertionError):
        fake_run().folder.write_predictions("val", [object()], [1], [0.5])
