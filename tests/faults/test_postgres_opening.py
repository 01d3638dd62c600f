"""A database that cannot be used says what, where, and the cure; and never a secret."""

from __future__ import annotations

import asyncio
import traceback
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import asyncpg
import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import ConfigurationError, MisuseError, RequestMismatchError, StorageError
from kokoromichi.core.kinds import BOOKS
from kokoromichi.core.providers.postgres import PostgresProvider
from kokoromichi.core.providers.postgres import schema as schemas
from kokoromichi.core.reader import Reader
from kokoromichi.core.transactions import Committed
from tests.contract.stored import NOON_US, change, entries, goods, money, stored, user, with_player
from tests.servers.postgres import fresh_schema, server_url

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2-of-the-owner"  # noqa: S105 - what no message may say


def url(**changed: str) -> str:
    """The server's URL with another user, password, host, port or database."""
    parts = urlsplit(server_url())
    said = {
        "user": parts.username or "",
        "password": parts.password or "",
        "host": parts.hostname or "",
        "port": str(parts.port or 5432),
        "database": parts.path.strip("/"),
        **changed,
    }
    return "postgresql://{user}:{password}@{host}:{port}/{database}".format(**said)


async def refusal(database_url: str, schema: str = "public") -> str:
    """What the operator reads when it does not open; neither it nor its traceback may tell the password."""
    with pytest.raises(StorageError) as refused:
        await PostgresProvider(database_url, schema=schema, patience_s=2).open()
    told = "".join(traceback.format_exception(refused.value))
    password = urlsplit(server_url()).password
    assert SECRET not in told
    assert password is None or password not in told
    return str(refused.value)


async def test_a_server_that_is_down() -> None:
    sentence = await refusal(url(port="1", password=SECRET))
    assert f"{urlsplit(server_url()).hostname}:1" in sentence
    assert "cannot be reached; start it, or correct the host and port of DATABASE_URL" in sentence


async def test_a_host_that_there_is_not() -> None:
    assert "cannot be reached" in await refusal(url(host="nowhere.invalid", password=SECRET))


async def test_a_wrong_password() -> None:
    sentence = await refusal(url(password=SECRET))
    assert f"as {urlsplit(server_url()).username}" in sentence
    assert "refuses this user or password; correct DATABASE_URL" in sentence


async def test_a_database_that_there_is_not() -> None:
    sentence = await refusal(url(database="nowhere"))
    assert "database nowhere at" in sentence
    assert "there is no such database; create it (createdb)" in sentence


@pytest.mark.parametrize(
    "malformed",
    [
        f"mysql://kokoro:{SECRET}@127.0.0.1/x",
        f"postgresql://kokoro:{SECRET}@127.0.0.1:port/x",
        SECRET,
    ],
)
async def test_a_url_that_is_none(malformed: str) -> None:
    assert "DATABASE_URL is malformed; it is postgresql://user:password@" in await refusal(malformed)


@pytest.mark.parametrize("port", ["", "1", "port"])
async def test_a_password_that_was_not_quoted_is_told_to_nobody(port: str) -> None:
    assert "correct the host and port of DATABASE_URL" in await refusal(
        f"postgresql://kokoro:1/{SECRET}@127.0.0.1:{port}/x"
    )


async def test_no_url() -> None:
    assert "DATABASE_URL is empty: set it to postgresql://" in await refusal("")


async def test_a_socket_that_is_not_there_is_no_certificate() -> None:
    sentence = await refusal("postgresql:///d?host=/nowhere")
    assert "the server's socket is not there; start it, or correct the host of DATABASE_URL" in sentence


async def test_a_user_without_rights() -> None:
    schema = fresh_schema()
    session = await asyncpg.connect(server_url())
    await session.execute(f"CREATE ROLE \"{schema}\" LOGIN PASSWORD '{SECRET}'")
    try:
        sentence = await refusal(url(user=schema, password=SECRET), schema)
    finally:
        await session.execute(f'DROP ROLE "{schema}"')
        await session.close()
    assert "grant it CREATE on the database" in sentence


async def test_a_server_without_tls_is_told_so() -> None:
    sentence = await refusal(f"{server_url()}?sslmode=require")
    assert "the server speaks no TLS, and sslmode in DATABASE_URL asks for it" in sentence


@pytest.mark.parametrize("named", ["", "&sslrootcert=/nowhere/root.crt"])
async def test_a_certificate_of_an_authority_that_is_not_there(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    sentence = await refusal(f"{server_url()}?sslmode=verify-full{named}")
    assert "sslrootcert" in sentence


async def test_an_option_that_only_other_drivers_know() -> None:
    assert "take out what stands behind its ?" in await refusal(f"{server_url()}?channel_binding=require")


async def test_a_table_of_another_program() -> None:
    schema = fresh_schema()
    session = await asyncpg.connect(server_url())
    await session.execute(f'CREATE SCHEMA "{schema}"; CREATE TABLE "{schema}".users (id int)')
    sentence = await refusal(server_url(), schema)
    assert "another program has tables of the same names there; make a database" in sentence
    assert await session.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = $1", schema) == 1
    await session.close()


POOLERS: Final[dict[str, tuple[str, str]]] = {
    "settings are refused": ("08P01", "unsupported startup parameter: search_path"),
    "a statement is of another's session": (
        "42P05",
        'prepared statement "__asyncpg_stmt_1__" already exists',
    ),
    "a statement is in another session": ("26000", 'prepared statement "__asyncpg_stmt_2__" does not exist'),
}


@pytest.mark.parametrize(("code", "said"), POOLERS.values(), ids=POOLERS.keys())
async def test_a_pooler_that_keeps_no_session_is_told_for_what_it_is(code: str, said: str) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (length := int.from_bytes(await reader.readexactly(4), "big")) == 8:
            await reader.readexactly(4)
            writer.write(b"N")  # No TLS.
        await reader.readexactly(length - 4)
        fields = f"SFATAL\0VFATAL\0C{code}\0M{said}\0\0".encode()
        writer.write(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
        writer.close()

    pooler = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with pooler:
        port = pooler.sockets[0].getsockname()[1]
        sentence = await refusal(f"postgresql://kokoro:{SECRET}@127.0.0.1:{port}/x")
    assert "a pooler such as PgBouncer stands before the server" in sentence
    assert "point DATABASE_URL to the server itself" in sentence


@pytest.mark.parametrize("wrong", ["", "mysql://x", "?channel_binding=require", "password"])
async def test_what_starting_again_does_not_cure_is_for_a_person(wrong: str) -> None:
    given = {"": "", "mysql://x": "mysql://x", "password": url(password=SECRET)}
    with pytest.raises(ConfigurationError):
        await PostgresProvider(given.get(wrong, server_url() + wrong), patience_s=2).open()


async def test_a_newer_database_is_left_alone() -> None:
    schema = fresh_schema()
    async with PostgresProvider(server_url(), schema=schema):
        pass
    session = await asyncpg.connect(server_url(), server_settings={"search_path": f'"{schema}"'})
    await session.execute("UPDATE schema_version SET version = 99")
    await session.close()
    assert f"schema {schema} of the database has version 99" in await refusal(server_url(), schema)


async def test_many_processes_that_start_at_once_make_one_schema() -> None:
    schema = fresh_schema()
    stores = [PostgresProvider(server_url(), schema=schema, pool_size=(1, 2)) for _ in range(5)]
    await asyncio.gather(*(store.open() for store in stores))
    await asyncio.gather(*(with_player(store, f"p{place}") for place, store in enumerate(stores)))
    assert len(await stores[0].user_ids()) == 5
    await asyncio.gather(*(store.close() for store in stores))


async def test_each_book_is_a_table_and_a_new_book_gets_its_own() -> None:
    schema = fresh_schema()
    async with PostgresProvider(server_url(), schema=schema):
        pass
    session = await asyncpg.connect(server_url(), server_settings={"search_path": f'"{schema}"'})
    await session.execute("DROP TABLE ledger_battles")
    async with PostgresProvider(server_url(), schema=schema) as again:
        await again.apply(change(user("ada", 0, money(5, 5, "battle"))))
    assert await session.fetchval("SELECT count(*) FROM ledger_battles") == 1
    for book in BOOKS:
        assert await session.fetchval("SELECT to_regclass($1) IS NOT NULL", f"ledger_{book}")
    await session.close()


async def test_what_was_stored_is_there_after_reopening() -> None:
    schema = fresh_schema()
    act = change(user("ada", 0, money(5, 5)), request_id="r-1", digest="d", answer=(5, 0))
    clock = ManualClock(NOON_US)
    async with PostgresProvider(server_url(), schema=schema, clock=clock) as store:
        await store.apply(act)
        before = await stored(store)
    async with PostgresProvider(server_url(), schema=schema, clock=clock) as again:
        assert await again.apply(act) == Committed(5, 0)
        assert await stored(again) == before


async def test_answers_are_kept_for_30_days_and_ids_for_ever() -> None:
    schema, clock = fresh_schema(), ManualClock(NOON_US)
    act = change(user("ada", 0, money(5, 5)), request_id="r-1", digest="d", answer=(5, 0))
    async with PostgresProvider(server_url(), schema=schema, clock=clock) as store:
        await store.apply(act)
    clock.advance(29 * 86_400)
    async with PostgresProvider(server_url(), schema=schema, clock=clock) as later:
        assert await later.get_response("r-1", "d") == Committed(5, 0)
    clock.advance(int(timedelta(days=2).total_seconds()))
    async with PostgresProvider(server_url(), schema=schema, clock=clock) as late:
        with pytest.raises(RequestMismatchError):
            await late.apply(act)
        with pytest.raises(RequestMismatchError):
            await late.get_response("r-1", "d")
        assert len(await entries(late)) == 1


async def test_words_with_every_kind_of_break_leave_in_frames_as_they_came() -> None:
    words = ["", "\\N", "a\tb", "line\nline", "back\\slash \\n", '"quoted"', "\r\v\f\b", "\u6843, \U0001f338"]
    async with PostgresProvider(server_url(), schema=fresh_schema()) as store:
        for version, said in enumerate(words):
            act = change(user("ada", version, goods(said or "x", 1)))
            act.reason = said
            await store.apply(act)
        frames = [frame async for frame in store.ledger_frames()]
        assert frames[0]["reason"].to_list() == words
        assert frames[0]["item_id"].to_list() == [said or "x" for said in words]
        assert [entry.reason for entry in await entries(store)] == words


async def test_what_postgresql_cannot_hold_is_a_misuse() -> None:
    async with PostgresProvider(server_url(), schema=fresh_schema()) as store:
        for unwritable in ("\x00", "\ud800"):
            with pytest.raises(MisuseError):
                await store.apply(change(user("ada", 0, goods(unwritable, 1))))
        assert await store.user_ids() == []


async def test_rows_follow_one_another_though_a_clock_runs_behind() -> None:
    async with PostgresProvider(server_url(), schema=fresh_schema()) as store:
        await with_player(store, "ada", gold=100)
        for version, late_us in enumerate((5, 0, 9_000_000, 3), start=1):
            after = 100 + version
            await store.apply(change(user("ada", version, money(1, after)), at_us=NOON_US - late_us))
        found = await entries(store, "ada")
        assert [entry.balance_after for entry in found] == [100, 101, 102, 103, 104]
        assert (await audit_provider(store)).sound


async def test_a_pool_whose_most_is_below_the_least_is_for_a_person_to_correct() -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_POOL_MIN is 9 and DATABASE_POOL_MAX is 3"):
        await PostgresProvider(server_url(), pool_size=(9, 3)).open()


async def test_opening_twice_is_harmless_and_a_call_after_closing_says_what_to_do() -> None:
    async with PostgresProvider(server_url(), schema=fresh_schema()) as opened:
        await opened.open()
    with pytest.raises(MisuseError, match=r"is closed: await open\(\) before its next use"):
        await opened.apply(change(user("ada", 0, money(1, 1))))


async def test_a_ledger_of_before_the_totals_is_added_up_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    schema, steps = fresh_schema(), schemas._STEPS  # noqa: SLF001 - as the program was before
    monkeypatch.setattr(schemas, "_STEPS", steps[:1])
    async with PostgresProvider(server_url(), schema=schema) as before:
        await with_player(before, "ada", gold=100, x=1)
        await with_player(before, "bo", gold=50)
        await before.apply(change(user("ada", 1, money(-30, 70, "fee"))))
        monkeypatch.setattr(schemas, "_STEPS", steps)
        with caplog.at_level("INFO"):
            async with PostgresProvider(server_url(), schema=schema) as after:
                assert await after.daily_totals() == await Reader.daily_totals(after)
                # The former program still runs; what it writes is counted too.
                await before.apply(change(user("ada", 2, money(-1, 69, "fee"))))
                for _ in range(2):
                    assert await after.daily_totals() == await Reader.daily_totals(after)
                    assert await after.active_players() == await Reader.active_players(after)
                    await after.fold()
    assert "ledger_transfers is added up, 4 rows so far" in caplog.text
