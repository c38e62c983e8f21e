"""What the trainings share: tasks and their costs, limits, controllers, evaluation, judging."""
