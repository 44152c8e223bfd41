"""`jprs-client init`: the first configuration, with comments, from options or from a conversation."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from jprs_client.cli.door import Door
from jprs_client.cli.input import Parsed
from jprs_client.cli.show import wrapped
from jprs_client.cli.words import command as worded
from jprs_client.cli.words import option
from jprs_client.errors import JprsClientError, StateUnusable, UsageError, harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jprs_client.terms.names import DnsName
    from jprs_client.terms.usage import Term

#: Where the comments end; a configuration is read in an editor.
COMMENT_COLUMNS = 96

T = TypeVar("T")

_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")


@dataclass(frozen=True, slots=True)
class UsageFqdn:
    """A usage FQDN and its term, as applied for."""

    name: DnsName
    term: Term

    @classmethod
    def parse(cls, text: str) -> UsageFqdn:
        """From NAME:TERM. Raises UsageError, BadName."""
        from jprs_client.terms.names import DnsName
        from jprs_client.terms.usage import Term

        name, colon, term = text.rpartition(":")
        if not (name and colon):
            raise UsageError("init-usage-fqdn-without-term", given=harmless(text, 300))
        return cls(DnsName.parse(name), Term.parse(term.strip()))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the configuration is to say. `eab_credentials` as it is to be written: relative to the file, or absolute."""

    contacts: tuple[str, ...]
    usage_fqdns: tuple[UsageFqdn, ...]
    eab_credentials: str | None = None
    install: tuple[str, ...] = ()


def contact(text: str) -> str:
    """One mail address without `mailto:`, its domain in A-labels. Raises UsageError."""
    from jprs_client.terms.names import DnsName

    local, _, domain = text.strip().removeprefix("mailto:").rpartition("@")
    if not _LOCAL_PART.fullmatch(local) or domain.startswith("*"):
        raise UsageError("init-bad-contact", given=harmless(text, 300))
    return f"{local}@{DnsName.parse(domain)}"


def installer(text: str) -> str:
    """The name of an installer there is. Raises UsageError."""
    from jprs_client.registry import Registry

    known = tuple(Registry().installer_plugins())
    if text not in known:
        raise UsageError("init-no-such-installer", given=harmless(text, 100), known=known)
    return text


@worded("init")
@option("--contact", "contacts", type=Parsed("MAIL", contact), multiple=True)
@option("--usage-fqdn", "usage_fqdns", type=Parsed("NAME:TERM", UsageFqdn.parse), multiple=True)
@option("--eab-credentials", type=click.Path(readable=False, path_type=Path), metavar="FILE")
@option("--install", type=Parsed("NAME", installer), multiple=True)
@option("--force", is_flag=True)
@click.pass_obj
def command(
    door: Door,
    contacts: Sequence[str],
    usage_fqdns: Sequence[UsageFqdn],
    eab_credentials: Path | None,
    install: Sequence[str],
    force: bool,
) -> None:
    """Write a commented configuration."""
    path = door.config_path.absolute()
    if not force and path.exists():
        raise UsageError("init-exists", file=path)
    asked = not (contacts and usage_fqdns) and door.can_ask
    if not asked:
        missing = [name for name, given in (("--contact", contacts), ("--usage-fqdn", usage_fqdns)) if not given]
        if missing:
            raise UsageError("init-needs", options=missing)
    else:
        door.tell("init.hello", file=path)
    contacts = tuple(contacts or _until_good(door, "init.ask-contact", contact))
    usage_fqdns = tuple(usage_fqdns or _until_empty(door, "init.ask-usage-fqdn", UsageFqdn.parse))
    secret = _ask_for_credentials(door, path) if asked and eab_credentials is None else None
    install = tuple(install or (_until_empty(door, "init.ask-install", installer, least=0) if asked else ()))
    for later, usage in enumerate(usage_fqdns):
        if any(usage.name == other.name for other in usage_fqdns[:later]):
            raise UsageError("init-usage-fqdn-twice", name=usage.name)
    there = secret is not None or (path.parent / "eab.toml").exists()
    written_eab = _as_written(eab_credentials, path) if eab_credentials else ("eab.toml" if there else None)
    wishes = Wishes(tuple(dict.fromkeys(contacts)), usage_fqdns, written_eab, tuple(dict.fromkeys(install)))
    _write(path, config_text(wishes, door.say), secret)
    if door.json:
        door.screen.document({"config": path, "eab_credentials": path.parent / written_eab if written_eab else None})
        return
    door.tell("init.written", file=path)
    if secret:
        door.tell("init.written-eab", file=path.parent / "eab.toml")
    if any(usage.name.is_wildcard for usage in usage_fqdns):
        door.tell("init.wildcard-needs-dns")
    door.tell("init.go-on")


def config_text(wishes: Wishes, say: Callable[..., str]) -> str:
    """The file, with comments in the language of `say`."""
    wildcards = [usage.name.ascii for usage in wishes.usage_fqdns if usage.name.is_wildcard]
    text = [
        *_comment(say("init.file.head")),
        "",
        "[account]",
        *_comment(say("init.file.contact")),
        f"contact = {_toml(list(wishes.contacts))}",
        *_comment(say("init.file.eab")),
        f"eab_credentials = {_toml(wishes.eab_credentials)}"
        if wishes.eab_credentials
        else '# eab_credentials = "eab.toml"',
        "",
        "[operator]",
        *_comment(say("init.file.operator")),
        '# name = "…"',
        "# notice_days = 14",
        "",
        *_comment(say("init.file.usage-fqdn")),
    ]
    for usage in wishes.usage_fqdns:
        shown = "" if usage.name.unicode == usage.name.ascii else f"  # {usage.name.unicode}"
        text += [
            "[[usage_fqdn]]",
            f"name = {_toml(usage.name.ascii)}{shown}",
            f"term = {_toml(usage.term.label)}",
            "",
        ]
    text += [
        *_comment(say("init.file.usage-fqdn-elsewhere")),
        "# started = 2026-11-22",
        "",
        "[defaults]",
        *_comment(say("init.file.install")),
        f"install = {_toml(list(wishes.install))}" if wishes.install else '# install = ["nginx"]',
        *_comment(say("init.file.solver")),
        '# solver = "web"',
    ]
    if wildcards:
        by_dns = ", ".join(f'{_toml(name)} = "dns"' for name in wildcards)
        text += [*_comment(say("init.file.solver-wildcard")), f'# solver = {{ {by_dns}, default = "web" }}']
    for name in wishes.install:
        if name != "nginx":  # has the distribution's defaults without a table
            text += ["", f"[installer.{name}]", f"plugin = {_toml(name)}"]
    text += ["", "# [solver.web]", '# plugin = "webroot"', '# path = "/var/www/html"']
    if wildcards:
        text += [
            "",
            "# [solver.dns]",
            '# plugin = "hook"',
            '# challenge = "dns-01"',
            '# command = ["/usr/local/bin/…"]',
        ]
    text += ["", *_comment(say("init.file.renewal"))]
    return "\n".join(text) + "\n"


def _comment(text: str) -> Iterator[str]:
    return (f"# {line}".rstrip() for line in wrapped(text, COMMENT_COLUMNS))


def _toml(value: str | list[str] | None) -> str:
    """A string or a list of strings in TOML; what JSON escapes, TOML escapes alike."""
    return json.dumps(value, ensure_ascii=False)


def _as_written(file: Path, config: Path) -> str:
    """A path from the command line, as the configuration has it: relative paths there start at its folder."""
    absolute = file.absolute()
    return absolute.name if absolute.parent == config.parent else str(absolute)


def _write(path: Path, text: str, secret: bytes | None) -> None:
    from jprs_client.files import make_directory, write_file

    try:
        make_directory(path.parent, 0o755)
        if secret is not None:
            write_file(path.parent / "eab.toml", secret, 0o600)
        write_file(path, text.encode(), 0o644)
    except OSError as problem:
        raise StateUnusable("init-not-writable", file=path, detail=problem.strerror) from problem


def _ask_for_credentials(door: Door, path: Path) -> bytes | None:
    """The operator's credentials as the content of eab.toml; None for none, or where such a file is already there."""
    if (path.parent / "eab.toml").exists():
        door.tell("init.eab-there", file=path.parent / "eab.toml")
        return None
    key_id = door.ask("init.ask-eab-key-id")
    hmac_key = door.ask_hidden("init.ask-eab-hmac") if key_id else ""
    if not hmac_key:
        return None
    return f"key_id = {_toml(key_id)}\nhmac_key = {_toml(hmac_key)}\n".encode()


def _until_good(door: Door, key: str, parse: Callable[[str], str]) -> list[str]:
    return _until_empty(door, key, parse, most=1)


def _until_empty(door: Door, key: str, parse: Callable[[str], T], *, least: int = 1, most: int = 100) -> list[T]:
    """What a person answers, one thing a line, asked again where it is wrong; an empty line ends it."""
    found: list[T] = []
    while len(found) < most:
        answer = door.ask(key)
        if not answer and len(found) >= least:
            break
        try:
            found.append(parse(answer))
        except JprsClientError as error:
            for sentence in door.speech.error_sentence(error):
                door.screen.error(sentence, indent=2)
    return found
