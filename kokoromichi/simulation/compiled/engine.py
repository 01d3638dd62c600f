"""The compiled engine: plays one replication over arrays, day by day."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from kokoromichi.analysis.provider_state import StoredStates
from kokoromichi.core.clock import midnight_us, moment_of
from kokoromichi.core.counters import RETIRED_US
from kokoromichi.core.kinds import SYSTEM
from kokoromichi.core.models import DAY_US, NEVER
from kokoromichi.core.providers.packed_ledger import KIND_CODES
from kokoromichi.core.schemas import ECONOMY_HISTORY_SCHEMA, STOCK_SCHEMA
from kokoromichi.rules import stock
from kokoromichi.services.live_economy import LiveEconomy
from kokoromichi.services.restocking import request_id_of
from kokoromichi.simulation import presence, streams
from kokoromichi.simulation.coded import schemas_of
from kokoromichi.simulation.compiled.columns import (
    CHOICES,
    KIND,
    NO,
    NOTES,
    ROWS,
    TRANSACTIONS,
    Columns,
    new_columns,
    put,
)
from kokoromichi.simulation.compiled.frames import Names, coded, stored_frames, whole_frames
from kokoromichi.simulation.compiled.loop import SCHEDULED, Clockwork, is_full
from kokoromichi.simulation.compiled.program import program_of
from kokoromichi.simulation.compiled.tables import array, flat, new_players, terms_of
from kokoromichi.simulation.demand import UNLIMITED_STOCK
from kokoromichi.simulation.played import Played
from kokoromichi.simulation.price_list import build_price_list
from kokoromichi.simulation.story import Scene
from kokoromichi.simulation.traits import traits
from kokoromichi.simulation.world import Participants, share

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.rules.economy import Economy
    from kokoromichi.simulation.compiled.columns import IntArray
    from kokoromichi.simulation.compiled.frames import Chunk
    from kokoromichi.simulation.compiled.tables import Terms
    from kokoromichi.simulation.demand import PriceList
    from kokoromichi.simulation.scenario import Scenario
    from kokoromichi.simulation.story import Shared

CHUNK_ROWS: Final = 1 << 15
"""So few that the columns stay in a processor's cache."""
_PURCHASE: Final = KIND_CODES["purchase"]
Take: TypeAlias = "Callable[[Columns, str], None]"


class InForce(NamedTuple):
    """One economy as compiled code reads it."""

    tables: PriceList
    shared: Shared
    terms: Terms


class Shelf(NamedTuple):
    """What the store keeps of an item's stock; see ``rules.stock``."""

    stock: int
    first_stock: int
    since_us: int
    last_day: int


class CompiledEngine:
    """Plays one replication.

    Args:
        scenario: What is simulated.
        seed: Seed of the replication.
        chunk_rows: Ledger rows that the columns hold before they are emptied, at least 2,048; as many as
            players, since all may leave at once.

    Attributes:
        scenario: What is simulated.
        participants: Who plays.
        players: The players as arrays: what a store would keep of them.
        shelves: What the store keeps of limited stock, by item id.
        chunks: Ledger and activity, in codes, unless something else takes them.
    """

    def __init__(self, scenario: Scenario, seed: int, *, chunk_rows: int = CHUNK_ROWS) -> None:
        population, economy = scenario.population, scenario.economy
        self.scenario = scenario
        self._seed = seed
        self.start_us = midnight_us(scenario.start)
        self.participants = Participants.drawn(population, seed)
        items, players = len(economy.catalogue), scenario.players
        self.players = new_players(
            self.participants.states,
            self.participants.activities,
            items,
            len(economy.config.business),
            len(economy.waifus),
        )
        self._traits = np.array(
            [traits(scenario, archetype) for archetype in population.archetypes], dtype=np.int64
        )
        self._items = [item.id for item in economy.catalogue]
        self._stock = np.full(items, UNLIMITED_STOCK, np.int64)
        self._scratch: dict[str, IntArray] = {
            "present": np.zeros(players, np.int64),
            "stock": np.full(items, UNLIMITED_STOCK, np.int64),
            "once_held": np.zeros(players * items, np.int8),
            "to_use": np.zeros(players * items, np.int32),
        }
        self._clockwork = self._wound_up()
        self._columns = new_columns(max(chunk_rows, players), items)
        self._program = program_of(scenario.story())
        self._in_force: dict[str, InForce] = {}
        self.shelves: dict[str, Shelf] = {}
        self._request_ids: dict[int, str] = {}
        self._history: list[dict[str, object]] = []
        self._economy_hash = ""
        self._any_sold = False
        self.chunks: list[Chunk] = []
        self._take: Take | None = None

    def _wound_up(self) -> Clockwork:
        population, players = self.scenario.population, self.scenario.players
        return Clockwork(
            counts=np.zeros(3, np.int64),
            starts=np.zeros(players * streams.MAX_SESSIONS, np.int64),
            heap=np.zeros(players + 1, np.int64),
            thresholds=array(population.session_thresholds()),
            hours=array(presence.hour_table(population.hour_weights)),
            activities=len(population.activity_percent),
            presence_key=np.uint64(streams.stream_key(self._seed, streams.PRESENCE)),
            session_key=np.uint64(streams.stream_key(self._seed, streams.SESSION)),
        )

    @cached_property
    def names(self) -> Names:
        """What the codes stand for."""
        schemas = schemas_of(self.scenario)
        users = pl.Series([*self.participants.user_ids, SYSTEM], dtype=schemas.ledger["user_id"])
        return Names(schemas, users, self._items, self._request_ids)

    def play(self, on_day: Callable[[int], None] | None = None) -> Played:
        """Play every day of the horizon, and answer what it left.

        Args:
            on_day: Called with each day that is done.
        """
        self.play_days(on_day)
        return self._played()

    def play_days(self, on_day: Callable[[int], None] | None = None, take: Take | None = None) -> None:
        """Play every day.

        Args:
            on_day: Called with each day that is done; what it raises ends the play between two days.
            take: Called with the columns whenever they are emptied, and with the hash of the economy that was
                in force; left out, ledger and activity stay in ``chunks``, in codes.
        """
        self._take = take
        for day in range(self.scenario.days):
            day_us = self.start_us + day * DAY_US
            in_force = self._put_into_force(self.scenario.economy_on(day), day_us)
            self._play_day(day, day_us, in_force)
            if on_day is not None:
                on_day(day)
        self._empty()

    def first_scene(self) -> tuple[IntArray, Scene]:
        """What a stage is given, as it is for the first player before anything happened."""
        players, in_force = self.players, self._read(self.scenario.economy)
        held, owned, draws = players.held[0], players.owned[0], players.draws[0]
        return players.rows[0], Scene(held, owned, draws, self._traits[0], in_force.tables, in_force.shared)

    def states(self) -> StoredStates:
        """What a store would hold now."""
        stock = [
            (
                item_id,
                shelf.first_stock,
                int(self._stock[self._items.index(item_id)]),
                moment_of(shelf.since_us),
            )
            for item_id, shelf in sorted(self.shelves.items())
            if shelf.since_us < RETIRED_US
        ]
        balances, inventories = stored_frames(self.players, self.names)
        return StoredStates(balances, inventories, pl.DataFrame(stock, STOCK_SCHEMA, orient="row"))

    def history_frame(self) -> pl.DataFrame:
        """The economies that were in force: a frame of ``ECONOMY_HISTORY_SCHEMA``."""
        return pl.DataFrame(self._history, schema=ECONOMY_HISTORY_SCHEMA)

    def _played(self) -> Played:
        ledger, activity = whole_frames(self.chunks, self.names)
        players = self.participants.frame(self.scenario.population)
        return Played(ledger, self.states(), activity, self.history_frame(), players)

    def _put_into_force(self, economy: Economy, day_us: int) -> InForce:
        """Show players and acts the economy of a day, and what is in stock."""
        if economy.hash != self._economy_hash or is_full(self._columns):
            self._empty()
        if economy.hash != self._economy_hash:
            self._economy_hash = economy.hash
            self._history += LiveEconomy(economy).history_rows(day_us)
        if economy.hash not in self._in_force:
            self._in_force[economy.hash] = self._read(economy)
        self._restock(economy, day_us)
        self._scratch["stock"][:] = self._stock
        return self._in_force[economy.hash]

    def _read(self, economy: Economy) -> InForce:
        scenario = self.scenario
        shared = share(scenario, self._seed, economy, [], [], [])
        keys = np.array(shared.use_keys, dtype=np.uint64)
        return InForce(
            flat(build_price_list(scenario.population, economy, scenario.closed)),
            flat(shared._replace(use_keys=()))._replace(use_keys=keys, **self._scratch),
            terms_of(economy, self._seed, self._stock),
        )

    def _restock(self, economy: Economy, day_us: int) -> None:
        """What the store does at the start of a day: see ``services.restocking``."""
        any_sold = 1 if self.shelves or self._any_sold else 0
        for place, item_id in enumerate(self._items):
            numbers = economy.config.store[item_id]
            if numbers.stock is None and item_id not in self.shelves:
                continue  # Most items, every day: there is no shelf to look at.
            before = self.shelves.get(item_id, Shelf(NEVER, NEVER, NEVER, NEVER))
            if before.since_us != NEVER and self._stock[place] != UNLIMITED_STOCK:
                before = before._replace(stock=int(self._stock[place]))
            due = stock.restock(
                day_us,
                any_sold,
                *before,
                stock.UNLIMITED if numbers.stock is None else numbers.stock,
                numbers.restock_units,
                numbers.restock_days,
            )
            if due.step == stock.KEPT:
                continue
            self._columns.counts[TRANSACTIONS] += 1
            tx = int(self._columns.counts[TRANSACTIONS])
            self._request_ids[tx] = request_id_of(due.step, item_id, before.since_us, before.last_day)
            self.shelves[item_id] = Shelf(due.stock, due.first_stock, due.since_us, due.last_day)
            self._stock[place] = UNLIMITED_STOCK if due.step == stock.RETIRED else due.stock
            if due.moved_units:
                put(
                    self._columns,
                    day_us,
                    KIND_CODES["restock"],
                    self.scenario.players,
                    NO,
                    0,
                    0,
                    place,
                    due.moved_units,
                    NO,
                )

    def _play_day(self, day: int, day_us: int, in_force: InForce) -> None:
        players, clockwork, columns = self.players, self._clockwork, self._columns
        self._program.begin_day(day, players, clockwork)
        clockwork.starts[: clockwork.counts[SCHEDULED]].sort()
        while not self._program.play_day(day, day_us, players, clockwork, self._traits, *in_force, columns):
            self._empty()
        if columns.counts[NOTES] + len(players.rows) > len(columns.activity):
            self._empty()
        self._program.close_day(day, day_us, players, clockwork, self._traits, in_force.shared, columns)

    def _keep(self, columns: Columns, economy_hash: str) -> None:
        self.chunks.append(coded(columns, economy_hash))

    def _empty(self) -> None:
        """Hand over what the columns hold, and let them begin anew."""
        counts, ledger = self._columns.counts, self._columns.ledger
        if counts[ROWS] or counts[NOTES]:
            self._any_sold = self._any_sold or bool((ledger[: counts[ROWS], KIND] == _PURCHASE).any())
            (self._take or self._keep)(self._columns, self._economy_hash)
            counts[ROWS] = counts[NOTES] = counts[CHOICES] = 0
