"""What the installer of plain files says."""

from __future__ import annotations

EN: dict[str, str] = {}

JA: dict[str, str] = {}
