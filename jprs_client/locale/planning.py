"""Sentences of `planning/`: why something is due, and what stands in the way."""

EN: dict[str, str] = {
    # Why an action is there
    "reason.never-issued": "no certificate has been issued yet",
    "reason.after-month-end": "the month ends within the hour in Japan; issued after midnight, the period lasts longer",
    "reason.revoked": "the certificate is revoked",
    "reason.names-differ": "the names change (added: {added}; left out: {removed})",
    "reason.names-differ.no-added": "names are left out: {removed}",
    "reason.names-differ.no-removed": "names are added: {added}",
    "reason.ari-moment": "the CA has named this moment (renewal information)",
    "reason.expired": "the certificate has expired",
    "reason.ari-too-late": "the CA would wait longer, but a fifth of the lifetime is kept in reserve",
    "reason.lifetime-spent": "most of the lifetime is over by then",
    "reason.rolled-back": "a person went back to this version; half of what was left then is over by then",
    "reason.compromised": "its key was reported as compromised",
    "reason.revocation-asked": "it is to be revoked and takes its replacement first",
    "reason.deadline-near": "it must be revoked (code {code}, {circumstances}) before the next run comes",
    "problem.on-no-certificate": "Usage FQDN {name} is in use, and paid for, but no [[certificate]] has a name of it.",
    "remedy.on-no-certificate": (
        "Where one [[certificate]] is written down, all have to be: add {name} to one, or file a termination notice."
    ),
    "problem.shown-without-successor": (
        "{target} still serves serial {serial} of {certificate}, which is to be revoked, and nothing is installed "
        "there in its place; it is revoked at {deadline} in any case."
    ),
    "remedy.shown-without-successor": (
        "Have a certificate installed there (install = […]), or take the site down; to revoke at once, run revoke with "
        "--no-replace, or compromised with --now."
    ),
    "reason.asked-to-revoke": "revocation was asked for with code {code} ({circumstances})",
    "reason.asked-to-revoke.no-circumstances": "revocation was asked for with code {code}",
    "reason.not-installed": "{target} has not been given a certificate yet",
    "reason.older-served": "{target} does not serve the current version yet",
    "reason.not-in-configuration": "the configuration no longer asks for it",
    "reason.usage-ended": "the usage periods of all its names are over by then",
    "reason.ask-renewal-information": "the CA is asked when it wants this certificate renewed",
    "reason.interrupted": "an earlier run was interrupted",
    "reason.asked": "it was asked for",
    # What stands in the way
    "problem.not-issuable": "No usable usage FQDN authorises a certificate for {name}.",
    "remedy.not-issuable": (
        "Apply for the usage FQDN {apply_for} through your designated operator, then add it to the configuration."
    ),
    "problem.grouping-not-there-yet": "Grouping by {grouping} is planned, but not there yet.",
    "remedy.grouping-not-there-yet": (
        "Until then each usage FQDN has a certificate of its own; [[certificate]] tables group names by hand."
    ),
    "problem.not-registered": "There is no ACME account yet at {directory}.",
    "remedy.not-registered": "Run “jprs-client register --agree-terms --consent-ct” with the operator's credentials.",
    "problem.account-not-valid": "The CA calls the ACME account {status}.",
    "remedy.account-not-valid": (
        "Certificates keep being served, but none can be renewed. Ask your designated operator for new credentials."
    ),
    "problem.usage-ended": "The period of usage FQDN {name} ended on {ends}; its names are no longer renewed.",
    "remedy.usage-ended": "Remove it from the configuration, or apply for it anew through your designated operator.",
    "problem.operator-suspended": "Usage FQDN {name} cannot start: the managing operator is suspended.",
    "remedy.operator-suspended": "Ask the operator, or JPRS, when it will be possible; nothing is ordered until then.",
    "problem.notice-before-start": "Usage FQDN {name} has not started, and a termination notice is filed for it.",
    "remedy.notice-before-start": (
        "Nothing is ordered for it. If the notice is withdrawn, remove “terminating = true”; if not, the usage FQDN."
    ),
    "problem.usage-not-in-configuration": (
        "Usage FQDN {name} is no longer in the configuration, but its period runs on until {ends} and continues then."
    ),
    "remedy.usage-not-in-configuration": (
        "If it is to end, have your designated operator file the termination notice by {ends}; else put it back."
    ),
    "problem.no-usage-fqdn": "{file} names no usage FQDN.",
    "remedy.no-usage-fqdn": "Add a [[usage_fqdn]] table for each one that you applied for.",
    "problem.shares-with-ending": (
        "Certificate {certificate} also carries {usage_fqdn}, whose period ends on {ends}; the CA may revoke it then, "
        "and {names} with it."
    ),
    "remedy.shares-with-ending": (
        "Give {names} a [[certificate]] of their own before that day; separating them is not done by itself yet."
    ),
    "problem.still-paid-for": (
        "The period of usage FQDN {usage_fqdn} goes on after {ends} although its certificate was given up."
    ),
    "remedy.still-paid-for": "To end it, have your designated operator file the termination notice by {ends}.",
    "problem.not-replaced": "Certificate {name} was revoked and is not replaced.",
    "remedy.not-replaced": "For a new one, run “jprs-client renew --force {name}”.",
    "problem.start-not-confirmed": (
        "A first certificate for {certificate} starts the usage period, and charge, of {names}."
    ),
    "remedy.start-not-confirmed": (
        "Nobody has confirmed that yet: run apply on a terminal, or with --start-usage, or set start_usage = true."
    ),
}

JA: dict[str, str] = {
    "reason.never-issued": "証明書がまだ発行されていません",
    "reason.after-month-end": (
        "日本時間で1時間以内に月が替わります。日付が替わってから発行すると、ご利用期間が長くなります"
    ),
    "reason.revoked": "証明書が失効しています",
    "reason.names-differ": "名前が変わります（追加: {added}、除外: {removed}）",
    "reason.names-differ.no-added": "名前が除かれます: {removed}",
    "reason.names-differ.no-removed": "名前が加わります: {added}",
    "reason.ari-moment": "認証局がこの時刻を指定しました（更新情報）",
    "reason.ari-too-late": "認証局の指定はさらに後ですが、有効期間の5分の1は予備として残します",
    "reason.expired": "証明書の期限が切れています",
    "reason.lifetime-spent": "有効期間の大半が過ぎる時期です",
    "reason.rolled-back": "このバージョンに戻されてから、残り期間の半分が過ぎる時期です",
    "reason.compromised": "鍵の危殆化が報告されました",
    "reason.revocation-asked": "失効の前に、代わりの証明書に取り替えます",
    "reason.deadline-near": "次の実行が来る前に失効させなければなりません（理由コード {code}、{circumstances}）",
    "problem.on-no-certificate": "利用FQDN {name} は利用中（有料）ですが、どの [[certificate]] にも含まれていません。",
    "remedy.on-no-certificate": (
        "[[certificate]] を1つでも書くときは、すべて書く必要があります。{name} をどれかに加えるか、解約を申請して"
        "ください。"
    ),
    "problem.shown-without-successor": (
        "{target} は、失効させる {certificate} のシリアル番号 {serial} をまだ使っており、代わりに配置される証明書が"
        "ありません。いずれにしても {deadline} に失効させます。"
    ),
    "remedy.shown-without-successor": (
        "そこに証明書を配置する（install = […]）か、サイトを停止してください。ただちに失効させるには、"
        "revoke を --no-replace 付きで、または compromised を --now 付きで実行してください。"
    ),
    "reason.asked-to-revoke": "理由コード {code}（{circumstances}）での失効が求められました",
    "reason.asked-to-revoke.no-circumstances": "理由コード {code} での失効が求められました",
    "reason.not-installed": "{target} にはまだ証明書が配置されていません",
    "reason.older-served": "{target} はまだ現在のバージョンを提供していません",
    "reason.not-in-configuration": "設定ファイルで必要とされなくなりました",
    "reason.usage-ended": "含まれるすべての名前のご利用期間が終わります",
    "reason.ask-renewal-information": "この証明書の更新時期を認証局に尋ねます",
    "reason.interrupted": "前回の実行が途中で止まりました",
    "reason.asked": "実行が求められました",
    "problem.not-issuable": "{name} の証明書を発行できる利用FQDNがありません。",
    "remedy.not-issuable": ("指定事業者を通じて利用FQDN {apply_for} を申し込み、設定ファイルに追加してください。"),
    "problem.grouping-not-there-yet": "{grouping} によるまとめ方は予定していますが、まだ使えません。",
    "remedy.grouping-not-there-yet": (
        "それまでは利用FQDNごとに証明書を発行します。[[certificate]] を書けば、まとめる名前を指定できます。"
    ),
    "problem.not-registered": "{directory} にACMEアカウントがまだありません。",
    "remedy.not-registered": (
        "指定事業者から受け取った認証情報で「jprs-client register --agree-terms --consent-ct」を実行してください。"
    ),
    "problem.account-not-valid": "認証局によるとACMEアカウントの状態は {status} です。",
    "remedy.account-not-valid": (
        "証明書の提供は続きますが、更新できません。指定事業者に新しい認証情報を依頼してください。"
    ),
    "problem.usage-ended": "利用FQDN {name} のご利用期間は {ends} に終了しました。その名前はもう更新されません。",
    "remedy.usage-ended": "設定ファイルから除くか、指定事業者を通じて改めて申し込んでください。",
    "problem.operator-suspended": "管理指定事業者が一時停止中のため、利用FQDN {name} の利用を開始できません。",
    "remedy.operator-suspended": "再開の時期を指定事業者またはJPRSに確認してください。それまでは何も申請しません。",
    "problem.notice-before-start": "利用FQDN {name} は利用開始前ですが、利用終了が届け出られています。",
    "remedy.notice-before-start": (
        "この利用FQDNの証明書は申請しません。届出を撤回した場合は「terminating = true」を、"
        "そうでない場合は利用FQDNを設定ファイルから除いてください。"
    ),
    "problem.usage-not-in-configuration": (
        "利用FQDN {name} は設定ファイルにありませんが、ご利用期間は {ends} まで続き、その後も継続されます。"
    ),
    "remedy.usage-not-in-configuration": (
        "利用を終える場合は、{ends} までに指定事業者を通じて利用終了を届け出てください。"
        "続ける場合は設定に戻してください。"
    ),
    "problem.no-usage-fqdn": "{file} に利用FQDNがありません。",
    "remedy.no-usage-fqdn": "申し込んだ利用FQDNごとに [[usage_fqdn]] を加えてください。",
    "problem.shares-with-ending": (
        "証明書 {certificate} には、{ends} にご利用期間が終わる {usage_fqdn} も含まれています。"
        "認証局はその後この証明書を失効でき、{names} も使えなくなります。"
    ),
    "remedy.shares-with-ending": (
        "その日までに、{names} を別の [[certificate]] に分けてください。自動の分離にはまだ対応していません。"
    ),
    "problem.still-paid-for": (
        "証明書は使わなくなりましたが、利用FQDN {usage_fqdn} の利用は {ends} のあとも継続されます。"
    ),
    "remedy.still-paid-for": "終える場合は、{ends} までに指定事業者を通じて利用終了を届け出てください。",
    "problem.not-replaced": "証明書 {name} は失効し、代わりの証明書はありません。",
    "remedy.not-replaced": "新しい証明書が必要なときは「jprs-client renew --force {name}」を実行してください。",
    "problem.start-not-confirmed": "{certificate} の最初の証明書を発行すると、{names} のご利用期間と課金が始まります。",
    "remedy.start-not-confirmed": (
        "まだ確認されていません。端末で apply を実行するか、--start-usage を付けるか、"
        "start_usage = true を設定してください。"
    ),
}
