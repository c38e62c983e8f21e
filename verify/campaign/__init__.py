"""All shards of some claims: `schedule`, `workers`, `run`, and what it comes to, `summary`."""
