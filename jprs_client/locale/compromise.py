"""What `compromised` says."""

from __future__ import annotations

EN: dict[str, str] = {
    "help.compromised": "A key has leaked: replace every certificate that has it, then revoke the old ones (code 1).",
    "more.compromised": (
        "Each certificate gets a new key, is issued, installed and seen served; then the old one is revoked, within 24 "
        "hours at the latest, replaced or not. The key is never accepted again. Run it again after a crash: it goes on "
        "where it was. Code 1 is published in the CRL."
    ),
    "help.compromised.names": "The certificates whose current key has leaked.",
    "help.compromised.key": "A file with the key: private or public, or a certificate or request that has it.",
    "help.compromised.all": "Every certificate, each version that is still valid.",
    "help.compromised.deadline": "Revoke within this time, replaced or not (default 24h).",
    "help.compromised.now": "Revoke first, replace afterwards: sites are without a valid certificate in between.",
    "help.compromised.yes": "Do not ask; without a terminal nobody is asked anyway.",
    "ask.compromised": "The old certificates cannot be brought back. Go ahead?",
    "compromise.nothing-left": (
        "No living certificate has the key, or everything is done already. The key is not accepted any more."
    ),
    "compromise.replaced-first": (
        "{certificate} ({names}): a new key and certificate first; serial {serial} is revoked with code 1 then, by "
        "{deadline} at the latest."
    ),
    "compromise.revoked-first": (
        "{certificate} ({names}): serial {serial} is revoked with code 1 at once, and replaced afterwards."
    ),
    "compromise.kept-out": (
        "{certificate} ({names}): serial {serial} is not in service; it is revoked with code 1 and not replaced."
    ),
    "compromise.once-served": (
        "{certificate} ({names}): serial {serial} is revoked with code 1 once other certificates are served in its "
        "place, by {deadline} at the latest."
    ),
    "compromise.nobody-looks": (
        "{certificate} ({names}): a new key and certificate first; serial {serial} is revoked with code 1 right after, "
        "by {deadline} at the latest. Nothing is installed for it (install = []), so nobody sees the new one served: "
        "make what uses it read it at once."
    ),
    "compromise.newest-key-spared": (
        "{certificate}: its key in service was made after the leak was told, and is not meant. If that one has leaked "
        "as well, run “jprs-client compromised --key {file} --yes”."
    ),
    "compromise.late": (
        "That is later than 24 hours, within which the industry's rules want a certificate with a leaked key revoked."
    ),
    "compromise.still-to-revoke": (
        "{certificate}: serial {serial} is still to be revoked, by {deadline} at the latest. Run it again, or let the "
        "timer or daemon go on with it."
    ),
    "error.compromised-what": "Nothing says which key has leaked.",
    "next.compromised-what": "Give the names of certificates, --key FILE, or --all. “{command} --help” says more.",
    "error.compromised-key-unreadable": "The file {file} cannot be read: {cause}.",
    "next.compromised-key-unreadable": "Name a file with the key, or the certificate by its name.",
    "error.compromised-key-locked": "The private key in {file} is locked with a passphrase.",
    "next.compromised-key-locked": "Name a certificate, a request or the public key instead; any tells the key.",
    "error.compromised-no-key": "There is no key in {file} that could be read.",
    "next.compromised-no-key": "Name a file with a private or public key, a certificate or a request, as PEM or DER.",
    "error.compromised-account-key": "That is the key of the ACME account at {directory} ({url}), not a certificate's.",
    "next.compromised-account-key": (
        "Nothing was changed. Tell JPRS itself at once and do as it says (the terms of use ask for it), and tell your "
        "operator; do not deactivate the account before, its credentials may not work twice."
    ),
    "note.blocked-key-in-use": (
        "{certificate}: serial {serial} has a key that was given up as compromised; it is replaced and revoked."
    ),
}

JA: dict[str, str] = {
    "help.compromised": "鍵が漏れたとき、その鍵の証明書をすべて取り替え、古いものを失効させます（理由コード 1）。",
    "more.compromised": (
        "それぞれの証明書を新しい鍵で発行し、配置し、使われていることを確かめてから、古い証明書を失効させます。取り替えの成否に"
        "かかわらず、遅くとも24時間以内に失効させます。その鍵は二度と受け付けません。途中で止まっても、もう一度実行すれば"
        "続きから進みます。理由コード 1 は CRL で公開されます。"
    ),
    "help.compromised.names": "現在の鍵が漏れた証明書。",
    "help.compromised.key": "鍵のあるファイル。秘密鍵、公開鍵、またはその鍵の証明書か証明書要求。",
    "help.compromised.all": "すべての証明書の、有効なすべてのバージョン。",
    "help.compromised.deadline": "取り替えの成否にかかわらず、この時間のうちに失効させます（既定は 24h）。",
    "help.compromised.now": "先に失効させ、後で取り替えます。その間、サイトには有効な証明書がありません。",
    "help.compromised.yes": "確認を求めません。端末がないときは、もともと求めません。",
    "ask.compromised": "古い証明書は元に戻せません。続行しますか。",
    "compromise.nothing-left": (
        "この鍵を使う有効な証明書はないか、すでにすべて処理済みです。この鍵は今後受け付けません。"
    ),
    "compromise.replaced-first": (
        "{certificate}（{names}）: 先に新しい鍵と証明書に替え、その後シリアル番号 {serial} を遅くとも {deadline} までに"
        "理由コード 1 で失効させます。"
    ),
    "compromise.revoked-first": (
        "{certificate}（{names}）: シリアル番号 {serial} をただちに理由コード 1 で失効させ、その後取り替えます。"
    ),
    "compromise.kept-out": (
        "{certificate}（{names}）: シリアル番号 {serial} は使われていません。取り替えずに理由コード 1 で失効させます。"
    ),
    "compromise.once-served": (
        "{certificate}（{names}）: 代わりの証明書が使われていることを確かめた後、シリアル番号 {serial} を遅くとも"
        " {deadline} までに理由コード 1 で失効させます。"
    ),
    "compromise.nobody-looks": (
        "{certificate}（{names}）: 先に新しい鍵と証明書に替え、続けてシリアル番号 {serial} を遅くとも {deadline} までに"
        "理由コード 1 で失効させます。配置先がない（install = []）ため、新しい証明書が使われているかは確かめません。"
        "これを使うソフトウェアに、すぐに読み込ませてください。"
    ),
    "compromise.newest-key-spared": (
        "{certificate}: 現在の鍵は、漏れが知らされた後に作られたものなので、対象にしません。その鍵も漏れたときは"
        "「jprs-client compromised --key {file} --yes」を実行してください。"
    ),
    "compromise.late": (
        "24時間を超えています。危殆化した鍵の証明書は、業界の規則により24時間以内に失効させる必要があります。"
    ),
    "compromise.still-to-revoke": (
        "{certificate}: シリアル番号 {serial} はまだ失効していません。遅くとも {deadline} までに失効させます。"
        "もう一度実行するか、タイマーまたはデーモンに続きを任せてください。"
    ),
    "error.compromised-what": "どの鍵が漏れたのかが指定されていません。",
    "next.compromised-what": (
        "証明書の名前、--key FILE、または --all を指定してください。詳しくは「{command} --help」をご覧ください。"
    ),
    "error.compromised-key-unreadable": "ファイル {file} を読み込めません: {cause}。",
    "next.compromised-key-unreadable": "鍵のあるファイルか、証明書の名前を指定してください。",
    "error.compromised-key-locked": "{file} の秘密鍵はパスフレーズで保護されています。",
    "next.compromised-key-locked": (
        "代わりに証明書、証明書要求、または公開鍵を指定してください。どれからでも鍵を特定できます。"
    ),
    "error.compromised-no-key": "{file} には読み取れる鍵がありません。",
    "next.compromised-no-key": "秘密鍵、公開鍵、証明書、証明書要求のいずれか（PEM か DER）を指定してください。",
    "error.compromised-account-key": "これは証明書の鍵ではなく、{directory} の ACME アカウント（{url}）の鍵です。",
    "next.compromised-account-key": (
        "何も変更していません。ただちに JPRS へ直接連絡してその指示に従い（ご利用条件で求められています）、"
        "指定事業者にも知らせてください。認証情報は二度使えないことがあるため、先にアカウントを無効にしないでください。"
    ),
    "note.blocked-key-in-use": (
        "{certificate}: シリアル番号 {serial} の鍵は危殆化したものとして使用をやめた鍵です。取り替えて失効させます。"
    ),
}
