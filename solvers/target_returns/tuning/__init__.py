"""Safe tuning on a finite grid: PLS, SafeOpt, StageOpt, GoOSE, LoSBO and unsafe UCB.

To be read in this order: `problem`, `safe_sets`, `methods`, `proposals`, `assumptions`,
`tuner`, `reachability`.
"""
