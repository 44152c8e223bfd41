"""Names that a server certificate can carry, and what a usage FQDN authorises (ご利用条件 第1条, 第4条3項; N1-N6).

A `DnsName` is canonical: lower-case A-labels, no trailing dot. Whatever people type passes `DnsName.parse` once.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Self

from jprs_client.errors import BadName, harmless

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

MAX_NAME_OCTETS = 253  # RFC 1035 §2.3.4: 255 on the wire, which are 253 in text
MAX_LABEL_OCTETS = 63
MAX_INPUT_CHARACTERS = 1000  # no name is as long; nothing costly is done with such a text

ACME_CHALLENGE_PREFIX = "_acme-challenge."  # RFC 8555 §8.4

_LABEL = r"(?![^.]{2}--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_NAME = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")
_NOT_LDH = re.compile(r"[\x00-\x2c\x2e\x2f\x3a-\x60\x7b-\x7f]")
_ACE = "xn--"


@dataclass(frozen=True, slots=True, order=True)
class DnsName:
    """A DNS name as certificates carry it: lower-case A-labels without the trailing dot, perhaps led by `*.`.

    Made by `parse`; the bare constructor is for text that already is canonical.
    """

    ascii: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The canonical name for what a person or a file says, by UTS #46 (non-transitional), then IDNA 2008.

        Raises BadName with a code for each kind of fault (TERMS N6).
        """
        if len(text) > MAX_INPUT_CHARACTERS:
            _refuse("name-too-long", text, limit=MAX_NAME_OCTETS)
        mapped = text.lower() if text.isascii() else _mapped(text)
        mapped = mapped.removesuffix(".")
        if not mapped:
            _refuse("name-empty", text)
        if len(mapped) > MAX_NAME_OCTETS:  # an A-label is never shorter than its U-label
            _refuse("name-too-long", text, limit=MAX_NAME_OCTETS)
        wildcard = mapped.startswith("*.")
        below = mapped[2:] if wildcard else mapped
        plain = _PLAIN_NAME.fullmatch(below) and not below[below.rindex(".") + 1 :].isdigit()
        base = below if plain else _checked_base(below, wildcard=wildcard, text=text)
        canonical = f"*.{base}" if wildcard else base
        if len(canonical) > MAX_NAME_OCTETS:
            _refuse("name-too-long", text, limit=MAX_NAME_OCTETS)
        if wildcard and is_public_suffix(base):
            _refuse("name-wildcard-public-suffix", text, suffix=base)
        return cls(canonical)

    def __str__(self) -> str:
        return self.ascii

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, leftmost first."""
        return tuple(self.ascii.split("."))

    @property
    def is_wildcard(self) -> bool:
        """Whether the leftmost label is `*`."""
        return self.ascii.startswith("*.")

    @property
    def base(self) -> DnsName:
        """D for `*.D`, the name itself otherwise: what is proved by DNS (RFC 8555 §7.1.3)."""
        return DnsName(self.ascii[2:]) if self.is_wildcard else self

    @property
    def wildcard(self) -> DnsName | None:
        """`*.D` for `x.D`, the only wildcard that covers it. None for a wildcard, and above a top-level domain."""
        parent = self.ascii.partition(".")[2]
        return None if self.is_wildcard or "." not in parent else DnsName(f"*.{parent}")

    @property
    def unicode(self) -> str:
        """The name as people read it, in U-labels; a label that is no valid A-label stays as it is."""
        if _ACE not in self.ascii:
            return self.ascii
        return ".".join(_shown(label) for label in self.labels)

    @property
    def both_forms(self) -> str:
        """For people: the A-labels, and the U-labels in parentheses where they differ."""
        shown = self.unicode
        return self.ascii if shown == self.ascii else f"{self.ascii} ({shown})"

    @property
    def file_stem(self) -> str:
        """The name of its folder under `live/`: `_.example.jp` for `*.example.jp`."""
        return f"_.{self.ascii[2:]}" if self.is_wildcard else self.ascii

    def covers(self, other: DnsName) -> bool:
        """Whether a certificate for this name serves `other`: a wildcard stands for one label (RFC 9525 §6.3)."""
        return self == other or (self.is_wildcard and other.wildcard == self)


def derived(usage_fqdn: DnsName) -> DnsName | None:
    """The name a usage FQDN authorises beside itself (ご利用条件 第4条3項1号・2号).

    None where it would be no DNS name: `www.` may make it too long.
    """
    if usage_fqdn.is_wildcard:
        return usage_fqdn.base
    name = f"www.{usage_fqdn.ascii}"
    return DnsName(name) if len(name) <= MAX_NAME_OCTETS else None


def issuable(usage_fqdn: DnsName) -> frozenset[DnsName]:
    """The names a usage FQDN authorises: itself and its derived name, nothing else (ご利用条件 第4条3項)."""
    other = derived(usage_fqdn)
    return frozenset({usage_fqdn} if other is None else {usage_fqdn, other})


def authorising_names(name: DnsName) -> tuple[DnsName, ...]:
    """The usage FQDNs that would authorise `name`, itself first: the other way round of `issuable`.

    Whether they can be usage FQDNs is not asked: `*.co.jp` would authorise `co.jp`, and cannot be one.
    """
    if name.is_wildcard:
        return (name,)
    others = [DnsName(f"*.{name.ascii}")] if len(name.ascii) + 2 <= MAX_NAME_OCTETS else []
    rest = name.ascii.removeprefix("www.")
    if rest != name.ascii and "." in rest:
        others.insert(0, DnsName(rest))
    return (name, *others)


def warnings(name: DnsName) -> tuple[str, ...]:
    """Codes of what is worth a word although the name is valid (`note.CODE` in `locale/`)."""
    found = []
    if not is_known_tld(name.labels[-1]):
        found.append("name-unknown-tld")
    if len(ACME_CHALLENGE_PREFIX) + len(name.base.ascii) > MAX_NAME_OCTETS:
        found.append("name-too-long-for-dns-proof")
    return tuple(found)


def is_public_suffix(base: str) -> bool:
    """Whether `base` (A-labels) is a single label or a public suffix of the list's ICANN section."""
    return "." not in base or bool(_icann_suffixes().is_public(base))


def is_known_tld(label: str) -> bool:
    """Whether `label` (an A-label) is a top-level domain that the public suffix list knows."""
    return bool(_icann_suffixes().is_public(label, accept_unknown=False))


@functools.cache
def _icann_suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(only_icann=True)


def _refuse(code: str, text: str, **params: object) -> NoReturn:
    shown = {key: harmless(value, 80) if isinstance(value, str) else value for key, value in params.items()}
    raise BadName(code, name=harmless(text, 80), **shown)


def _mapped(text: str) -> str:
    """`text` after the UTS #46 mapping and NFC; `*` and `_` are let through, to be judged by their place."""
    import idna

    try:
        return idna.uts46_remap(text, std3_rules=False)
    except idna.IDNAError as problem:
        _refuse_for(problem, text, text)


def _checked_base(below: str, *, wildcard: bool, text: str) -> str:
    """The A-labels for mapped text without its `*.`, each label checked; says which fault the name has."""
    if _is_ip_address(below):
        _refuse("name-ip-address", text)
    labels = below.split(".")
    if not all(labels):
        _refuse("name-empty-label", text)
    if any("*" in label for label in labels):
        _refuse("name-bad-wildcard", text)
    ascii_labels, shown_labels = zip(*(_checked_label(label, text) for label in labels), strict=True)
    if ascii_labels[-1].isdigit():
        _refuse("name-numeric-tld", text, label=ascii_labels[-1])
    if len(labels) == 1:
        if wildcard:
            _refuse("name-wildcard-public-suffix", text, suffix=ascii_labels[0])
        _refuse("name-single-label", text)
    if any(not label.isascii() for label in shown_labels):
        _check_bidi(shown_labels, text)
    return ".".join(ascii_labels)


def _is_ip_address(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _checked_label(label: str, text: str) -> tuple[str, str]:
    """A-label and U-label of one mapped label, which are the same for plain letters, digits and hyphens."""
    if wrong := _NOT_LDH.search(label):
        if wrong.group() == "_":
            _refuse("name-underscore", text, label=label)
        _refuse("name-bad-character", text, character=f"U+{ord(wrong.group()):04X}")
    if label.startswith("-") or label.endswith("-"):
        _refuse("name-bad-hyphen", text, label=label)
    if label[2:4] == "--" and not (label.startswith(_ACE) and label.isascii()):
        _refuse("name-bad-hyphen", text, label=label)
    if label.isascii():
        if len(label) > MAX_LABEL_OCTETS:
            _refuse("name-label-too-long", text, label=label, limit=MAX_LABEL_OCTETS)
        return label, _decoded(label, text) if label.startswith(_ACE) else label
    return _encoded(label, text), label


def _encoded(label: str, text: str) -> str:
    import idna

    if len(_ACE) + len(label.encode("punycode")) > MAX_LABEL_OCTETS:
        _refuse("name-label-too-long", text, label=label, limit=MAX_LABEL_OCTETS)
    try:
        return idna.alabel(label).decode("ascii")
    except idna.IDNAError as problem:
        _refuse_for(problem, text, label)


def _decoded(label: str, text: str) -> str:
    """The U-label of an A-label that is none but in appearance is refused (RFC 5890 §2.3.2.1)."""
    import idna

    try:
        shown = idna.ulabel(label)
        stable = idna.uts46_remap(shown, std3_rules=True) == shown and idna.alabel(shown) == label.encode("ascii")
    except idna.IDNABidiError as problem:
        _refuse_for(problem, text, label)
    except idna.IDNAError as problem:
        raise BadName("name-bad-alabel", name=harmless(text, 80), label=label) from problem
    if shown.isascii() or not stable:
        _refuse("name-bad-alabel", text, label=label)
    return shown


def _check_bidi(labels: tuple[str, ...], text: str) -> None:
    """RFC 5893 §2: in a name with a right-to-left label, every label obeys the bidi rule, the plain ones too."""
    import unicodedata

    import idna

    directions = {unicodedata.bidirectional(character) for label in labels for character in label}
    if directions.isdisjoint({"R", "AL", "AN"}):
        return
    for label in labels:
        try:
            idna.check_bidi(label, check_ltr=True)
        except idna.IDNAError as problem:
            _refuse_for(problem, text, label)


def _refuse_for(problem: Exception, text: str, label: str) -> NoReturn:
    """Our own code for what `idna` found wrong."""
    import idna

    params: dict[str, object] = {"label": harmless(label, 80)}
    match problem:
        case idna.IDNABidiError():
            code = "name-bad-bidi"
        case idna.InvalidCodepointContext():
            code = "name-bad-joiner"
        case idna.InvalidCodepoint():
            code = "name-bad-character"
        case _:
            code = "name-bad-idn"
    if code in {"name-bad-joiner", "name-bad-character"}:
        codepoint = getattr(problem, "codepoint", None)
        params["character"] = "?" if codepoint is None else f"U+{codepoint:04X}"
    raise BadName(code, name=harmless(text, 80), **params) from problem


def _shown(label: str) -> str:
    if not label.startswith(_ACE):
        return label
    import idna

    try:
        return idna.ulabel(label)
    except idna.IDNAError:  # from a certificate of somebody else's; shown as it stands there
        return label
