from dlexp.tracking.request.given import Given


def test_what_was_sent_last_is_what_is_there():
    given = Given({"status": "running", "kind": "trial"}, "file:///place")
    given.add({"lr": "0.1"}, {"status": "finished"})
    given.add({"model": "mlp"}, {})
    assert given.tags == {"status": "finished", "kind": "trial"}
    assert given.params == {"lr": "0.1", "model": "mlp"}
