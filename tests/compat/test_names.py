"""Every name of the first KoKoroMichi is there under ``kokoromichi.``, and is called as it was."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import pytest

from kokoromichi.core import models
from kokoromichi.settings import Settings
from tests.compat.names import CALLS, DRIVERS, MODELS, MODULES, SETTINGS

SIGNATURES = [(place, name, arguments) for place, calls in CALLS.items() for name, arguments in calls.items()]


def imported(module: str) -> Any:
    """A module of the package by its old name, where what it needs is installed."""
    for place, driver in DRIVERS.items():
        if module == place or module.startswith(f"{place}."):
            pytest.importorskip(driver, reason=f"backend: {driver} is not installed")
    return import_module(f"kokoromichi.{module}")


@pytest.mark.parametrize("path", MODULES)
def test_every_module_is_where_it_was(path: str) -> None:
    module = imported(path.removesuffix(".py").replace("/", "."))
    assert module.__doc__


@pytest.mark.parametrize(("place", "name", "arguments"), SIGNATURES)
def test_every_call_takes_its_arguments_in_their_order_and_by_their_names(
    place: str, name: str, arguments: tuple[str, ...]
) -> None:
    module, _, owner = place.partition(":")
    holder = getattr(imported(module), owner) if owner else imported(module)
    call = getattr(holder, name)
    signature = inspect.signature(call)
    bound = (None,) if inspect.isclass(holder) else ()  # The object itself.
    by_place = signature.bind(*bound, *arguments).arguments
    by_name = signature.bind(*bound, **{argument: argument for argument in arguments}).arguments
    given = {key: value for key, value in by_place.items() if value is not None}
    assert (
        given
        == {argument: argument for argument in arguments}
        == ({key: value for key, value in by_name.items() if value is not None})
    )


def test_the_local_provider_is_tuned_as_it_was() -> None:
    parameters = inspect.signature(imported("core.providers.local_json").LocalJSONProvider).parameters
    assert (parameters["debounce_seconds"].default, parameters["cache_ttl"].default) == (0.5, 5.0)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_there(name: str) -> None:
    assert inspect.isclass(getattr(models, name))


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_read(name: str) -> None:
    assert name.lower() in Settings.model_fields


def test_the_defaults_of_the_settings_are_those_that_were(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    settings = Settings(_env_file=None)
    assert (settings.provider, settings.log_level, settings.saas_mode) == ("local", "INFO", False)
