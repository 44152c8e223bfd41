"""Giving servers their certificates: one transaction, and what it needs."""

from __future__ import annotations

from jprs_client.install.transaction import Change, ChangedFile, Deployed, Deployer, Limits, Look, Versions

__all__ = ["Change", "ChangedFile", "Deployed", "Deployer", "Limits", "Look", "Versions"]
