"""Texts and addresses that nobody should trust, by word (THREATS T1: a hostile CA, or somebody in between)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

_LONG_ENOUGH = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

#: Where a text stands: `{"hostile": WORD}`.
TEXTS: Mapping[str, str] = {
    # for terminals, logs, mails, pages
    "ansi": "\x1b[2J\x1b[31mall is well\x1b[0m",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;https://evil.invalid/\x1b\\click\x1b]8;;\x1b\\",
    "c1": "\x9b2J\x90q\x9c",
    "bidi": "\u202egnp.exe\u2066\u2069",
    "zero-width": "exa\u200bmple\u200d.jp\ufeff",
    "newline": "all is well\n2026-11-22T12:00:00+09:00 INFO renewed OK",
    "mail-header": "no\r\nBcc: everybody@example.jp\r\n\r\nDear customer",
    "nul": "before\0after",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "format": "%s%n{0.__class__.__mro__}{detail}${HOME}",
    "surrogate": "\ud800",
    "not-characters": "\ufffe\uffff",
    # for shells and configuration files
    "shell": "$(touch /tmp/owned);`id`|id&&id",
    "semicolon": ";id",
    "option": "-oProxyCommand=id",
    "nginx": 'x;} server { listen 80; root /etc; } #"',
    # for paths; each long enough to be a token
    "traversal": f"../../../../../../etc/{_LONG_ENOUGH}",
    "passwd": "../../etc/passwd",
    "percent": f"%2e%2e%2f%2e%2e%2f{_LONG_ENOUGH}",
    "backslash": f"..\\..\\{_LONG_ENOUGH}",
    "absolute": f"/etc/{_LONG_ENOUGH}",
    "homoglyph": f"\u2024\u2024\u2215{_LONG_ENOUGH}",
    "dots": "..",
    # tokens that are none
    "empty": "",
    "short": "abc",
    "padded": f"{_LONG_ENOUGH}=",
    "standard-alphabet": f"+/{_LONG_ENOUGH[2:]}",
    "space": f" {_LONG_ENOUGH} ",
    "trailing-newline": f"{_LONG_ENOUGH}\n",
    "full-width": "０１２３４５６７８９ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖ",
    "10kb": "A" * 10_240,
    "100kb": "A" * 102_400,
}

#: Where an address could be instead: in `redirect` and `move`.
ADDRESSES = (
    "self",
    "loop",
    "http",
    "elsewhere",
    "nowhere",
    "private",
    "loopback",
    "file",
    "ftp",
    "schemeless",
    "relative",
    "userinfo",
    "port",
    "empty",
    "newline",
    "long",
)

#: Octets of a repeated text.
MOST_REPEATED = 64 * 1024 * 1024


def expanded(value: Any) -> Any:
    """`value`, where `{"hostile": WORD}` and `{"repeat": TEXT, "times": N}` have become texts. Raises ValueError."""
    if isinstance(value, list):
        return [expanded(each) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"hostile"}:
        word = value["hostile"]
        if not isinstance(word, str) or word not in TEXTS:
            raise ValueError(f"hostile: {word!r:.60} is none of {', '.join(TEXTS)}")
        return TEXTS[word]
    if set(value) == {"repeat", "times"}:
        text, times = value["repeat"], value["times"]
        if not isinstance(text, str) or not isinstance(times, int) or not 0 <= len(text) * times <= MOST_REPEATED:
            raise ValueError(f"repeat, times: a text and how often, {MOST_REPEATED} octets in all")
        return text * times
    return {member: expanded(content) for member, content in value.items()}


def is_address(where: object) -> bool:
    """Whether `where` is a word of ADDRESSES, or an address itself."""
    return isinstance(where, str) and (where in ADDRESSES or ":" in where or "/" in where)


def moved(url: str, where: str) -> str:
    """The address `where` says, made from `url`; an address as it is."""
    if where not in ADDRESSES:
        return where
    parts = urlsplit(url)
    authority, host = parts.netloc, parts.hostname or ""
    rest = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    other = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}.get(host)
    turn = re.search(r"turn=(\d{1,6})\Z", parts.query)
    return {
        "self": url,
        "loop": f"{parts.scheme}://{authority}{parts.path}?turn={int(turn[1]) + 1 if turn else 1}",
        "http": url.replace("https://", "http://", 1),
        # The same CA by its other name, so that its log shows whoever follows.
        "elsewhere": url.replace(host, other, 1) if other else f"https://elsewhere.invalid{rest}",
        "nowhere": f"https://nowhere.invalid{rest}",
        "private": f"https://169.254.169.254{rest}",
        "loopback": f"https://127.0.0.2{rest}",
        "file": "file:///etc/passwd",
        "ftp": f"ftp://{authority}{rest}",
        "schemeless": f"//{authority}{rest}",
        "relative": rest,
        "userinfo": f"{parts.scheme}://admin:secret@{authority}{rest}",
        "port": f"{parts.scheme}://{host}:1{rest}",
        "empty": "",
        "newline": f"{url}\r\nX-Injected: yes",
        "long": f"{url}?{'a' * 10_000}",
    }[where]
