"""The facts between runs: rows in, values out."""

from __future__ import annotations

import json
import os
import secrets
import socket
import stat
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from types import EllipsisType

from jprs_client.clock import Clock
from jprs_client.errors import Params, StateUnusable, Value
from jprs_client.files import make_directory
from jprs_client.planning.facts import (
    AccountFacts,
    AriFacts,
    CertificateFacts,
    Failure,
    Installation,
    LineageFacts,
    RevocationIntent,
    State,
    UsageRecord,
)
from jprs_client.planning.revoking import Leak, asked_again
from jprs_client.plugin import Proof
from jprs_client.store.claims import Claims
from jprs_client.store.database import Database, Row
from jprs_client.store.versions import Versions
from jprs_client.terms.names import DnsName
from jprs_client.terms.usage import Term


@dataclass(frozen=True, slots=True)
class Job:
    """An issuance that has begun: what is stored before the next step, so that a later run goes on with it."""

    lineage: str
    action: str
    names: frozenset[DnsName]
    key_type: str
    key_spki_sha256: str | None = None
    order_url: str | None = None
    version: int | None = None
    step: str = "begun"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for `history`."""

    at: datetime
    event: str
    lineage: str
    data: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Told:
    """What a notifier was told last of one matter, and is not over: `level` is 1 for a warning, 2 for critical."""

    notifier: str
    topic: str
    certificate: str
    about: str
    code: str
    level: int
    said: str
    told_at: datetime


class Store:
    """Everything below one state directory, for one CA directory. The database may be elsewhere (`[storage] url`)."""

    def __init__(
        self, state_dir: Path, directory: str, clock: Clock, *, lock_timeout: float = 0, url: str = "sqlite:///state.db"
    ) -> None:
        self.state_dir = state_dir
        self.directory = directory
        self.clock = clock
        # Account keys and versions are never there before the database is.
        beside = (state_dir / "accounts", state_dir / "archive")
        self.database = Database(state_dir / url.removeprefix("sqlite:///"), beside)
        self.versions = Versions(state_dir)
        self.claims = Claims(state_dir / "locks", clock, lock_timeout)
        self._count = count()

    @cached_property
    def host(self) -> str:
        """This host's name when its state was made: a host that is renamed keeps what it knows."""
        try:
            row = self.database.row("SELECT name FROM here")
        except StateUnusable:
            row = None  # whoever asks reads or writes next, and is told what is wrong with that
        return socket.gethostname() if row is None else row["name"]

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def writing(self) -> AbstractContextManager[None]:
        """What is written inside is durable together, or not at all."""
        return self.database.writing()

    def must_be_of_this_directory(self) -> None:
        """What another CA has begun is not this one's: a test CA starts nothing that is paid for.

        Raises StateUnusable where certificates of another directory are in service (TERMS P1).
        """
        others = self.database.rows(
            """SELECT DISTINCT certificate.directory FROM lineage JOIN certificate
                 ON certificate.host = lineage.host AND certificate.lineage = lineage.name
                    AND certificate.version = lineage.current
               WHERE lineage.host = :host AND lineage.archived_at IS NULL AND certificate.directory <> :directory""",
            host=self.host,
            directory=self.directory,
        )
        if others:
            raise StateUnusable(
                "state-of-another-directory", state=self.state_dir, directory=self.directory,
                others=[row["directory"] for row in others],
            )  # fmt: skip

    def ready_to_write(self) -> None:
        """Make sure, before the CA is asked for anything, that what it answers can be kept (FAULTS 23, 24)."""
        try:
            make_directory(self.state_dir)
            trial = self.state_dir / f".trial.{secrets.token_hex(8)}"
            trial.touch(mode=0o600)
            try:
                trial.write_bytes(bytes(64 * 1024))
            finally:
                trial.unlink()
        except OSError as error:
            raise StateUnusable(
                "state-not-writable", directory=self.state_dir, cause=error.strerror or error
            ) from error
        with self.writing():
            pass

    def tighten(self) -> list[Path]:
        """Take away what others may do with our folder, our database and the account's key (FAULTS 33); what it was."""
        open_ = []
        for path in (self.state_dir, self.database.path, self.account_key_path):
            with suppress(FileNotFoundError):
                mode = stat.S_IMODE(path.stat().st_mode)
                if mode & 0o077 and path.stat().st_uid == os.geteuid():
                    path.chmod(mode & 0o700)
                    open_.append(path)
        return open_

    # -- the whole picture ------------------------------------------------------------------------------------------

    def state(self) -> State:
        """Everything we know, as the planner wants it."""
        rows = self.database.rows
        return State(
            known_at=self.clock.now(),
            account=self.account(),
            lineages=self._lineages(),
            usages={
                record.name: record
                for record in map(_usage, rows("SELECT * FROM usage_fqdn WHERE host = :host", host=self.host))
            },
            installations={
                (row["target"], row["lineage"]): Installation(
                    row["target"],
                    row["lineage"],
                    row["version"],
                    _moment(row["installed_at"]),
                    _maybe(row["served_at"]),
                )
                for row in rows("SELECT * FROM installation WHERE host = :host", host=self.host)
            },
            failures={
                (row["lineage"], row["action"], row["target"]): _failure(row)
                for row in rows("SELECT * FROM failure WHERE host = :host", host=self.host)
            },
            revocations=tuple(
                _intent(row)
                for row in rows(f"{_WAITING} ORDER BY revocation.lineage, revocation.version", host=self.host)
            ),
            missing_names=frozenset(
                DnsName(row["name"])
                for row in rows("SELECT name FROM name_lookup WHERE host = :host AND found = 0", host=self.host)
            ),
            offers_ari=self._offers_ari(),
        )

    def _lineages(self) -> dict[str, LineageFacts]:
        rows = self.database.rows
        ari = {
            (row["lineage"], row["version"]): AriFacts(
                look_at=_moment(row["look_at"]),
                renew_at=_maybe(row["renew_at"]),
                window_start=_maybe(row["window_start"]),
                window_end=_maybe(row["window_end"]),
                explanation_url=row["explanation_url"],
            )
            for row in rows("SELECT * FROM renewal_information WHERE host = :host", host=self.host)
        }
        found = rows(
            """SELECT lineage.name AS of_lineage, lineage.current, lineage.previous, lineage.rolled_back_at,
                      lineage.retired_at, lineage.archived_at, certificate.*
               FROM lineage LEFT JOIN certificate
                 ON certificate.host = lineage.host AND certificate.lineage = lineage.name
                    AND certificate.version = lineage.current
               WHERE lineage.host = :host ORDER BY lineage.name""",
            host=self.host,
        )
        return {
            row["of_lineage"]: LineageFacts(
                name=row["of_lineage"],
                current=_certificate(row) if row["version"] is not None else None,
                previous_version=row["previous"],
                rolled_back_at=_maybe(row["rolled_back_at"]),
                retired_at=_maybe(row["retired_at"]),
                archived_at=_maybe(row["archived_at"]),
                ari=ari.get((row["of_lineage"], row["current"])),
            )
            for row in found
        }

    def _offers_ari(self) -> bool | None:
        row = self.database.row(
            "SELECT offers_ari FROM directory WHERE host = :host AND url = :url", host=self.host, url=self.directory
        )
        return None if row is None else bool(row["offers_ari"])

    # -- account ----------------------------------------------------------------------------------------------------

    @property
    def account_key_path(self) -> Path:
        """Where the account's private key for this directory lies."""
        import hashlib

        return self.state_dir / "accounts" / hashlib.sha256(self.directory.encode()).hexdigest()[:16] / "privkey.pem"

    def account_key(self) -> bytes:
        """The account's private key; StateUnusable when it is not there, or is none any more."""
        from jprs_client import keys

        path = self.account_key_path
        try:
            pem = path.read_bytes()
            keys.load(pem)
        except OSError as error:
            raise StateUnusable("account-key-missing", file=path, cause=error.strerror or error) from error
        except (ValueError, TypeError):  # what is chained to it may quote the file
            raise StateUnusable("account-key-damaged", file=path) from None
        return pem

    def account(self) -> AccountFacts | None:
        """The account at the configured directory."""
        row = self.database.row(
            "SELECT * FROM account WHERE host = :host AND directory = :directory",
            host=self.host,
            directory=self.directory,
        )
        if row is None:
            return None
        consent = self.database.row(
            """SELECT * FROM consent WHERE host = :host AND directory = :directory ORDER BY agreed_at DESC LIMIT 1""",
            host=self.host,
            directory=self.directory,
        )
        return AccountFacts(
            url=row["url"],
            status=row["status"],
            contact=tuple(json.loads(row["contact"])),
            key_spki_sha256=row["key_spki_sha256"],
            registered_at=_moment(row["registered_at"]),
            terms_url=consent["terms_url"] if consent else None,
            terms_agreed_at=_moment(consent["agreed_at"]) if consent else None,
        )

    def keep_account(
        self, url: str, status: str, contact: Iterable[str], key_spki_sha256: str, eab_key_id: str | None
    ) -> None:
        """Remember the account the CA has made."""
        self.database.write(
            """INSERT INTO account (host, directory, url, status, contact, key_spki_sha256, eab_key_id, registered_at)
               VALUES (:host, :directory, :url, :status, :contact, :spki, :key_id, :now)
               ON CONFLICT (host, directory) DO UPDATE SET url = excluded.url, status = excluded.status,
                 contact = excluded.contact, key_spki_sha256 = excluded.key_spki_sha256""",
            host=self.host, directory=self.directory, url=url, status=status, contact=json.dumps(list(contact)),
            spki=key_spki_sha256, key_id=eab_key_id, now=self._now(),
        )  # fmt: skip

    def account_status(self, status: str) -> None:
        """Remember what the CA says of the account."""
        self.database.write(
            "UPDATE account SET status = :status WHERE host = :host AND directory = :directory",
            status=status, host=self.host, directory=self.directory,
        )  # fmt: skip

    def keep_consent(self, agreed_by: str, terms_url: str | None, ct_page: str) -> None:
        """Remember who agreed to what, and when (TERMS A3)."""
        self.database.write(
            """INSERT INTO consent (host, directory, agreed_at, agreed_by, terms_url, ct_page)
               VALUES (:host, :directory, :now, :agreed_by, :terms_url, :ct_page)
               ON CONFLICT (host, directory, agreed_at) DO NOTHING""",
            host=self.host, directory=self.directory, now=self._now(), agreed_by=agreed_by, terms_url=terms_url,
            ct_page=ct_page,
        )  # fmt: skip

    def keep_directory(self, *, offers_ari: bool, terms_url: str | None) -> None:
        """Remember what the CA's directory offers."""
        self.database.write(
            """INSERT INTO directory (host, url, offers_ari, terms_url, seen_at)
               VALUES (:host, :url, :ari, :terms_url, :now)
               ON CONFLICT (host, url) DO UPDATE SET offers_ari = excluded.offers_ari,
                 terms_url = excluded.terms_url, seen_at = excluded.seen_at""",
            host=self.host, url=self.directory, ari=int(offers_ari), terms_url=terms_url, now=self._now(),
        )  # fmt: skip

    # -- usage FQDNs ------------------------------------------------------------------------------------------------

    def usage(self, name: DnsName) -> UsageRecord | None:
        """What is remembered of one usage FQDN."""
        row = self.database.row(
            "SELECT * FROM usage_fqdn WHERE host = :host AND name = :name", host=self.host, name=name.ascii
        )
        return None if row is None else _usage(row)

    def confirm_start(self, name: DnsName) -> None:
        """Remember that a person has confirmed that this period, and charge, may begin."""
        with self.writing():
            known = self.usage(name) or UsageRecord(name)
            self.keep_usage(replace(known, start_confirmed_at=self.clock.now()))

    def keep_usage(self, record: UsageRecord, *, instead_of: UsageRecord | EllipsisType | None = ...) -> None:
        """Remember a usage FQDN's period; with `instead_of`, only if nobody has remembered another since."""
        with self.writing():
            if instead_of is ... or self.usage(record.name) == instead_of:
                self._write_usage(record)

    def _write_usage(self, record: UsageRecord) -> None:
        self.database.write(
            """INSERT INTO usage_fqdn (host, name, started, ends, config_ends, terminating, suspended, ended_on,
                                       start_confirmed_at, continuation_term)
               VALUES (:host, :name, :started, :ends, :config_ends, :terminating, :suspended, :ended_on, :confirmed,
                       :continuation_term)
               ON CONFLICT (host, name) DO UPDATE SET started = excluded.started, ends = excluded.ends,
                 config_ends = excluded.config_ends, terminating = excluded.terminating,
                 suspended = excluded.suspended, ended_on = excluded.ended_on,
                 start_confirmed_at = excluded.start_confirmed_at,
                 continuation_term = excluded.continuation_term""",
            host=self.host, name=record.name.ascii, started=_text(record.started), ends=_text(record.ends),
            config_ends=_text(record.config_ends), terminating=int(record.terminating),
            suspended=int(record.suspended), ended_on=_text(record.ended_on),
            confirmed=_text(record.start_confirmed_at),
            continuation_term=record.continuation_term.label if record.continuation_term else None,
        )  # fmt: skip

    def keep_lookup(self, name: DnsName, *, found: bool) -> None:
        """Remember whether a derived name exists in the DNS."""
        self.database.write(
            """INSERT INTO name_lookup (host, name, found, looked_up_at) VALUES (:host, :name, :found, :now)
               ON CONFLICT (host, name) DO UPDATE SET found = excluded.found, looked_up_at = excluded.looked_up_at""",
            host=self.host, name=name.ascii, found=int(found), now=self._now(),
        )  # fmt: skip

    # -- certificates -----------------------------------------------------------------------------------------------

    def certificates(self, lineage: str | None = None) -> list[tuple[str, CertificateFacts]]:
        """Every version there ever was, oldest first, with its lineage."""
        chosen = "" if lineage is None else "AND lineage = :lineage"
        return [
            (row["lineage"], _certificate(row))
            for row in self.database.rows(
                f"SELECT * FROM certificate WHERE host = :host {chosen} ORDER BY lineage, version",  # noqa: S608 - ours
                host=self.host,
                lineage=lineage,
            )
        ]

    def next_version(self, lineage: str) -> int:
        """A number that no version of the lineage ever had, whether its folder or its row is still there."""
        row = self.database.row(
            "SELECT MAX(version) AS newest FROM certificate WHERE host = :host AND lineage = :lineage",
            host=self.host,
            lineage=lineage,
        )
        newest = row["newest"] if row is not None and row["newest"] is not None else 0
        return max(newest + 1, self.versions.next_version(lineage))

    def current_version(self, lineage: str) -> int | None:
        """The version that is to be served, as the database knows it."""
        row = self.database.row(
            "SELECT current FROM lineage WHERE host = :host AND name = :name", host=self.host, name=lineage
        )
        return None if row is None else row["current"]

    def ari_id(self, lineage: str) -> str | None:
        """How the CA calls the current certificate (RFC 9773 §4.1)."""
        row = self.database.row(
            """SELECT certificate.ari_id FROM lineage JOIN certificate
                 ON certificate.host = lineage.host AND certificate.lineage = lineage.name
                    AND certificate.version = lineage.current
               WHERE lineage.host = :host AND lineage.name = :name AND certificate.directory = :directory""",
            host=self.host,
            name=lineage,
            directory=self.directory,
        )
        return None if row is None else row["ari_id"]

    def keep_certificate(
        self, lineage: str, facts: CertificateFacts, *, issuer: str, ari_id: str | None, current: bool = True
    ) -> None:
        """Remember a verified version, and that it is the current one of its lineage, unless it never comes to use.

        What its folder holds is the truth about a version: a row of that number from a lost folder is written over.
        """
        with self.writing():
            self.database.write(
                """INSERT INTO certificate (host, lineage, version, directory, names, serial, not_before, not_after,
                                            key_spki_sha256, fingerprint, issuer, ari_id, issued_at)
                   VALUES (:host, :lineage, :version, :directory, :names, :serial, :not_before, :not_after, :spki,
                           :fingerprint, :issuer, :ari_id, :now)
                   ON CONFLICT (host, lineage, version) DO UPDATE SET directory = excluded.directory,
                     names = excluded.names, serial = excluded.serial, not_before = excluded.not_before,
                     not_after = excluded.not_after, key_spki_sha256 = excluded.key_spki_sha256,
                     fingerprint = excluded.fingerprint, issuer = excluded.issuer, ari_id = excluded.ari_id,
                     revoked_at = CASE WHEN certificate.serial = excluded.serial THEN certificate.revoked_at END,
                     revocation_reason =
                       CASE WHEN certificate.serial = excluded.serial THEN certificate.revocation_reason END""",
                host=self.host, lineage=lineage, version=facts.version, directory=self.directory,
                names=_names(facts.names), serial=facts.serial, not_before=_text(facts.not_before),
                not_after=_text(facts.not_after), spki=facts.key_spki_sha256, fingerprint=facts.fingerprint,
                issuer=issuer, ari_id=ari_id, now=self._now(),
            )  # fmt: skip
            if not current:
                return
            self.database.write(
                """INSERT INTO lineage (host, name, current) VALUES (:host, :name, :version)
                   ON CONFLICT (host, name) DO UPDATE SET
                     previous = CASE WHEN lineage.current = excluded.current THEN lineage.previous
                                     ELSE lineage.current END,
                     current = excluded.current, rolled_back_at = NULL, retired_at = NULL, archived_at = NULL""",
                host=self.host, name=lineage, version=facts.version,
            )  # fmt: skip

    def roll_back(self, lineage: str, version: int) -> None:
        """Remember that a person went back to `version`."""
        self.database.write(
            """UPDATE lineage SET previous = current, current = :version, rolled_back_at = :now
               WHERE host = :host AND name = :name""",
            host=self.host, name=lineage, version=version, now=self._now(),
        )  # fmt: skip

    def retire(self, lineage: str, *, retired: bool = True) -> None:
        """Remember that a lineage is not to be replaced until a person asks for it, or that one did."""
        self.database.write(
            "UPDATE lineage SET retired_at = :now WHERE host = :host AND name = :name",
            host=self.host, name=lineage, now=self._now() if retired else None,
        )  # fmt: skip

    def archive(self, lineage: str, *, archived: bool = True) -> None:
        """Remember that a lineage is no longer managed, or is again; what its sites serve is then for others to say."""
        with self.writing():
            self.database.write(
                "UPDATE lineage SET archived_at = :now WHERE host = :host AND name = :name",
                host=self.host, name=lineage, now=self._now() if archived else None,
            )  # fmt: skip
            self.database.write(
                "DELETE FROM installation WHERE host = :host AND lineage = :lineage", host=self.host, lineage=lineage
            )

    def mark_revoked(self, serial: str, reason: int | None, revoked_at: datetime) -> None:
        """Remember that a certificate is revoked; the first word on it stands."""
        self.database.write(
            """UPDATE certificate SET revoked_at = :at, revocation_reason = :reason
               WHERE host = :host AND serial = :serial AND revoked_at IS NULL""",
            host=self.host, serial=serial, at=_text(revoked_at), reason=reason,
        )  # fmt: skip

    def keep_renewal_information(self, lineage: str, version: int, ari: AriFacts) -> None:
        """Remember the CA's word on when to renew."""
        self.database.write(
            """INSERT INTO renewal_information (host, lineage, version, look_at, renew_at, window_start, window_end,
                                                explanation_url)
               VALUES (:host, :lineage, :version, :look_at, :renew_at, :start, :end, :url)
               ON CONFLICT (host, lineage) DO UPDATE SET version = excluded.version, look_at = excluded.look_at,
                 renew_at = excluded.renew_at, window_start = excluded.window_start,
                 window_end = excluded.window_end, explanation_url = excluded.explanation_url""",
            host=self.host, lineage=lineage, version=version, look_at=_text(ari.look_at),
            renew_at=_text(ari.renew_at), start=_text(ari.window_start), end=_text(ari.window_end),
            url=ari.explanation_url,
        )  # fmt: skip

    # -- installations ----------------------------------------------------------------------------------------------

    def keep_installation(self, target: str, lineage: str, version: int, *, served: bool) -> None:
        """Remember what a target was given, and whether it was seen served there."""
        now = self._now()
        self.database.write(
            """INSERT INTO installation (host, target, lineage, version, installed_at, served_at)
               VALUES (:host, :target, :lineage, :version, :now, :served)
               ON CONFLICT (host, target, lineage) DO UPDATE SET version = excluded.version,
                 installed_at = excluded.installed_at, served_at = excluded.served_at""",
            host=self.host, target=target, lineage=lineage, version=version, now=now, served=now if served else None,
        )  # fmt: skip

    # -- failures ---------------------------------------------------------------------------------------------------

    def keep_failure(self, failure: Failure) -> None:
        """Remember that an action failed, since when, and when it is tried again; for other names it starts afresh."""
        self.database.write(
            """INSERT INTO failure (host, lineage, action, target, names, count, code, params, failed_at, retry_at,
                                    imposed, since, exit_code)
               VALUES (:host, :lineage, :action, :target, :names, :count, :code, :params, :failed_at, :retry_at,
                       :imposed, :since, :exit_code)
               ON CONFLICT (host, lineage, action, target) DO UPDATE SET names = excluded.names,
                 count = excluded.count, code = excluded.code, params = excluded.params,
                 failed_at = excluded.failed_at, retry_at = excluded.retry_at, imposed = excluded.imposed,
                 since = CASE WHEN failure.names = excluded.names THEN COALESCE(failure.since, failure.failed_at)
                              ELSE excluded.since END,
                 exit_code = excluded.exit_code""",
            host=self.host, lineage=failure.lineage, action=failure.action, target=failure.target,
            names=_names(failure.names), count=failure.count, code=failure.code,
            params=json.dumps(dict(failure.params)),
            failed_at=_text(failure.failed_at), retry_at=_text(failure.retry_at), imposed=int(failure.imposed),
            since=_text(failure.since or failure.failed_at), exit_code=failure.exit_code,
        )  # fmt: skip

    def forget_failure(self, lineage: str, action: str, target: str = "") -> None:
        """It worked."""
        self.database.write(
            "DELETE FROM failure WHERE host = :host AND lineage = :lineage AND action = :action AND target = :target",
            host=self.host, lineage=lineage, action=action, target=target,
        )  # fmt: skip

    # -- revocations ------------------------------------------------------------------------------------------------

    def keep_revocation(self, intent: RevocationIntent) -> None:
        """Remember that a certificate is to be revoked; asked for again while it waits, the graver reason stands."""
        with self.writing():
            waiting = self.database.row(
                f"{_WAITING} AND revocation.lineage = :lineage AND revocation.version = :version",
                host=self.host,
                lineage=intent.lineage,
                version=intent.version,
            )
            self._write_revocation(intent if waiting is None else asked_again(_intent(waiting), intent))

    def _write_revocation(self, intent: RevocationIntent) -> None:
        self.database.write(
            """INSERT INTO revocation (host, lineage, version, serial, reason, circumstances, replaces, requested_at,
                                       deadline)
               VALUES (:host, :lineage, :version, :serial, :reason, :circumstances, :replaces, :requested_at, :deadline)
               ON CONFLICT (host, lineage, version) DO UPDATE SET reason = excluded.reason,
                 circumstances = excluded.circumstances, replaces = excluded.replaces,
                 requested_at = excluded.requested_at, deadline = excluded.deadline, done_at = NULL""",
            host=self.host, lineage=intent.lineage, version=intent.version, serial=intent.serial, reason=intent.reason,
            circumstances=json.dumps(intent.circumstances), replaces=int(intent.replace),
            requested_at=_text(intent.requested_at), deadline=_text(intent.deadline),
        )  # fmt: skip

    def revocation_done(self, lineage: str, version: int) -> None:
        """The CA has confirmed it."""
        self.database.write(
            "UPDATE revocation SET done_at = :now WHERE host = :host AND lineage = :lineage AND version = :version",
            now=self._now(), host=self.host, lineage=lineage, version=version,
        )  # fmt: skip

    def drop_revocation(self, lineage: str, version: int) -> None:
        """It was refused for good; a person has to ask again."""
        self.database.write(
            "DELETE FROM revocation WHERE host = :host AND lineage = :lineage AND version = :version",
            host=self.host, lineage=lineage, version=version,
        )  # fmt: skip

    def block_key(self, key_spki_sha256: str) -> None:
        """Never accept this key again (TERMS R4)."""
        self.database.write(
            """INSERT INTO blocked_key (host, key_spki_sha256, blocked_at) VALUES (:host, :spki, :now)
               ON CONFLICT (host, key_spki_sha256) DO NOTHING""",
            host=self.host, spki=key_spki_sha256, now=self._now(),
        )  # fmt: skip

    def is_blocked(self, key_spki_sha256: str) -> bool:
        """Whether a key was given up as compromised."""
        return (
            self.database.row("SELECT 1 FROM blocked_key WHERE key_spki_sha256 = :spki", spki=key_spki_sha256)
            is not None
        )

    def leaks(self) -> list[Leak]:
        """What was ever asked to be revoked because its key was compromised."""
        return [
            Leak(
                row["lineage"], row["version"], _maybe(row["done_at"]),
                is_followed=row["issued_at"] is not None and _moment(row["issued_at"]) >= _moment(row["requested_at"]),
            )
            for row in self.database.rows(
                """SELECT revocation.lineage, revocation.version, revocation.requested_at, revocation.done_at,
                          certificate.issued_at
                   FROM revocation
                   LEFT JOIN lineage ON lineage.host = revocation.host AND lineage.name = revocation.lineage
                   LEFT JOIN certificate ON certificate.host = revocation.host
                     AND certificate.lineage = revocation.lineage AND certificate.version = lineage.current
                     AND certificate.version <> revocation.version
                   WHERE revocation.host = :host AND revocation.reason = :compromised""",
                host=self.host,
                compromised=1,
            )
        ]  # fmt: skip

    def blocked_in_use(self) -> list[str]:
        """Keys given up as compromised that a certificate has which nobody has asked to revoke.

        It came out of an order that was under way, or back from a copy (FAULTS 148).
        """
        rows = self.database.rows(
            """SELECT DISTINCT certificate.key_spki_sha256 FROM certificate
               JOIN blocked_key ON blocked_key.key_spki_sha256 = certificate.key_spki_sha256
               LEFT JOIN revocation ON revocation.host = certificate.host
                 AND revocation.lineage = certificate.lineage AND revocation.version = certificate.version
               WHERE certificate.host = :host AND certificate.revoked_at IS NULL AND certificate.not_after > :now
                 AND (revocation.lineage IS NULL OR revocation.reason <> 1)""",
            host=self.host,
            now=self._now(),
        )
        return [row["key_spki_sha256"] for row in rows]

    # -- notices ----------------------------------------------------------------------------------------------------

    def told(self) -> list[Told]:
        """What each notifier was told and is not over yet."""
        return [
            Told(
                notifier=row["notifier"],
                topic=row["topic"],
                certificate=row["lineage"],
                about=row["about"],
                code=row["code"],
                level=row["level"],
                said=row["said"],
                told_at=_moment(row["told_at"]),
            )
            for row in self.database.rows(
                "SELECT * FROM notice WHERE host = :host ORDER BY notifier, topic, lineage, about", host=self.host
            )
        ]

    def keep_told(self, told: Told) -> None:
        """Remember that a notifier was told."""
        self.database.write(
            """INSERT INTO notice (host, notifier, topic, lineage, about, code, level, said, told_at)
               VALUES (:host, :notifier, :topic, :lineage, :about, :code, :level, :said, :told_at)
               ON CONFLICT (host, notifier, topic, lineage, about) DO UPDATE SET code = excluded.code,
                 level = excluded.level, said = excluded.said, told_at = excluded.told_at""",
            host=self.host, notifier=told.notifier, topic=told.topic, lineage=told.certificate, about=told.about,
            code=told.code, level=told.level, said=told.said, told_at=_text(told.told_at),
        )  # fmt: skip

    def forget_told(self, told: Told) -> None:
        """It is over."""
        self.database.write(
            """DELETE FROM notice WHERE host = :host AND notifier = :notifier AND topic = :topic
               AND lineage = :lineage AND about = :about""",
            host=self.host, notifier=told.notifier, topic=told.topic, lineage=told.certificate, about=told.about,
        )  # fmt: skip

    # -- history ----------------------------------------------------------------------------------------------------

    def keep_event(self, event: str, lineage: str = "", **data: Value) -> None:
        """Remember that something happened."""
        self.database.write(
            "INSERT INTO event (host, id, at, event, lineage, data) VALUES (:host, :id, :at, :event, :lineage, :data)",
            host=self.host, id=f"{next(self._count):08x}{secrets.token_hex(8)}", at=self._now(), event=event,
            lineage=lineage, data=json.dumps(data),
        )  # fmt: skip

    def events(self, lineage: str | None = None) -> list[Event]:
        """What happened, oldest first; in one moment, in the order in which it was written down."""
        chosen = "" if lineage is None else "AND lineage = :lineage"
        return [
            Event(_moment(row["at"]), row["event"], row["lineage"], json.loads(row["data"]))
            for row in self.database.rows(
                f"SELECT * FROM event WHERE host = :host {chosen} ORDER BY at, id",  # noqa: S608 - ours
                host=self.host,
                lineage=lineage,
            )
        ]

    # -- the journal ------------------------------------------------------------------------------------------------

    def job(self, lineage: str) -> Job | None:
        """The issuance that has begun for a lineage and has not ended."""
        row = self.database.row("SELECT * FROM journal WHERE lineage = :lineage", lineage=lineage)
        if row is None:
            return None
        return Job(
            lineage=row["lineage"],
            action=row["action"],
            names=_name_set(row["names"]),
            key_type=row["key_type"],
            key_spki_sha256=row["key_spki_sha256"],
            order_url=row["order_url"],
            version=row["version"],
            step=row["step"],
        )

    def keep_job(self, job: Job) -> None:
        """Write down how far an issuance has come, before it goes on."""
        self.database.write(
            """INSERT INTO journal (lineage, action, names, key_type, key_spki_sha256, order_url, version, step,
                                    started_at)
               VALUES (:lineage, :action, :names, :key_type, :spki, :order_url, :version, :step, :now)
               ON CONFLICT (lineage) DO UPDATE SET action = excluded.action, names = excluded.names,
                 key_type = excluded.key_type, key_spki_sha256 = excluded.key_spki_sha256,
                 order_url = excluded.order_url, version = excluded.version, step = excluded.step""",
            lineage=job.lineage, action=job.action, names=_names(job.names), key_type=job.key_type,
            spki=job.key_spki_sha256, order_url=job.order_url, version=job.version, step=job.step, now=self._now(),
        )  # fmt: skip

    def jobs(self) -> list[Job]:
        """Every issuance that has begun and has not ended."""
        return [
            job
            for row in self.database.rows("SELECT lineage FROM journal ORDER BY lineage")
            if (job := self.job(row["lineage"]))
        ]

    def end_job(self, lineage: str) -> None:
        """The issuance is over."""
        self.database.write("DELETE FROM journal WHERE lineage = :lineage", lineage=lineage)

    def ledger(self, lineage: str) -> Ledger:
        """The proofs that are up for a lineage; whoever holds its claim keeps it."""
        return Ledger(self, lineage)

    def lineages_with_proofs(self) -> list[str]:
        """Lineages for which proofs are up, or were left up."""
        rows = self.database.rows("SELECT DISTINCT lineage FROM proof ORDER BY lineage")
        return [row["lineage"] for row in rows]

    def _now(self) -> str:
        return self.clock.now().astimezone(UTC).isoformat()


#: Revocations that wait, each with the names of its certificate.
_WAITING = """SELECT revocation.*, certificate.names AS of_names, certificate.not_after AS of_not_after
    FROM revocation LEFT JOIN certificate
      ON certificate.host = revocation.host AND certificate.lineage = revocation.lineage
         AND certificate.version = revocation.version
    WHERE revocation.host = :host AND revocation.done_at IS NULL"""


class Ledger:
    """Which proofs are up for one lineage, kept where a killed process leaves it (FAULTS 5)."""

    def __init__(self, store: Store, lineage: str) -> None:
        self._store = store
        self._lineage = lineage

    def add(self, solver_name: str, proof: Proof, /) -> None:
        """Write down that a proof goes up, before it does."""
        self._store.database.write(
            """INSERT INTO proof (lineage, solver, challenge_type, name, token, content, wildcard, put_up_at)
               VALUES (:lineage, :solver, :type, :name, :token, :content, :wildcard, :now)
               ON CONFLICT (lineage, solver, challenge_type, name, token) DO NOTHING""",
            lineage=self._lineage, solver=solver_name, type=proof.challenge_type, name=proof.name, token=proof.token,
            content=proof.content, wildcard=int(proof.wildcard), now=_text(self._store.clock.now()),
        )  # fmt: skip

    def remove(self, solver_name: str, proof: Proof, /) -> None:
        """Write down that a proof is down."""
        self._store.database.write(
            """DELETE FROM proof WHERE lineage = :lineage AND solver = :solver AND challenge_type = :type
               AND name = :name AND token = :token""",
            lineage=self._lineage, solver=solver_name, type=proof.challenge_type, name=proof.name, token=proof.token,
        )  # fmt: skip

    def left_over(self) -> list[tuple[str, Proof]]:
        """Proofs that went up and were never taken down."""
        rows = self._store.database.rows(
            "SELECT * FROM proof WHERE lineage = :lineage ORDER BY put_up_at, solver, name, token",
            lineage=self._lineage,
        )
        return [
            (
                row["solver"],
                Proof(row["challenge_type"], row["name"], row["token"], row["content"], bool(row["wildcard"])),
            )
            for row in rows
        ]


def _text(value: date | datetime | None) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return None if value is None else value.isoformat()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _maybe(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _names(names: Iterable[DnsName]) -> str:
    return " ".join(sorted(name.ascii for name in names))


def _name_set(text: str) -> frozenset[DnsName]:
    return frozenset(map(DnsName, text.split()))


def _certificate(row: Row) -> CertificateFacts:
    return CertificateFacts(
        version=row["version"],
        names=_name_set(row["names"]),
        serial=row["serial"],
        not_before=_moment(row["not_before"]),
        not_after=_moment(row["not_after"]),
        key_spki_sha256=row["key_spki_sha256"],
        fingerprint=row["fingerprint"],
        revoked_at=_maybe(row["revoked_at"]),
        revocation_reason=row["revocation_reason"],
    )


def _usage(row: Row) -> UsageRecord:
    return UsageRecord(
        name=DnsName(row["name"]),
        started=_day(row["started"]),
        ends=_day(row["ends"]),
        config_ends=_day(row["config_ends"]),
        terminating=bool(row["terminating"]),
        suspended=bool(row["suspended"]),
        ended_on=_day(row["ended_on"]),
        start_confirmed_at=_maybe(row["start_confirmed_at"]),
        continuation_term=Term.parse(row["continuation_term"]) if row["continuation_term"] else None,
    )


def _failure(row: Row) -> Failure:
    params: Params = json.loads(row["params"])
    return Failure(
        lineage=row["lineage"],
        action=row["action"],
        names=_name_set(row["names"]),
        count=row["count"],
        code=row["code"],
        params=params,
        failed_at=_moment(row["failed_at"]),
        retry_at=_moment(row["retry_at"]),
        imposed=bool(row["imposed"]),
        target=row["target"],
        since=_maybe(row["since"]),
        exit_code=1 if row["exit_code"] is None else row["exit_code"],
    )


def _intent(row: Row) -> RevocationIntent:
    return RevocationIntent(
        lineage=row["lineage"],
        version=row["version"],
        serial=row["serial"],
        reason=row["reason"],
        circumstances=tuple(json.loads(row["circumstances"])),
        replace=bool(row["replaces"]),
        requested_at=_moment(row["requested_at"]),
        deadline=_moment(row["deadline"]),
        names=_name_set(row["of_names"] or ""),
        not_after=_maybe(row["of_not_after"]),
    )
