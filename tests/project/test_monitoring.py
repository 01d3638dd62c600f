"""deploy/: what panel and alerts ask for is counted, each alert has its page, and the unit is sound."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from kokoromichi.core.errors import RefusedError, StorageError
from kokoromichi.operation.telemetry import Money, Telemetry
from kokoromichi.rules import codes
from kokoromichi.services.refusals import refused
from tests.project.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DEPLOY: Final = ROOT / "deploy"
ALERTS: Final[list[dict[str, Any]]] = yaml.safe_load((DEPLOY / "alerts.yml").read_bytes())["groups"][0][
    "rules"
]
PANELS: Final[list[dict[str, Any]]] = json.loads((DEPLOY / "grafana.json").read_bytes())["panels"]
ASKED: Final = [
    *(rule["expr"] for rule in ALERTS),
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
]
OF_PROMETHEUS: Final = {"le", "job"}


def counted() -> dict[str, set[str]]:
    """The labels of every series that a bot has, by its name."""
    telemetry = Telemetry()
    telemetry.command("buy", "done", 0.1)
    for error in (refused(codes.OUT_OF_STOCK, 0), StorageError("away")):
        with pytest.raises((RefusedError, StorageError)), telemetry.act("purchase"):
            raise error
    telemetry.tell_money(Money({"gold": 1}, {}, {}, 0, 1), 0)
    samples = [sample for family in telemetry.registry.collect() for sample in family.samples]
    return {sample.name: set(sample.labels) for sample in samples}


def test_every_series_that_is_asked_for_is_counted_with_its_labels() -> None:
    series = counted()
    for asked in ASKED:
        names = set(re.findall(r"kokoromichi_\w+", asked))
        assert names <= set(series), asked
        labels = {part for group in re.findall(r"by \(([^)]*)\)", asked) for part in group.split(", ")}
        labels |= set(re.findall(r"[{,] ?(\w+)=", asked))
        known = set().union(*(series[name] for name in names))
        assert labels - OF_PROMETHEUS <= known, asked


def test_what_is_counted_is_shown_or_alerts() -> None:
    shown = set(re.findall(r"kokoromichi_\w+", " ".join(ASKED)))
    families = {re.sub(r"_(total|bucket|count|sum|created)$", "", name) for name in counted()}
    assert families - {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in shown} == set()


def test_no_alert_is_without_its_page() -> None:
    document = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    titles = re.findall(r"^#+ (.+)$", document, flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    for rule in ALERTS:
        place, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (place, anchor in anchors) == ("docs/deploy.md", True), rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_the_unit_is_sound(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze, which reads the unit, is not on this machine")
    unit = (DEPLOY / "kokoromichi.service").read_text(encoding="utf-8")
    here = re.sub(
        r"(?m)^(ExecStart=)\S+|^(User|Group)=.*\n",
        lambda found: (found[1] and f"{found[1]}/bin/true") or "",
        unit,
    )
    (tmp_path / "kokoromichi.service").write_text(here, encoding="utf-8")
    done = subprocess.run(
        [program, "verify", tmp_path / "kokoromichi.service"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_comes_back_after_a_reboot_and_tells_what_a_start_cannot_mend() -> None:
    lines = (DEPLOY / "kokoromichi.service").read_text(encoding="utf-8").splitlines()
    for line in ("WantedBy=multi-user.target", "Wants=network-online.target", "RestartPreventExitStatus=2"):
        assert line in lines
    assert [line for line in lines if line.startswith("RestartSec=")]
