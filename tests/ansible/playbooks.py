"""Real playbooks on this very host: `ansible-playbook -c local`, and what each task answered."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import needs

ROOT = Path(__file__).parents[2]
COLLECTION = ROOT / "ansible"
PROGRAM = Path(sys.executable).with_name("jprs-client")

_RESULT = re.compile(r"^(ok|changed|fatal|failed): \[localhost\](?:: FAILED!)? => (\{.*\})$", re.MULTILINE)


@dataclass(frozen=True)
class Played:
    """A playbook run: what it printed, and each task's result in order."""

    code: int
    said: str
    results: list[dict[str, Any]]

    @property
    def words(self) -> str:
        """What was printed, without the line ends that Ansible puts into long sentences."""
        return " ".join(self.said.split())

    @property
    def result(self) -> dict[str, Any]:
        """The result of the one task."""
        assert len(self.results) == 1, self.said
        return self.results[0]

    @property
    def good(self) -> dict[str, Any]:
        """The result of the one task, which ended well."""
        assert self.code == 0, self.said
        return self.result

    @property
    def failed(self) -> dict[str, Any]:
        """The result of the one task, which failed."""
        assert self.code == 2, self.said
        return self.result


class Ansible:
    """ansible-core of this environment; everything it writes is below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.collections = folder / "collections"

    def environment(self) -> dict[str, str]:
        """A plain one: no configuration but the test's, no colours, no network."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        system = Path("/usr/bin/python3")  # what a managed host has; the program's Python is none of Ansible's business
        return kept | {
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_PYTHON_INTERPRETER": str(system if system.exists() else sys.executable),
            "ANSIBLE_REMOTE_TMP": str(self.folder / "remote"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        }

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """One of Ansible's programs, to its end."""
        binary = Path(sys.executable).with_name(command[0])
        if not binary.exists():
            needs.missing(f"{command[0]} is not installed")
        return subprocess.run(
            [str(binary), *command[1:]], cwd=cwd, env=self.environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=110,
        )  # fmt: skip

    def install(self) -> None:
        """The collection, built from the source tree; offline."""
        done = self.run("ansible-galaxy", "collection", "install", "--offline", str(COLLECTION), cwd=self.folder)
        assert done.returncode == 0, done.stdout + done.stderr

    def play(self, folder: Path, *tasks: dict[str, Any], flags: str = "", **play: Any) -> Played:
        """A playbook of these tasks on this host. JSON is YAML, so no playbook is written by hand."""
        page = folder / "play.yml"
        page.write_text(
            json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks), **play}], indent=1)
        )
        done = self.run(
            "ansible-playbook", "-i", "localhost,", "-c", "local", "-v", *flags.split(), str(page), cwd=folder
        )  # fmt: skip
        results = [json.loads(match[2]) for match in _RESULT.finditer(done.stdout)]
        return Played(done.returncode, done.stdout + done.stderr, results)
