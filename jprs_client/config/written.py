"""Files that installers write: each is one certificate's, and has one content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jprs_client.config.certificates import UsageFqdns
from jprs_client.config.plugin_tables import PluginKinds
from jprs_client.config.problems import Place, Problems
from jprs_client.config.sources import RawTable
from jprs_client.config.values import CertificateTable, Defaults, PluginTable

#: In a path of kind "file": the certificate's name.
NAME = "{name}"


@dataclass(frozen=True, slots=True)
class _Writer:
    """Who writes a file: an option of an installer's table, for a certificate."""

    place: Place
    certificate: str
    option: str


def check_written(
    by_hand: Iterable[CertificateTable],
    usage_fqdns: UsageFqdns,
    base: Defaults,
    installers: Mapping[str, PluginTable],
    tables: Mapping[str, RawTable],
    plugins: PluginKinds | None,
    problems: Problems,
) -> None:
    """Note every file that two would write in turn: each run would undo the other's and reload the server for it."""
    installs = [(table.name, table.install) for table in by_hand]
    if not installs:
        installs = [(name.ascii, base.install) for name in usage_fqdns.declared]
    used = {target for _, targets in installs for target in targets if target in tables and target in installers}
    if plugins is None or not used:
        return
    written = {target: _files(installers[target], plugins) for target in used}
    seen: dict[str, _Writer] = {}
    noted = set()
    for certificate, targets in installs:
        for target in targets:
            for option, template in written.get(target, {}).items():
                place = tables[target].place.at(option)
                path = template.replace(NAME, certificate)
                first = seen.setdefault(path, _Writer(place, certificate, option))
                if place in noted:
                    continue
                if first.certificate != certificate:
                    problems.add(
                        "config-file-of-two", place, path=path, certificate=certificate, other=first.place,
                        other_certificate=first.certificate,
                    )  # fmt: skip
                    noted.add(place)
                elif first.option != option:
                    problems.add("config-file-for-two-things", place, path=path, other=first.place)
                    noted.add(place)


def _files(table: PluginTable, plugins: PluginKinds) -> dict[str, str]:
    """What a table's plugin writes: each option of kind "file" that is set."""
    options = plugins.installer_options(table.plugin) or {}
    return {
        key: str(table.settings[key])
        for key, kind in options.items()
        if kind.removesuffix("!") == "file" and key in table.settings
    }
