"""A campaign on a cluster that SLURM manages: workers are jobs, this program holds the store.

Run it on a login node, or as a small job of its own that may last as long as the campaign::

    python slurm_campaign.py night 'cmdp/*' --budget 4000

What stands after the program's name is handed to ``holdfast campaign run``.
"""

import subprocess
import sys

from dask_jobqueue import SLURMCluster

JOBS = 8  # that SLURM is asked for, each with its own node or a part of one

WORKER = dict(
    cores=16,  # shards that a job works on at a time; each runs in a process of its own
    processes=1,  # one worker a job
    memory="32GB",  # about 1 GB for each core is ample for the theorems that are shipped
    walltime="04:00:00",
    queue="short",  # a partition of yours
    job_script_prologue=["source env/bin/activate"],  # the same environment as here
    worker_extra_args=["--lifetime", "225m", "--lifetime-stagger", "5m"],  # leaves before SLURM
)


def main(arguments: list[str]) -> int:
    """Ask SLURM for workers, run the campaign on them, and return its exit code."""
    with SLURMCluster(**WORKER) as cluster:
        cluster.adapt(minimum_jobs=1, maximum_jobs=JOBS)  # a job that ends is followed by another
        cluster.wait_for_workers(1)
        address = cluster.scheduler_address
        command = ["holdfast", "campaign", "run", *arguments, "--cluster", address]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
