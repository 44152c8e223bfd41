"""The tables, in SQL that SQLite and PostgreSQL both understand.

Facts (`account` to `event`) may be shared by hosts one day, so each row names its host. The rest is this host's own:
`here` is the name its rows bear, `journal` and `proof` are what it has begun and must finish or take down. No private
key is ever in here, only its fingerprint (ご利用条件 第9条1号ウ). Moments are RFC 3339 in UTC, days ISO 8601, sets of
names space-separated, parameters JSON.
"""

from __future__ import annotations

VERSION = 2

#: A host that is renamed keeps what it knows under the name it had when its state was made.
BAPTISM = "INSERT INTO here (name) VALUES (:name)"

#: What each notifier was told and is not over yet.
NOTICE = """CREATE TABLE notice (
        host TEXT NOT NULL, notifier TEXT NOT NULL, topic TEXT NOT NULL, lineage TEXT NOT NULL, about TEXT NOT NULL,
        code TEXT NOT NULL, level INTEGER NOT NULL, said TEXT NOT NULL, told_at TEXT NOT NULL,
        PRIMARY KEY (host, notifier, topic, lineage, about))"""

TABLES = (
    """CREATE TABLE account (
        host TEXT NOT NULL, directory TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL, contact TEXT NOT NULL,
        key_spki_sha256 TEXT NOT NULL, eab_key_id TEXT, registered_at TEXT NOT NULL,
        PRIMARY KEY (host, directory))""",
    """CREATE TABLE consent (
        host TEXT NOT NULL, directory TEXT NOT NULL, agreed_at TEXT NOT NULL, agreed_by TEXT NOT NULL,
        terms_url TEXT, ct_page TEXT NOT NULL,
        PRIMARY KEY (host, directory, agreed_at))""",
    """CREATE TABLE directory (
        host TEXT NOT NULL, url TEXT NOT NULL, offers_ari INTEGER NOT NULL, terms_url TEXT, seen_at TEXT NOT NULL,
        PRIMARY KEY (host, url))""",
    """CREATE TABLE usage_fqdn (
        host TEXT NOT NULL, name TEXT NOT NULL, started TEXT, ends TEXT, config_ends TEXT,
        terminating INTEGER NOT NULL, suspended INTEGER NOT NULL, ended_on TEXT, start_confirmed_at TEXT,
        continuation_term TEXT,
        PRIMARY KEY (host, name))""",
    """CREATE TABLE lineage (
        host TEXT NOT NULL, name TEXT NOT NULL, current INTEGER, previous INTEGER, rolled_back_at TEXT,
        retired_at TEXT, archived_at TEXT,
        PRIMARY KEY (host, name))""",
    """CREATE TABLE certificate (
        host TEXT NOT NULL, lineage TEXT NOT NULL, version INTEGER NOT NULL, directory TEXT NOT NULL,
        names TEXT NOT NULL, serial TEXT NOT NULL, not_before TEXT NOT NULL, not_after TEXT NOT NULL,
        key_spki_sha256 TEXT NOT NULL, fingerprint TEXT NOT NULL, issuer TEXT NOT NULL, ari_id TEXT,
        issued_at TEXT NOT NULL, revoked_at TEXT, revocation_reason INTEGER,
        PRIMARY KEY (host, lineage, version))""",
    """CREATE TABLE renewal_information (
        host TEXT NOT NULL, lineage TEXT NOT NULL, version INTEGER NOT NULL, look_at TEXT NOT NULL, renew_at TEXT,
        window_start TEXT, window_end TEXT, explanation_url TEXT,
        PRIMARY KEY (host, lineage))""",
    """CREATE TABLE installation (
        host TEXT NOT NULL, target TEXT NOT NULL, lineage TEXT NOT NULL, version INTEGER NOT NULL,
        installed_at TEXT NOT NULL, served_at TEXT,
        PRIMARY KEY (host, target, lineage))""",
    """CREATE TABLE failure (
        host TEXT NOT NULL, lineage TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, names TEXT NOT NULL,
        count INTEGER NOT NULL, code TEXT NOT NULL, params TEXT NOT NULL, failed_at TEXT NOT NULL,
        retry_at TEXT NOT NULL, imposed INTEGER NOT NULL, since TEXT, exit_code INTEGER,
        PRIMARY KEY (host, lineage, action, target))""",
    """CREATE TABLE revocation (
        host TEXT NOT NULL, lineage TEXT NOT NULL, version INTEGER NOT NULL, serial TEXT NOT NULL,
        reason INTEGER NOT NULL, circumstances TEXT NOT NULL, replaces INTEGER NOT NULL, requested_at TEXT NOT NULL,
        deadline TEXT NOT NULL, done_at TEXT,
        PRIMARY KEY (host, lineage, version))""",
    """CREATE TABLE blocked_key (
        host TEXT NOT NULL, key_spki_sha256 TEXT NOT NULL, blocked_at TEXT NOT NULL,
        PRIMARY KEY (host, key_spki_sha256))""",
    """CREATE TABLE name_lookup (
        host TEXT NOT NULL, name TEXT NOT NULL, found INTEGER NOT NULL, looked_up_at TEXT NOT NULL,
        PRIMARY KEY (host, name))""",
    """CREATE TABLE event (
        host TEXT NOT NULL, id TEXT NOT NULL, at TEXT NOT NULL, event TEXT NOT NULL, lineage TEXT NOT NULL,
        data TEXT NOT NULL,
        PRIMARY KEY (host, id))""",
    "CREATE INDEX event_by_moment ON event (host, at)",
    NOTICE,
    """CREATE TABLE here (
        name TEXT NOT NULL,
        PRIMARY KEY (name))""",
    """CREATE TABLE journal (
        lineage TEXT NOT NULL, action TEXT NOT NULL, names TEXT NOT NULL, key_type TEXT NOT NULL,
        key_spki_sha256 TEXT, order_url TEXT, version INTEGER, step TEXT NOT NULL, started_at TEXT NOT NULL,
        PRIMARY KEY (lineage))""",
    """CREATE TABLE proof (
        lineage TEXT NOT NULL, solver TEXT NOT NULL, challenge_type TEXT NOT NULL, name TEXT NOT NULL,
        token TEXT NOT NULL, content TEXT NOT NULL, wildcard INTEGER NOT NULL, put_up_at TEXT NOT NULL,
        PRIMARY KEY (lineage, solver, challenge_type, name, token))""",
)

#: What makes a database of an older version one of the next: the statements that lead there from version N.
FROM_VERSION = {
    1: (
        "ALTER TABLE failure ADD COLUMN since TEXT",
        "ALTER TABLE failure ADD COLUMN exit_code INTEGER",
        NOTICE,
    ),
}
