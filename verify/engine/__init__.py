"""One shard of one claim: values in, verdicts out. `examiner` runs it, `comparison` decides."""
