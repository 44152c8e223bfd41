"""The operator's credentials (External Account Binding): read, tidied, and never told.

People get them by mail, from a web page or on paper. What copying does to them is undone here; what it damaged is
named before anything is sent, since credentials are taken as single-use (TERMS A1; FAULTS 85).
"""

from __future__ import annotations

import base64
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jprs_client.errors import SecretExposed
from jprs_client.files import read_secret

#: A shorter HMAC key is taken for a damaged one; CAs hand out 32 bytes.
MIN_HMAC_KEY_BYTES = 16

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_STANDARD_TO_URL = str.maketrans("+/", "-_")


@dataclass(frozen=True, slots=True)
class EabCredentials:
    """Key id and HMAC key of RFC 8555 §7.3.4; only the key id is ever printable."""

    key_id: str
    hmac_key: bytes = field(repr=False)


def read_eab(path: Path) -> EabCredentials:
    """The credentials in the TOML file at `path`: `key_id` and `hmac_key`, the latter in base64url.

    Raises SecretExposed with a code for each fault. Neither the error nor anything chained to it has the key in it.
    """
    tables, line = _tables(_text(path))
    if tables is None:
        raise SecretExposed("eab-syntax", file=path, line=line)
    key_id = _tidied(tables, "key_id", path)
    if not (key_id.isascii() and key_id.isprintable()):
        raise SecretExposed("eab-key-id-not-ascii", file=path)
    return EabCredentials(key_id, _hmac_key(_tidied(tables, "hmac_key", path), path))


def _text(path: Path) -> str:
    try:
        content = read_secret(path)
    except FileNotFoundError as problem:
        raise SecretExposed("eab-file-missing", file=path) from problem
    except IsADirectoryError as problem:
        raise SecretExposed("secret-not-a-file", file=path) from problem
    except (OSError, ValueError) as problem:  # ValueError: a zero byte in the path
        detail = problem.strerror if isinstance(problem, OSError) else "EINVAL"
        raise SecretExposed("eab-file-unreadable", file=path, detail=detail) from problem
    # A decoding error carries the whole content, so none is raised: what is no UTF-8 can only be in a comment.
    return content.decode("utf-8-sig", errors="replace")


def _tables(text: str) -> tuple[Mapping[str, object] | None, int | None]:
    """What TOML gives; else None and the line of the fault. The parser's own words may quote the key."""
    try:
        return tomllib.loads(text), None
    except tomllib.TOMLDecodeError as problem:
        line = re.search(r"\(at line (\d+), column \d+\)\Z", str(problem))
        return None, int(line[1]) if line else max(1, len(text.splitlines()))
    except (RecursionError, ValueError):
        return None, None


def _tidied(tables: Mapping[str, object], key: str, path: Path) -> str:
    """The string under `key` in ordinary characters, without white space and invisible ones."""
    code = "eab-key-id-missing" if key == "key_id" else "eab-hmac-missing"
    value = tables.get(key)
    if value is not None and not isinstance(value, str):
        raise SecretExposed("eab-not-in-quotes", file=path, key=key)
    kept = unicodedata.normalize("NFKC", value or "")
    text = "".join(c for c in kept if not c.isspace() and unicodedata.category(c) not in {"Cc", "Cf"})
    if not text:
        raise SecretExposed(code, file=path)
    return text


def _hmac_key(text: str, path: Path) -> bytes:
    """The bytes of `text`, which may also be written in the standard alphabet, padded or not."""
    bare = text.translate(_STANDARD_TO_URL).rstrip("=")
    good = _BASE64URL.match(bare)
    end = good.end() if good else 0
    if end < len(bare):
        raise SecretExposed("eab-hmac-not-base64url", file=path, position=end + 1)
    if len(bare) % 4 == 1:  # no number of bytes gives this many characters
        raise SecretExposed("eab-hmac-cut-off", file=path, characters=len(bare))
    key = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    if len(key) < MIN_HMAC_KEY_BYTES:
        raise SecretExposed("eab-hmac-too-short", file=path, bytes=len(key), minimum=MIN_HMAC_KEY_BYTES)
    return key
