"""What `dlexp report` writes: from run folders to the model of a page."""
