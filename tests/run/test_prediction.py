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


def test_predictions_that_were_exchanged_are_refused(fake_run):
    run = fake_run()
    run.folder.write_predictions("val", [0, 1], [3, 4], [[0.1, 0.9], [0.8, 0.2]])
    path = run.folder.path / "predictions" / "val.npz"
    np.savez(path, id=[0, 1], target=[3, 4], output=[[0.9, 0.1], [0.8, 0.2]])
    with pytest.raises(RunError, match=r"val\.npz: damaged \(not the recorded SHA-256\); `dlexp eval .* makes it anew"):
        run.folder.predictions("val")
    run.folder.write_predictions("val", [0, 1], [3, 4], [[0.9, 0.1], [0.8, 0.2]])
    assert run.folder.predictions("val")["output"][0, 0] == 0.9
