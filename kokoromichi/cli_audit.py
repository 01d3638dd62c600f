"""The audit on the command line: of a store, of a run, of exported files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markup import escape

from kokoromichi.cli_data import Provider, chosen_provider
from kokoromichi.cli_output import AUDIT_FAILED, Json, answer, fail, screen, told
from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.analysis.audit import AuditReport

_ROWS_SHOWN: Final = 20


def audit(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of a run, or of exported Parquet files.")
    ] = None,
    provider: Annotated[
        Provider | None, typer.Option(help="Audit this store instead: its ledger against all that it holds.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the local provider; DATA_DIR.")] = None,
    as_json: Json = False,
) -> None:
    """Check every law: of a store all six, of a folder what a ledger alone can show."""
    with told():
        if (folder is None) == (provider is None):
            message = "audit needs either a folder or --provider local|mongo|postgres"
            raise MisuseError(message)
        if folder is not None:
            _audit_folder(folder, as_json=as_json)
            return
        from kokoromichi.analysis.stored import audit_provider  # noqa: PLC0415 - --help stays fast

        store = chosen_provider(provider, data_dir)

        async def audited() -> AuditReport:
            async with store:
                return await audit_provider(store)

        _conclude_audit(store.name, asyncio.run(audited()), as_json=as_json)


def _conclude_audit(name: str, found: AuditReport, *, as_json: bool) -> None:
    from kokoromichi.analysis.audit import LAWS  # noqa: PLC0415 - --help stays fast

    broken = {law: rows for law, rows in found.violations.items() if not rows.is_empty()}
    if as_json:
        violations = {
            str(law): [
                {column: value if _is_small(value) else str(value) for column, value in row.items()}
                for row in rows.to_dicts()
            ]
            for law, rows in broken.items()
        }
        answer({"provider": name, "sound": found.sound, "rows": found.rows, "violations": violations})
    else:
        if found.sound:
            screen.print(escape(f"{name}: {found}"), highlight=False)
        for law, rows in broken.items():
            screen.print(f"law {law}: {escape(LAWS[law])}: {rows.height:,} violations", highlight=False)
            for row in rows.head(_ROWS_SHOWN).to_dicts():
                said = ", ".join(f"{column} {value}" for column, value in row.items())
                screen.print(f"  {escape(said)}", highlight=False)
            if rows.height > _ROWS_SHOWN:
                screen.print(f"  ... and {rows.height - _ROWS_SHOWN:,} more; --json has all", highlight=False)
    if broken:
        fail(f"{sum(rows.height for rows in broken.values()):,} violations", AUDIT_FAILED)


def _is_small(value: object) -> bool:
    """Whether JSON holds a value as it is: sums may be wider than 64 bits."""
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _audit_folder(folder: Path, *, as_json: bool) -> None:
    from kokoromichi.analysis.ledger import Ledger  # noqa: PLC0415 - --help stays fast

    targets = sorted(path.parent for path in folder.glob("replications/[0-9]*/ledger.parquet")) or [folder]
    found = {str(target): Ledger.scan(target).health() for target in targets}
    violations = sum(int(health["violations"].sum()) for health in found.values())
    if as_json:
        ledgers = {name: health.to_dicts() for name, health in found.items()}
        answer({"sound": violations == 0, "ledgers": ledgers})
    else:
        _show_audit(found)
    if violations:
        fail(f"{violations:,} violations", AUDIT_FAILED)


def _show_audit(found: Mapping[str, Any]) -> None:
    for name, health in found.items():
        broken = health.filter(health["violations"] > 0).to_dicts()
        screen.print(f"{escape(name)}: {'sound' if not broken else 'broken'}", highlight=False)
        for row in broken:
            screen.print(f"  law {row['law']}, {row['check']}: {row['violations']:,}", highlight=False)
