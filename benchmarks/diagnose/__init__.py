"""Whether `dlexp diagnose` names planted faults, cures them, and is silent on healthy trainings."""
