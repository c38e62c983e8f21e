from pathlib import Path

from dask.distributed import Client

from holdfast.verify.binding.claims import load
from holdfast.verify.campaign.run import run_campaign, summary
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.store.store import Store

if __name__ == "__main__":
    claims = load(Path("diminishing_claims.py"))
    with (
        Client(n_workers=2, threads_per_worker=1) as client,
        Store.open("cluster.sqlite") as store,
    ):
        run = run_campaign(
            claims,
            budget=Budget(models=500),
            seed=0,
            store=store,
            executor=client.get_executor(),
            jobs=2,
        )
        for found in summary(run, claims).claims:
            print(found.claim.name, found.verdict.name, found.models, found.survived)
