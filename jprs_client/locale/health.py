"""What monitoring and notices say: `check`, `notify`, `[notify]`."""

from __future__ import annotations

EN: dict[str, str] = {}

JA: dict[str, str] = {}
