"""The image's steps, replayed in a clean folder, and the bot that runs in it as nobody.

It downloads everything that the image holds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from tests.bot.standin import TOKEN, StandIn, User
from tests.project.image import NOBODY, Image

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Outside the folder of the tests, which only who runs them may enter."""
    with tempfile.TemporaryDirectory(prefix="kokoromichi-image-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        found = Image(root)
        found.build()
        yield found


def ran(image: Image, log: Path, *command: str, **settings: str) -> tuple[int, str]:
    log.unlink(missing_ok=True)
    code = image.start(list(command), log, **settings).wait(60)
    return code, log.read_text(encoding="utf-8")


def normal(requirement: str) -> str:
    name, _, version = requirement.strip().partition("==")
    return f"{canonicalize_name(name)}=={version}"


async def test_the_bot_runs_in_it_and_is_well_and_ends_in_order(image: Image, tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with StandIn() as discord:
        settings = {
            "DISCORD_TOKEN": TOKEN,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
        }
        assert ran(image, tmp_path / "before", *image.health)[0] == 1
        bot = image.start(image.command, log, **settings)
        try:
            await discord.ready(timeout_s=60)
            asked = await discord.slash(User(1001), "buy", item="health_potion", quantity=1).answered()
            assert asked.text.startswith("Bought")
            for _ in range(30):
                code, said = await asyncio.to_thread(ran, image, tmp_path / "health", *image.health)
                if code == 0:
                    break
                await asyncio.sleep(1)
            assert (code, said[:4]) == (0, "Well")
            bot.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(bot.wait, 30) == 0
        finally:
            bot.kill()
            bot.wait()
    assert "Traceback" not in log.read_text(encoding="utf-8")
    written = sorted(path.name for path in (image.root / "data").iterdir())
    assert "users" in written
    assert not {"economy.toml", "store_catalog.json", "waifus.json"} & set(written), "prices lie in the image"
    code, said = ran(image, tmp_path / "audit", "kokoromichi", "audit", "--provider", "local")
    assert (code, "local: sound: 7 laws hold" in said) == (0, True), said


def test_it_holds_the_pinned_versions_and_the_shipped_economy(image: Image, tmp_path: Path) -> None:
    code, said = ran(image, tmp_path / "check", "kokoromichi", "economy", "check")
    assert (code, f"{image.root}/opt/economy: sound" in said) == (0, True)
    constraints = (image.root / "context" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {normal(line.split(";")[0]) for line in constraints if "==" in line}
    code, said = ran(image, tmp_path / "freeze", "python", "-m", "pip", "freeze", "--exclude", "kokoromichi")
    assert code == 0
    held = {normal(line) for line in said.splitlines() if "==" in line}
    assert (held - pinned, len(held) > 20) == (set(), True)


@pytest.mark.skipif(os.geteuid() != 0, reason="the tests run as nobody special themselves")
def test_nobody_may_change_the_image(image: Image, tmp_path: Path) -> None:
    code, said = ran(image, tmp_path / "id", "/usr/bin/id", "-u")
    assert (code, said.strip()) == (0, str(NOBODY))
    code, _ = ran(image, tmp_path / "write", "/bin/sh", "-c", f"touch {image.root}/opt/economy/economy.toml")
    assert code != 0
