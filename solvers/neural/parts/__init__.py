"""What all trained networks share: tasks with costs, runs that are kept, judgement of policies.

To be read in this order: `tasks` and their costs; `training` names a run, `checkpoints` and
`metrics` are its files, `runs` obtains it, `algorithms` finds what trains it; `constrained`,
`on_policy` and `policies` are what algorithms on stable-baselines3 share; `updates` is for
trainings of other kinds; `task_data` has data of scripted controllers.
"""
