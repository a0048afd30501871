"""Is a difference real: tests, intervals and sample sizes for paired results. Plain numbers in, plain numbers out."""
