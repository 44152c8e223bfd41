"""What the daemon says."""

from __future__ import annotations

EN: dict[str, str] = {
    "help.daemon": "Do what is due when it is due, until stopped; systemd runs it so.",
    "more.daemon": (
        "SIGHUP has the configuration read again and what failed tried again; SIGTERM stops at the next safe point. "
        "`apply` and the other commands can be used beside it."
    ),
    "error.daemon-runs": "Another daemon works on {directory} (process {pid}, since {since_at}).",
    "next.daemon-runs": "One is enough; stop that one first to start another.",
    "daemon.ready": "Running, by {file}; state in {directory}.",
    "daemon.reloaded": "{file} was read again.",
    "daemon.kept": "The new configuration cannot be used; the one read before stays in force.",
    "daemon.works-again": "It works again.",
    "daemon.next-action": "Next at {at}: {action}.",
    "daemon.next-still-due": "What is due waits for a person or for another run; looks again at {at}.",
    "daemon.next-new-day": "Nothing is due; looks again at {at}, when the day is over.",
    "daemon.next-quiet": "Nothing is due; looks again at {at}.",
    "daemon.next-failed": "Could not work; tries again at {at}.",
    "daemon.counts": "Certificates: {certificates}, failing: {failing}.",
    "daemon.counts.no-failing": "Certificates: {certificates}, none failing.",
    "daemon.log-lost": "Its log cannot be written: {cause}.",
    "daemon.stopping": "Stopping at the next safe point.",
    "daemon.stopped": "Stopped.",
    "daemon.interrupted": "Interrupted; the next run goes on from where this one was.",
}

JA: dict[str, str] = {
    "help.daemon": "止められるまで動き続け、時が来たものから実行します。systemdから使います。",
    "more.daemon": (
        "SIGHUPで設定を読み直して失敗したものを再び試み、SIGTERMで次の安全な区切りで止まります。"
        "動いている間も apply などのコマンドを使えます。"
    ),
    "error.daemon-runs": "{directory} では別のデーモンが動いています（プロセス {pid}、{since_at} から）。",
    "next.daemon-runs": "デーモンは一つで足ります。別に起動するときは、先にそちらを止めてください。",
    "daemon.ready": "動作を始めました。設定は {file}、状態は {directory} にあります。",
    "daemon.reloaded": "{file} を読み直しました。",
    "daemon.kept": "新しい設定は使えません。前に読んだ設定のまま続けます。",
    "daemon.works-again": "再び動作しています。",
    "daemon.next-action": "次は {at} です: {action}。",
    "daemon.next-still-due": "実行すべきものが、人の操作または別の実行を待っています。{at} にもう一度確認します。",
    "daemon.next-new-day": "いま実行するものはありません。日が変わったあと、{at} にもう一度確認します。",
    "daemon.next-quiet": "いま実行するものはありません。{at} にもう一度確認します。",
    "daemon.next-failed": "実行できませんでした。{at} にもう一度試みます。",
    "daemon.counts": "証明書は {certificates} 件、うち失敗しているもの {failing} 件です。",
    "daemon.counts.no-failing": "証明書は {certificates} 件、失敗しているものはありません。",
    "daemon.log-lost": "ログを書き込めません: {cause}",
    "daemon.stopping": "次の安全な区切りで止まります。",
    "daemon.stopped": "停止しました。",
    "daemon.interrupted": "中断しました。次の実行が続きから行います。",
}
