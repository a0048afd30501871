from tests.run.fake_run import fake_run

__all__ = ["fake_run"]
