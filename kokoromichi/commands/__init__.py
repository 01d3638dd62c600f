"""Thin cogs: a module is loaded when its name does not begin with ``_``."""
