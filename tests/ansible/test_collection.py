"""The collection as its readers meet it: documentation, examples, the README's lines; and what a managed host needs."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shlex
import shutil
import sys
import tomllib
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from jprs_client.terms.reasons import Circumstance
from tests.ansible.playbooks import COLLECTION, Ansible
from tests.ansible.sites import CERTIFICATE, host
from tests.readme import door
from tests.scenarios.hosts import World

MODULES = ("certificate", "certificate_info")
FILES = sorted((COLLECTION / "plugins").rglob("*.py"))
SECRET = re.compile(r"hmac|secret|password|token|passphrase|private|credential")


def loaded(path: str) -> ModuleType:
    """A file of the collection that needs nothing of Ansible."""
    spec = importlib.util.spec_from_file_location("loaded", COLLECTION / path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOML = loaded("plugins/module_utils/toml_text.py")


def texts_of(module: str) -> dict[str, str]:
    """The module's DOCUMENTATION, EXAMPLES and RETURN."""
    tree = ast.parse((COLLECTION / "plugins" / "modules" / f"{module}.py").read_text())
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


# -- the README's door -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_readmes_lines_lead_to_a_certificate(world: World, installed: Ansible, work: Path) -> None:
    """`inventory` and `site.yml` are the reader's own; everything else is as it stands in the README."""
    with host(world, installed, work, ("door.jp", "1y"), server_names="door.jp www.door.jp") as here:
        (work / "ansible").symlink_to(COLLECTION)
        (work / "inventory").write_text("[web]\nlocalhost ansible_connection=local\n")
        task = here.whole("door.jp:1y")
        task[CERTIFICATE] |= here.common
        page = [{"name": "Certificates", "hosts": "web", "gather_facts": False, "tasks": [task]}]
        (work / "site.yml").write_text(json.dumps(page))
        makeshift = here.serves("door.jp")
        said = []
        for line in door("ansible"):
            done = installed.run(*shlex.split(line), cwd=work)
            assert done.returncode == 0, done.stdout + done.stderr
            said.append(done.stdout)
            if "--check" in line:
                assert here.serves("door.jp") == makeshift
                assert not here.state.exists()
        assert "+names: door.jp, www.door.jp" in said[1]
        assert here.serves("door.jp")[1] == ["door.jp", "www.door.jp"]


# -- documentation -----------------------------------------------------------------------------------------------------


def test_both_modules_and_every_option_are_documented(installed: Ansible, work: Path) -> None:
    names = [f"jprs_client.certificates.{module}" for module in MODULES]
    done = installed.run("ansible-doc", "-t", "module", "--json", *names, cwd=work)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert sorted(shown) == names
    for module, name in zip(MODULES, names, strict=True):
        assert shown[name]["examples"] and shown[name]["return"]
        documented = {
            option: {key: said.get(key) for key in ("type", "default", "choices", "elements")}
            for option, said in shown[name]["doc"]["options"].items()
        }
        assert documented == {
            option: {key: spec.get(key) for key in ("type", "default", "choices", "elements")}
            for option, spec in specification(module).items()
        }


def specification(module: str) -> dict[str, dict[str, Any]]:
    """The module's argument_spec, read from its source."""
    source = COLLECTION / "plugins" / "modules" / f"{module}.py"
    (call,) = [
        node
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "AnsibleModule"
    ]
    (found,) = [word.value for word in call.keywords if word.arg == "argument_spec"]
    assert isinstance(found, ast.Dict)
    specs: dict[str, dict[str, Any]] = dict(loaded("plugins/module_utils/program.py").COMMON)
    for key, value in zip(found.keys, found.values, strict=True):
        if isinstance(key, ast.Constant):
            text = ast.unparse(value).replace("list(REASONS)", repr([each.option for each in Circumstance]))
            specs[str(key.value)] = ast.literal_eval(text)
    return specs


def test_every_option_that_takes_a_secret_is_kept_out_of_logs() -> None:
    for module in MODULES:
        for option, spec in specification(module).items():
            if SECRET.search(option):
                # the name of a file is no secret
                assert spec.get("no_log") is (spec["type"] != "path"), option


def test_ansible_lint_finds_nothing_in_examples_and_readmes(installed: Ansible, work: Path) -> None:
    project = work / "project"
    shutil.copytree(COLLECTION / "examples", project)
    pages, translated = (
        re.findall(r"```yaml\n(.*?)```", (COLLECTION / readme).read_text(), re.DOTALL)
        for readme in ("README.md", "README.ja.md")
    )
    assert len(pages) == 2
    assert pages == translated
    tasks = "\n\n".join(texts_of(module)["EXAMPLES"].strip() for module in MODULES).replace("\n", "\n    ")
    page = f"- name: Examples\n  hosts: web\n  tasks:\n    {tasks}\n".replace("\n    \n", "\n\n")
    (project / "documented.yml").write_text("---\n" + "\n".join([*pages, page]))
    yaml = importlib.import_module("yaml")
    for path in project.glob("*.yml"):
        for play in yaml.safe_load(path.read_text()):
            for task in play["tasks"]:
                for module in MODULES:  # the linter does not know the options of a module that it has not run
                    assert set(task.get(f"jprs_client.certificates.{module}") or {}) <= set(specification(module))
    playbooks = sorted(path.name for path in project.glob("*.yml"))
    done = installed.run("ansible-lint", "--offline", "--strict", "--profile", "production", *playbooks, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr


# -- the managed host --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_managed_host_needs_no_more_than_python_3_9_and_its_standard_library(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))
    for node in ast.walk(tree):
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            ours = name.startswith(("ansible.module_utils.", "ansible_collections.jprs_client.certificates."))
            assert ours or (name.partition(".")[0] in sys.stdlib_module_names and name != "tomllib"), name


def test_the_collection_holds_what_it_needs_and_nothing_else(installed: Ansible) -> None:
    there = installed.collections / "ansible_collections" / "jprs_client" / "certificates"
    tops = {"README.md", "README.ja.md", "meta", "plugins", "examples", "MANIFEST.json", "FILES.json"}
    assert {path.name for path in there.iterdir()} == tops
    # What was built, not what Python has made of it since.
    listed = json.loads((there / "FILES.json").read_text())["files"]
    built = [Path(each["name"]) for each in listed if each["ftype"] == "file"]
    assert [path for path in built if "__pycache__" in path.parts] == []
    kinds = {"meta": {".yml"}, "plugins": {".py"}, "examples": {".yml", ""}}
    for folder, suffixes in kinds.items():
        assert {path.suffix for path in built if path.parts[0] == folder} <= suffixes


def test_the_module_knows_the_same_codes_as_the_terms() -> None:
    """第11条2項の2: only for telling what was revoked before; the program decides what is sent."""
    tree = ast.parse((COLLECTION / "plugins" / "modules" / "certificate.py").read_text())
    held = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if node.targets[0].id in {"REASONS", "GRAVEST_FIRST"}
    }
    from jprs_client.planning.revoking import GRAVEST_FIRST

    assert held["REASONS"] == {each.option: each.reason.value for each in Circumstance}
    assert held["GRAVEST_FIRST"] == tuple(reason.value for reason in GRAVEST_FIRST)


# -- TOML --------------------------------------------------------------------------------------------------------------

texts = some.text(some.characters(exclude_categories=["Cs"]), max_size=20)
plain = some.booleans() | some.integers(-(2**63), 2**63 - 1) | texts
values = some.recursive(
    plain, lambda inner: some.lists(inner, max_size=4) | some.dictionaries(texts, inner, max_size=4)
)


@given(some.dictionaries(texts, some.dictionaries(texts, values, max_size=5) | plain, max_size=5))
def test_what_is_written_is_read_as_it_was_meant(tables: dict[str, Any]) -> None:
    assert tomllib.loads(TOML.toml_text(tables)) == tables


def test_a_date_stands_without_quotes_and_nothing_stands_for_none() -> None:
    written = TOML.toml_text({"usage_fqdn": [{"name": "a.jp", "started": TOML.Day("2026-11-22"), "ends": None}]})
    assert tomllib.loads(written) == {"usage_fqdn": [{"name": "a.jp", "started": date(2026, 11, 22)}]}


@pytest.mark.parametrize("value", [float("nan"), "\ud800", {1: 2}, object()])
def test_what_toml_has_no_word_for_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"TOML|UTF-8|key"):
        TOML.toml_text({"section": {"key": value}})
