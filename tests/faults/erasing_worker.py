"""Erases a player from copies of a folder, in processes that kill themselves at the n-th call of the disk.

Arguments: the folder, where the copies go, the player and the pseudonym. A line on standard output for each
process, ``killed`` or ``done``; the last one is ``done``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from itertools import count
from pathlib import Path

from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.faults.local_worker import ANY, DeadlyFiles


async def _erase(folder: Path, user_id: str, pseudonym: str, number: int) -> None:
    files = DeadlyFiles(None, 0)
    provider = LocalJSONProvider(folder, files=files)
    await provider.open()
    files.arm(ANY, number)
    await provider.erase(user_id, pseudonym)


def main() -> None:
    """Kill at each call, until none is left."""
    source, copies, user_id, pseudonym = sys.argv[1:]
    for number in count(1):
        folder = Path(copies) / f"{number:03d}"
        shutil.copytree(source, folder)
        child = os.fork()
        if not child:
            asyncio.run(_erase(folder, user_id, pseudonym, number))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        done = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
        sys.stdout.write("done\n" if done else "killed\n")
        sys.stdout.flush()
        if done or not os.WIFSIGNALED(status):
            return


if __name__ == "__main__":
    main()
