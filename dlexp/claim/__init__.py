"""What the literature says of deep networks, re-run: claims with their judges, and update rules on surfaces."""
