"""What the dashboard's server answers besides MLflow."""
