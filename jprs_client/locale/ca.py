"""What is said about the CA: reaching it, its refusals, its answers, and the certificates it sends."""

from __future__ import annotations

_WAIT_EN = "Nothing has to be done: certificates keep serving, and it is tried again."
_WAIT_JA = "対応は不要です。証明書はそのまま使われ、後で自動的に再試行します。"
_TLS_EN = (
    "Do not go on while it lasts. Check this machine's clock and `[ca] directory`; a private CA needs `[ca] trust`."
)
_TLS_JA = (
    "解消するまで接続しません。このマシンの時刻と設定の [ca] directory を確認してください。"
    "私設CAの場合は [ca] trust にルート証明書を指定してください。"
)
_NOTHING_KEPT_EN = (
    "Nothing of the answer was kept, and the old certificate stays in use. If it happens again, "
    "show this message to the operator or to JPRS."
)
_NOTHING_KEPT_JA = (
    "応答の内容は保存せず、これまでの証明書を使い続けます。繰り返し起きる場合は、"
    "このメッセージを指定事業者またはJPRSに示してお問い合わせください。"
)

EN: dict[str, str] = {
    # -- reaching the CA
    "error.directory-not-https": "The CA's directory {url} is not an https address.",
    "next.directory-not-https": "Write an address that begins with https:// as `directory` in [ca].",
    "error.trust-unusable": "The file of trusted roots {file} cannot be used: {detail}.",
    "next.trust-unusable": "Let `trust` in [ca] name a PEM file with the root certificate of the CA's own HTTPS.",
    "error.ca-dns": "The CA's host {host} was not found in DNS: {detail}.",
    "next.ca-dns": "Check the name in `[ca] directory` and this machine's resolver. It is tried again.",
    "error.ca-connection-refused": "The CA's host {host} refuses connections.",
    "next.ca-connection-refused": "If others can reach it, check `[ca] directory` and firewalls. " + _WAIT_EN,
    "error.ca-connect-timeout": "The CA's host {host} does not answer: no connection within the time allowed.",
    "next.ca-connect-timeout": "Check that this machine may connect to {host}: firewall, routing, proxy. "
    "It is tried again.",
    "error.ca-unreachable": "The CA's host {host} cannot be reached: {detail}.",
    "next.ca-unreachable": "Check this machine's network and that it may connect to {host}. It is tried again.",
    "error.ca-proxy": "The proxy {proxy} did not let a connection to {host} through: {detail}.",
    "next.ca-proxy": "Check HTTPS_PROXY and NO_PROXY in the environment, and the proxy's own rules and password.",
    "error.ca-timeout": "The CA at {host} took too long to answer.",
    "next.ca-timeout": _WAIT_EN,
    "error.ca-cut-off": "The connection to the CA at {host} broke off: {detail}.",
    "next.ca-cut-off": _WAIT_EN,
    "error.ca-tls-untrusted": "The HTTPS certificate of {host} is not trusted: {detail}. Nothing was sent.",
    "next.ca-tls-untrusted": _TLS_EN,
    "error.ca-tls-expired": "The HTTPS certificate of {host} has expired, or this machine's clock is ahead. "
    "Nothing was sent.",
    "next.ca-tls-expired": _TLS_EN,
    "error.ca-tls-not-yet-valid": "The HTTPS certificate of {host} is not valid yet, or this machine's clock is "
    "behind. Nothing was sent.",
    "next.ca-tls-not-yet-valid": _TLS_EN,
    "error.ca-tls-other-name": "The HTTPS certificate that {host} shows is for another name. Nothing was sent.",
    "next.ca-tls-other-name": "Check `[ca] directory` and who answers at {host}: a proxy or a false DNS answer would "
    "look like this.",
    "error.ca-tls-failed": "No TLS connection to {host}: {detail}.",
    "next.ca-tls-failed": "The CA has to speak TLS 1.2 or later. Check for a proxy in between; it is tried again.",
    # -- patience
    "error.ca-maintenance": "The CA is not available until about {retry_at}: {detail}",
    "next.ca-maintenance": _WAIT_EN,
    "error.ca-rate-limited": "The CA asks for fewer requests until {retry_at}: {detail} See {url}",
    "error.ca-rate-limited.no-url": "The CA asks for fewer requests until {retry_at}: {detail}",
    "next.ca-rate-limited": "Do not try by hand before that. It is tried again by itself.",
    "error.ca-server-error": "The CA had an error of its own (status {status}): {detail}",
    "next.ca-server-error": _WAIT_EN,
    "error.ca-nonce-refused": "The CA refused every request as outdated, however fresh: {detail}",
    "next.ca-nonce-refused": _WAIT_EN,
    "error.ca-order-slow": "The CA is still working on the order. Next look: {retry_at}.",
    "next.ca-order-slow": "Nothing has to be done: the same order is taken up again.",
    # -- answers that cannot be
    "error.ca-answer-not-acme": "What answered is not the CA: status {status}, {content_type}.",
    "next.ca-answer-not-acme": "A login page, proxy or firewall in between looks like this. Open the address of "
    "`[ca] directory` from this machine and see who answers.",
    "error.ca-answer-malformed": "The CA's answer cannot be understood (at {what}).",
    "next.ca-answer-malformed": _NOTHING_KEPT_EN,
    "error.ca-answer-too-long": "The CA's answer at {url} is longer than {limit} bytes.",
    "next.ca-answer-too-long": _NOTHING_KEPT_EN,
    "error.ca-redirects": "The CA's directory redirects again and again, last to {url}.",
    "next.ca-redirects": "Write the directory's final address as `directory` in [ca].",
    "error.ca-url-unusable": "The CA names an address that is no plain https address ({what}): {url}",
    "next.ca-url-unusable": _NOTHING_KEPT_EN,
    "error.ca-url-elsewhere": "The CA sends us to another host than {host} ({what}): {url}",
    "next.ca-url-elsewhere": _NOTHING_KEPT_EN,
    "error.ca-token-unusable": "The CA's challenge {challenge} has a token with characters that are not allowed.",
    "next.ca-token-unusable": _NOTHING_KEPT_EN,
    "error.order-other-names": "The CA made an order for other names than asked. Not asked for: {extra}. "
    "Missing: {missing}.",
    "error.order-other-names.no-extra": "The CA made an order that lacks names asked for: {missing}.",
    "error.order-other-names.no-missing": "The CA made an order with names not asked for: {extra}.",
    "next.order-other-names": _NOTHING_KEPT_EN,
    "error.authorization-other-name": "The CA wants control of {name} to be proved, which was not ordered.",
    "next.authorization-other-name": _NOTHING_KEPT_EN,
    # -- account
    "error.eab-refused": "The CA did not accept the credentials (external account binding): {detail}",
    "next.eab-refused": "Compare key_id and hmac_key in the credentials file with what the operator handed over. "
    "If they are the same, they may have been used or have lapsed: ask the operator for new ones.",
    "error.eab-required": "The CA makes accounts only with credentials (external account binding).",
    "next.eab-required": "Put the credentials from the operator into a file that only you can read and name it: "
    "`jprs-client register --eab-credentials FILE`.",
    "error.account-unknown": "The CA does not know this account: {detail}",
    "next.account-unknown": "If the account key is right and `[ca] directory` too, the account is gone: ask the "
    "operator for new credentials and register again. Certificates keep serving.",
    "error.account-refused": "The CA does not let this account do that: {detail}",
    "next.account-refused": "The account may be closed. See `jprs-client account show`, and ask the operator. "
    "Certificates keep serving.",
    "error.account-key-reused": "The key for the certificate is the account's key.",
    "next.account-key-reused": "Remove that key from the certificate; a new one is made by itself.",
    "error.contact-refused": "The CA did not accept the contact address: {detail}",
    "next.contact-refused": "Correct `contact` in [account].",
    "error.key-refused": "The CA does not accept this kind of key: {detail}",
    "next.key-refused": 'Choose another `key_type`, such as "ecdsa-p256" or "rsa-2048".',
    "error.terms-changed": "The CA's terms have changed and have to be agreed to first: {url}",
    "error.terms-changed.no-url": "The CA's terms have changed and have to be agreed to first: {detail}",
    "next.terms-changed": "Read the terms, then run `jprs-client register --agree-terms --consent-ct` again. Until "
    "then nothing can be issued or renewed.",
    # -- orders
    "error.name-refused-by-ca": "The CA does not issue for {name}: {detail}",
    "error.name-refused-by-ca.no-name": "The CA does not issue for one of the names: {detail}",
    "next.name-refused-by-ca": "Ask the operator whether the usage FQDN that covers the name is applied for, in "
    "use and "
    "not ended; `jprs-client explain NAME` says which one that is.",
    "error.caa-forbids": "A CAA record in DNS forbids the CA to issue for {name}: {detail}",
    "error.caa-forbids.no-name": "A CAA record in DNS forbids the CA to issue: {detail}",
    "next.caa-forbids": 'Let the CAA records of the domain allow this CA (`issue "jprs.jp"` for JPRS), or '
    "mend the "
    "DNS servers that fail to answer.",
    "error.csr-refused": "The CA did not accept the request for the certificate: {detail}",
    "next.csr-refused": "Choose another `key_type` for the certificate; if that does not help, ask the operator.",
    "error.profile-refused": "The CA did not accept the kind of certificate asked for: {detail}",
    "next.profile-refused": "Ask the operator.",
    "error.order-not-ready": "The CA says the order is not ready: {detail}",
    "next.order-not-ready": "Run the same command again; the order is taken up where it is.",
    "error.order-gone": "The CA knows the order no more: {detail}",
    "next.order-gone": "Nothing has to be done: a new order is made.",
    "error.order-invalid": "The CA gave up the order for {name} and does not say why.",
    "next.order-invalid": "Run the same command again; a new order is made. If it happens again, ask the operator.",
    "error.already-replaced": "The CA says the certificate has been replaced already: {detail}",
    "next.already-replaced": "Nothing has to be done: it is ordered without this mention.",
    "error.request-malformed": "The CA could not understand the request: {detail}",
    "next.request-malformed": "This is likely a fault of the program: please report it with this message.",
    "error.ca-refused": "The CA refused (status {status}): {detail}",
    "next.ca-refused": "Ask the operator, and show this message.",
    # -- validation
    "error.challenge-connection": "The CA could not connect to {name} to check control: {detail}",
    "next.challenge-connection": "Let port 80 of {name} be reachable from anywhere, from abroad too: the CA "
    "looks from "
    "several places at once. Where a filter on foreign addresses has to stay, use dns-01.",
    "error.challenge-dns": "The CA got no usable DNS answer for {name}: {detail}",
    "next.challenge-dns": "Check the A, AAAA and TXT records of {name}, its name servers and DNSSEC.",
    "error.challenge-unauthorized": "The CA looked at {name} and found something other than the proof: {detail}",
    "next.challenge-unauthorized": "Check that {name} leads to this machine, with IPv6 as well, and that nothing in "
    "front of it answers under /.well-known/acme-challenge/; for dns-01, that old TXT records are gone.",
    "error.challenge-tls": "The CA could not make a TLS connection to {name} to check control: {detail}",
    "next.challenge-tls": "Check what answers at port 443 of {name}, also where http is redirected to.",
    "error.challenge-incorrect": "The proof that the CA found at {name} is not the right one: {detail}",
    "next.challenge-incorrect": "Check that no other ACME client and no old TXT record answers for {name}.",
    "error.challenge-failed": "Control of {name} could not be proved: {detail}",
    "next.challenge-failed": "Mend it in DNS or at the web server, then run `jprs-client apply` again.",
    "error.challenge-failed-silently": "Control of {name} could not be proved (status {status}); the CA does not say "
    "why.",
    "next.challenge-failed-silently": "See that the name leads here from outside, then run `jprs-client apply` again.",
    # -- revocation
    "error.reason-refused-by-ca": "The CA does not accept this reason for a revocation: {detail}",
    "next.reason-refused-by-ca": "Choose another circumstance, or leave the reason out.",
    "error.already-revoked": "The certificate has been revoked already: {detail}",
    "next.already-revoked": "Nothing has to be done.",
    "error.revocation-unauthorized": "The CA does not let this account or key revoke the certificate: {detail}",
    "next.revocation-unauthorized": "Revoke with the account that ordered it or with the certificate's own key, "
    "or ask "
    "the operator to revoke it.",
    "error.revocation-not-offered": "The CA offers no revocation by ACME.",
    "next.revocation-not-offered": "Ask the operator to revoke the certificate, at once if its key is compromised.",
    # -- the certificate that came
    "error.chain-not-only-certificates": "There is something else than certificates in what the CA sent as "
    "certificates.",
    "next.chain-not-only-certificates": _NOTHING_KEPT_EN,
    "error.chain-too-long": "The CA sent more than {most} certificates, or one far too long.",
    "next.chain-too-long": _NOTHING_KEPT_EN,
    "error.chain-empty": "The CA sent no certificate.",
    "next.chain-empty": _NOTHING_KEPT_EN,
    "error.chain-foreign": "Among the certificates that came is one that does not belong to the chain: {subject}.",
    "next.chain-foreign": _NOTHING_KEPT_EN,
    "error.chain-incomplete": "The certificate of the issuer, {issuer}, did not come along.",
    "next.chain-incomplete": _NOTHING_KEPT_EN,
    "error.chain-issuer-no-ca": "{subject}, in the chain, is not allowed to issue certificates.",
    "next.chain-issuer-no-ca": _NOTHING_KEPT_EN,
    "error.chain-issuer-expired": "{subject}, in the chain, is not valid now (until {not_after}).",
    "next.chain-issuer-expired": "Check this machine's clock. " + _NOTHING_KEPT_EN,
    "error.certificate-unreadable": "What the CA sent cannot be read as a certificate: {detail}",
    "next.certificate-unreadable": _NOTHING_KEPT_EN,
    "error.certificate-other-key": "The certificate is for another key than the one made for it (ours {expected}…, "
    "theirs {found}…).",
    "next.certificate-other-key": _NOTHING_KEPT_EN,
    "error.certificate-other-names": "The certificate is for other names than ordered. Not ordered: {extra}. "
    "Missing: {missing}.",
    "error.certificate-other-names.no-extra": "The certificate lacks names that were ordered: {missing}.",
    "error.certificate-other-names.no-missing": "The certificate has names that were not ordered: {extra}.",
    "next.certificate-other-names": _NOTHING_KEPT_EN,
    "error.certificate-lifetime": "The certificate is valid for an absurd time: from {not_before} to {not_after}.",
    "next.certificate-lifetime": _NOTHING_KEPT_EN,
    "error.certificate-expired": "The certificate that came expired on {not_after}.",
    "next.certificate-expired": "Check this machine's clock. " + _NOTHING_KEPT_EN,
    "error.clock-skew": "The certificate becomes valid only in {seconds} seconds, on {not_before}: either this "
    "machine's "
    "clock is behind, or the CA's is ahead.",
    "next.clock-skew": "Set this machine's clock (for example by chrony or systemd-timesyncd), then try again.",
    "error.certificate-is-ca": "The certificate would let its owner issue certificates; that was not ordered.",
    "next.certificate-is-ca": _NOTHING_KEPT_EN,
    "error.certificate-not-for-servers": "The certificate is not meant for servers (no serverAuth).",
    "next.certificate-not-for-servers": _NOTHING_KEPT_EN,
    "error.certificate-critical-extension": "The certificate has a critical extension that browsers would "
    "refuse: {oid}.",
    "next.certificate-critical-extension": _NOTHING_KEPT_EN,
    "error.certificate-weak": "{subject} uses cryptography that is too weak: {algorithm}.",
    "next.certificate-weak": _NOTHING_KEPT_EN,
    "error.certificate-without-scts": "The certificate carries no proof of Certificate Transparency (SCT); browsers "
    "would refuse it.",
    "next.certificate-without-scts": "The old certificate stays in use. A private or test CA does not log: "
    "there, set "
    "`require_scts = false` in [ca].",
    "note.certificate-without-scts": "The certificate carries no proof of Certificate Transparency (SCT); browsers "
    "refuse such a certificate from a public CA.",
    "note.certificate-must-staple": "The certificate demands OCSP stapling, which was not ordered; the web "
    "server has to "
    "staple.",
    "note.chain-reordered": "The certificates came in a wrong order and were put in the right one.",
    "note.chain-alone": "The certificate came without its issuer's, {issuer}; clients must know that one.",
    "note.ari-window-unusable": "The CA's advice when to renew makes no sense and is not used.",
    "note.ari-refused": "The CA gives no advice when to renew this certificate.",
}

JA: dict[str, str] = {
    # -- reaching the CA
    "error.directory-not-https": "認証局のディレクトリ {url} が https のアドレスではありません。",
    "next.directory-not-https": "設定の [ca] directory に https:// で始まるアドレスを書いてください。",
    "error.trust-unusable": "信頼するルート証明書のファイル {file} を使用できません: {detail}",
    "next.trust-unusable": "[ca] trust には、認証局自身のHTTPSのルート証明書を含むPEMファイルを指定してください。",
    "error.ca-dns": "認証局のホスト {host} がDNSで見つかりません: {detail}",
    "next.ca-dns": "[ca] directory のホスト名と、このマシンのリゾルバーを確認してください。後で自動的に再試行します。",
    "error.ca-connection-refused": "認証局のホスト {host} に接続を拒否されました。",
    "next.ca-connection-refused": "ほかの場所からは接続できる場合は、[ca] directory "
    "とファイアウォールを確認してください。" + _WAIT_JA,
    "error.ca-connect-timeout": "認証局のホスト {host} から応答がなく、時間内に接続できませんでした。",
    "next.ca-connect-timeout": "このマシンから {host} へ接続できるか（ファイアウォール、経路、"
    "プロキシ）を確認してください。"
    "後で自動的に再試行します。",
    "error.ca-unreachable": "認証局のホスト {host} に到達できません: {detail}",
    "next.ca-unreachable": "このマシンのネットワークと、{host} への接続が許可されているかを確認してください。"
    "後で自動的に再試行します。",
    "error.ca-proxy": "プロキシ {proxy} が {host} への接続を通しませんでした: {detail}",
    "next.ca-proxy": "環境変数 HTTPS_PROXY・NO_PROXY と、プロキシの規則およびパスワードを確認してください。",
    "error.ca-timeout": "{host} の認証局からの応答に時間がかかりすぎました。",
    "next.ca-timeout": _WAIT_JA,
    "error.ca-cut-off": "{host} の認証局との接続が途中で切れました: {detail}",
    "next.ca-cut-off": _WAIT_JA,
    "error.ca-tls-untrusted": "{host} のHTTPS証明書を信頼できません: {detail}。何も送信していません。",
    "next.ca-tls-untrusted": _TLS_JA,
    "error.ca-tls-expired": "{host} のHTTPS証明書の有効期限が切れているか、このマシンの時計が進んでいます。"
    "何も送信していません。",
    "next.ca-tls-expired": _TLS_JA,
    "error.ca-tls-not-yet-valid": "{host} のHTTPS証明書がまだ有効になっていないか、このマシンの時計が遅れています。"
    "何も送信していません。",
    "next.ca-tls-not-yet-valid": _TLS_JA,
    "error.ca-tls-other-name": "{host} が示したHTTPS証明書は別の名前のものです。何も送信していません。",
    "next.ca-tls-other-name": "[ca] directory と、{host} で応答している相手を確認してください。"
    "プロキシや偽のDNS応答でもこのようになります。",
    "error.ca-tls-failed": "{host} とのTLS接続を確立できません: {detail}",
    "next.ca-tls-failed": "認証局はTLS 1.2以上に対応している必要があります。途中のプロキシを確認してください。"
    "後で自動的に再試行します。",
    # -- patience
    "error.ca-maintenance": "認証局は {retry_at} ごろまで利用できません: {detail}",
    "next.ca-maintenance": _WAIT_JA,
    "error.ca-rate-limited": "認証局から、{retry_at} まで要求を控えるよう求められました: {detail} 詳細: {url}",
    "error.ca-rate-limited.no-url": "認証局から、{retry_at} まで要求を控えるよう求められました: {detail}",
    "next.ca-rate-limited": "それまでは手動で実行しないでください。時間になれば自動的に再試行します。",
    "error.ca-server-error": "認証局の内部でエラーが起きました（ステータス {status}）: {detail}",
    "next.ca-server-error": _WAIT_JA,
    "error.ca-nonce-refused": "認証局が、新しい要求をすべて古いものとして拒否しました: {detail}",
    "next.ca-nonce-refused": _WAIT_JA,
    "error.ca-order-slow": "認証局はまだオーダーを処理しています。次の確認: {retry_at}。",
    "next.ca-order-slow": "対応は不要です。同じオーダーを引き続き処理します。",
    # -- answers that cannot be
    "error.ca-answer-not-acme": "応答したのは認証局ではありません（ステータス {status}、{content_type}）。",
    "next.ca-answer-not-acme": "途中のログイン画面、プロキシ、ファイアウォールが応答するとこのようになります。"
    "このマシンから [ca] directory のアドレスを開き、応答する相手を確認してください。",
    "error.ca-answer-malformed": "認証局の応答を解釈できません（{what}）。",
    "next.ca-answer-malformed": _NOTHING_KEPT_JA,
    "error.ca-answer-too-long": "{url} での認証局の応答が {limit} バイトを超えています。",
    "next.ca-answer-too-long": _NOTHING_KEPT_JA,
    "error.ca-redirects": "認証局のディレクトリの転送が繰り返されます（最後の転送先: {url}）。",
    "next.ca-redirects": "[ca] directory に、ディレクトリの最終的なアドレスを書いてください。",
    "error.ca-url-unusable": "認証局が示したアドレスが、通常の https のアドレスではありません（{what}）: {url}",
    "next.ca-url-unusable": _NOTHING_KEPT_JA,
    "error.ca-url-elsewhere": "認証局が {host} とは別のホストを示しました（{what}）: {url}",
    "next.ca-url-elsewhere": _NOTHING_KEPT_JA,
    "error.ca-token-unusable": "認証局のチャレンジ {challenge} のトークンに、使用できない文字が含まれています。",
    "next.ca-token-unusable": _NOTHING_KEPT_JA,
    "error.order-other-names": "認証局が、要求と異なる名前のオーダーを作成しました。要求していない名前: {extra}。"
    "不足している名前: {missing}。",
    "error.order-other-names.no-extra": "認証局が作成したオーダーに、要求した名前が不足しています: {missing}。",
    "error.order-other-names.no-missing": "認証局が作成したオーダーに、要求していない名前が含まれています: {extra}。",
    "next.order-other-names": _NOTHING_KEPT_JA,
    "error.authorization-other-name": "認証局が、要求していない {name} の管理権限の確認を求めました。",
    "next.authorization-other-name": _NOTHING_KEPT_JA,
    # -- account
    "error.eab-refused": "認証局が認証情報（外部アカウント連携、EAB）を受け付けませんでした: {detail}",
    "next.eab-refused": "認証情報ファイルの key_id と hmac_key を、指定事業者から受け取ったものと照合してください。"
    "同じであれば、使用済みか失効している可能性があります。指定事業者に新しい認証情報を依頼してください。",
    "error.eab-required": "この認証局では、アカウントの作成に認証情報（外部アカウント連携、EAB）が必要です。",
    "next.eab-required": "指定事業者から受け取った認証情報を、自分だけが読めるファイルに保存し、"
    "`jprs-client register --eab-credentials FILE` で指定してください。",
    "error.account-unknown": "認証局にこのアカウントが登録されていません: {detail}",
    "next.account-unknown": "アカウント鍵と [ca] directory が正しければ、アカウントは失われています。"
    "指定事業者に新しい認証情報を依頼し、登録し直してください。証明書はそのまま使われます。",
    "error.account-refused": "認証局が、このアカウントによる操作を許可しませんでした: {detail}",
    "next.account-refused": "アカウントが停止されている可能性があります。`jprs-client account show` で確認し、"
    "指定事業者にお問い合わせください。証明書はそのまま使われます。",
    "error.account-key-reused": "証明書用の鍵が、アカウントの鍵と同じです。",
    "next.account-key-reused": "その鍵を証明書に使わないでください。新しい鍵は自動的に作られます。",
    "error.contact-refused": "認証局が連絡先を受け付けませんでした: {detail}",
    "next.contact-refused": "[account] contact を修正してください。",
    "error.key-refused": "認証局がこの種類の鍵を受け付けませんでした: {detail}",
    "next.key-refused": 'key_type を "ecdsa-p256" や "rsa-2048" など、別のものに変更してください。',
    "error.terms-changed": "認証局の規約が変更されており、先に同意が必要です: {url}",
    "error.terms-changed.no-url": "認証局の規約が変更されており、先に同意が必要です: {detail}",
    "next.terms-changed": "規約を読み、`jprs-client register --agree-terms --consent-ct` をもう一度実行してください。"
    "それまでは発行も更新もできません。",
    # -- orders
    "error.name-refused-by-ca": "認証局は {name} の証明書を発行しません: {detail}",
    "error.name-refused-by-ca.no-name": "認証局は、名前のうちの一つについて証明書を発行しません: {detail}",
    "next.name-refused-by-ca": "この名前を含む利用FQDNが申し込まれ、利用中で、終了していないかを指定事業者に確認して"
    "ください。どの利用FQDNかは `jprs-client explain NAME` で分かります。",
    "error.caa-forbids": "DNSのCAAレコードにより、認証局は {name} の証明書を発行できません: {detail}",
    "error.caa-forbids.no-name": "DNSのCAAレコードにより、認証局は証明書を発行できません: {detail}",
    "next.caa-forbids": 'ドメインのCAAレコードでこの認証局を許可するか（JPRS では `issue "jprs.jp"`）、'
    "応答しないDNSサーバーを直してください。",
    "error.csr-refused": "認証局が証明書の発行要求（CSR）を受け付けませんでした: {detail}",
    "next.csr-refused": "証明書の key_type を変更してください。解決しない場合は、指定事業者にお問い合わせください。",
    "error.profile-refused": "認証局が、要求した証明書の種類を受け付けませんでした: {detail}",
    "next.profile-refused": "指定事業者にお問い合わせください。",
    "error.order-not-ready": "オーダーの準備がまだ整っていないと認証局が応答しました: {detail}",
    "next.order-not-ready": "同じコマンドをもう一度実行してください。オーダーは続きから処理されます。",
    "error.order-gone": "認証局にこのオーダーがもうありません: {detail}",
    "next.order-gone": "対応は不要です。新しいオーダーを作成します。",
    "error.order-invalid": "認証局が {name} のオーダーを中止しましたが、理由は示されていません。",
    "next.order-invalid": "同じコマンドをもう一度実行してください。新しいオーダーを作成します。"
    "繰り返し起きる場合は、指定事業者にお問い合わせください。",
    "error.already-replaced": "この証明書はすでに置き換えられていると認証局が応答しました: {detail}",
    "next.already-replaced": "対応は不要です。置き換えの指定なしでオーダーします。",
    "error.request-malformed": "認証局が要求を解釈できませんでした: {detail}",
    "next.request-malformed": "プログラムの不具合と思われます。このメッセージを添えて報告してください。",
    "error.ca-refused": "認証局に拒否されました（ステータス {status}）: {detail}",
    "next.ca-refused": "このメッセージを添えて、指定事業者にお問い合わせください。",
    # -- validation
    "error.challenge-connection": "認証局が、管理権限の確認のために {name} へ接続できませんでした: {detail}",
    "next.challenge-connection": "{name} のポート80に、国外を含むどこからでも接続できるようにしてください。"
    "認証局は同時に複数の場所から確認します。国外からの接続制限を外せない場合は、dns-01 を使用してください。",
    "error.challenge-dns": "認証局が {name} について使用できるDNS応答を得られませんでした: {detail}",
    "next.challenge-dns": "{name} のA・AAAA・TXTレコード、権威DNSサーバー、DNSSECを確認してください。",
    "error.challenge-unauthorized": "認証局が {name} を確認しましたが、証明とは別のものが見つかりました: {detail}",
    "next.challenge-unauthorized": "{name} がIPv6も含めてこのマシンを指していること、前段の機器が "
    "/.well-known/acme-challenge/ に応答していないことを確認してください。"
    "dns-01 の場合は、古いTXTレコードが残っていないことを確認してください。",
    "error.challenge-tls": "認証局が、管理権限の確認のために {name} とTLS接続できませんでした: {detail}",
    "next.challenge-tls": "{name} のポート443で何が応答しているかを、http からの転送先も含めて確認してください。",
    "error.challenge-incorrect": "認証局が {name} で見つけた証明は正しくありません: {detail}",
    "next.challenge-incorrect": "ほかのACMEクライアントや古いTXTレコードが {name} について応答していないことを"
    "確認してください。",
    "error.challenge-failed": "{name} の管理権限を証明できませんでした: {detail}",
    "next.challenge-failed": "DNS または Web サーバーを直してから、`jprs-client apply` をもう一度実行してください。",
    "error.challenge-failed-silently": "{name} の管理権限を証明できませんでした（ステータス {status}）。"
    "認証局から理由は示されていません。",
    "next.challenge-failed-silently": "その名前が外部から届くことを確かめ、`jprs-client apply` を再実行してください。",
    # -- revocation
    "error.reason-refused-by-ca": "認証局がこの失効理由を受け付けませんでした: {detail}",
    "next.reason-refused-by-ca": "別の事情を選ぶか、理由を付けずに実行してください。",
    "error.already-revoked": "この証明書はすでに失効しています: {detail}",
    "next.already-revoked": "対応は不要です。",
    "error.revocation-unauthorized": "認証局が、このアカウントまたは鍵による失効を許可しませんでした: {detail}",
    "next.revocation-unauthorized": "オーダーしたアカウントか証明書自身の鍵で失効させるか、"
    "指定事業者に失効を依頼してください。",
    "error.revocation-not-offered": "この認証局はACMEによる失効に対応していません。",
    "next.revocation-not-offered": "指定事業者に失効を依頼してください。鍵が危殆化した場合は直ちに依頼してください。",
    # -- the certificate that came
    "error.chain-not-only-certificates": "認証局が証明書として送ったものに、証明書以外のものが含まれています。",
    "next.chain-not-only-certificates": _NOTHING_KEPT_JA,
    "error.chain-too-long": "認証局が {most} 枚を超える証明書か、極端に長い証明書を送りました。",
    "next.chain-too-long": _NOTHING_KEPT_JA,
    "error.chain-empty": "認証局から証明書が送られませんでした。",
    "next.chain-empty": _NOTHING_KEPT_JA,
    "error.chain-foreign": "届いた証明書の中に、チェーンに属さないものがあります: {subject}。",
    "next.chain-foreign": _NOTHING_KEPT_JA,
    "error.chain-incomplete": "発行者 {issuer} の証明書が付いていません。",
    "next.chain-incomplete": _NOTHING_KEPT_JA,
    "error.chain-issuer-no-ca": "チェーンの {subject} は、証明書を発行することを許されていません。",
    "next.chain-issuer-no-ca": _NOTHING_KEPT_JA,
    "error.chain-issuer-expired": "チェーンの {subject} は現在有効ではありません（有効期限 {not_after}）。",
    "next.chain-issuer-expired": "このマシンの時刻を確認してください。" + _NOTHING_KEPT_JA,
    "error.certificate-unreadable": "認証局から送られたものを証明書として読み取れません: {detail}",
    "next.certificate-unreadable": _NOTHING_KEPT_JA,
    "error.certificate-other-key": "証明書が、このために作成した鍵とは別の鍵のものです（作成した鍵 {expected}…、"
    "証明書の鍵 {found}…）。",
    "next.certificate-other-key": _NOTHING_KEPT_JA,
    "error.certificate-other-names": "証明書の名前がオーダーと異なります。オーダーしていない名前: {extra}。"
    "不足している名前: {missing}。",
    "error.certificate-other-names.no-extra": "証明書に、オーダーした名前が不足しています: {missing}。",
    "error.certificate-other-names.no-missing": "証明書に、オーダーしていない名前が含まれています: {extra}。",
    "next.certificate-other-names": _NOTHING_KEPT_JA,
    "error.certificate-lifetime": "証明書の有効期間が異常です: {not_before} から {not_after} まで。",
    "next.certificate-lifetime": _NOTHING_KEPT_JA,
    "error.certificate-expired": "届いた証明書は {not_after} に有効期限が切れています。",
    "next.certificate-expired": "このマシンの時刻を確認してください。" + _NOTHING_KEPT_JA,
    "error.clock-skew": "証明書が有効になるのは {seconds} 秒後の {not_before} です。"
    "このマシンの時計が遅れているか、認証局の時計が進んでいます。",
    "next.clock-skew": "このマシンの時刻を合わせてから（chrony や systemd-timesyncd など）、再実行してください。",
    "error.certificate-is-ca": "オーダーしていない、証明書を発行できる権限が証明書に付いています。",
    "next.certificate-is-ca": _NOTHING_KEPT_JA,
    "error.certificate-not-for-servers": "証明書がサーバー用ではありません（serverAuth がありません）。",
    "next.certificate-not-for-servers": _NOTHING_KEPT_JA,
    "error.certificate-critical-extension": "証明書に、ブラウザーが拒否する重要（critical）な拡張があります: {oid}。",
    "next.certificate-critical-extension": _NOTHING_KEPT_JA,
    "error.certificate-weak": "{subject} に使われている暗号が弱すぎます: {algorithm}。",
    "next.certificate-weak": _NOTHING_KEPT_JA,
    "error.certificate-without-scts": "証明書にCertificate Transparencyの証明（SCT）がなく、ブラウザーに拒否されます。",
    "next.certificate-without-scts": "これまでの証明書を使い続けます。私設認証"
    "局やテスト用認証局はログに登録しないため、"
    "その場合は [ca] で require_scts = false を設定してください。",
    "note.certificate-without-scts": "証明書にCertificate Transparencyの証明（SCT）がありません。"
    "公的な認証局の証明書であれば、ブラウザーに拒否されます。",
    "note.certificate-must-staple": "証明書が、オーダーしていないOCSPステープリングを要求しています。"
    "Webサーバーでステープリングを有効にする必要があります。",
    "note.chain-reordered": "証明書が誤った順序で届いたため、正しい順序に直しました。",
    "note.chain-alone": "証明書に発行者 {issuer} の証明書が付いていません。"
    "クライアント側がそれを知っている必要があります。",
    "note.ari-window-unusable": "更新時期についての認証局の案内が不合理なため、使用しません。",
    "note.ari-refused": "この証明書について、認証局から更新時期の案内がありません。",
}
