"""One connection, rows by name, `:name` parameters. Everything that is written is on disk when a block ends."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jprs_client.errors import StateUnusable
from jprs_client.files import make_directory
from jprs_client.store.schema import BAPTISM, FROM_VERSION, TABLES, VERSION

Row = sqlite3.Row


class Database:
    """SQLite in the state directory. A missing file is made on the first write; reading without one finds nothing.

    `beside` are folders that are filled only after the database was made: where they are and it is not, it was lost,
    and taking that for a new beginning would order and charge everything once more (FAULTS 28).
    """

    def __init__(self, path: Path, beside: Iterable[Path] = ()) -> None:
        self.path = path
        self._beside = tuple(beside)
        self._connection: sqlite3.Connection | None = None
        self._depth = 0

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rows(self, query: str, /, **parameters: object) -> list[Row]:
        """What `query` finds; nothing while there is no database yet."""
        connection = self._reading()
        if connection is None:
            return []
        try:
            return connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def row(self, query: str, /, **parameters: object) -> Row | None:
        """The first row that `query` finds."""
        found = self.rows(query, **parameters)
        return found[0] if found else None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All that is written inside is durable together, or not at all. May be nested."""
        connection = self._open()
        begin, keep, undo = "BEGIN IMMEDIATE", "COMMIT", ["ROLLBACK"]
        if self._depth:  # an inner block whose error is caught outside leaves nothing behind either
            point = f"inner_{self._depth}"
            begin, keep = f"SAVEPOINT {point}", f"RELEASE SAVEPOINT {point}"
            undo = [f"ROLLBACK TO SAVEPOINT {point}", keep]
        try:
            connection.execute(begin)
            self._depth += 1
            try:
                yield
                connection.execute(keep)
            except BaseException:
                for statement in undo:
                    if connection.in_transaction:  # a full disk may have ended it already
                        connection.execute(statement)
                raise
            finally:
                self._depth -= 1
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def write(self, statement: str, /, **parameters: object) -> None:
        """One statement; on its own it is its own transaction."""
        with self.writing():
            try:
                self._open().execute(statement, parameters)
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def _reading(self) -> sqlite3.Connection | None:
        if self._connection is None:
            try:
                self.path.stat()
            except (FileNotFoundError, NotADirectoryError):
                self._must_not_be_lost()
                return None
            except OSError as error:
                raise self._unusable(error) from error
        return self._open()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        connection = None
        try:
            new = not self.path.exists()
            if new:
                make_directory(self.path.parent)
                self.path.touch(mode=0o600)
            connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA busy_timeout = 30000")
            self._prepare(connection)
        except OSError as error:
            cause = error.strerror or error
            raise StateUnusable("state-not-writable", directory=self.path.parent, cause=cause) from error
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise self._unusable(error) from error
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        self._connection = connection
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == VERSION:
            connection.execute("PRAGMA synchronous = FULL")
            return
        if version > VERSION:
            raise StateUnusable("state-from-newer-version", file=self.path, version=version, known=VERSION)
        if version == 0:
            self._must_not_be_lost()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("PRAGMA user_version").fetchone()[0]  # another run may have been quicker
        if version == 0:
            for statement in TABLES:
                connection.execute(statement)
            connection.execute(BAPTISM, {"name": socket.gethostname()})
        for older in range(version or VERSION, VERSION):
            for statement in FROM_VERSION[older]:
                connection.execute(statement)
        if version < VERSION:
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")

    def _must_not_be_lost(self) -> None:
        found = [path for path in self._beside if path.is_dir() and any(path.iterdir())]
        if found:
            raise StateUnusable("state-database-lost", file=self.path, found=found)

    def _unusable(self, error: Exception) -> StateUnusable:
        return StateUnusable("state-database-unusable", file=self.path, cause=error)
