"""`[solver.NAME]`, `[installer.NAME]`, `[notifier.NAME]`: which plugin, and its settings, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from jprs_client.config.problems import Choices, Place, Problems
from jprs_client.config.schema import KEYS
from jprs_client.config.sources import Entry, RawTable, line_of_header
from jprs_client.config.tables import Table, address_in, looks_secret, note_secrets, note_unknown, path_in
from jprs_client.config.values import PluginTable
from jprs_client.errors import harmless
from jprs_client.plugin import OptionKind, Options

_TABLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")

#: Kinds whose value is made absolute; its name may speak of a secret, for it only says where one is.
_NAMES_OF_FILES = frozenset({"path", "file"})

#: A file's mode in octal digits, without set-user-ID and its like.
_MODE = re.compile(r"0?[0-7]{3}")

#: How each kind of option is written.
_EXPECTED: Mapping[OptionKind, str] = {
    "str": '"…"',
    "bool": "true | false",
    "int": "123",
    "path": '"path/to/file"',
    "file": '"path/to/file" | "path/to/{name}.pem"',
    "mode": '"0640"',
    "command": '["…", "…"]',
    "strings": '["…"]',
    "address": '"HOST:PORT"',
    "addresses": '["HOST:PORT"]',
}


class PluginKinds(Protocol):
    """What is known about plugins. Asked only for tables that are there, since looking plugins up is slow."""

    def solver_options(self, plugin: str, /) -> Options | None:
        """The options of a solver, None for one that is not installed."""

    def installer_options(self, plugin: str, /) -> Options | None:
        """The options of an installer, None for one that is not installed."""

    def notifier_options(self, plugin: str, /) -> Options | None:
        """The options of a notifier, None for one that is not installed."""

    def solver_plugins(self) -> Iterable[str]:
        """The solvers there are, to choose from."""

    def installer_plugins(self) -> Iterable[str]:
        """The installers there are, to choose from."""

    def notifier_plugins(self) -> Iterable[str]:
        """The notifiers there are, to choose from."""


def plugin_table(
    kind: str, name: str, raw: RawTable, text: str, plugins: PluginKinds | None, problems: Problems
) -> PluginTable | None:
    """The table `[kind.name]`; None where it names no plugin. `text` is the file that it stands in."""
    if not _TABLE_NAME.fullmatch(name):
        problems.add("config-bad-table-name", raw.place, name=harmless(name, 80), expected="A-Z a-z 0-9 _ . -")
    entry = raw.entries.get("plugin")
    if entry is None:
        problems.add("config-key-missing", raw.place.at("plugin"), expected=_choices(kind, plugins))
        return None
    if not isinstance(entry.value, str):
        problems.wrong(entry.place, entry.value, _choices(kind, plugins))
        return None
    options = _options(kind, entry.value, entry.place, plugins, problems)
    held = {key: other for key, other in raw.entries.items() if key != "plugin"}
    settings = _unchecked(held, problems) if options is None else _checked(kind, held, options, raw.place, problems)
    return PluginTable(name, entry.value, settings, raw.place.file, line_of_header(text, raw.place.path))


def _choices(kind: str, plugins: PluginKinds | None) -> str:
    return " | ".join(f'"{name}"' for name in _known(kind, plugins)) or '"…"'


def _known(kind: str, plugins: PluginKinds | None) -> list[str]:
    if plugins is None:
        return []
    installed = {
        "solver": plugins.solver_plugins, "installer": plugins.installer_plugins, "notifier": plugins.notifier_plugins,
    }  # fmt: skip
    return sorted(installed[kind]())


def _options(kind: str, plugin: str, place: Place, plugins: PluginKinds | None, problems: Problems) -> Options | None:
    """The plugin's options. None where nobody can tell, which is noted when there is no such plugin."""
    if plugins is None:
        return None
    of_kind = {
        "solver": plugins.solver_options, "installer": plugins.installer_options, "notifier": plugins.notifier_options,
    }  # fmt: skip
    options = of_kind[kind](plugin)
    if options is None:
        known = Choices(_known(kind, plugins))
        problems.unknown("config-plugin-unknown", place, plugin, known, plugin=harmless(plugin, 80))
    return options


def _unchecked(held: Mapping[str, Entry], problems: Problems) -> dict[str, object]:
    for key, entry in held.items():
        note_secrets(key, entry.value, entry.place, problems)
    return {key: entry.value for key, entry in held.items()}


def _checked(
    kind: str, held: Mapping[str, Entry], options: Options, table: Place, problems: Problems
) -> dict[str, object]:
    """The settings that `options` allow, converted; what must be there and is not is noted."""
    settings: dict[str, object] = {}
    for key, entry in held.items():
        option = options.get(key, "").removesuffix("!")
        if not option:
            note_unknown(key, entry, Choices([*KEYS[kind], *options]), problems, {})
        elif option not in _NAMES_OF_FILES and looks_secret(key, entry.value):
            problems.add("config-secret-in-file", entry.place)
        else:
            value = _converted(option, entry, problems)
            if value is not None:
                settings[key] = value
    for key, option in options.items():
        if option.endswith("!") and key not in held:
            problems.add("config-key-missing", table.at(key), expected=_EXPECTED[option.removesuffix("!")])
    return settings


def _converted(option: OptionKind, entry: Entry, problems: Problems) -> object:
    """What the plugin is handed; None once a problem is noted. An address stays text, for plugins know no `config`."""
    value = entry.value
    if option in _NAMES_OF_FILES and not (isinstance(value, str) and option == "file" and _holds_braces(value)):
        return path_in(value, entry.place, problems)
    if _holds(option, value):
        return _command(value, entry.place) if option == "command" and isinstance(value, list) else value
    problems.wrong(entry.place, value, _EXPECTED[option])
    return None


def command_in(table: Table, key: str) -> tuple[str, ...]:
    """A command and its arguments, as a plugin's option of that kind; empty where the key is absent or wrong."""
    entry = table.raw(key)
    value = None if entry is None else _converted("command", entry, table.problems)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _holds_braces(path: str) -> bool:
    """Whether something is left that looks like a placeholder and is none."""
    rest = path.replace("{name}", "")
    return "{" in rest or "}" in rest


def _command(value: list[str], place: Place) -> list[str]:
    """A program named with a slash is a path, relative to the file as all are; a bare name is looked up in PATH."""
    return [str(place.file.parent / value[0]) if "/" in value[0] else value[0], *value[1:]]


def _holds(option: OptionKind, value: object) -> bool:
    if option == "str":
        return isinstance(value, str)
    if option == "mode":
        return isinstance(value, str) and _MODE.fullmatch(value) is not None
    if option == "bool":
        return isinstance(value, bool)
    if option == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if option == "address":
        return isinstance(value, str) and address_in(value) is not None
    if not isinstance(value, list) or not all(isinstance(item, str) and "\0" not in item for item in value):
        return False
    if option == "command":
        return bool(value) and bool(value[0])
    return option == "strings" or all(address_in(item) is not None for item in value)
