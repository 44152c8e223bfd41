"""What monitoring and notices say: `check`, `notify`, `[notify]`."""

from __future__ import annotations

EN: dict[str, str] = {
    "help.check": "Say in one line, for monitoring, whether all is well: exit 0 ok, 1 warning, 2 critical, 3 unknown.",
    "more.check": (
        "From the state alone: nobody is asked and nothing is changed. A share of the lifetime decides, whatever "
        "lifetimes are; --warning and --critical add spans of your own. Every error is UNKNOWN, wrong usage too."
    ),
    "help.check.names": "Only these certificates.",
    "help.check.warning": "Warn when less than this is left of a certificate's time (20d).",
    "help.check.critical": "Be critical when less than this is left (7d).",
    "help.notify": "Notices by mail or command.",
    "help.notify.test": "Send a trial notice by every notifier, and say which of them took it.",
    # check
    "check.ok": "all in order, {count} watched; {certificate} ends first, on {not_after} ({left} left)",
    "check.nothing": "no certificate to watch",
    "check.more": "{count} more",
    "check.patience": "{all}. No alarm yet: {finding}",
    "check.where": "“jprs-client check -v” shows where; please report it with those lines.",
    # What is found
    "finding.expired": "Certificate {certificate} expired on {not_after}. {cause}",
    "finding.expired.no-cause": "Certificate {certificate} expired on {not_after}.",
    "advice.expired": "Run “jprs-client apply {certificate}”, and see that its timer or the daemon runs.",
    "finding.revoked": "Certificate {certificate} is revoked since {revoked_at} and not replaced. {cause}",
    "finding.revoked.no-cause": "Certificate {certificate} is revoked since {revoked_at} and not replaced.",
    "advice.revoked": "Run “jprs-client apply {certificate}” for a new one.",
    "finding.nearly-expired": "Certificate {certificate} expires on {not_after}, {left} are left. {cause}",
    "finding.nearly-expired.no-cause": "Certificate {certificate} expires on {not_after}, {left} are left.",
    "advice.nearly-expired": "Run “jprs-client apply {certificate}”, and see that its timer or the daemon runs.",
    "finding.failing": (
        "Certificate {certificate}, valid until {not_after}, could not be renewed since {since} "
        "(failures: {count}, next attempt: {retry_at}). {cause}"
    ),
    "advice.failing": "“jprs-client status {certificate}” tells more.",
    "finding.overdue": (
        "Certificate {certificate} ought to have been renewed, but nobody has tried; it expires on {not_after}."
    ),
    "advice.overdue": "See that the timer or the daemon runs, or run “jprs-client apply”.",
    "finding.never-issued": "Certificate {certificate} has not been issued yet.",
    "advice.never-issued": "Run “jprs-client apply”.",
    "finding.never-issued-failing": (
        "Certificate {certificate} could not be issued since {since} "
        "(failures: {count}, next attempt: {retry_at}). {cause}"
    ),
    "advice.never-issued-failing": "“jprs-client status {certificate}” tells more.",
    "finding.start-waits": (
        "Certificate {certificate} waits: its issuance starts the usage period, and charge, of {names}, "
        "and nobody has confirmed that."
    ),
    "advice.start-waits": "Run “jprs-client apply --start-usage”, or apply on a terminal.",
    "finding.not-installed": "Certificate {certificate} has not been seen served by {target}.",
    "advice.not-installed": "Run “jprs-client install {certificate}”.",
    "finding.install-failing": (
        "Certificate {certificate} could not be installed on {target} since {since} "
        "(failures: {count}, next attempt: {retry_at}). {cause}"
    ),
    "advice.install-failing": "Mend it, then run “jprs-client install {certificate}”.",
    "finding.revocation-overdue": (
        "Certificate {certificate}, serial {serial}, ought to have been revoked by {deadline}. {cause}"
    ),
    "finding.revocation-overdue.no-cause": (
        "Certificate {certificate}, serial {serial}, ought to have been revoked by {deadline}."
    ),
    "advice.revocation-overdue": "Run “jprs-client apply {certificate}”; if it fails, ask JPRS or your operator.",
    "finding.revocation-near-deadline": (
        "Certificate {certificate}, serial {serial}, has a compromised key and is still to be revoked, "
        "by {deadline}. {cause}"
    ),
    "finding.revocation-near-deadline.no-cause": (
        "Certificate {certificate}, serial {serial}, has a compromised key and is still to be revoked, by {deadline}."
    ),
    "finding.revocation-waiting": (
        "{certificate}: the key of serial {serial} has leaked; it is to be revoked by {deadline}, and not replaced yet."
    ),
    "advice.revocation-waiting": "Run “jprs-client apply {certificate}” and see to what it says.",
    "advice.revocation-near-deadline": "Run “jprs-client apply {certificate}”.",
    "finding.revocation-failing": (
        "Certificate {certificate}, serial {serial}, could not be revoked since {since} "
        "(failures: {count}, next attempt: {retry_at}, due by {deadline}). {cause}"
    ),
    "advice.revocation-failing": "Run “jprs-client apply {certificate}”.",
    "finding.run-failed": "jprs-client could not do its work: no certificate is renewed until this is mended. {cause}",
    "error.run-unforeseen": "Something happened that nobody foresaw: {cause}",
    "next.run-unforeseen": "Run “jprs-client apply” to see where, and please report it with those lines.",
    # Notices
    "notice.advice": "What to do: {advice}",
    "notice.over": "This is over: {said}",
    "notice.trial": "trial notice",
    "notice.trial-text": "This is a trial of “jprs-client notify test”. Nothing is wrong, and nothing is to be done.",
    "notify.took": "{notifier}: taken.",
    "notify.failed": "{notifier}: not taken.",
    "problem.notice-not-told": "A notice could not be delivered by {notifier}: {message}",
    "remedy.notice-not-told": "{next_step} It is told again by the next run.",
    "error.no-notifier": "Nobody is told anything: {file} has no notifier.",
    "next.no-notifier": 'Add “[notify]” with mail = ["admin@example.jp"], or a [notifier.NAME] table.',
    "error.notifier-broken": "The notifier's plugin failed where it should not: {cause}",
    "next.notifier-broken": "Tell the author of the plugin {plugin}.",
    "error.notifier-command-empty": "A command notifier has an empty command.",
    "next.notifier-command-empty": 'Write command = ["/path/to/program"].',
    "error.notifier-timeout-unusable": "A notifier has a timeout of {timeout}.",
    "next.notifier-timeout-unusable": "Set timeout to whole seconds, 1 or more.",
    "error.notifier-missing": "{command} could not be started: {reason}.",
    "next.notifier-missing": "Check the path, that the file is executable, and its first line.",
    "error.notifier-failed": "{command} failed with exit code {exit}: {output}",
    "error.notifier-failed.no-output": "{command} failed with exit code {exit}.",
    "next.notifier-failed": "Mend what it complains about; “jprs-client notify test” tries it.",
    "error.notifier-timeout": "{command} had not finished after {timeout} seconds and was ended.",
    "next.notifier-timeout": "See what it waits for, or raise timeout.",
    "error.mail-bad-address": "{address} is no mail address.",
    "next.mail-bad-address": "Write one address a string, without a name, like admin@example.jp.",
    "error.mail-smtp-failed": "The mail server {server} did not take the mail: {cause}",
    "next.mail-smtp-failed": "Check smtp and the addresses; “jprs-client notify test” tries it.",
    "error.mail-refused": "The mail server {server} refused these recipients: {addresses}",
    "next.mail-refused": "Check the addresses. The others have got the mail, and get it again next time.",
}

JA: dict[str, str] = {
    "help.check": "監視用に、異常の有無を1行で示します。終了コードは 0 正常、1 警告、2 重大、3 不明です。",
    "more.check": (
        "保存された状態だけを調べ、どこにも問い合わせず、何も変更しません。有効期間の長さによらず、残りの割合で判定します。"
        "--warning と --critical で残り時間の基準を加えられます。エラーは、使い方の誤りも含めてすべて UNKNOWN です。"
    ),
    "help.check.names": "この証明書だけを対象にします。",
    "help.check.warning": "証明書の残り時間がこれより短いと警告にします（例: 20d）。",
    "help.check.critical": "証明書の残り時間がこれより短いと重大にします（例: 7d）。",
    "help.notify": "メールまたはコマンドによる通知。",
    "help.notify.test": "すべての通知先に試験の通知を送り、受け取られたかどうかを示します。",
    "check.ok": "異常なし、対象 {count} 件。最初に期限を迎えるのは {certificate}、{not_after}（残り {left}）",
    "check.nothing": "対象の証明書がありません",
    "check.more": "ほか {count} 件",
    "check.patience": "{all}。まだ警告ではありませんが: {finding}",
    "check.where": "「jprs-client check -v」で発生箇所を確認できます。その行を添えてご報告ください。",
    "finding.expired": "証明書 {certificate} は {not_after} に期限が切れました。{cause}",
    "finding.expired.no-cause": "証明書 {certificate} は {not_after} に期限が切れました。",
    "advice.expired": (
        "「jprs-client apply {certificate}」を実行し、タイマーまたはデーモンが動いているか確認してください。"
    ),
    "finding.revoked": "証明書 {certificate} は {revoked_at} に失効し、まだ取り替えられていません。{cause}",
    "finding.revoked.no-cause": "証明書 {certificate} は {revoked_at} に失効し、まだ取り替えられていません。",
    "advice.revoked": "「jprs-client apply {certificate}」で新しい証明書を取得してください。",
    "finding.nearly-expired": "証明書 {certificate} の期限は {not_after} です（残り {left}）。{cause}",
    "finding.nearly-expired.no-cause": "証明書 {certificate} の期限は {not_after} です（残り {left}）。",
    "advice.nearly-expired": (
        "「jprs-client apply {certificate}」を実行し、タイマーまたはデーモンが動いているか確認してください。"
    ),
    "finding.failing": (
        "証明書 {certificate}（{not_after} まで有効）は {since} から更新できていません"
        "（失敗 {count} 回、次の試行 {retry_at}）。{cause}"
    ),
    "advice.failing": "「jprs-client status {certificate}」で詳しく確認できます。",
    "finding.overdue": (
        "証明書 {certificate} は更新の時期を過ぎていますが、まだ試みられていません。期限は {not_after} です。"
    ),
    "advice.overdue": ("タイマーまたはデーモンが動いているか確認するか、「jprs-client apply」を実行してください。"),
    "finding.never-issued": "証明書 {certificate} はまだ発行されていません。",
    "advice.never-issued": "「jprs-client apply」を実行してください。",
    "finding.never-issued-failing": (
        "証明書 {certificate} は {since} から発行できていません（失敗 {count} 回、次の試行 {retry_at}）。{cause}"
    ),
    "advice.never-issued-failing": "「jprs-client status {certificate}」で詳しく確認できます。",
    "finding.start-waits": (
        "証明書 {certificate} は発行を待っています。発行すると {names} のご利用期間と課金が始まりますが、"
        "まだ確認されていません。"
    ),
    "advice.start-waits": "「jprs-client apply --start-usage」を実行するか、端末で apply を実行してください。",
    "finding.not-installed": "証明書 {certificate} が {target} から提供されていることを確認できていません。",
    "advice.not-installed": "「jprs-client install {certificate}」を実行してください。",
    "finding.install-failing": (
        "証明書 {certificate} は {since} から {target} に配置できていません"
        "（失敗 {count} 回、次の試行 {retry_at}）。{cause}"
    ),
    "advice.install-failing": "原因を取り除き、「jprs-client install {certificate}」を実行してください。",
    "finding.revocation-overdue": (
        "証明書 {certificate}（シリアル番号 {serial}）は {deadline} までに失効させる必要がありました。{cause}"
    ),
    "finding.revocation-overdue.no-cause": (
        "証明書 {certificate}（シリアル番号 {serial}）は {deadline} までに失効させる必要がありました。"
    ),
    "advice.revocation-overdue": (
        "「jprs-client apply {certificate}」を実行してください。"
        "失敗する場合は JPRS または指定事業者に相談してください。"
    ),
    "finding.revocation-near-deadline": (
        "鍵が危殆化した証明書 {certificate}（シリアル番号 {serial}）がまだ失効していません。"
        "期限は {deadline} です。{cause}"
    ),
    "finding.revocation-near-deadline.no-cause": (
        "鍵が危殆化した証明書 {certificate}（シリアル番号 {serial}）がまだ失効していません。期限は {deadline} です。"
    ),
    "finding.revocation-waiting": (
        "{certificate}: シリアル番号 {serial} の鍵が漏れています。{deadline} までに失効させますが、取り替えがまだです。"
    ),
    "advice.revocation-waiting": "「jprs-client apply {certificate}」を実行し、その指示に対処してください。",
    "advice.revocation-near-deadline": "「jprs-client apply {certificate}」を実行してください。",
    "finding.revocation-failing": (
        "証明書 {certificate}（シリアル番号 {serial}）は {since} から失効させられていません"
        "（失敗 {count} 回、次の試行 {retry_at}、期限 {deadline}）。{cause}"
    ),
    "advice.revocation-failing": "「jprs-client apply {certificate}」を実行してください。",
    "finding.run-failed": (
        "jprs-client は処理を実行できませんでした。これが解消されるまで、どの証明書も更新されません。{cause}"
    ),
    "error.run-unforeseen": "予期しないことが起きました: {cause}",
    "next.run-unforeseen": "「jprs-client apply」を実行すると発生箇所が表示されます。その行を添えてご報告ください。",
    "notice.advice": "対処: {advice}",
    "notice.over": "次の件は解消しました: {said}",
    "notice.trial": "試験の通知",
    "notice.trial-text": "「jprs-client notify test」による試験の通知です。異常はなく、対処は不要です。",
    "notify.took": "{notifier}: 送信できました。",
    "notify.failed": "{notifier}: 受け取られませんでした。",
    "problem.notice-not-told": "{notifier} で通知を送れませんでした: {message}",
    "remedy.notice-not-told": "{next_step} 次の実行でもう一度通知します。",
    "error.no-notifier": "{file} に通知先がないため、誰にも通知されません。",
    "next.no-notifier": '「[notify]」に mail = ["admin@example.jp"] を書くか、[notifier.NAME] を加えてください。',
    "error.notifier-broken": "通知プラグインで想定外のエラーが起きました: {cause}",
    "next.notifier-broken": "プラグイン {plugin} の作者に知らせてください。",
    "error.notifier-command-empty": "通知の command が空です。",
    "next.notifier-command-empty": 'command = ["/path/to/program"] のように書いてください。',
    "error.notifier-timeout-unusable": "通知の timeout が {timeout} になっています。",
    "next.notifier-timeout-unusable": "timeout は 1 以上の整数（秒）にしてください。",
    "error.notifier-missing": "{command} を起動できませんでした: {reason}",
    "next.notifier-missing": "パス、実行権限、ファイルの1行目を確認してください。",
    "error.notifier-failed": "{command} が終了コード {exit} で失敗しました: {output}",
    "error.notifier-failed.no-output": "{command} が終了コード {exit} で失敗しました。",
    "next.notifier-failed": "出力に示された問題を解消してください。「jprs-client notify test」で試せます。",
    "error.notifier-timeout": "{command} が {timeout} 秒以内に終わらないため、終了させました。",
    "next.notifier-timeout": "何を待っているかを確認するか、timeout を延ばしてください。",
    "error.mail-bad-address": "{address} はメールアドレスではありません。",
    "next.mail-bad-address": "admin@example.jp のように、名前を付けずにアドレスだけを1つずつ書いてください。",
    "error.mail-smtp-failed": "メールサーバー {server} がメールを受け取りませんでした: {cause}",
    "next.mail-smtp-failed": "smtp とアドレスを確認してください。「jprs-client notify test」で試せます。",
    "error.mail-refused": "メールサーバー {server} が次の宛先を拒否しました: {addresses}",
    "next.mail-refused": "アドレスを確認してください。ほかの宛先には届いており、次回も届きます。",
}
