"""Run folders that travel, to workers that do not see the driver's disk and back."""
