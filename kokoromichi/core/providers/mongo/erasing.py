"""A pseudonym in the place of a player's id, in one transaction."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kokoromichi.core.kinds import BOOKS
from kokoromichi.core.validation import FORGOTTEN

if TYPE_CHECKING:
    from kokoromichi.core.providers.mongo.driver import MongoDriver, MongoSession


class Erasing:
    """Replaces one player.

    Args:
        driver: Where.
        user_id: Whom.
        pseudonym: By what.
    """

    def __init__(self, driver: MongoDriver, user_id: str, pseudonym: str) -> None:
        self._driver = driver
        self._user_id = user_id
        self._pseudonym = pseudonym

    async def write(self, session: MongoSession) -> None:
        """Every write of it; nothing where it was done before."""
        users = self._driver.collection("users")
        if await users.find_one({"_id": self._pseudonym}, session=session) is not None:
            return
        stored = await users.find_one({"_id": self._user_id}, session=session)
        if stored is not None:
            nameless = {"_id": self._pseudonym, "name": "", "unknown": {}, "version": stored["version"] + 1}
            await users.insert_one({**stored, **nameless}, session=session)
            await users.delete_one({"_id": self._user_id}, session=session)
        touched: set[str] = set()
        for book in BOOKS:
            touched |= await self._replace_rows(book, session)
        await self._forget(touched, session)
        activity = self._driver.collection("activity")
        named = {"$set": {"user_id": self._pseudonym}}
        await activity.update_many({"user_id": self._user_id}, named, session=session)

    async def _replace_rows(self, book: str, session: MongoSession) -> set[str]:
        """Replace them in a book, and return the requests that touched them."""
        ledger = self._driver.collection(f"ledger_{book}")
        quoted = {"$regex": re.escape(self._user_id)}
        names = ("user_id", "counterparty", "actor")
        anywhere: list[dict[str, Any]] = [*({name: self._user_id} for name in names), {"reason": quoted}]
        wanted = {"request_id": 1, "reason": 1}
        found = await ledger.find({"$or": anywhere}, wanted, session=session).to_list(None)
        for name in names:
            await ledger.update_many(
                {name: self._user_id}, {"$set": {name: self._pseudonym}}, session=session
            )
        for row in found:
            words: str = row.get("reason", "")
            if self._user_id in words:
                reason = words.replace(self._user_id, self._pseudonym)
                await ledger.update_one({"_id": row["_id"]}, {"$set": {"reason": reason}}, session=session)
        return {row["request_id"] for row in found}

    async def _forget(self, touched: set[str], session: MongoSession) -> None:
        forgotten = {"$set": {"digest": FORGOTTEN}, "$unset": {"answer": ""}}
        requests = self._driver.collection("requests")
        for wanted in (
            {"_id": {"$in": sorted(touched)}},
            {"answer": {"$regex": re.escape(f'"{self._user_id}"')}},
        ):
            await requests.update_many(wanted, forgotten, session=session)
