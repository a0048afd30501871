"""`dlexp export`: a run's model as one file, checked before it is written, with a card beside it."""
