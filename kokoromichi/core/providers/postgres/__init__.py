"""PostgreSQL: every change is one call of one function in the server."""

from kokoromichi.core.providers.postgres.provider import PostgresProvider

__all__ = ["PostgresProvider"]
