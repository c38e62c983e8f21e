"""What all trained networks share: tasks with costs, runs that are kept, judgement of policies.

To be read in this order: `training` names a run, `checkpoints` and `metrics` are its files, `runs`
obtains it, `algorithms` finds what trains it; `constrained` and `on_policy` are what algorithms on
stable-baselines3 share.
"""
