"""MongoDB: every commit a multi-document transaction, and nothing ever decided on a guess."""

from __future__ import annotations

from kokoromichi.core.providers.mongo.provider import MongoDBProvider

__all__ = ["MongoDBProvider"]
