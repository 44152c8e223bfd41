"""Sentences of `terms/`: names, usage FQDNs, revocation reasons, consent."""

EN: dict[str, str] = {
    # What is wrong with a name (TERMS N6)
    "error.name-empty": "The name is empty.",
    "next.name-empty": "Write a fully qualified name, such as www.example.jp.",
    "error.name-empty-label": "“{name}” has an empty part between two dots.",
    "next.name-empty-label": "Remove the dot that is too many.",
    "error.name-single-label": "“{name}” is a single label, not a fully qualified name.",
    "next.name-single-label": "Write the whole name, such as {name}.example.jp.",
    "error.name-numeric-tld": "“{name}” ends in “{label}”; no name ends in digits alone.",
    "next.name-numeric-tld": "Write a host name with its domain; an IP address is no name.",
    "error.name-ip-address": "“{name}” is an IP address; this service issues certificates for host names only.",
    "next.name-ip-address": "Use the host name that people type to reach that address.",
    "error.name-underscore": "“{name}” has an underscore in “{label}”, which a host name cannot carry.",
    "next.name-underscore": "Use the host's own name; records such as _acme-challenge are never put on a certificate.",
    "error.name-bad-hyphen": (
        "“{name}”: in “{label}” a hyphen stands at the beginning, at the end, or in places 3 and 4 without the label "
        "being a valid xn-- one."
    ),
    "next.name-bad-hyphen": "Correct the label; type an international name in its own letters rather than as xn--.",
    "error.name-bad-wildcard": "“{name}” has a * elsewhere than alone in the leftmost label.",
    "next.name-bad-wildcard": "Write a wildcard as *.example.jp: one *, and only as the whole leftmost label.",
    "error.name-wildcard-public-suffix": "“{name}” would cover every domain under the public suffix “{suffix}”.",
    "next.name-wildcard-public-suffix": "Put your own domain after the *, such as *.example.{suffix}.",
    "error.name-too-long": "“{name}” is too long: a name has at most {limit} octets, “*.” included.",
    "next.name-too-long": "Use a shorter name. International names count in their xn-- form, which is longer.",
    "error.name-label-too-long": "“{name}”: the label “{label}” is too long; a label has at most {limit} octets.",
    "next.name-label-too-long": "Use a shorter label. International labels count in their xn-- form, which is longer.",
    "error.name-bad-character": "“{name}” has a character that no name can carry: {character}.",
    "next.name-bad-character": (
        "Write the bare name, without spaces, https://, port or path; letters, digits and hyphens are right, and the "
        "letters of international names."
    ),
    "error.name-bad-joiner": "“{name}”: the character {character} must not stand where it stands in “{label}”.",
    "next.name-bad-joiner": (
        "Remove it; it is allowed only between certain letters of certain scripts (IDNA 2008, RFC 5892 appendix A)."
    ),
    "error.name-bad-bidi": "“{name}” has right-to-left letters, and “{label}” breaks the rule for such names.",
    "next.name-bad-bidi": (
        "Do not mix directions within a label, nor begin one with a digit where another runs right to left (RFC 5893)."
    ),
    "error.name-bad-idn": "“{name}”: “{label}” is no international label that IDNA 2008 allows.",
    "next.name-bad-idn": "Type the name as it was registered; compare it with the registry's own entry.",
    "error.name-bad-alabel": "“{name}”: “{label}” looks like an international label in xn-- form but is none.",
    "next.name-bad-alabel": "Type the name in its own letters; its xn-- form is made from them.",
    # What is worth a word about a valid name
    "note.name-unknown-tld": "{name} ends in no known top-level domain; no public CA can issue for such a name.",
    "note.name-too-long-for-dns-proof": (
        "{name} is too long to be proved by DNS, since _acme-challenge. is put before it; prove it over HTTP, which "
        "is not possible for a wildcard."
    ),
    # Usage FQDNs
    "error.term-unknown": "“{term}” is no term.",
    "next.term-unknown": "Write 1m for one month or 1y for one year, as the usage FQDN was applied for.",
    "error.not-issuable": "No usable usage FQDN authorises a certificate for {name}.",
    "next.not-issuable": (
        "Apply for the usage FQDN {apply_for} through your designated operator, then add it to the configuration."
    ),
    "term.1m": "one month",
    "term.1y": "one year",
    "usage-status.applied": "applied for, not started",
    "usage-status.in-use": "in use",
    "usage-status.terminating": "terminating",
    "usage-status.ended": "ended",
    # Revocation
    "error.reason-ca-only": "Reason {reason} ({label}) is for the CA alone; a subscriber cannot choose it.",
    "next.reason-ca-only": "Say what happened with --because, and the code follows from it.",
    "error.reason-unknown": "Reason {reason} ({label}) is none that a subscriber may choose. Nothing was sent.",
    "next.reason-unknown": "Choose one of {choosable}; or say what happened with --because.",
    "error.circumstance-unknown": "“{circumstance}” is no circumstance that is known here.",
    "next.circumstance-unknown": "Use one of: {known}.",
    "note.reason-published": "The reason {label} is published in the CA's revocation list for everybody to see.",
    "note.reason-affiliation-on-dv": (
        "affiliationChanged is about organisation data, and a domain-validated certificate carries none; another "
        "reason probably fits better."
    ),
    "circumstance.key-compromised": "the private key is, or may be, in other hands",
    "circumstance.control-lost": "control of a name in the certificate was lost",
    "circumstance.site-closed": "the site was shut down and the certificate is no longer used",
    "circumstance.organization-changed": "organisation data in the certificate changed",
    "circumstance.replaced": "the certificate is replaced by another",
    "circumstance.non-conforming": "its contents changed otherwise, or do not conform to the CP or CPS",
    # Consent
    "agreement.terms": "the terms of use, the CPS and the CP: {terms_of_service}",
    "agreement.ct": (
        "that the data of each certificate goes to the operators of Certificate Transparency logs abroad and stays "
        "public for good, having read JPRS's page on it: {ct_disclosure}"
    ),
}

JA: dict[str, str] = {
    "error.name-empty": "名前が空です。",
    "next.name-empty": "www.example.jp のような、完全なドメイン名を書いてください。",
    "error.name-empty-label": "「{name}」には、ドットの間が空のところがあります。",
    "next.name-empty-label": "余分なドットを取り除いてください。",
    "error.name-single-label": "「{name}」はラベル1つだけで、完全なドメイン名ではありません。",
    "next.name-single-label": "{name}.example.jp のように、名前全体を書いてください。",
    "error.name-numeric-tld": "「{name}」の末尾が「{label}」です。数字だけで終わる名前はありません。",
    "next.name-numeric-tld": "ドメインまで含めたホスト名を書いてください。IPアドレスは名前になりません。",
    "error.name-ip-address": "「{name}」はIPアドレスです。このサービスで発行できるのはホスト名の証明書だけです。",
    "next.name-ip-address": "そのアドレスにアクセスするときに使うホスト名を書いてください。",
    "error.name-underscore": "「{name}」の「{label}」に、ホスト名に使えないアンダースコアがあります。",
    "next.name-underscore": "ホスト自体の名前を書いてください。_acme-challenge などは証明書に載りません。",
    "error.name-bad-hyphen": (
        "「{name}」の「{label}」では、ハイフンが先頭か末尾にあるか、"
        "正しい xn-- ラベルではないのに3・4文字目にあります。"
    ),
    "next.name-bad-hyphen": "ラベルを直してください。国際化ドメイン名は、xn-- の形ではなく元の文字で書くのが確実です。",
    "error.name-bad-wildcard": "「{name}」では、* が先頭ラベル全体以外のところに使われています。",
    "next.name-bad-wildcard": "ワイルドカードは *.example.jp のように、先頭のラベルに * を1つだけ書いてください。",
    "error.name-wildcard-public-suffix": (
        "「{name}」は、公共のサフィックスである「{suffix}」の下のすべてのドメインに及んでしまいます。"
    ),
    "next.name-wildcard-public-suffix": "*.example.{suffix} のように、* の後にご自身のドメイン名を書いてください。",
    "error.name-too-long": "「{name}」は長すぎます。名前は「*.」を含めて{limit}オクテットまでです。",
    "next.name-too-long": "もっと短い名前にしてください。国際化ドメイン名は、より長い xn-- の形で数えます。",
    "error.name-label-too-long": "「{name}」のラベル「{label}」が長すぎます。ラベルは{limit}オクテットまでです。",
    "next.name-label-too-long": "もっと短いラベルにしてください。国際化ラベルは、より長い xn-- の形で数えます。",
    "error.name-bad-character": "「{name}」に、名前に使えない文字 {character} があります。",
    "next.name-bad-character": (
        "空白、https://、ポート番号、パスを付けず、名前だけを書いてください。使えるのは英数字とハイフン、"
        "および国際化ドメイン名に認められた文字です。"
    ),
    "error.name-bad-joiner": "「{name}」の「{label}」では、文字 {character} を置けない位置に置いています。",
    "next.name-bad-joiner": (
        "その文字を取り除いてください。決まった文字体系の決まった文字の間でだけ使えます（IDNA 2008、RFC 5892 付録A）。"
    ),
    "error.name-bad-bidi": "「{name}」は右から左に書く文字を含み、「{label}」がその場合の規則に反しています。",
    "next.name-bad-bidi": (
        "1つのラベルに書字方向を混ぜず、右から左のラベルを含む名前では数字で始まるラベルも避けてください（RFC 5893）。"
    ),
    "error.name-bad-idn": "「{name}」の「{label}」は、IDNA 2008 で認められる国際化ラベルではありません。",
    "next.name-bad-idn": "登録したとおりの名前を書いてください。レジストリの登録内容と見比べてください。",
    "error.name-bad-alabel": "「{name}」の「{label}」は xn-- の形をしていますが、正しい国際化ラベルではありません。",
    "next.name-bad-alabel": "元の文字で名前を書いてください。xn-- の形はそこから作ります。",
    "note.name-unknown-tld": "{name} の末尾は既知のトップレベルドメインではなく、公開の認証局では発行できません。",
    "note.name-too-long-for-dns-proof": (
        "{name} は、前に _acme-challenge. を付けると長すぎるため、DNSでは証明できません。"
        "HTTPで証明してください（ワイルドカードはHTTPでは証明できません）。"
    ),
    "error.term-unknown": "「{term}」という期間はありません。",
    "next.term-unknown": "利用FQDNをお申し込みになったときの期間を、1カ月なら 1m、1年なら 1y と書いてください。",
    "error.not-issuable": "{name} の証明書の発行を受けられる利用FQDNで、現在使えるものがありません。",
    "next.not-issuable": (
        "利用FQDN {apply_for} を指定事業者を通じてお申し込みになり、その後、設定ファイルに書き加えてください。"
    ),
    "term.1m": "1カ月",
    "term.1y": "1年",
    "usage-status.applied": "申込済み（利用開始前）",
    "usage-status.in-use": "利用中",
    "usage-status.terminating": "利用終了予定",
    "usage-status.ended": "利用終了",
    "error.reason-ca-only": "失効理由コード {reason}（{label}）は認証局だけが使うもので、利用者は選べません。",
    "next.reason-ca-only": "何が起きたかを --because で指定してください。コードはそこから決まります。",
    "error.reason-unknown": (
        "失効理由コード {reason}（{label}）は、利用者が選べるものではありません。何も送信していません。"
    ),
    "next.reason-unknown": "{choosable} のいずれかを選ぶか、何が起きたかを --because で指定してください。",
    "error.circumstance-unknown": "「{circumstance}」という状況はありません。",
    "next.circumstance-unknown": "次のいずれかを指定してください: {known}。",
    "note.reason-published": "失効理由 {label} は、認証局の証明書失効リストで誰でも見られるように公開されます。",
    "note.reason-affiliation-on-dv": (
        "affiliationChanged は組織情報についての理由ですが、ドメイン認証型の証明書に組織情報は載りません。"
        "ほかの理由の方が適切だと思われます。"
    ),
    "circumstance.key-compromised": "秘密鍵が他人の手に渡った、またはそのおそれがある",
    "circumstance.control-lost": "証明書に含まれる名前の管理権限がなくなった",
    "circumstance.site-closed": "サイトを閉じ、証明書を使わなくなった",
    "circumstance.organization-changed": "証明書に載る組織情報が変わった",
    "circumstance.replaced": "別の証明書に取り替える",
    "circumstance.non-conforming": "記載内容がそのほかの点で変わった、またはCP・CPSに適合していない",
    "agreement.terms": "ご利用条件、CPS、CP への同意: {terms_of_service}",
    "agreement.ct": (
        "証明書の情報が外国のCTログサーバー運営組織に提供され、公開されたまま残ることへの同意"
        "（JPRSの案内ページを確認のうえ）: {ct_disclosure}"
    ),
}
