"""Certificate manager for subscribers of JPRS's server certificate service, ACME edition."""

from jprs_client.version import __version__

__all__ = ["__version__"]
