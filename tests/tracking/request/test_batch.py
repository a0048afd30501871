from typing import Any

from dlexp.tracking.content import Point
from dlexp.tracking.request.batch import log_batch


class Client:
    def __init__(self):
        self.requests = []

    def log_batch(self, run_id, metrics, params, tags):
        self.requests.append((run_id, [m.step for m in metrics], [p.key for p in params], [t.key for t in tags]))


def test_all_arrives_once_in_requests_that_mlflow_takes():
    client: Any = Client()
    points = [Point("x", 0.5, 1000, epoch) for epoch in range(2500)]
    params = {f"p{number}": "1" for number in range(130)}
    log_batch(client, "r", points, params, {"a": "1", "b": "2"})
    for _, metrics, stated, tags in client.requests:
        assert len(metrics) + len(stated) + len(tags) <= 1000
        assert len(stated) <= 100
    assert [step for _, steps, _, _ in client.requests for step in steps] == list(range(2500))
    assert [key for _, _, keys, _ in client.requests for key in keys] == list(params)
    assert [key for _, _, _, keys in client.requests for key in keys] == ["a", "b"]
    assert len(client.requests) == 3


def test_nothing_is_asked_where_there_is_nothing_to_send():
    client: Any = Client()
    log_batch(client, "r", [], {}, {})
    assert client.requests == []
