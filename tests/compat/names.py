"""Every name of the first KoKoroMichi: its modules, what they promise, and how each is called."""

from __future__ import annotations

from typing import Final

MODULES: Final = (
    "core/data_provider.py",
    "core/models.py",
    "core/logging_config.py",
    "core/provider_manager.py",
    "core/transactions.py",
    "core/data_manager.py",
    "core/providers/local_json.py",
    "core/providers/mongo.py",
    "core/providers/postgres.py",
    "services/store.py",
    "commands/profile.py",
    "commands/daily.py",
    "commands/economy.py",
    "bot.py",
)

CALLS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "core.data_provider:DataProvider": {
        "get_user": ("user_id",),
        "save_user": ("user_id", "data"),
        "get_game_data": ("section",),
        "save_game_data": ("section", "data"),
        "sync_local_to_remote": (),
        "sync_remote_to_local": (),
        "migrate_local_to_remote": ("dry_run",),
    },
    "core.logging_config": {"configure_logging": ()},
    "core.provider_manager": {
        "get_provider": (),
        "get_user_async": ("user_id",),
        "save_user_async": ("user_id", "data"),
        "get_game_data_async": ("section",),
        "save_game_data_async": ("section", "data"),
    },
    "core.transactions:Transaction": {
        "begin": (),
        "set": ("key", "value"),
        "get": ("key",),
        "incr": ("key", "amount"),
        "decr": ("key", "amount"),
        "add_ledger_entry": ("entry",),
        "commit": (),
        "rollback": (),
    },
    "core.transactions": {"begin_transaction": ("user_id",)},
    "core.data_manager:data_manager": {"get_user_data": ("user_id",)},
    "core.providers.local_json": {"LocalJSONProvider": ("data_dir", "debounce_seconds", "cache_ttl")},
    "core.providers.mongo": {"MongoDBProvider": ()},
    "core.providers.postgres": {"PostgresProvider": ()},
    "services.store": {"StoreService": ("provider",)},
    "services.store:StoreService": {
        "purchase_item": ("user_id", "item_id", "quantity"),
        "view_store": (),
        "get_user_inventory": ("user_id",),
    },
}
"""By module, and class or object where there is one: its calls, each with the names of its arguments."""

MODELS: Final = ("Item", "Waifu", "UserProfile", "Transaction")

SETTINGS: Final = (
    "DISCORD_TOKEN", "PROVIDER", "DATA_DIR", "LOG_LEVEL", "MONGO_URI", "DATABASE_URL", "SAAS_MODE"
)  # fmt: skip

RUN: Final = (
    "python bot.py",
    "python scripts/migrate_json_to_db.py",
    "pytest tests/ -v",
    "docker-compose up -d",
    "pre-commit install",
)

FILES: Final = (
    ".env.example",
    "Dockerfile",
    "docker-compose.yml",
    "tests/test_data_provider.py",
    "tests/test_local_json_provider.py",
    ".github/workflows/ci.yml",
    ".pre-commit-config.yaml",
    "REFACTOR_SUMMARY.md",
    "README_REFACTOR.md",
    "DEPLOY.md",
    "DEVELOPER_QUICKREF.md",
    "DEVELOPER_MODULES.md",
)
"""Commands, files and documents that it names."""

DRIVERS: Final = {
    "core.providers.mongo": "motor",
    "core.providers.postgres": "asyncpg",
    "commands": "discord",
    "bot": "discord",
}
"""What has to be installed for a module to be imported."""
