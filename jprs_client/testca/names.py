"""What a DNS identifier may look like, and which names a usage FQDN authorises (ご利用条件 第4条3項)."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

#: What IDNA 2008 allows in a label beside letters, marks and numbers (RFC 5892: hyphen, joiners, contextual ones).
_JOINING = frozenset("-\u00b7\u0375\u05f3\u05f4\u200c\u200d\u30fb\u06fd\u06fe\u0f0b\u3007")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")


def wrong_with(name: str) -> str | None:
    """Why `name`, in lower case, is no name to issue for; None when it is one."""
    base = name.removeprefix("*.")
    if len(name) > 253 or not name:
        return "a name has 1 to 253 octets"
    labels = base.split(".")
    for label in labels:
        if not _LABEL.match(label):
            return f"the label {label[:70]!r} is not one of letters, digits and inner hyphens, 1 to 63 octets"
        if label[2:4] == "--" and not label.startswith("xn--"):
            return f"the label {label!r} has hyphens where only xn-- has them"
        if label.startswith("xn--") and not _decodes(label):
            return f"the label {label!r} does not decode"
    if len(labels) < 2:
        return "a name has two labels at least"
    if labels[-1].isdigit():
        return "the last label is all digits: an address, or nothing"
    if is_wildcard(name) and _is_registry(base):
        return f"everybody's names lie directly below {base}: no wildcard there (Baseline Requirements 3.2.2.6)"
    return None


def _is_registry(name: str) -> bool:
    """Whether `name` stands in the ICANN section of the public suffix list, where test, local and the like do not."""
    return _suffixes().publicsuffix(name, accept_unknown=False) == name


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # a tenth of a second, for the first wildcard alone

    return PublicSuffixList(only_icann=True)


def _decodes(label: str) -> bool:
    """Whether an xn-- label is the Punycode of something that needs it, and that IDNA 2008 could have written so.

    RFC 8555 §7.1.4 wants it properly encoded: written as it would be anew, normalised, lower case, in letters.
    """
    try:
        said = label[4:].encode("ascii").decode("punycode")
        again = said.encode("punycode").decode("ascii")
    except (UnicodeError, OverflowError, ValueError):
        return False
    if said.isascii() or again != label[4:]:
        return False
    return (
        unicodedata.normalize("NFKC", said.lower()) == said
        and not unicodedata.category(said[0]).startswith("M")
        and all(unicodedata.category(character)[0] in "LMN" or character in _JOINING for character in said)
    )


def is_wildcard(name: str) -> bool:
    """Whether the leftmost label is `*`."""
    return name.startswith("*.")


def without_wildcard(name: str) -> str:
    """`name` without a leading `*.`."""
    return name.removeprefix("*.")


def authorised_by(usage_fqdn: str) -> tuple[str, ...]:
    """The names a certificate may carry for `usage_fqdn`, itself first.

    第4条3項: a normal one and `www.` before it; a wildcard and what is below the `*`. A derived name that would be too
    long for the DNS does not exist.
    """
    derived = without_wildcard(usage_fqdn) if is_wildcard(usage_fqdn) else "www." + usage_fqdn
    return (usage_fqdn,) if wrong_with(derived) else (usage_fqdn, derived)
