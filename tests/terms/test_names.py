"""What a name is, and what a usage FQDN authorises (ご利用条件 第1条, 第4条3項; TERMS N1-N6)."""

from __future__ import annotations

import re
import subprocess
import sys

import idna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jprs_client.errors import BadName
from jprs_client.locale import terms as sentences
from jprs_client.terms.names import DnsName, authorising_names, derived, issuable, warnings

LABEL_63 = "a" * 63
LONGEST = ".".join([LABEL_63, LABEL_63, LABEL_63, "a" * 58, "jp"])  # 253 octets

#: Each "日本語." is 4 characters as people write it and 15 octets as names are counted: 240 of them here.
INTERNATIONAL, INTERNATIONAL_ASCII = "日本語." * 16, "xn--wgv71a119e." * 16

ACCEPTED = {
    # plain names, spelt in many ways
    "example.jp": "example.jp",
    "EXAMPLE.JP.": "example.jp",
    "1.example.jp": "1.example.jp",
    "a-b.example.jp": "a-b.example.jp",
    "a.b-c-d.jp": "a.b-c-d.jp",
    "3com.com": "3com.com",
    "123.jp": "123.jp",
    "a.1a": "a.1a",  # not all digits
    "a.0x1": "a.0x1",
    "a--b.jp": "a--b.jp",  # places 2 and 3
    "abc--d.jp": "abc--d.jp",  # places 4 and 5
    LONGEST: LONGEST,
    LONGEST + ".": LONGEST,
    f"{LABEL_63}.jp": f"{LABEL_63}.jp",
    # what people type in Japan
    "ｅｘａｍｐｌｅ。ｊｐ": "example.jp",
    "ＷＷＷ．ＥＸＡＭＰＬＥ｡ＪＰ．": "www.example.jp",
    "日本語。jp": "xn--wgv71a119e.jp",
    "日本語．ＪＰ。": "xn--wgv71a119e.jp",
    "ﾄﾞﾒｲﾝ.jp": "xn--eckwd4c7c.jp",
    "ア・イ.jp": "xn--ccke4x.jp",
    "㍿.jp": "xn--6oqv20b1zgzxr.jp",
    "①.jp": "1.jp",
    "\U0001d7ed.jp": "1.jp",
    "a\u00adb.jp": "ab.jp",  # the soft hyphen is ignored by UTS #46
    "a\u200bb.jp": "ab.jp",
    "日-本.jp": "xn----jn6bu1b.jp",
    "日--本.jp": "xn-----5t7dw0c.jp",  # places 2 and 3
    # UTS #46, non-transitional
    "faß.de": "xn--fa-hia.de",
    "FAẞ.DE": "xn--fa-hia.de",
    "ς.gr": "xn--3xa.gr",
    "Σ.gr": "xn--4xa.gr",
    "e\u0301.fr": "xn--9ca.fr",
    "É.fr": "xn--9ca.fr",
    "İ.com": "xn--i-9bb.com",
    # A-labels
    "xn--wgv71a119e.jp": "xn--wgv71a119e.jp",
    "XN--WGV71A119E.JP": "xn--wgv71a119e.jp",
    "ｘｎ－－ｗｇｖ７１ａ１１９ｅ.jp": "xn--wgv71a119e.jp",
    "xn--fa-hia.de": "xn--fa-hia.de",
    "example.xn--q9jyb4c": "example.xn--q9jyb4c",
    "例え.みんな": "xn--r8jz45g.xn--q9jyb4c",
    INTERNATIONAL + "example123.jp": INTERNATIONAL_ASCII + "example123.jp",  # 253 octets
    "*." + INTERNATIONAL + "example1.jp": "*." + INTERNATIONAL_ASCII + "example1.jp",
    "ü" * 57 + ".jp": "xn--" + ("ü" * 57).encode("punycode").decode() + ".jp",  # a label of 63 octets
    # joiners and context
    "क्\u200dष.in": "xn--11b2ezcw70k.in",
    "نامه\u200cای.com": "xn--mgba3gch31f060k.com",
    "l·l.cat": "xn--ll-0ea.cat",
    # right to left
    "אב.com": "xn--4dbc.com",
    "www.אב.com": "www.xn--4dbc.com",
    "a1.אב.com": "a1.xn--4dbc.com",
    "אב1.com": "xn--1-zhcd.com",
    # wildcards
    "*.example.jp": "*.example.jp",
    "＊．ｅｘａｍｐｌｅ．ｊｐ": "*.example.jp",
    "＊。日本語。ＪＰ": "*.xn--wgv71a119e.jp",
    "*.אב.com": "*.xn--4dbc.com",
    "*.sakura.ne.jp": "*.sakura.ne.jp",  # the list's private section
    "*.github.io": "*.github.io",
    "*.city.kawasaki.jp": "*.city.kawasaki.jp",  # an exception of the list
    "*.a.b.kawasaki.jp": "*.a.b.kawasaki.jp",
    "*.www.ck": "*.www.ck",
    "*.example.unknowntld": "*.example.unknowntld",
    "*." + LONGEST[2:]: "*." + LONGEST[2:],
}

REFUSED = {
    "": "name-empty",
    ".": "name-empty",
    "。": "name-empty",
    "\u200b": "name-empty",
    "..": "name-empty-label",
    "a..example.jp": "name-empty-label",
    ".example.jp": "name-empty-label",
    "example.jp..": "name-empty-label",
    "a.\u00ad.jp": "name-empty-label",
    "*..jp": "name-empty-label",
    "localhost": "name-single-label",
    "jp.": "name-single-label",
    "日本語": "name-single-label",
    "xn--wgv71a119e": "name-single-label",
    "192.0.2.1": "name-ip-address",
    "192.0.2.1.": "name-ip-address",
    "１９２．０．２．１": "name-ip-address",
    "*.192.0.2.1": "name-ip-address",
    "::1": "name-ip-address",
    "2001:db8::1": "name-ip-address",
    "[2001:db8::1]": "name-ip-address",
    "::ffff:192.0.2.1": "name-ip-address",
    "1.2.3": "name-numeric-tld",
    "example.123": "name-numeric-tld",
    "example.１２３": "name-numeric-tld",
    "example.①": "name-numeric-tld",
    "*.example.123": "name-numeric-tld",
    "300.300.300.300": "name-numeric-tld",
    "under_score.example.jp": "name-underscore",
    "_acme-challenge.example.jp": "name-underscore",
    "日_本.jp": "name-underscore",
    "＿a.example.jp": "name-underscore",
    "-a.example.jp": "name-bad-hyphen",
    "a-.example.jp": "name-bad-hyphen",
    "-.jp": "name-bad-hyphen",
    "--.jp": "name-bad-hyphen",
    "a.b.-jp": "name-bad-hyphen",
    "ab--cd.jp": "name-bad-hyphen",
    "ab--.jp": "name-bad-hyphen",
    "-日.jp": "name-bad-hyphen",
    "日-.jp": "name-bad-hyphen",
    "日本--語.jp": "name-bad-hyphen",
    "xn--日本.jp": "name-bad-hyphen",
    "xn--.jp": "name-bad-hyphen",
    "xn--example-.jp": "name-bad-hyphen",
    "example.jp－": "name-bad-hyphen",
    "-oProxyCommand=x.jp": "name-bad-character",
    "*": "name-bad-wildcard",
    "＊": "name-bad-wildcard",
    "*.*.example.jp": "name-bad-wildcard",
    "www.*.example.jp": "name-bad-wildcard",
    "w*.example.jp": "name-bad-wildcard",
    "*w.example.jp": "name-bad-wildcard",
    "**.example.jp": "name-bad-wildcard",
    "xn--*.example.jp": "name-bad-wildcard",
    "example.*": "name-bad-wildcard",
    "*.": "name-bad-wildcard",
    "*.jp": "name-wildcard-public-suffix",
    "＊。ｊｐ": "name-wildcard-public-suffix",
    "*.co.jp": "name-wildcard-public-suffix",
    "*.CO.JP.": "name-wildcard-public-suffix",
    "*.chiyoda.tokyo.jp": "name-wildcard-public-suffix",
    "*.foo.kawasaki.jp": "name-wildcard-public-suffix",  # by the list's own wildcard
    "*.kawasaki.jp": "name-wildcard-public-suffix",
    "*.公司.cn": "name-wildcard-public-suffix",
    "*.xn--55qx5d.cn": "name-wildcard-public-suffix",
    "*.みんな": "name-wildcard-public-suffix",
    "*.localdomain": "name-wildcard-public-suffix",
    "*.foo.ck": "name-wildcard-public-suffix",
    "a" + LONGEST: "name-too-long",
    "a." + LONGEST: "name-too-long",
    "*." + LONGEST: "name-too-long",
    "*." + LONGEST[1:]: "name-too-long",
    "a" * 100_000: "name-too-long",
    "日" * 1001: "name-too-long",
    "..." * 1000: "name-too-long",
    INTERNATIONAL + "example1234.jp": "name-too-long",
    "*." + INTERNATIONAL + "example12.jp": "name-too-long",
    f"a{LABEL_63}.jp": "name-label-too-long",
    f"*.a{LABEL_63}.jp": "name-label-too-long",
    "日" * 60 + ".jp": "name-label-too-long",
    "ü" * 58 + ".jp": "name-label-too-long",
    " example.jp": "name-bad-character",
    "example.jp ": "name-bad-character",
    "example .jp": "name-bad-character",
    "example.jp\n": "name-bad-character",
    "a.jp\nserver_name evil": "name-bad-character",
    "a.jp\r\nBcc: x@example.jp": "name-bad-character",
    "a\x00.jp": "name-bad-character",
    "a\x7f.jp": "name-bad-character",
    "a\x85.jp": "name-bad-character",
    "a\u3000b.jp": "name-bad-character",
    "a\u00a0b.jp": "name-bad-character",
    "ex\u202eample.jp": "name-bad-character",
    "a;id.jp": "name-bad-character",
    "$(id).jp": "name-bad-character",
    "`id`.jp": "name-bad-character",
    "a'b.jp": "name-bad-character",
    "a@b.jp": "name-bad-character",
    "a/b.jp": "name-bad-character",
    "../../etc/passwd": "name-empty-label",
    "％41.jp": "name-bad-character",
    "example.jp:443": "name-bad-character",
    "https://example.jp/": "name-bad-character",
    "℀.jp": "name-bad-character",  # becomes a/c
    "a．b／c.jp": "name-bad-character",
    "♥.jp": "name-bad-character",
    "💩.la": "name-bad-character",
    "‹.jp": "name-bad-character",
    "≠.jp": "name-bad-character",
    "=\u0338.jp": "name-bad-character",
    "\ud800.jp": "name-bad-character",
    "a\u0378.jp": "name-bad-character",  # unassigned
    "\ue000.jp": "name-bad-character",  # private use
    "a\u200cb.jp": "name-bad-joiner",
    "a\u200db.jp": "name-bad-joiner",
    "\u200dष.in": "name-bad-joiner",
    "l·a.cat": "name-bad-joiner",
    "a·l.cat": "name-bad-joiner",
    "・.jp": "name-bad-joiner",
    "a・b.jp": "name-bad-joiner",
    "a\u0375b.gr": "name-bad-joiner",
    "a\u05f3.jp": "name-bad-joiner",
    "ا٠۰.com": "name-bad-joiner",
    "אבa.com": "name-bad-bidi",
    "1.אב.com": "name-bad-bidi",
    "1a.אב.com": "name-bad-bidi",
    "אב.1a.com": "name-bad-bidi",
    "1אב.com": "name-bad-bidi",
    "٣.com": "name-bad-bidi",
    "*.1a.אב.com": "name-bad-bidi",
    "1a.xn--4dbc.com": "name-bad-bidi",
    "a.xn--a-0hcb.com": "name-bad-bidi",
    "\u0301e.jp": "name-bad-idn",
    "xn--a.jp": "name-bad-alabel",
    "xn--0.jp": "name-bad-alabel",
    "xn--zzzzzzzzzz99999.jp": "name-bad-alabel",
    "xn--ls8h.la": "name-bad-alabel",  # an emoji
    "xn--xn---epa.jp": "name-bad-alabel",
    "xn--ab-a.jp": "name-bad-alabel",
    "xn--l-0ea.cat": "name-bad-alabel",
    "xn--a-ecp.ru": "name-bad-alabel",  # becomes an ASCII letter under UTS #46
}


@pytest.mark.parametrize(("text", "canonical"), ACCEPTED.items())
def test_a_name_is_compared_as_lower_case_a_labels(text: str, canonical: str) -> None:
    name = DnsName.parse(text)
    assert name.ascii == canonical
    assert DnsName.parse(name.unicode) == name


@pytest.mark.parametrize(("text", "code"), REFUSED.items())
def test_what_is_no_name_is_refused_and_said_why(text: str, code: str) -> None:
    with pytest.raises(BadName) as refused:
        DnsName.parse(text)
    assert refused.value.code == code
    assert refused.value.exit_code == 4


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_is_a_whole_sentence_in_both_languages_and_harmless_to_a_terminal(text: str) -> None:
    with pytest.raises(BadName) as refused:
        DnsName.parse(text)
    for language in (sentences.EN, sentences.JA):
        for key in (f"error.{refused.value.code}", f"next.{refused.value.code}"):
            said = language[key].format_map(refused.value.params)
            assert said.isprintable()
            assert len(said) < 400


def test_both_forms_of_an_international_name_are_shown() -> None:
    name = DnsName.parse("＊．日本語．jp")
    assert name.ascii == str(name) == "*.xn--wgv71a119e.jp"
    assert name.unicode == "*.日本語.jp"
    assert name.both_forms == "*.xn--wgv71a119e.jp (*.日本語.jp)"
    assert DnsName("example.jp").both_forms == "example.jp"


def test_a_label_in_a_strangers_certificate_that_is_none_of_idna_is_shown_as_it_stands() -> None:
    assert DnsName("xn--a.日本.jp").unicode == "xn--a.日本.jp"
    assert DnsName("xn--ls8h.la").both_forms == "xn--ls8h.la"


def test_a_wildcard_knows_its_parts() -> None:
    wildcard, plain = DnsName.parse("*.example.jp"), DnsName.parse("example.jp")
    assert wildcard.is_wildcard
    assert not plain.is_wildcard
    assert wildcard.base == plain.base == plain
    assert wildcard.labels == ("*", "example", "jp")
    assert wildcard.file_stem == "_.example.jp"
    assert plain.file_stem == "example.jp"
    assert DnsName("www.example.jp").wildcard == wildcard
    assert plain.wildcard is None  # *.jp is none
    assert wildcard.wildcard is None


def test_names_are_ordered_by_their_a_labels() -> None:
    assert sorted([DnsName("b.jp"), DnsName("*.b.jp"), DnsName("a.jp")]) == [
        DnsName("*.b.jp"),
        DnsName("a.jp"),
        DnsName("b.jp"),
    ]


@pytest.mark.parametrize(
    ("name", "other", "covered"),
    [
        ("example.jp", "example.jp", True),
        ("example.jp", "www.example.jp", False),
        ("*.example.jp", "www.example.jp", True),
        ("*.example.jp", "*.example.jp", True),
        ("*.example.jp", "example.jp", False),
        ("*.example.jp", "a.b.example.jp", False),
        ("*.example.jp", "*.b.example.jp", False),
        ("*.example.jp", "www.example.com", False),
        ("*.example.jp", "wwwexample.jp", False),
    ],
)
def test_a_wildcard_covers_exactly_one_leftmost_label(name: str, other: str, covered: bool) -> None:
    assert DnsName(name).covers(DnsName(other)) is covered


@pytest.mark.parametrize(
    ("usage_fqdn", "names"),
    [
        ("example.jp", {"example.jp", "www.example.jp"}),
        ("www.example.jp", {"www.example.jp", "www.www.example.jp"}),
        ("www.www.example.jp", {"www.www.example.jp", "www.www.www.example.jp"}),
        ("*.example.jp", {"*.example.jp", "example.jp"}),
        ("*.www.example.jp", {"*.www.example.jp", "www.example.jp"}),
        ("*.sakura.ne.jp", {"*.sakura.ne.jp", "sakura.ne.jp"}),
        ("אב.com", {"xn--4dbc.com", "www.xn--4dbc.com"}),
        (LONGEST, {LONGEST}),
        (LONGEST[3:], {LONGEST[3:]}),  # 250 octets
        (LONGEST[4:], {LONGEST[4:], "www." + LONGEST[4:]}),  # 249 octets
        ("*." + LONGEST[2:], {"*." + LONGEST[2:], LONGEST[2:]}),
    ],
)
def test_a_usage_fqdn_authorises_itself_and_one_derived_name(usage_fqdn: str, names: set[str]) -> None:
    usage = DnsName.parse(usage_fqdn)
    assert {name.ascii for name in issuable(usage)} == names
    assert issuable(usage) == {usage} | ({derived(usage)} - {None})


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("example.jp", ()),
        ("example.xn--q9jyb4c", ()),
        ("example.ck", ()),
        ("server.corp", ("name-unknown-tld",)),
        ("*.server.local", ("name-unknown-tld",)),
        (LONGEST[15:], ("name-too-long-for-dns-proof",)),  # 238 octets: 254 with the prefix
        (LONGEST[16:], ()),
        (LONGEST, ("name-too-long-for-dns-proof",)),
        ("*." + LONGEST[2:], ("name-too-long-for-dns-proof",)),
    ],
)
def test_a_valid_name_may_be_worth_a_warning(name: str, codes: tuple[str, ...]) -> None:
    found = warnings(DnsName.parse(name))
    assert found == codes
    assert all(f"note.{code}" in sentences.EN for code in found)


@pytest.mark.usefixtures("unmeasured")
def test_a_plain_name_costs_no_import() -> None:
    """Parsing thousands of plain names needs neither the IDNA tables nor the public suffix list."""
    program = (
        "import sys; from jprs_client.terms.names import DnsName\n"
        "for n in range(10_000): DnsName.parse(f'WWW{n}.example.co.jp.')\n"
        "print(sorted({'idna', 'publicsuffixlist', 'ipaddress'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Properties

NAME = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?")
HOSTILE = "aAxXnN-_.*＊。．｡１ßςé日本語ア・ー\u200c\u200d\u00adאבا٣۳क्ष·l$;/ \n\x00\u202e\u0301İ💩㍿"
labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
texts = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=HOSTILE, max_size=40),
    st.lists(st.one_of(labels, st.text(alphabet=HOSTILE, min_size=1, max_size=8)), max_size=5).map(".".join),
    labels.map(lambda label: f"xn--{label}.jp"),
    st.text(min_size=1, max_size=6).map(lambda text: "xn--" + text.encode("punycode", "replace").decode() + ".jp"),
    st.sampled_from([*ACCEPTED, *REFUSED]),
)


def parsed(text: str) -> DnsName | None:
    """Nothing but BadName may come out of any text (THREATS F6)."""
    try:
        return DnsName.parse(text)
    except BadName:
        return None


@given(texts)
@example("xn--\ud800.jp")
@example("*." * 500)
def test_any_text_is_a_canonical_name_or_refused(text: str) -> None:
    name = parsed(text)
    if name is None:
        return
    assert NAME.fullmatch(name.ascii)
    assert len(name.ascii) <= 253
    assert all(len(label) <= 63 for label in name.labels)
    assert not name.labels[-1].isdigit()
    assert DnsName.parse(name.ascii) == name
    assert DnsName.parse(name.ascii.upper() + ".") == name
    assert DnsName.parse(name.unicode) == name
    assert all(DnsName.parse(each.ascii) == each for each in issuable(name))
    assert all(name in authorising_names(each) for each in issuable(name))
    assert all(name in issuable(each) for each in authorising_names(name))


@given(texts)
def test_two_names_never_look_the_same_in_letters(text: str) -> None:
    name = parsed(text)
    if name is not None and not name.is_wildcard:
        assert idna.encode(name.unicode).decode() == name.ascii


FULL_WIDTH = {ord(plain): ord(plain) + 0xFEE0 for plain in "abcdefghijklmnopqrstuvwxyz0123456789-*"}


@given(st.lists(labels, min_size=2, max_size=4).map(".".join), st.booleans(), st.sampled_from(".。．｡"))
def test_full_width_and_plain_letters_are_the_same_name(text: str, wildcard: bool, dot: str) -> None:
    text = f"*.{text}" if wildcard else text
    assert parsed(text.translate(FULL_WIDTH).replace(".", dot)) == parsed(text)


@given(st.lists(labels, min_size=2, max_size=4).map(".".join))
def test_plain_labels_make_a_name_unless_their_hyphens_or_digits_forbid(text: str) -> None:
    """The quick way for plain names and the long one agree; this one spells the rules out again."""
    parts = text.split(".")
    fine = not parts[-1].isdigit() and all(label[2:4] != "--" or is_alabel(label) for label in parts)
    assert (parsed(text) is not None) is fine


def is_alabel(label: str) -> bool:
    try:
        return label.startswith("xn--") and idna.alabel(idna.ulabel(label)).decode() == label
    except idna.IDNAError:
        return False
