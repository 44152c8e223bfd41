"""systemd units: what they say for one configuration, and putting them in place."""

from __future__ import annotations

from jprs_client.service.systemd import Changed, Systemd
from jprs_client.service.units import APPLY_TIMER, DAEMON, HEADER, UNITS, Place, units

__all__ = ["APPLY_TIMER", "DAEMON", "HEADER", "UNITS", "Changed", "Place", "Systemd", "units"]
