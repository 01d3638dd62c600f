"""The file of a batch: a base, what differs from it by name, and a grid of factors."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, ValidationError

from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.what_if import read_change
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.setup_files import Checked, SetupError, beside, find_file, read_toml

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

BASE: Final = "base"


class BatchFile(Checked):
    """What a batch plays.

    Every scenario is the base with what its line says; the grid adds one for each combination of its factors.
    """

    title: str = Field(min_length=1, max_length=160, description="one line")
    base: str = Field(default="baseline", description="a shipped scenario, or a path beside the file")
    players: int | None = Field(default=None, strict=True, ge=1, description="left out: the base's own")
    days: int | None = Field(default=None, strict=True, ge=1, description="left out: the base's own")
    replications: int = Field(strict=True, ge=1, description="how often each scenario is played")
    seed: int = Field(default=1, strict=True, description="of them all")
    scenarios: dict[str, str] = Field(
        default={}, description="what differs, by name: PATH = NUMBER, PATH * FACTOR"
    )
    grid: dict[str, Annotated[list[float], Field(min_length=1)]] = Field(
        default={}, description="factors of a number of the economy, by its path"
    )

    @classmethod
    def load(cls, name_or_path: str | Path) -> tuple[Self, Path]:
        """Read a file, or a shipped one by its name.

        Raises:
            SetupError: It cannot be read, or a value is refused: file, field, value and cure.
        """
        path = find_file("batches", name_or_path)
        try:
            return cls.model_validate(read_toml(path)), path
        except ValidationError as error:
            raise SetupError.from_validation(error, str(path), cls.model_fields) from None

    def built(self, file: Path) -> dict[str, Scenario]:
        """The scenarios by name, the base first.

        Args:
            file: Where it stands.

        Raises:
            SetupError: The base is refused.
            EconomyError: A path is unknown, or a number is refused.
            MisuseError: A change is none, or a name is taken.
        """
        base = Scenario.load(beside(file, self.base), players=self.players, days=self.days)
        built = {BASE: base}
        for name, text in self.scenarios.items():
            if name in built:
                raise MisuseError(f"{file}: {name!r} is the base's name; choose another one")
            built[name] = read_change(text).applied(base)
        if self.grid:
            for factors in product(*self.grid.values()):
                point = dict(zip(self.grid, factors, strict=True))
                name = ", ".join(f"{path} * {factor:g}" for path, factor in point.items())
                built[name] = base.scaled(point)
        return built
