"""What is drawn of a classifier's answers beside confusion and ROC."""
