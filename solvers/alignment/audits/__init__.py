"""Auditors: what a log, or a dump of a batch, says against the rule that it is said to follow.

To be read in this order: `printed` (numbers as they are written), `rules` (updates of a
multiplier), `scalar` (a run against its rule), `batches` (advantages and log-probabilities), and
`trainers` (closed forms of expected updates on enumerable bandits).
"""
