"""What the tests of this room share: a folder with files in it, and plugins as a caller would tell about them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from jprs_client.config import Config, load
from jprs_client.errors import ConfigError, ConfigProblem
from jprs_client.plugin import Options

USAGE = '[[usage_fqdn]]\nname = "example.jp"\nterm = "1y"\n'


class Plugins:
    """Three solvers and an installer; remembers what it was asked for."""

    solvers: dict[str, Options] = {  # noqa: RUF012 - never changed
        "standalone": {"listen": "address"},
        "hook": {"command": "command!", "timeout": "int", "verbose": "bool"},
        "webroot": {"path": "path!", "more": "strings", "servers": "addresses", "label": "str"},
    }
    installers: dict[str, Options] = {  # noqa: RUF012 - never changed
        "nginx": {"config": "path", "reload": "command", "probe": "addresses"}
    }

    notifiers: dict[str, Options] = {  # noqa: RUF012 - never changed
        "mail": {"to": "strings!", "smtp": "address"}
    }

    def __init__(self) -> None:
        self.asked: list[str] = []

    def solver_options(self, plugin: str, /) -> Options | None:
        self.asked.append(plugin)
        return self.solvers.get(plugin)

    def installer_options(self, plugin: str, /) -> Options | None:
        self.asked.append(plugin)
        return self.installers.get(plugin)

    def notifier_options(self, plugin: str, /) -> Options | None:
        self.asked.append(plugin)
        return self.notifiers.get(plugin)

    def solver_plugins(self) -> Iterable[str]:
        return self.solvers

    def installer_plugins(self) -> Iterable[str]:
        return self.installers

    def notifier_plugins(self) -> Iterable[str]:
        return self.notifiers


def loaded(folder: Path, text: str, plugins: Plugins | None = None, **conf_d: str) -> Config:
    """The configuration of `text`, with `conf.d/NAME.toml` for each further argument."""
    (folder / "config.toml").write_text(text, encoding="utf-8")
    for name, more in conf_d.items():
        (folder / "conf.d").mkdir(exist_ok=True)
        (folder / "conf.d" / f"{name}.toml").write_text(more, encoding="utf-8")
    return load(folder / "config.toml", plugins)


def problems(folder: Path, text: str, plugins: Plugins | None = None, **conf_d: str) -> tuple[ConfigProblem, ...]:
    """What is wrong with it; nothing when it loads."""
    try:
        loaded(folder, text, plugins, **conf_d)
    except ConfigError as error:
        return error.problems
    return ()
