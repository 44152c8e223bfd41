"""From the files to a `Config`. Everything is looked at before anything is refused: a person mends the file once."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from jprs_client.config import sections
from jprs_client.config.certificates import References, certificates, check_together, defaults, usage_fqdns
from jprs_client.config.plugin_tables import PluginKinds, plugin_table
from jprs_client.config.problems import Place, Problems
from jprs_client.config.schema import ELSEWHERE, KEY_CHOICES, KEYS, SHAPE, TABLE_CHOICES
from jprs_client.config.sources import Entry, Merged, RawTable, conf_d, merge, read
from jprs_client.config.tables import Table, note_unknown
from jprs_client.config.values import BUILT_IN_PLUGIN, BUILT_IN_SOLVER, Config, PluginTable
from jprs_client.config.written import check_written
from jprs_client.errors import ConfigError, ConfigProblem

DEFAULT_PATH = Path("/etc/jprs-client/config.toml")
PATH_VARIABLE = "JPRS_CLIENT_CONFIG"

#: Installers that a certificate may name without a table of their own: their defaults are the distribution's.
INSTALLERS_WITHOUT_TABLE = frozenset({"apache", "nginx"})


def default_path(environ: Mapping[str, str]) -> Path:
    """The file to read where nobody names one: `JPRS_CLIENT_CONFIG`, else the one under /etc."""
    return Path(environ.get(PATH_VARIABLE) or DEFAULT_PATH)


def load(
    path: Path,
    plugins: PluginKinds | None = None,
    *,
    installers_without_table: Collection[str] = INSTALLERS_WITHOUT_TABLE,
) -> Config:
    """The configuration at `path` with `conf.d/*.toml` beside it. Raises ConfigError with everything wrong in them.

    Without `plugins` the settings in plugins' tables are kept as TOML gives them.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - `..` goes, a link stays: its folder is where paths start
    texts, tops = _read_all(path)
    problems = Problems(texts)
    _note_unknown_tables(tops, problems)
    merged = merge(tops, SHAPE, problems)
    config = _config(path, merged, problems, plugins, installers_without_table)
    problems.raise_if_any()
    return config


def _read_all(path: Path) -> tuple[dict[Path, str], dict[Path, dict[str, object]]]:
    """The texts and their tables. Files that cannot be read at all are told alone: the rest would mislead."""
    texts: dict[Path, str] = {}
    tops: dict[Path, dict[str, object]] = {}
    unreadable: list[ConfigProblem] = []
    texts[path], tops[path] = read(path)
    for file in conf_d(path):
        try:
            texts[file], tops[file] = read(file)
        except ConfigError as problem:
            unreadable.extend(problem.problems)
    if unreadable:
        raise ConfigError(unreadable)
    return texts, tops


def _note_unknown_tables(tops: Mapping[Path, Mapping[str, object]], problems: Problems) -> None:
    for file, top in tops.items():
        for name, value in top.items():
            if name not in KEYS:
                elsewhere = {} if isinstance(value, dict) else ELSEWHERE  # a table is meant for one of the tables
                note_unknown(name, Entry(value, Place(file, (name,))), TABLE_CHOICES, problems, elsewhere)


def _config(
    path: Path,
    merged: Merged,
    problems: Problems,
    plugins: PluginKinds | None,
    installers_without_table: Collection[str],
) -> Config:
    """Every section in turn; what others refer to comes first."""

    def section(kind: str) -> Table:
        raw = RawTable(Place(path, (kind,)), merged.sections.get(kind, {}))
        return Table(raw, KEY_CHOICES[kind], problems, ELSEWHERE)

    def tables(kind: str) -> Iterator[Table]:
        return (Table(raw, KEY_CHOICES[kind], problems, ELSEWHERE) for raw in merged.arrays.get(kind, []))

    def plugin_tables(kind: str) -> dict[str, PluginTable]:
        found = {}
        for name, raw in merged.plugins.get(kind, {}).items():
            table = plugin_table(kind, name, raw, problems.texts[raw.place.file], plugins, problems)
            if table is not None:
                found[name] = table
        return found

    usages = usage_fqdns(tables("usage_fqdn"))
    references = References(
        usages, merged.plugins.get("solver", {}), merged.plugins.get("installer", {}), installers_without_table
    )
    solvers, installers = plugin_tables("solver"), plugin_tables("installer")
    if not solvers:
        solvers[BUILT_IN_SOLVER] = PluginTable(BUILT_IN_SOLVER, BUILT_IN_PLUGIN, {}, path)
    defaults_table = section("defaults")
    base = defaults(defaults_table, references)
    by_hand, places = certificates(tables("certificate"), base, references)
    installers.update({name: PluginTable(name, name, {}, path) for name in sorted(references.implied_installers)})
    for kind in ("renewal", "windows"):
        section(kind)
    notifiers, notify_table = plugin_tables("notifier"), section("notify")
    notify = sections.notify(
        notify_table, {name: raw.place for name, raw in merged.plugins.get("notifier", {}).items()}
    )
    for name, settings in (("mail", {"to": list(notify.mail)}), ("command", {"command": list(notify.command)})):
        if name in notify_table:
            notifiers[name] = PluginTable(name, name, settings, notify_table.place_of(name).file)
    config = Config(
        path=path,
        ca=sections.ca(section("ca")),
        dns=sections.dns(section("dns")),
        account=sections.account(section("account")),
        operator=sections.operator(section("operator")),
        usage_fqdns=tuple(usages.tables),
        defaults=base,
        certificates=by_hand,
        solvers=solvers,
        installers=installers,
        notifiers=notifiers,
        planner=sections.planner(section("planner")),
        notify=notify,
        storage=sections.storage(section("storage")),
    )
    if not problems.count:
        check_together(by_hand, places, defaults_table, base, references)
        check_written(by_hand, usages, base, installers, merged.plugins.get("installer", {}), plugins, problems)
    return config
