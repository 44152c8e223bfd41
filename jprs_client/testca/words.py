"""What the program says to people, in English and in Japanese; it stands alone and has a table of its own.

What machines read is English throughout: problem documents, the management side's errors, the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LANGUAGES = ("en", "ja")


class Said(Exception):
    """An error that has its sentence here; `str` of it is English."""

    def __init__(self, key: str, /, **params: object) -> None:
        super().__init__(key)
        self.key = key
        self.params = params

    def __str__(self) -> str:
        return self.sentence("en")

    def sentence(self, language: str) -> str:
        """The sentence in that language."""
        return say(language, f"error.{self.key}", **self.params)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that people are told, though nothing is wrong."""

    key: str
    params: Mapping[str, object]

    def sentence(self, language: str) -> str:
        """The sentence in that language."""
        return say(language, f"note.{self.key}", **self.params)


def say(language: str, key: str, /, **params: object) -> str:
    """The sentence `key`, its places filled; what comes from outside cannot steer a terminal."""
    safe = {name: _printable(value) if isinstance(value, str) else value for name, value in params.items()}
    return (JA if language == "ja" else EN)[key].format(**safe)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def language_of(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language asked for by --lang, else the environment's as POSIX has it."""
    for index, argument in enumerate(arguments):
        value = argument.partition("=")[2] if argument.startswith("--lang=") else ""
        if argument == "--lang" and index + 1 < len(arguments):
            value = arguments[index + 1]
        if value in LANGUAGES:
            return value
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return "ja" if environment[name].lower().startswith("ja") else "en"
    return "en"


EN: dict[str, str] = {
    # help
    "help.about": "A CA to break things with: ACME (RFC 8555), JPRS's contracts, a clock that is set, faults on "
    "request. TEST ONLY: nobody trusts what it issues.",
    "help.serve": "Serve until stopped. Everything is in memory, and gone when it ends. Port 0 means a free one.",
    "help.conformance": "Ask any ACME server some six hundred questions from the RFCs.",
    "help.more": "Every option may stand in the file of --config, without its dashes; subscribers stand there as "
    "[[subscriber]], profiles as [profiles.NAME]. Pebble's own JSON is read, too.",
    "help.usage": "usage: ",
    "help.any": "[OPTION ...]",
    "help.options": "options",
    "help.commands": "commands",
    "option.help": "Show this help.",
    "option.version": "Show the version.",
    "option.lang": "The language of what it says: en or ja.",
    "option.quiet": "Say nothing on standard error where all is well.",
    "option.verbose": "Say on standard error what is asked.",
    "option.config": "A TOML file with these options, or Pebble's JSON.",
    "option.ready-file": "A file to write, as JSON, once it answers.",
    "option.listen": "Where ACME is served. Default: 127.0.0.1:14000.",
    "option.management": "Where it is steered. Default: 127.0.0.1:15000.",
    "option.pki": "Where CRL, OCSP and issuers are served. Default: 127.0.0.1:4002.",
    "option.tls-cert": "The certificate of its own HTTPS; otherwise it makes one. Needs --tls-key.",
    "option.tls-key": "The key of that certificate.",
    "option.http-port": "The port that http-01 validation asks. Default: 5002.",
    "option.tls-port": "The port that tls-alpn-01 validation asks. Default: 5001.",
    "option.resolver": "The DNS server that validation asks; otherwise the mock DNS.",
    "option.mock-dns": "Where the mock DNS answers. Default: 127.0.0.1:8053.",
    "option.open": "Any account, any name, as Pebble does.",
    "option.require-eab": "With --open: an account needs a subscriber's credentials.",
    "option.allow-any-address": "Listen on other addresses than the loopback's, too.",
    "option.now": "The CA's clock starts at this moment instead of now.",
    "option.issuer": "Which intermediate signs: ecdsa, rsa, or by-key, as the certificate's key is. Default: ecdsa.",
    "option.perspectives": "From how many places in the network a proof is looked at, 1 to 10. Default: 2.",
    "option.validation-delay": "Seconds before each look at a proof. Default: 0.",
    "option.always-valid": "Every proof is taken as seen; nobody looks.",
    "option.ocsp-lag": "How long OCSP does not know a new certificate, for example 90s or 10m. Default: 10m, with "
    "--open 0s.",
    "option.authz-reuse": "Percent of valid authorizations that a new order uses again. Default: 0.",
    "option.nonce-reject": "Percent of good nonces that are refused. Default: 0.",
    "option.without": "A directory entry to leave out, for example keyChange or renewalInfo. May be given several "
    "times.",
    "option.orders-per-page": "Orders on one page of an account's list. Default: 50.",
    "option.retry-after": "Seconds that Retry-After suggests while something is under way. Default: no suggestion.",
    "option.caa-identity": "A name that a CAA record may allow. May be given several times. Default: jprs.jp.",
    "option.block": "A domain that nothing is issued for, nor for what lies below it. May be given several times.",
    "option.profile": "A profile and its lifetime, for example shortlived=160h. May be given several times; the first "
    "is the default.",
    "option.pebble-environment": "Read PEBBLE_WFE_NONCEREJECT and the like; with Pebble's JSON they are read anyway.",
    # the start
    "start.title": "jprs-client test CA. TEST ONLY: nobody may trust what it issues.",
    "start.mode": "mode",
    "start.jprs": "JPRS's contracts: an account needs credentials, names are limited by usage FQDNs",
    "start.open": "open: any account, any name",
    "start.open-eab": "open: any name; an account needs credentials",
    "start.always-valid": "proofs are not looked at",
    "start.directory": "directory",
    "start.management": "management",
    "start.pki": "CRL, OCSP",
    "start.dns": "mock DNS",
    "start.resolver": "DNS",
    "start.looks": "looks at",
    "start.ports": "http-01 on port {http}, tls-alpn-01 on port {tls}",
    "start.trust": "HTTPS root",
    "start.clock": "clock",
    "start.subscriber": "A subscriber and its credentials:",
    "start.try": "To see it answer:",
    "start.stop": "Ctrl-C ends it.",
    # notes on what Pebble's configuration asks for
    "note.pebble-unknown": "{where} {name}: unknown, and not used",
    "note.pebble-ocsp": "ocspResponderURL {value}: not used; this CA answers OCSP itself, and certificates say where",
    "note.pebble-crl": "{name}: not used; CRLs are at --pki, and new at every moment",
    "note.pebble-management": "managementListenAddress is empty: the management side is there all the same",
    "note.pebble-tls": "{cert} or {key} is not there: the CA makes an HTTPS certificate of its own",
    "note.pebble-retry-after": "retryAfter: {taken} seconds are suggested for orders and authorizations alike",
    "note.pebble-chain": "{name}: not used; chains have one intermediate, and one alternate root is always there",
    "note.pebble-not-a-number": "{name}={value}: not a number that can be used; ignored, as Pebble does",
    # errors
    "error.usage": "{why}. `{program} serve --help` lists the options.",
    "error.address": "{name} {value}: HOST:PORT is needed, for example 127.0.0.1:14000.",
    "error.port": "{name} {value}: a port from 1 to 65535 is needed.",
    "error.moment": "{name} {value}: a date, or a time with its offset, is needed, for example 2026-11-22 or "
    "2026-11-22T12:00:00+09:00.",
    "error.flag": "{name} {value}: true or false is needed.",
    "error.seconds": "{name} {value}: a number of seconds, 0 or more, is needed.",
    "error.span": "{name} {value}: a span is needed, for example 90s, 10m, 160h or 90d.",
    "error.percent": "{name} {value}: a whole number from 0 to 100 is needed.",
    "error.count": "{name} {value}: a whole number from {least} to {most} is needed.",
    "error.choice": "{name} {value}: one of {choices} is needed.",
    "error.text": "{name} {value}: a text is needed.",
    "error.list": "{name} {value}: a list of texts is needed.",
    "error.domain": "{name} {value}: a domain name is needed.",
    "error.profile": "{name} {value}: NAME=SPAN is needed, for example shortlived=160h.",
    "error.only-together": "{first} and {second} go together: give both, or neither.",
    "error.not-together": "{first} and {second} exclude each other: give one of them.",
    "error.file": "{file} cannot be read: {why}.",
    "error.file-unknown": "{file}: there is no option {names}. `jprs-testca serve --help` lists them.",
    "error.pebble-shape": "{file}: a JSON configuration is Pebble's, an object with the member pebble. Options of our "
    "own stand in a TOML file.",
    "error.pebble-member": "{file}: {name}: {value} is not what Pebble has there.",
    "error.subscriber": "The configuration's subscriber cannot be used: {why}.",
    "error.port-in-use": "{host} port {port} is in use: stop what listens there, or give {option} another port; 0 "
    "takes a free one.",
    "error.port-forbidden": "{host} port {port} may only be opened by root: give {option} a port from 1024 up, or 0 "
    "for a free one.",
    "error.port-elsewhere": "{host} port {port}: this machine does not have that address. Give {option} one that it "
    "has.",
    "error.port-closed": "{host} port {port} cannot be opened: {why}. Give {option} another address.",
    "error.not-an-ip": "{host}: an IP address is needed for {option}, for example 127.0.0.1.",
    "error.not-loopback": "{host} is not the loopback: whoever reaches it gets certificates and steers the CA. Give "
    "{option} an address of 127.0.0.0/8, or say --allow-any-address.",
    "error.tls-files": "{cert} and {key} cannot be used for HTTPS: {why}.",
    "error.ready-file": "{file} cannot be written: {why}. Give --ready-file a place in a folder that is there.",
}

JA: dict[str, str] = {
    # help
    "help.about": "壊れ方を試すための認証局です。ACME(RFC 8555)、JPRSの契約、動かせる時計、注文どおりの障害を備えます。"
    "テスト専用であり、発行された証明書はどこからも信頼されません。",
    "help.serve": "止められるまで動かします。すべてはメモリー上にあり、終了すると消えます。"
    "ポート0は、空いているポートを意味します。",
    "help.conformance": "ACME サーバーに、RFC に基づく約600の質問をします。",
    "help.more": "どのオプションも、先頭の「--」を除いた名前で --config のファイルに書けます。利用者は [[subscriber]]、"
    "プロファイルは [profiles.NAME] に書きます。PebbleのJSONもそのまま読み込みます。",
    "help.usage": "使い方: ",
    "help.any": "[オプション ...]",
    "help.options": "オプション",
    "help.commands": "コマンド",
    "option.help": "このヘルプを表示します。",
    "option.version": "バージョンを表示します。",
    "option.lang": "表示の言語: en または ja。",
    "option.quiet": "問題がない限り、標準エラー出力に何も出しません。",
    "option.verbose": "受け取った要求を標準エラー出力に示します。",
    "option.config": "これらのオプションを書いたTOMLファイル、またはPebbleのJSONファイル。",
    "option.ready-file": "応答できるようになったときに書き出す、JSON形式のファイル。",
    "option.listen": "ACMEの待ち受けアドレス。省略時は 127.0.0.1:14000。",
    "option.management": "操作用の待ち受けアドレス。省略時は 127.0.0.1:15000。",
    "option.pki": "CRL、OCSP、発行者の証明書を配るアドレス。省略時は 127.0.0.1:4002。",
    "option.tls-cert": "この認証局自身のHTTPSの証明書。省略時は自動で作ります。--tls-key が必要です。",
    "option.tls-key": "その証明書の鍵。",
    "option.http-port": "http-01の検証で接続するポート。省略時は 5002。",
    "option.tls-port": "tls-alpn-01の検証で接続するポート。省略時は 5001。",
    "option.resolver": "検証のときに問い合わせるDNSサーバー。省略時は模擬DNS。",
    "option.mock-dns": "模擬DNSの待ち受けアドレス。省略時は 127.0.0.1:8053。",
    "option.open": "Pebbleのように、どのアカウントにもどの名前でも発行します。",
    "option.require-eab": "--open と併用: アカウントの作成に利用者の認証情報を求めます。",
    "option.allow-any-address": "ループバック以外のアドレスでも待ち受けます。",
    "option.now": "認証局の時計を、現在ではなくこの時刻から始めます。",
    "option.issuer": "署名する中間認証局: ecdsa、rsa、または証明書の鍵に合わせる by-key。省略時は ecdsa。",
    "option.perspectives": "検証をネットワーク上の何か所から行うか(1~10)。省略時は 2。",
    "option.validation-delay": "検証の前に待つ秒数。省略時は 0。",
    "option.always-valid": "検証を行わず、すべて成功とみなします。",
    "option.ocsp-lag": "OCSPが新しい証明書を知らない期間。例: 90s、10m。省略時は 10m、--open では 0s。",
    "option.authz-reuse": "有効なオーソリゼーションを新しいオーダーで再利用する割合(%)。省略時は 0。",
    "option.nonce-reject": "正しいnonceを拒否する割合(%)。省略時は 0。",
    "option.without": "ディレクトリーから省く項目。例: keyChange、renewalInfo。繰り返し指定できます。",
    "option.orders-per-page": "アカウントのオーダー一覧の、1ページ当たりの件数。省略時は 50。",
    "option.retry-after": "処理中にRetry-Afterで示す秒数。省略時は示しません。",
    "option.caa-identity": "CAAレコードで許可の対象となる名前。繰り返し指定できます。省略時は jprs.jp。",
    "option.block": "このドメインと、その下の名前には発行しません。繰り返し指定できます。",
    "option.profile": "プロファイルとその有効期間。例: shortlived=160h。繰り返し指定でき、先頭のものが既定になります。",
    "option.pebble-environment": "PEBBLE_WFE_NONCEREJECT などの環境変数を読みます。"
    "PebbleのJSONを使うときは常に読みます。",
    # the start
    "start.title": "jprs-client テスト用認証局。テスト専用です。発行された証明書を信頼してはいけません。",
    "start.mode": "モード",
    "start.jprs": "JPRSの契約: アカウントには認証情報が必要で、名前は利用FQDNに限られます",
    "start.open": "オープン: どのアカウントにも、どの名前でも発行します",
    "start.open-eab": "オープン: どの名前でも発行します。アカウントには認証情報が必要です",
    "start.always-valid": "検証は行いません",
    "start.directory": "ディレクトリー",
    "start.management": "操作用",
    "start.pki": "CRL・OCSP",
    "start.dns": "模擬DNS",
    "start.resolver": "DNS",
    "start.looks": "検証先",
    "start.ports": "http-01はポート{http}、tls-alpn-01はポート{tls}",
    "start.trust": "HTTPSのルート",
    "start.clock": "時計",
    "start.subscriber": "利用者とその認証情報を作るには:",
    "start.try": "応答を確かめるには:",
    "start.stop": "Ctrl-Cで終了します。",
    # notes on what Pebble's configuration asks for
    "note.pebble-unknown": "{where} {name}: 知らない項目のため、使いません",
    "note.pebble-ocsp": "ocspResponderURL {value}: 使いません。この認証局は自らOCSPに応答し、"
    "その場所は証明書に載せます",
    "note.pebble-crl": "{name}: 使いません。CRLは --pki にあり、いつでも最新です",
    "note.pebble-management": "managementListenAddress は空ですが、操作用の待ち受けは止められません",
    "note.pebble-tls": "{cert} または {key} がないため、HTTPSの証明書は自動で作ります",
    "note.pebble-retry-after": "retryAfter: オーダーにもオーソリゼーションにも {taken} 秒を示します",
    "note.pebble-chain": "{name}: 使いません。チェーンの中間証明書は1枚で、代替ルートが常に一つあります",
    "note.pebble-not-a-number": "{name}={value}: 使える数ではないため、Pebbleと同じく無視します",
    # errors
    "error.usage": "{why}。オプションの一覧は「{program} serve --help」で確認できます。",
    "error.address": "{name} {value}: HOST:PORT の形で指定してください。例: 127.0.0.1:14000。",
    "error.port": "{name} {value}: 1~65535のポートを指定してください。",
    "error.moment": "{name} {value}: 日付か、時差付きの時刻を指定してください。例: 2026-11-22、"
    "2026-11-22T12:00:00+09:00。",
    "error.flag": "{name} {value}: true または false を指定してください。",
    "error.seconds": "{name} {value}: 0以上の秒数を指定してください。",
    "error.span": "{name} {value}: 期間を指定してください。例: 90s、10m、160h、90d。",
    "error.percent": "{name} {value}: 0~100の整数を指定してください。",
    "error.count": "{name} {value}: {least}~{most}の整数を指定してください。",
    "error.choice": "{name} {value}: {choices} のいずれかを指定してください。",
    "error.text": "{name} {value}: 文字列を指定してください。",
    "error.list": "{name} {value}: 文字列の並びを指定してください。",
    "error.domain": "{name} {value}: ドメイン名を指定してください。",
    "error.profile": "{name} {value}: NAME=SPAN の形で指定してください。例: shortlived=160h。",
    "error.only-together": "{first} と {second} は、両方を指定するか、どちらも指定しないでください。",
    "error.not-together": "{first} と {second} は同時に指定できません。どちらか一方にしてください。",
    "error.file": "{file} を読めません: {why}。",
    "error.file-unknown": "{file}: {names} というオプションはありません。一覧は「jprs-testca serve "
    "--help」で確認できます。",
    "error.pebble-shape": "{file}: JSONの設定はPebbleのもの、つまり pebble を持つオブジェクトに限られます。"
    "この認証局のオプションはTOMLファイルに書いてください。",
    "error.pebble-member": "{file}: {name}: {value} は、Pebbleの設定として正しくありません。",
    "error.subscriber": "設定ファイルの subscriber を使えません: {why}。",
    "error.port-in-use": "{host} のポート {port} は使用中です。使っているプログラムを止めるか、{option} に別のポートを"
    "指定してください。0を指定すると、空いているポートを使います。",
    "error.port-forbidden": "{host} のポート {port} を開けるのはrootだけです。{option} には1024以上のポートか、"
    "空いているポートを使う0を指定してください。",
    "error.port-elsewhere": "{host} のポート {port}: このホストにはないアドレスです。"
    "{option} には、このホストのアドレスを指定してください。",
    "error.port-closed": "{host} のポート {port} を開けません: {why}。{option} に別のアドレスを指定してください。",
    "error.not-an-ip": "{host}: {option} にはIPアドレスを指定してください。例: 127.0.0.1。",
    "error.not-loopback": "{host} はループバックではありません。接続できる人はだれでも証明書を取得し、"
    "認証局を操作できます。{option} に127.0.0.0/8のアドレスを指定するか、--allow-any-address を付けてください。",
    "error.tls-files": "{cert} と {key} をHTTPSに使えません: {why}。",
    "error.ready-file": "{file} に書き込めません: {why}。--ready-file には、"
    "あるフォルダーの中の場所を指定してください。",
}
