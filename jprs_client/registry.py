"""The plugins that are installed, by entry point; each is loaded when a table of the configuration names it."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, cast

from jprs_client.errors import ConfigError, ConfigProblem, harmless

if TYPE_CHECKING:
    from jprs_client.config import PluginTable
    from jprs_client.plugin import Installer, Notifier, Options, Solver

SOLVERS = "jprs_client.solvers"
INSTALLERS = "jprs_client.installers"
NOTIFIERS = "jprs_client.notifiers"


class Registry:
    """What `[solver.…]`, `[installer.…]` and `[notifier.…]` may name as their `plugin`."""

    def solver_options(self, plugin: str) -> Options | None:
        """The keys of that solver's table; None when there is no such plugin."""
        return self._options(SOLVERS, plugin)

    def installer_options(self, plugin: str) -> Options | None:
        """The keys of that installer's table; None when there is no such plugin."""
        return self._options(INSTALLERS, plugin)

    def notifier_options(self, plugin: str) -> Options | None:
        """The keys of that notifier's table; None when there is no such plugin."""
        return self._options(NOTIFIERS, plugin)

    def solver_plugins(self) -> tuple[str, ...]:
        """Every solver there is."""
        return tuple(sorted(entry_points(group=SOLVERS).names))

    def installer_plugins(self) -> tuple[str, ...]:
        """Every installer there is."""
        return tuple(sorted(entry_points(group=INSTALLERS).names))

    def notifier_plugins(self) -> tuple[str, ...]:
        """Every notifier there is."""
        return tuple(sorted(entry_points(group=NOTIFIERS).names))

    def solver(self, table: PluginTable) -> Solver:
        """The solver that a table describes."""
        return cast("Solver", self._class(SOLVERS, table)(table.settings))

    def installer(self, table: PluginTable) -> Installer:
        """The installer that a table describes."""
        return cast("Installer", self._class(INSTALLERS, table)(table.settings))

    def notifier(self, table: PluginTable) -> Notifier:
        """The notifier that a table describes."""
        return cast("Notifier", self._class(NOTIFIERS, table)(table.settings))

    def solver_class(self, table: PluginTable) -> type[Solver]:
        """The class behind a table, to ask what it can do."""
        return cast("type[Solver]", self._class(SOLVERS, table))

    def _options(self, group: str, plugin: str) -> Options | None:
        found = _find(group, plugin)
        return None if found is None else cast("Options", found.load().options)

    def _class(self, group: str, table: PluginTable) -> type:
        found = _find(group, table.plugin)
        if found is None:
            raise ConfigError(
                [
                    ConfigProblem(
                        "config-plugin-unknown",
                        file=str(table.file),
                        line=table.line,
                        key="plugin",
                        value=harmless(table.plugin, 100),
                        known=entry_points(group=group).names,
                    )
                ]
            )
        return cast("type", found.load())


def _find(group: str, plugin: str) -> EntryPoint | None:
    return next(iter(entry_points(group=group, name=plugin)), None)
