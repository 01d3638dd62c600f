"""Thin cogs: every module here is loaded."""
