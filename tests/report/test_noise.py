"""The figure of the noise of seeds."""

from dlexp.report.noise import draw


def test_draws_the_sources_that_act(tmp_path):
    acts = {"name": "data order", "is_absent": False, "num": 3, "values": [0.5, 0.7, 0.7], "mean": 0.63}
    acts |= {"std": 0.1, "interval": [0.05, 0.6]}
    absent = {"source": "augment", "name": "augmentation", "is_absent": True, "why": "augment=none draws nothing"}
    noise = {"metric": "val/accuracy", "run_id": "x", "value": 0.6, "sources": [acts | {"source": "order"}, absent]}
    path = draw(noise | {"all": acts | {"source": "all"}}, tmp_path / "a" / "n.png")
    assert path.read_bytes().startswith(b"\x89PNG")
