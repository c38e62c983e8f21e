"""What the engine finds on a few models of a claim, once for each question of a test file."""

from collections.abc import Callable, Mapping
from functools import cache

from holdfast.verify.binding.claims import Claim
from holdfast.verify.engine.examiner import Kind, Shard, ShardResult, run_shard


def shards(claims: Mapping[str, Claim], seed: int) -> Callable[..., ShardResult]:
    """(name, kind, size, control) -> what a shard of that claim finds, which must be no error."""

    @cache
    def shard(name: str, kind: Kind, size: int, control: str = "") -> ShardResult:
        found = run_shard(claims[name], Shard(name, kind, 0, size, seed, control))
        assert not found.error
        return found

    return shard
