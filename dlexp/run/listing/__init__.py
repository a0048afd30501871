"""The list of runs: their records, notes and order, one run on a page, and the trash."""
