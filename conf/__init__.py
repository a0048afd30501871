"""YAML only: the defaults of every group, composed by Hydra. Installed as dlexp.conf."""
