"""One shard of one claim: values in, verdicts out.  `examiner` runs it, `comparison` decides.

To be read in this order: `expressions`, `comparison`, `vacuous`, `evaluation`, `finding`, `ledger`,
`examiner`; `fairness` looks at statements that are false.
"""
