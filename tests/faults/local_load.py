"""Players who trade with a local provider without a pause, and what they were told."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.provider_state import audit_provider, read_ledger
from kokoromichi.core.errors import CommitUnknownError, ConflictError, StorageError
from kokoromichi.core.models import CounterChange, Movement
from kokoromichi.core.transactions import Committed
from tests.contract.stored import change, user

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import ChangeSet

STOCK: Final = 10_000_000
SALES: Final = "sales.x"


class ProgressCallback:
    """What the players heard, over all lives of the store.

    Attributes:
        acknowledged: Request ids that were answered, with the answer.
        refused: Request ids of which the storage said that nothing happened.
    """

    def __init__(self) -> None:
        self.acknowledged: dict[str, int] = {}
        self.refused: set[str] = set()


def sale(user_id: str, version: int, gold: int, request_id: str) -> ChangeSet[Committed]:
    """One unit is sold to the player and pays them five gold; each act counts in a counter."""
    row = Movement("sale", "gold", 5, gold + 5, "x", 1)
    taken = (CounterChange(SALES, -1),)
    return change(
        user(user_id, version, row, fields={"xp": version + 1}),
        counters=taken,
        request_id=request_id,
        digest="sell",
        answer=(gold + 5, 0),
    )


async def play(
    provider: DataProvider,
    user_id: str,
    life: str,
    acts: int,
    told: Callable[[str, int], None],
    refused: Callable[[str], None],
) -> None:
    """Sell again and again until the store says no; two players may be one."""
    for act in range(acts):
        request_id = f"{life}:{user_id}:{act}"
        try:
            profile = await provider.profile(user_id)
            version, gold = (profile.version, profile.gold) if profile else (0, 0)
            answer = await provider.apply(sale(user_id, version, gold, request_id))
        except CommitUnknownError:
            return
        except ConflictError:
            continue
        except StorageError:
            refused(request_id)
            return
        told(request_id, answer.gold)


async def check(provider: DataProvider, told: ProgressCallback) -> None:
    """Hold what is stored against what was told: nothing lost, nothing doubled, every law kept."""
    ledger = (await read_ledger(provider)).filter(kind="sale")
    found = dict(zip(ledger["request_id"], ledger["balance_after"], strict=True))
    times = Counter(ledger["request_id"].to_list())
    assert {request_id for request_id, count in times.items() if count > 1} == set(), "doubled"
    assert told.acknowledged.items() <= found.items(), "acknowledged and lost"
    assert told.refused & found.keys() == set(), "refused, and happened"
    assert (await provider.counters()).get(SALES, STOCK) == STOCK - ledger.height
    for user_id in await provider.user_ids():
        profile = await provider.profile(user_id)
        assert profile is not None
        own = ledger.filter(user_id=user_id)
        assert (profile.version, profile.xp, profile.gold) == (own.height, own.height, 5 * own.height)
    for request_id, gold in list(told.acknowledged.items())[-20:]:
        assert await provider.get_response(request_id, "sell") == Committed(gold, 0)
    report = await audit_provider(provider)
    assert report.sound, str(report)
