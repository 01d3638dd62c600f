"""The steps of the Dockerfile, replayed without an engine: clean folder, fresh environment, nobody's rights.

The folder stands for the image's file system: every path of the Dockerfile that begins with one of its own
folders lies in it. What a container engine does beyond that (the base image, layers, volumes, limits, signals
to process 1) is not replayed, and neither is the making of the user, which is the machine's to make.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.project.checkout import ROOT, tracked

_PATHS: Final = re.compile(r"(?<![\w./])/(?=(?:src|opt|data|tmp)\b)")
NOBODY: Final = 65534


class Image:
    """What the Dockerfile makes.

    Args:
        root: An empty folder: the image's file system.

    Attributes:
        environment: Of whoever runs in it, and nothing else.
        health: The command of its health check.
        command: What it runs.
        user: Who runs it, or None where the tests themselves are nobody special.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment: dict[str, str] = {}
        self.health: list[str] = []
        self.command: list[str] = []
        self.user = NOBODY if os.geteuid() == 0 else None
        self._folder = root
        self._context = root / "context"

    def build(self) -> None:
        """Replay every instruction."""
        self._send_context()
        text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        for line in re.sub(r"\\\n\s*", "", text).splitlines():
            word, _, rest = line.partition(" ")
            if word in {"", "#", "VOLUME", "USER"}:
                continue
            getattr(self, f"_{word.lower()}")(rest)
        if self.user is not None:
            os.chown(self.root / "data", self.user, self.user)

    def _send_context(self) -> None:
        """What .dockerignore lets through, of what git knows."""
        lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        allowed = [ROOT / line[1:] for line in lines if line.startswith("!")]
        for path in tracked():
            if any(path == one or one in path.parents for one in allowed):
                target = self._context / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)

    def _from(self, _: str) -> None:
        """A stage begins with Python in /usr/local, and with nothing of the one before but what is copied."""
        for name in ("src", "data", "tmp"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        local = self.root / "usr" / "local"
        if not local.exists():
            unwanted = shutil.ignore_patterns(
                "test", "site-packages", "__pycache__", "*.a", "share", "include"
            )
            shutil.copytree(sys.base_prefix, local, symlinks=True, ignore=unwanted)
            (local / "bin" / "python").unlink(missing_ok=True)
            (local / "bin" / "python").symlink_to(Path(sys.executable).resolve().name)
        (self.root / "tmp").mkdir(mode=0o777)
        (self.root / "tmp").chmod(0o777)
        self._folder = self.root
        self.environment = {
            "PATH": f"{local / 'bin'}:/usr/bin:/bin",
            "LD_LIBRARY_PATH": str(local / "lib"),
            "HOME": str(self.root / "tmp"),
        }

    def _env(self, rest: str) -> None:
        for pair in shlex.split(rest):
            name, _, value = pair.partition("=")
            here = self._here(value)
            self.environment[name] = here.replace("$PATH", self.environment.get("PATH", ""))

    def _workdir(self, rest: str) -> None:
        self._folder = Path(self._here(rest))
        self._folder.mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        if rest.startswith("--from=build "):  # Both stages share the folder: it need only be there.
            built, named = rest.removeprefix("--from=build ").split()
            assert built == named
            assert Path(self._here(built)).is_dir()
            return
        *sources, named = rest.split()
        into = named.endswith("/")
        target = Path(self._here(named)) if named.startswith("/") else self._folder / named
        for name in sources:
            source = self._context / name
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copy(source, target / name if into else target)

    def _run(self, rest: str) -> None:
        if "useradd" in rest:
            (self.root / "data").mkdir()
            return
        self.ran("/bin/sh", "-euc", self._here(rest))

    def _healthcheck(self, rest: str) -> None:
        self.health = json.loads(rest.partition("CMD")[2])

    def _cmd(self, rest: str) -> None:
        self.command = json.loads(rest)

    def _here(self, text: str) -> str:
        return _PATHS.sub(f"{self.root}/", text)

    def ran(self, *command: str) -> str:
        """What a step of the build prints."""
        done = subprocess.run(
            command, cwd=self._folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, command: list[str], log: Path, **settings: str) -> subprocess.Popen[bytes]:
        """Run something as the image's user, with more settings, as ``docker run --env`` gives them."""
        with log.open("ab") as out:
            return subprocess.Popen(
                command,
                cwd=self.root / "data",
                env={**self.environment, **settings},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else (),
            )
