"""What is drawn and written about runs: figures, pages, comparisons. matplotlib is imported here only."""
