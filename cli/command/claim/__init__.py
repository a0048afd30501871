"""The commands of lectures: what the literature says, and update rules on surfaces."""
