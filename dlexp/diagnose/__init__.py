"""Why a network does not learn: statistics of layers, rules about them, the cause and the override that cures it."""
