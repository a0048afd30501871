"""What is measured of the pages that `dlexp report` writes."""
