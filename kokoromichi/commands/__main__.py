"""``python -m kokoromichi.commands``: the handbook of the commands, on standard output."""

from __future__ import annotations

import asyncio

import typer

from kokoromichi.commands._handbook import handbook

typer.echo(asyncio.run(handbook()), nl=False)
