"""What MLflow is asked for that takes more than a line."""
