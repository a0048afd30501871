"""Strategies that ask for trials and are told their scores; deterministic, and without torch."""
