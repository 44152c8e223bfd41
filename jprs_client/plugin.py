"""All a plugin author imports: what a solver and an installer are, and the values they are handed.

A plugin is one class and one entry point, in `jprs_client.solvers`, `jprs_client.installers` or
`jprs_client.notifiers`. It is made once a run with its own table of the configuration (`[solver.NAME]`,
`[installer.NAME]`, `[notifier.NAME]`), already checked against `Options`. Waiting, tidying, putting back and looking
are the house's work, not the plugin's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

__all__ = [
    "Deployment",
    "FileChange",
    "Installer",
    "Material",
    "Notice",
    "Notifier",
    "OptionKind",
    "Options",
    "Pair",
    "Probe",
    "Proof",
    "Site",
    "Solver",
    "changeable_by_others",
]

#: What a key of a plugin's table may hold: "str", "bool", "int", "path" (made absolute), "file" (a path that is
#: written for each certificate, where "{name}" stands for `Site.live.name`; two certificates never get the same),
#: "mode" (text such as "0640"), "command" (list of strings), "strings", "address" (HOST:PORT), "addresses". A
#: trailing "!" means the key must be there.
OptionKind = str

#: The keys of a plugin's table and what each may hold.
Options = Mapping[str, OptionKind]


@dataclass(frozen=True, slots=True)
class Proof:
    """What makes control of one name visible (RFC 8555 §8).

    `name` is an A-label without `*.` (RFC 8555 §7.1.3); `wildcard` tells whether it was asked for `*.name`. For
    http-01 `content` is the key authorization to serve under `/.well-known/acme-challenge/TOKEN`; for dns-01 it
    is the value of the TXT record at `_acme-challenge.name`. `token` has passed the token grammar.
    """

    challenge_type: str
    name: str
    token: str
    content: str
    wildcard: bool = False

    @property
    def record_name(self) -> str:
        """Where a dns-01 proof stands, without the trailing dot (RFC 8555 §8.4)."""
        return f"_acme-challenge.{self.name}"

    @property
    def path(self) -> str:
        """Where an http-01 proof stands (RFC 8555 §8.3)."""
        return f"/.well-known/acme-challenge/{self.token}"


class Solver(Protocol):
    """Puts proofs up and takes them down."""

    options: ClassVar[Options]

    def __init__(self, settings: Mapping[str, object], /) -> None: ...

    @property
    def challenge_type(self) -> str:
        """What it proves by, as in RFC 8555 §8: a class variable where that never changes, else the instance's."""

    def present(self, proof: Proof, /) -> None:
        """Make the proof visible. Return at once; waiting is done elsewhere."""

    def clean_up(self, proof: Proof, /) -> None:
        """Take it down. Also right when `present` failed half-way or never ran, in this process or an earlier one."""


@dataclass(frozen=True, slots=True)
class Material:
    """One version of a certificate, as PEM: leaf, the chain above it without the root, and the private key."""

    cert_pem: bytes
    chain_pem: bytes
    private_key_pem: bytes = field(repr=False)

    @property
    def fullchain_pem(self) -> bytes:
        """Leaf first, then the chain (RFC 8555 §9.1)."""
        return self.cert_pem + self.chain_pem


@dataclass(frozen=True, slots=True)
class Site:
    """What is to be served where: the lineage, its names (A-labels) and the four files under `live/`."""

    lineage: str
    names: frozenset[str]
    live: Path

    @property
    def fullchain(self) -> Path:
        """`live/NAME/fullchain.pem`."""
        return self.live / "fullchain.pem"

    @property
    def private_key(self) -> Path:
        """`live/NAME/privkey.pem`."""
        return self.live / "privkey.pem"


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file to be there with this content; None for mode, owner or group keeps an existing file's (new: 0600)."""

    path: Path
    content: bytes = field(repr=False)
    mode: int | None = None
    owner: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """Where to look which certificate is served: a TCP address and the name to ask for by SNI."""

    host: str
    port: int
    server_name: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate's and a key's file that the server reads together, also one that is none of ours.

    `place` is where its configuration says so, as `FILE:LINE`. Both may be the same file.
    """

    certificate: Path
    key: Path
    place: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What an installer proposes; one transaction carries it out, or puts everything back.

    `check` must succeed before anything is touched and again after the files are in place; `reload` makes the
    server take them; then each probe must see the new certificate. `pairs` are looked at by the transaction before the
    reload: an installer names them whose server's own check does not find that a key is not the certificate's.
    `notes` are places that were left alone, each a code and its parameters, for a person to hear (`note.CODE` in
    `locale/`).
    """

    files: tuple[FileChange, ...] = ()
    check: Sequence[str] = ()
    reload: Sequence[str] = ()
    probes: tuple[Probe, ...] = ()
    pairs: tuple[Pair, ...] = ()
    notes: tuple[tuple[str, Mapping[str, str]], ...] = ()


class Installer(Protocol):
    """Knows one server software: where its files are, how it is checked and told to read them again."""

    options: ClassVar[Options]

    def __init__(self, settings: Mapping[str, object], /) -> None: ...

    def deployment(self, site: Site, material: Material, /) -> Deployment:
        """Say what has to change so that `site` serves `material`. Reads the server's files; changes nothing."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should hear although nobody is looking.

    `level` is "critical", "warning" or "ok" (it is over, or a trial); `code` is stable, `subject` one line, `text`
    whole sentences, both in the person's language and harmless to show. `certificate` is "" where it concerns none.
    """

    level: str
    code: str
    subject: str
    text: str
    certificate: str = ""


class Notifier(Protocol):
    """Brings notices to people: by mail, by a command, by whatever a stranger has."""

    options: ClassVar[Options]

    def __init__(self, settings: Mapping[str, object], /) -> None: ...

    def notify(self, notices: Sequence[Notice], /) -> None:
        """Deliver all of them, as one message if that is its way. Raises HookFailed when they were not taken."""


def changeable_by_others(program: Path) -> Path | None:
    """The file, link or folder by which others than root could change what `program` does; None when there is none.

    For a plugin that itself starts a program of its table: ask before each start, and refuse (THREATS D26). Always
    None where we are not root, and where there is nothing to be started.
    """
    import os

    from jprs_client.places import Unsafe, program_at

    if os.geteuid() != 0:
        return None
    try:
        program_at(program)
    except Unsafe as unsafe:
        return unsafe.place
    except OSError:  # whoever starts it hears the same
        return None
    return None
