"""What `service install` says."""

from __future__ import annotations

EN: dict[str, str] = {
    "help.service": "Let systemd run the program.",
    "help.service.install": "Write hardened systemd units and start the timer or the daemon.",
    "more.service.install": (
        "The units are made from the configuration: run this again when it names other paths. Nothing is touched that "
        "is right already. Changes of your own go into drop-ins (systemctl edit). The account is made by starting "
        "jprs-client-register.service, which is your agreement to the terms and your consent to the CT disclosure; it "
        "reads the operator's credentials from /etc/credstore/jprs-client.eab."
    ),
    "help.service.install.timer": "Run `apply` twice a day (the default).",
    "help.service.install.daemon": "Run the daemon, which wakes for whatever is due next.",
    "help.service.install.show": "Show the units, and change nothing.",
    "help.service.uninstall": "Stop, and remove the units that `service install` wrote.",
    "more.service.uninstall": "State, configuration, credentials and drop-ins stay as they are.",
    "service.written": "written: {file}",
    "service.unchanged": "as it was: {file}",
    "service.removed": "removed: {file}",
    "service.disabled": "{unit} is stopped and starts no more.",
    "service.enabled-timer": "{unit} runs jprs-client apply twice a day.",
    "service.enabled-daemon": "{unit} runs and starts with the host.",
    "service.register": (
        "No account yet? systemctl start jprs-client-register.service: whoever starts it agrees to the terms and "
        "consents to the CT disclosure."
    ),
    "service.nothing-to-remove": "There are no units of jprs-client service install.",
    "error.service-not-root": "Only root may write units to {directory}.",
    "next.service-not-root": "Run it again with sudo, or look at the units with --show.",
    "error.service-no-systemd": "This host was not booted by systemd ({directory} is not there).",
    "next.service-no-systemd": "Run jprs-client apply twice a day from cron, or jprs-client daemon from your own init.",
    "error.service-no-program": "There is no command {program} beside {python}, so no unit could start it.",
    "next.service-no-program": "Install the package into a virtual environment, say /opt/jprs-client; call it there.",
    "error.service-program-not-roots": (
        "{program} cannot run as root by itself: others than root can change {file}, which it is made of."
    ),
    "next.service-program-not-roots": (
        "Install it as root where only root may write (say, a virtual environment in /opt/jprs-client), and call that."
    ),
    "error.service-hidden": "{file} lies in a folder for temporary files, which the services cannot see.",
    "next.service-hidden": "Move it, for example to /opt, /etc/jprs-client or /var/lib/jprs-client.",
    "error.service-unit-foreign": "{file} is there and was not written by jprs-client service install.",
    "next.service-unit-foreign": "Look at it, and remove or rename it if it is not needed; nothing was changed.",
    "error.service-unwritable": "{file} cannot be read or written: {cause}.",
    "next.service-unwritable": "Make it writable for root, then run the same command again.",
    "error.service-systemctl-failed": "{command} failed with status {status}: {output}",
    "error.service-systemctl-failed.no-output": "{command} failed with status {status}.",
    "next.service-systemctl-failed": (
        "The units are written. journalctl -u 'jprs-client*' says more; then run the same command again."
    ),
    "error.service-systemctl-slow": "{command} did not end within {seconds} seconds.",
    "next.service-systemctl-slow": "systemctl status 'jprs-client*' says where it is; then run the same command again.",
}

JA: dict[str, str] = {
    "help.service": "systemd にプログラムを実行させます。",
    "help.service.install": "堅牢化した systemd ユニットを書き、タイマーまたはデーモンを始めます。",
    "more.service.install": (
        "ユニットは設定から作ります。設定のパスを変えたら、もう一度実行してください。正しいものには触れません。"
        "独自の変更はドロップイン（systemctl edit）に書いてください。アカウントは jprs-client-register.service を"
        "開始すると作られます。開始することが、規約への同意とCTへの開示の同意になります。指定事業者から受け取った"
        "認証情報は /etc/credstore/jprs-client.eab から読みます。"
    ),
    "help.service.install.timer": "`apply` を1日2回実行します（既定）。",
    "help.service.install.daemon": "次にすることの時刻に目を覚ますデーモンを実行します。",
    "help.service.install.show": "ユニットを表示するだけで、何も変えません。",
    "help.service.uninstall": "停止し、`service install` が書いたユニットを取り除きます。",
    "more.service.uninstall": "状態、設定、認証情報、ドロップインはそのまま残ります。",
    "service.written": "書きました: {file}",
    "service.unchanged": "そのままです: {file}",
    "service.removed": "取り除きました: {file}",
    "service.disabled": "{unit} を停止し、自動では始まらないようにしました。",
    "service.enabled-timer": "{unit} が jprs-client apply を1日2回実行します。",
    "service.enabled-daemon": "{unit} は動いており、ホストの起動時にも始まります。",
    "service.register": (
        "アカウントがまだなければ、systemctl start jprs-client-register.service を実行してください。"
        "開始した方が、規約に同意し、CTへの開示に同意したことになります。"
    ),
    "service.nothing-to-remove": "jprs-client service install のユニットはありません。",
    "error.service-not-root": "{directory} にユニットを書けるのは root だけです。",
    "next.service-not-root": "sudo を付けて実行するか、--show でユニットを確かめてください。",
    "error.service-no-systemd": "このホストは systemd で起動していません（{directory} がありません）。",
    "next.service-no-systemd": (
        "cron で jprs-client apply を1日2回実行するか、お使いの init から jprs-client daemon を起動してください。"
    ),
    "error.service-no-program": "{python} のそばにコマンド {program} がなく、ユニットから起動できません。",
    "next.service-no-program": (
        "パッケージを仮想環境（たとえば /opt/jprs-client）に入れ、そこのコマンドを実行してください。"
    ),
    "error.service-program-not-roots": (
        "{program} を root として自動実行することはできません。その一部である {file} を root 以外が変更できます。"
    ),
    "next.service-program-not-roots": (
        "root だけが書ける場所（たとえば /opt/jprs-client の仮想環境）に root としてインストールし、"
        "そこのコマンドを実行してください。"
    ),
    "error.service-hidden": "{file} は一時ファイル用のフォルダーにあり、サービスからは見えません。",
    "next.service-hidden": "/opt、/etc/jprs-client、/var/lib/jprs-client などへ移してください。",
    "error.service-unit-foreign": "{file} がすでにあり、jprs-client service install が書いたものではありません。",
    "next.service-unit-foreign": "内容を確かめ、不要なら取り除くか名前を変えてください。何も変更していません。",
    "error.service-unwritable": "{file} を読み書きできません: {cause}",
    "next.service-unwritable": "root が書けるようにしてから、同じコマンドをもう一度実行してください。",
    "error.service-systemctl-failed": "{command} が状態 {status} で失敗しました: {output}",
    "error.service-systemctl-failed.no-output": "{command} が状態 {status} で失敗しました。",
    "next.service-systemctl-failed": (
        "ユニットは書いてあります。journalctl -u 'jprs-client*' で詳しいことを確かめ、"
        "同じコマンドをもう一度実行してください。"
    ),
    "error.service-systemctl-slow": "{command} が {seconds} 秒以内に終わりませんでした。",
    "next.service-systemctl-slow": (
        "systemctl status 'jprs-client*' で様子を確かめ、同じコマンドをもう一度実行してください。"
    ),
}
