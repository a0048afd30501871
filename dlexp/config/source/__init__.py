"""Where values come from besides YAML: texts of the command line, the user's defaults, the environment."""
