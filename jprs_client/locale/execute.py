"""Sentences of `app`, `execute`, `issuance`, `registration`, `store`: what goes on, and what could not be done."""

EN: dict[str, str] = {
    # What is going on
    "progress.ordering": "{certificate}: ordering ({names} names)",
    "progress.proving": "{certificate}: proving control of {names} names",
    "progress.finalizing": "{certificate}: control is proved, asking for the certificate",
    "progress.issued": "{certificate}: issued, serial {serial}, valid until {not_after}",
    "progress.installing": "{certificate}: installing on {target}",
    "progress.installed": "{certificate}: {target} serves it",
    "progress.revoking": "{certificate}: revoking serial {serial}",
    "progress.revoked": "{certificate}: serial {serial} is revoked",
    "progress.failed": "{certificate}: {action} failed",
    "progress.caa-unknown": "{name}: the CAA records at {zone} could not be looked up; the CA would refuse for that",
    # The account
    "error.consent-missing": "Creating the account means agreeing, and not everything has been agreed to: {options}.",
    "next.consent-missing": (
        "Read the terms, CPS and CP ({terms}) and JPRS's page on what is disclosed to certificate transparency log "
        "operators abroad ({ct}); then run register with --agree-terms and --consent-ct."
    ),
    "error.contact-missing": "{file} names no contact.",
    "next.contact-missing": 'Add contact = ["you@example.jp"] under [account]; the CA\'s urgent notices go there.',
    "error.not-registered": "There is no ACME account yet at {directory}.",
    "next.not-registered": "Run “jprs-client register --agree-terms --consent-ct” with the operator's credentials.",
    "error.account-key-damaged": "The account's private key {file} is damaged.",
    "next.account-key-damaged": "Restore it from your backup; without it the account cannot be used.",
    "error.account-key-missing": "The account's private key {file} cannot be read: {cause}.",
    "next.account-key-missing": "Restore it from your backup; without it the account cannot be used.",
    # State
    "error.state-not-writable": "The state directory {directory} cannot be written: {cause}.",
    "next.state-not-writable": "Run as a user who may write there, make room on the disk, or name another --state-dir.",
    "error.state-not-readable": "The state directory {directory} cannot be read: {cause}.",
    "next.state-not-readable": "Run as the user whom it belongs to, mostly root, or name another --state-dir.",
    "error.state-database-lost": "The database {file} is gone or empty, but what it described is there: {found}.",
    "next.state-database-lost": (
        "Restore it from a backup. Beginning anew would need new credentials and might start usage periods again."
    ),
    "error.state-file-unusable": "The file {file} cannot be used: {cause}.",
    "next.state-file-unusable": "Look at its owner, its permissions and the room on the disk, then run it again.",
    "error.state-of-another-directory": (
        "The certificates in {state} are from another CA ({others}), not from {directory}; so are the usage periods."
    ),
    "next.state-of-another-directory": (
        "Use a state directory of its own for each CA (--state-dir): a test CA must not count as having begun a period."
    ),
    "note.version-unusable": (
        "{certificate}: version {version}, which an interrupted run had made, cannot be used ({cause}); a new one is "
        "ordered."
    ),
    "note.state-was-open": "Others could get at {file}; its permissions have been corrected.",
    "error.state-not-a-directory": "{directory} is not a directory.",
    "next.state-not-a-directory": "Name a directory with --state-dir.",
    "error.state-database-unusable": "The database {file} cannot be used: {cause}.",
    "next.state-database-unusable": "Look at the file's owner and disk; restore it from a backup if it is damaged.",
    "error.state-from-newer-version": (
        "The database {file} was written by a newer version of this program (schema {version}, we know {known})."
    ),
    "next.state-from-newer-version": "Install the newer version again; this one leaves the file alone.",
    "error.version-unreadable": "Version {version} of {name} cannot be read from {file}: {cause}.",
    "next.version-unreadable": "Restore the folder from a backup, or run “jprs-client renew --force {name}”.",
    "error.pending-key-lost": "The key of the order under way for {name} is gone.",
    "next.pending-key-lost": "Run apply again; it begins with a new key.",
    "error.unforeseen": "Something happened that nobody foresaw: {cause}",
    "next.unforeseen": (
        "It holds up this certificate alone and is tried again. If a plugin that is not ours stands at the end of the "
        "traceback, tell its author; otherwise please report it."
    ),
    "error.locked": "Another run (process {pid}, since {since_at}) is working on the {what} {name}.",
    "next.locked": "Wait until it has ended, or use --lock-timeout to wait here.",
    # What a person asked for
    "error.no-such-certificate": "There is no certificate {name}. There are: {known}.",
    "error.no-such-certificate.no-known": "There is no certificate {name}.",
    "next.no-such-certificate": "“jprs-client status” lists the certificates by name.",
    "error.no-such-serial": "{name} has no certificate with serial {serial}.",
    "next.no-such-serial": "“jprs-client show {name}” lists the versions with their serials.",
    "error.nothing-issued": "No certificate has been issued for {name} yet.",
    "next.nothing-issued": "Run “jprs-client apply {name}” first.",
    "error.nothing-to-roll-back-to": "{name} has no earlier version to go back to.",
    "next.nothing-to-roll-back-to": "Nothing was changed.",
    "error.rollback-revoked": "The earlier version of {name} (serial {serial}) was revoked at {revoked_at}.",
    "next.rollback-revoked": "Nothing was changed; the newer version keeps being served.",
    "error.rollback-expired": "The earlier version of {name} (serial {serial}) expired at {expired_at}.",
    "next.rollback-expired": "Nothing was changed; the newer version keeps being served.",
    "error.revoked-already": "{name}: serial {serial} was revoked already, at {revoked_at} with code {reason}.",
    "error.revoked-already.no-reason": "{name}: serial {serial} was revoked already, at {revoked_at}.",
    "next.revoked-already": "Nothing was sent. For a new certificate, run “jprs-client renew --force {name}”.",
    "error.rollback-key-blocked": "The key of the earlier version of {name} (serial {serial}) was compromised.",
    "next.rollback-key-blocked": "Nothing was changed; a compromised key is never used again.",
}

JA: dict[str, str] = {
    "progress.ordering": "{certificate}: 証明書を申請しています（{names} 個の名前）",
    "progress.proving": "{certificate}: {names} 個の名前の管理権限を証明しています",
    "progress.finalizing": "{certificate}: 管理権限が確認されました。証明書を求めています",
    "progress.issued": "{certificate}: 発行されました。シリアル番号 {serial}、有効期限 {not_after}",
    "progress.installing": "{certificate}: {target} に配置しています",
    "progress.installed": "{certificate}: {target} が提供しています",
    "progress.revoking": "{certificate}: シリアル番号 {serial} を失効させています",
    "progress.revoked": "{certificate}: シリアル番号 {serial} は失効しました",
    "progress.failed": "{certificate}: {action} に失敗しました",
    "progress.caa-unknown": "{name}: {zone} のCAAレコードを確認できませんでした。認証局はこれを理由に拒否します",
    "error.consent-missing": "アカウントの作成には同意が必要ですが、そろっていません: {options}",
    "next.consent-missing": (
        "ご利用条件・CPS・CP（{terms}）と、外国にあるCTログサーバー運営組織への情報提供についてのページ（{ct}）を"
        "読んだうえで、register に --agree-terms と --consent-ct を付けて実行してください。"
    ),
    "error.contact-missing": "{file} に連絡先がありません。",
    "next.contact-missing": (
        '[account] に contact = ["you@example.jp"] を加えてください。認証局からの緊急の連絡が届きます。'
    ),
    "error.not-registered": "{directory} にACMEアカウントがまだありません。",
    "next.not-registered": (
        "指定事業者から受け取った認証情報で「jprs-client register --agree-terms --consent-ct」を実行してください。"
    ),
    "error.account-key-damaged": "アカウントの秘密鍵 {file} が壊れています。",
    "next.account-key-damaged": "バックアップから復元してください。この鍵がないとアカウントは使えません。",
    "error.account-key-missing": "アカウントの秘密鍵 {file} を読めません: {cause}",
    "next.account-key-missing": "バックアップから復元してください。この鍵がないとアカウントは使えません。",
    "error.state-not-writable": "状態ディレクトリ {directory} に書き込めません: {cause}",
    "next.state-not-writable": (
        "書き込めるユーザーで実行するか、ディスクの空きを確保するか、別の --state-dir を指定してください。"
    ),
    "error.state-not-readable": "状態ディレクトリ {directory} を読めません: {cause}",
    "next.state-not-readable": "所有者（通常は root）で実行するか、別の --state-dir を指定してください。",
    "error.state-database-lost": "データベース {file} がないか空ですが、その内容にあたるものが残っています: {found}",
    "next.state-database-lost": (
        "バックアップから復元してください。初めからやり直すと、新しい認証情報が必要になり、"
        "ご利用期間が改めて始まるおそれがあります。"
    ),
    "error.state-file-unusable": "ファイル {file} を使えません: {cause}",
    "next.state-file-unusable": "所有者、権限、ディスクの空きを確認してから、もう一度実行してください。",
    "error.state-of-another-directory": (
        "{state} の証明書とご利用期間は、{directory} ではなく別の認証局（{others}）のものです。"
    ),
    "next.state-of-another-directory": (
        "認証局ごとに別の状態ディレクトリを使ってください（--state-dir）。テスト用の認証局での発行を、"
        "ご利用期間の開始とみなしてはなりません。"
    ),
    "note.version-unusable": (
        "{certificate}: 中断された実行が作ったバージョン {version} は使えません（{cause}）。新しい証明書を申請します。"
    ),
    "note.state-was-open": "ほかのユーザーが {file} を読み書きできる状態でした。権限を直しました。",
    "error.state-not-a-directory": "{directory} はディレクトリではありません。",
    "next.state-not-a-directory": "--state-dir でディレクトリを指定してください。",
    "error.state-database-unusable": "データベース {file} を使えません: {cause}",
    "next.state-database-unusable": (
        "ファイルの所有者とディスクを確認し、壊れている場合はバックアップから復元してください。"
    ),
    "error.state-from-newer-version": (
        "データベース {file} は、より新しい版のプログラムが書いたものです（スキーマ {version}、対応は {known} まで）。"
    ),
    "next.state-from-newer-version": "新しい版を入れ直してください。この版はファイルに手を加えません。",
    "error.version-unreadable": "{name} のバージョン {version} を {file} から読めません: {cause}",
    "next.version-unreadable": (
        "フォルダーをバックアップから復元するか、「jprs-client renew --force {name}」を実行してください。"
    ),
    "error.pending-key-lost": "{name} の申請に使っている鍵がなくなっています。",
    "next.pending-key-lost": "apply をもう一度実行してください。新しい鍵で始めます。",
    "error.unforeseen": "予期しないことが起きました: {cause}",
    "next.unforeseen": (
        "この証明書だけが止まっており、後で再び試みます。トレースバックの最後に他の作者のプラグインがあるときはその作者に、"
        "そうでなければ本プログラムの開発元にお知らせください。"
    ),
    "error.locked": "別の実行（プロセス {pid}、{since_at} から）が {what} {name} を処理しています。",
    "next.locked": "終わるまで待つか、--lock-timeout で待ち時間を指定してください。",
    "error.no-such-certificate": "証明書 {name} はありません。あるのは次のとおりです: {known}",
    "error.no-such-certificate.no-known": "証明書 {name} はありません。",
    "next.no-such-certificate": "「jprs-client status」で証明書の名前を確認できます。",
    "error.no-such-serial": "{name} にシリアル番号 {serial} の証明書はありません。",
    "next.no-such-serial": "「jprs-client show {name}」で各バージョンのシリアル番号を確認できます。",
    "error.nothing-issued": "{name} の証明書はまだ発行されていません。",
    "next.nothing-issued": "先に「jprs-client apply {name}」を実行してください。",
    "error.nothing-to-roll-back-to": "{name} には戻れる以前のバージョンがありません。",
    "next.nothing-to-roll-back-to": "何も変更していません。",
    "error.rollback-revoked": "{name} の以前のバージョン（シリアル番号 {serial}）は {revoked_at} に失効しています。",
    "next.rollback-revoked": "何も変更していません。新しいバージョンの提供が続きます。",
    "error.rollback-expired": (
        "{name} の以前のバージョン（シリアル番号 {serial}）は {expired_at} に期限が切れています。"
    ),
    "next.rollback-expired": "何も変更していません。新しいバージョンの提供が続きます。",
    "error.revoked-already": (
        "{name} のシリアル番号 {serial} は、{revoked_at} に理由コード {reason} ですでに失効しています。"
    ),
    "error.revoked-already.no-reason": "{name} のシリアル番号 {serial} は、{revoked_at} にすでに失効しています。",
    "next.revoked-already": "何も送信していません。新しい証明書は「jprs-client renew --force {name}」で発行します。",
    "error.rollback-key-blocked": "{name} の以前のバージョン（シリアル番号 {serial}）の鍵は危殆化しています。",
    "next.rollback-key-blocked": "何も変更していません。危殆化した鍵は二度と使いません。",
}
