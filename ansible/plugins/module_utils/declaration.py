# Copyright: The jprs-client authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What a task declares, as files of the program's configuration; written, or laid out aside to be looked at first."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.jprs_client.certificates.plugins.module_utils.toml_text import Day, toml_text

NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,199}")

_WRITTEN = "# Written by Ansible (jprs_client.certificates.certificate). What is changed here will be overwritten.\n"
_EMPTY = "# jprs-client. What Ansible declares is in conf.d/ beside this file; this one is yours.\n"

_DAYS = ("started", "ends")
_FLAGS = ("terminating", "start_usage")
_FIRST = ("name", "term", "continuation_term")


def usage_table(given):
    """A `[[usage_fqdn]]` table from what a task says, or a name alone for one that is declared elsewhere.

    Raises ValueError.
    """
    if isinstance(given, str):
        name, colon, term = given.strip().rpartition(":")
        given = {"name": name, "term": term} if colon else {"name": term}
    if not isinstance(given, dict) or not isinstance(given.get("name"), str) or not given["name"].strip():
        raise ValueError(f"a usage FQDN is NAME:TERM, NAME, or a dictionary with name and term, not {given!r}")
    table = {key: given[key] for key in _FIRST if given.get(key) is not None}
    for key in sorted(set(given) - set(_FIRST)):
        value = given[key]
        if value is not None:
            table[key] = Day(str(value)) if key in _DAYS else boolean(value) if key in _FLAGS else value
    return table


class Declaration:
    """One certificate with its usage FQDNs, as a task declares it. Raises ValueError for what cannot be one."""

    def __init__(self, params):
        tables = [usage_table(each) for each in params["usage_fqdns"] or []]
        self.usages = [table for table in tables if len(table) > 1]
        self.usage_names = [table["name"] for table in tables]
        self.names = params["names"] or []
        self.name = params["name"] or _name_after([*self.usage_names, *self.names])
        if not NAME.fullmatch(self.name):
            raise ValueError(f"a certificate is named with a-z 0-9 . and -, a letter or digit first, not {self.name!r}")
        self._params = params

    @property
    def text(self):
        """The file that declares it."""
        certificate = {"name": self.name}
        if self.names:
            certificate["names"] = self.names
        else:
            certificate["usage_fqdns"] = self.usage_names
        certificate.update((key, self._params[key]) for key in ("key_type", "solver", "install"))
        return _WRITTEN + "\n" + toml_text({"usage_fqdn": self.usages, "certificate": [certificate]})


def settings_text(settings):
    """The file with what several tasks share: every other table of the configuration. Raises ValueError."""
    return _WRITTEN + "\n" + toml_text({key: settings[key] for key in sorted(settings)})


def _name_after(names):
    """A certificate is named as the program would name it; `*.` cannot stand in such a name."""
    if not names:
        raise ValueError("a certificate needs a name, usage_fqdns or names")
    first = next((name for name in names if not name.startswith("*.")), None)
    return first if first is not None else f"wildcard.{names[0][2:]}"


class Files:
    """The configuration on disk and what is to become of it: a text a path, None for a file that goes."""

    def __init__(self, config):
        self.config = Path(os.path.abspath(config))  # noqa: PTH100 - `..` goes, a link stays, as the program has it
        self.folder = self.config.parent
        self.conf_d = self.folder / "conf.d"
        self.is_there = self.config.exists()
        self._wanted = {} if self.is_there else {self.config: _EMPTY}

    def want(self, file_name, text):
        """Let `conf.d/FILE_NAME` hold `text`; with None, be gone."""
        self._wanted[self.conf_d / file_name] = text

    @property
    def changes(self):
        """`(path, before, after)` of every file that has to change; None where there is no file."""
        found = [(path, _content(path), after) for path, after in self._wanted.items()]
        return [(path, before, after) for path, before, after in found if before != after]

    def laid_out(self, folder):
        """The configuration as it would be, below `folder`: a copy made of links. The path of its main file.

        Everything beside the real file is linked, so that relative paths lead where they led.
        """
        aside = Path(tempfile.mkdtemp(prefix="conf-", dir=folder))
        changed = {path: after for path, _before, after in self.changes}
        for real, copy in ((self.folder, aside), (self.conf_d, aside / "conf.d")):
            copy.mkdir(mode=0o700, exist_ok=True)
            for path in real.iterdir() if real.is_dir() else ():
                if path != self.conf_d and path not in changed:
                    (copy / path.name).symlink_to(path)
        for path, after in changed.items():
            if after is not None:
                (aside / path.relative_to(self.folder)).write_text(after, encoding="utf-8")
        return aside / self.config.name

    def write(self, module):
        """Change the files, each at once and whole."""
        for path, before, after in self.changes:
            if after is None:
                path.unlink()
                continue
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            fd, new = tempfile.mkstemp(dir=module.tmpdir)
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(after)
            module.atomic_move(new, str(path))
            if before is None:  # no secret stands in it, and the program may run as somebody else
                path.chmod(0o644)


def _content(path):
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None
