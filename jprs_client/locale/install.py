"""What is said about giving servers their certificates: the transaction, and nginx."""

from __future__ import annotations

EN: dict[str, str] = {
    "error.install-target-unknown": "There is no installer {target}; the configuration has {known}.",
    "error.install-target-unknown.no-known": "There is no installer {target}; the configuration has none at all.",
    "next.install-target-unknown": "Add a table [installer.{target}], or correct the name in install = […].",
    "error.install-lineage-unknown": "{lineage} cannot be installed to {target}: it is no certificate's name.",
    "next.install-lineage-unknown": "Give the certificate's name as `jprs-client status` shows it.",
    "error.material-unreadable": "Version {version} of certificate {lineage} cannot be read ({detail}), so {target} "
    "was left as it is.",
    "next.material-unreadable": "Restore the state directory from a backup, or get a new certificate with "
    "`jprs-client renew --force {lineage}`.",
    "error.material-key-mismatch": "In version {version} of {lineage} the private key does not belong to the "
    "certificate, so {target} was left as it is.",
    "next.material-key-mismatch": "Get a new key and certificate with `jprs-client renew --force {lineage}`; look for "
    "a failing disk or a hand in the state directory.",
    "error.material-key-unreadable": "The private key of version {version} of {lineage} cannot be read ({detail}), so "
    "{target} was left as it is.",
    "next.material-key-unreadable": "Get a new key and certificate with `jprs-client renew --force {lineage}`; look "
    "for a failing disk or a hand in the state directory.",
    "error.material-chain-broken": "The chain of version {version} of {lineage} does not hold at {detail}, so clients "
    "could not verify it; {target} was left as it is.",
    "next.material-chain-broken": "Get a new certificate with `jprs-client renew --force {lineage}`. If it is the same "
    "again, tell the CA.",
    "error.material-expired": "Version {version} of {lineage} expired at {detail}; {target} was left as it is.",
    "next.material-expired": "Get a new certificate with `jprs-client renew {lineage}`, and check the clock of this "
    "host.",
    "error.newer-certificate-there": "{file} holds a certificate that somebody else put there, newer than ours and "
    "valid until {not_after_at}. It was not overwritten with an older one; {target} was left as it is.",
    "next.newer-certificate-there": "If ours is to be served, move {file} away or renew {lineage}, then run "
    "`jprs-client install {lineage}`. If not, take {target} out of its install = […].",
    "error.server-config-broken-before": "The configuration of {target} is broken at {place}, and was before we came: "
    "{output}. The server's files are as they were, and it goes on serving the old certificate.",
    "error.server-config-broken-before.no-place": "The configuration of {target} is broken, and was before we came: "
    "{output}. The server's files are as they were, and it goes on serving the old certificate.",
    "error.server-config-broken-before.no-status": "The check of {target}'s configuration ({command}) did not end "
    "within {seconds} s. The server's files are as they were, and it goes on serving the old certificate.",
    "next.server-config-broken-before": "Repair it until `{command}` is content. The certificate of {lineage} waits; "
    "the next `jprs-client apply`, or `jprs-client install {lineage}`, installs it.",
    "error.server-config-broken-after": "With the new certificate of {lineage} the configuration of {target} would "
    "be broken at {place}: {output}. Every file is back as it was; the server was not touched.",
    "error.server-config-broken-after.no-place": "With the new certificate of {lineage} the configuration of {target} "
    "would be broken: {output}. Every file is back as it was; the server was not touched.",
    "error.server-config-broken-after.no-status": "With the new certificate of {lineage} in place, the check of "
    "{target}'s configuration ({command}) did not end within {seconds} s. Every file is back as it was; the server "
    "was not touched.",
    "next.server-config-broken-after": "Do what the server says, then run `jprs-client install {lineage}`. "
    "`jprs-client install --show {lineage}` tells which files it would write.",
    "error.server-not-running": "The new files of {lineage} are in place and in order, but {target} does not run: "
    "`{command}` ended with {status} and said: {output}",
    "error.server-not-running.no-output": "The new files of {lineage} are in place and in order, but {target} does not "
    "run: `{command}` ended with {status}.",
    "next.server-not-running": "Start the server; it reads the new certificate then. The next run looks whether it is "
    "served.",
    "error.reload-failed": "{target} could not be made to read the new certificate of {lineage}: `{command}` ended "
    "with status {status}: {output}. Every file is back as it was.",
    "error.reload-failed.no-status": "{target} could not be made to read the new certificate of {lineage}: "
    "`{command}` did not end within {seconds} s and was stopped. Every file is back as it was.",
    "error.reload-failed.no-output": "{target} could not be made to read the new certificate of {lineage}: "
    "`{command}` ended with status {status} and said nothing. Every file is back as it was.",
    "next.reload-failed": "See that the server runs and that `{command}` works, or set another in "
    "[installer.{target}]; then run `jprs-client install {lineage}`.",
    "error.not-served": "{target} was reloaded, but {address} still serves another certificate for {name} (SHA-256 "
    "{seen}) instead of the new one of {lineage} ({expected}). Every file is back as it was.",
    "error.not-served.no-seen": "{target} was reloaded, but {address} does not answer for {name} by TLS: {problem}. "
    "The new certificate of {lineage} was taken back; every file is as it was.",
    "next.not-served": "See what listens at {address} (another server, a load balancer, a block that comes first?) and "
    "what the server's error log says of the reload. If that address is not to be looked at, set probe in "
    "[installer.{target}]. Then run `jprs-client install {lineage}`.",
    "error.put-back-failed": "Installing {lineage} to {target} failed, and so did putting back {files}: {detail}. What "
    "was there is kept in {aside}.",
    "next.put-back-failed": "Make room or give access, then run as root: {restore}. Check and reload the server. The "
    "next run tries the same by itself.",
    "next.put-back-failed.no-restore": "Make room or give access, then run `jprs-client install {lineage}`: it first "
    "puts back what was there.",
    "error.aside-not-written": "What {target} has now could not be kept aside ({file}: {detail}), so nothing was "
    "changed there.",
    "error.aside-not-written.no-file": "What {target} has now could not be kept aside ({detail}), so nothing was "
    "changed there.",
    "next.aside-not-written": "Make room in the state directory, or give access to it, then run `jprs-client install "
    "{lineage}`.",
    "error.aside-damaged": "An earlier run for {lineage} at {target} was cut off, and its notes in {aside} are "
    "damaged. Nothing was changed this time.",
    "next.aside-damaged": "Compare the numbered copies in {aside} with the server's files, put back what is wrong, "
    "delete manifest.json there, then run `jprs-client install {lineage}`.",
    "error.served-not-recorded": "{target} serves the new certificate of {lineage}, but that could not be recorded "
    "({file}: {detail}).",
    "error.served-not-recorded.no-file": "{target} serves the new certificate of {lineage}, but that could not be "
    "recorded ({detail}).",
    "next.served-not-recorded": "Make room in the state directory; the next run looks again and records it.",
    "error.files-not-written": "The certificate of {lineage} could not be written for {target} ({file}: {detail}). "
    "Every file is as it was.",
    "error.files-not-written.no-file": "The certificate of {lineage} could not be written for {target} ({detail}). "
    "Every file is as it was.",
    "next.files-not-written": "See that the folder exists, has room and may be written to by the user that runs this, "
    "then run `jprs-client install {lineage}`.",
    "error.install-folder-unsafe": "The certificate of {lineage} was not written to {file}: others than root may "
    "change {folder}, and could lead the private key elsewhere. {target} was left as it is.",
    "next.install-folder-unsafe": "Take it from the others (`chown -h root {folder}`, `chmod go-w {folder}`), or let "
    "the server's configuration name files elsewhere.",
    "error.program-unsafe": "{program} was to run as root, but others than root may change {place}; it was not "
    "started.",
    "next.program-unsafe": "Take it from the others (`chown -h root {place}`, `chmod go-w {place}`), or name a program "
    "elsewhere in the configuration.",
    "error.install-owner-unknown": "{file} was to belong to {owner}, whom this host does not know; {target} was left "
    "as it is.",
    "next.install-owner-unknown": "Correct owner and group of {target}, or create them.",
    "note.key-readable-by-others": "{file} holds the private key of {lineage} and can be read by everybody (mode "
    "{mode}); the mode was kept. `chmod o-r` it.",
    "error.server-pair-mismatch": "The private key {key} is not the one of the certificate {certificate}, which "
    "{target} reads with it ({place}). Its own check does not find this, and a reload would end the server. {lineage} "
    "is not installed; every file is as it was.",
    "error.server-pair-mismatch.no-place": "The private key {key} is not the one of the certificate {certificate}, "
    "which {target} reads with it. Its own check does not find this, and a reload would end the server. {lineage} is "
    "not installed; every file is as it was.",
    "next.server-pair-mismatch": "Put both files of one certificate there (`openssl x509 -noout -pubkey -in "
    "{certificate}` and `openssl pkey -pubout -in {key}` print the same), then run `jprs-client install {lineage}`. "
    "Until then do not restart the server: it goes on with what it has loaded.",
    "error.server-pair-unreadable": "{target} reads {certificate} and {key} together ({place}), and {file} cannot be "
    "loaded: {detail}. Its own check does not find this, and a reload would end the server. {lineage} is not "
    "installed; every file is as it was.",
    "error.server-pair-unreadable.no-place": "{target} reads {certificate} and {key} together, and {file} cannot be "
    "loaded: {detail}. Its own check does not find this, and a reload would end the server. {lineage} is not "
    "installed; every file is as it was.",
    "next.server-pair-unreadable": "Restore {file}, or take it out of the server's configuration, then run "
    "`jprs-client install {lineage}`. Until then do not restart the server: it goes on with what it has loaded.",
    "note.pair-not-judged": "Whether the private key {file} is the one of its certificate ({place}) could not be told, "
    "for it is locked by a passphrase or kept by a device. {lineage} is installed all the same.",
    "error.nginx-config-unreadable": "nginx's configuration file {file}, included at {included_at}, cannot be read: "
    "{detail}.",
    "error.nginx-config-unreadable.no-included_at": "nginx's configuration file {file} cannot be read: {detail}.",
    "next.nginx-config-unreadable": "Set config in [installer.…] to nginx's main file, and see that the user that runs "
    "this may read it.",
    "error.nginx-config-broken": "nginx's configuration cannot be understood at {place}, near “{found}”. Nothing was "
    "changed, and the old certificate goes on being served.",
    "next.nginx-config-broken": "Run `nginx -t` and repair the file; then run `jprs-client install` again.",
    "error.nginx-config-too-large": "nginx's configuration does not end, or is larger than any we know of; reading "
    "stopped in {file}.",
    "next.nginx-config-too-large": "Look for files that include one another.",
    "error.nginx-no-server-block": "No TLS server block of {config} has a server_name that the certificate {lineage} "
    "({names}) covers.",
    "next.nginx-no-server-block": "Add `listen … ssl` and server_name to the block of the site, with ssl_certificate "
    "and ssl_certificate_key under live/{folder}/; or take the installer out of install = […].",
    "error.nginx-only-other-certificate": (
        "The server block at {place} names the files of another certificate of ours, and no other block is for "
        "{lineage}."
    ),
    "next.nginx-only-other-certificate": (
        "Let it name the files of {lineage}, or take the installer out of install = […] of one of the two."
    ),
    "error.nginx-only-partly-covered": "The server block at {place} is left alone, and no other is for {lineage}: it "
    "also serves {names}, which this certificate does not cover.",
    "next.nginx-only-partly-covered": "Add {names} to the certificate, or give them a server block of their own with "
    "their own certificate.",
    "error.nginx-no-certificate-directive": "The server block at {place} serves names of {lineage} by TLS, but has no "
    "ssl_certificate with an ssl_certificate_key to each.",
    "next.nginx-no-certificate-directive": "Add ssl_certificate …/fullchain.pem and ssl_certificate_key "
    "…/privkey.pem, both under live/{folder}/ of the state directory.",
    "error.nginx-not-a-file": "{directive} at {place} names no plain file ({value}), so the certificate of {lineage} "
    "cannot be put there.",
    "next.nginx-not-a-file": "Name the files under live/{folder}/ of the state directory instead.",
    "error.nginx-mixed-lineages": "The block at {place} takes certificate and key from different places that do not "
    "belong together ({file} is one); with {lineage} there, they would not match.",
    "next.nginx-mixed-lineages": "Name both files under the same folder, such as live/{folder}/ of the state "
    "directory.",
    "error.nginx-pinned-to-a-version": "The path at {place} leads into the folder of one version of {lineage}, which "
    "stays as it is at a renewal.",
    "next.nginx-pinned-to-a-version": "Name the files under {live} instead; that leads to the current version.",
    "error.nginx-several-certificates": "The block at {place} has several certificates (RSA and ECDSA), and it cannot "
    "be told which of them {lineage} is to replace.",
    "next.nginx-several-certificates": "Let one pair name files under live/{folder}/ of the state directory, or keep "
    "the pair of the same key type only.",
    "error.nginx-shared-file": "{file} is also used by the server block at {place}, for {names}; the certificate "
    "{lineage} does not suit that block, so it was not written.",
    "next.nginx-shared-file": "Give the block at {place} files of its own, or have {names} in the certificate, too.",
    "note.nginx-other-certificate": "The server block at {place} has names of {lineage}, but names the files of "
    "another certificate of ours; it was left alone.",
    "note.nginx-block-left-alone": "The server block at {place} was left alone: it also serves {names}, which "
    "{lineage} does not cover.",
    "note.nginx-not-probed": "Whether the block at {place} serves {lineage} could not be looked at: it has no listener "
    "that a plain TLS client could ask for a name of it. Set probe to an address that answers.",
    "note.nginx-rsa-not-probed": "Whether the block at {place} serves {lineage} was not looked at: beside RSA it has "
    "an ECDSA certificate, which clients of today are shown.",
    "note.nginx-some-not-probed": "Of {places} places that serve {lineage}, {probed} are looked at.",
}

JA: dict[str, str] = {
    "error.install-target-unknown": "インストーラー {target} はありません。設定にあるのは {known} です。",
    "error.install-target-unknown.no-known": "インストーラー {target} はありません。設定にはインストーラーがひとつもあ"
    "りません。",
    "next.install-target-unknown": "[installer.{target}] を追加するか、install = […] の名前を直してください。",
    "error.install-lineage-unknown": "{lineage} は証明書の名前ではないため、{target} に配置できません。",
    "next.install-lineage-unknown": "`jprs-client status` に表示される証明書の名前を指定してください。",
    "error.material-unreadable": "証明書 {lineage} のバージョン {version} を読み取れないため({detail})、{target} は変"
    "更していません。",
    "next.material-unreadable": "状態ディレクトリーをバックアップから復元するか、`jprs-client renew --force "
    "{lineage}` で新しい証明書を取得してください。",
    "error.material-key-mismatch": "{lineage} のバージョン {version} の秘密鍵が証明書と対応していないため、{target} "
    "は変更していません。",
    "next.material-key-mismatch": "`jprs-client renew --force {lineage}` で鍵と証明書を新しくしてください。あわせて、"
    "ディスクの故障や状態ディレクトリーへの手作業の変更がないか確認してください。",
    "error.material-key-unreadable": "{lineage} のバージョン {version} の秘密鍵を読み取れないため({detail})、{target} "
    "は変更していません。",
    "next.material-key-unreadable": "`jprs-client renew --force {lineage}` で鍵と証明書を新しくしてください。あわせ"
    "て、ディスクの故障や状態ディレクトリーへの手作業の変更がないか確認してください。",
    "error.material-chain-broken": "{lineage} のバージョン {version} の証明書チェーンが {detail} でつながらず、クライ"
    "アントが検証できないため、{target} は変更していません。",
    "next.material-chain-broken": "`jprs-client renew --force {lineage}` で新しい証明書を取得してください。同じ結果に"
    "なる場合は認証局にご連絡ください。",
    "error.material-expired": "{lineage} のバージョン {version} は {detail} に有効期限が切れているため、{target} は変"
    "更していません。",
    "next.material-expired": "`jprs-client renew {lineage}` で新しい証明書を取得し、このホストの時計も確認してくださ"
    "い。",
    "error.newer-certificate-there": "{file} には、ほかの手段で置かれた、より新しい証明書({not_after_at} まで有効)が"
    "あります。古い証明書で上書きせず、{target} は変更していません。",
    "next.newer-certificate-there": "本プログラムの証明書を使う場合は、{file} を移動するか {lineage} を更新してから "
    "`jprs-client install {lineage}` を実行してください。使わない場合は、install = […] から {target} を外してくださ"
    "い。",
    "error.server-config-broken-before": "{target} の設定は、作業を始める前から {place} に誤りがあります: {output}。"
    "サーバーのファイルは元のままで、これまでの証明書が使われ続けています。",
    "error.server-config-broken-before.no-place": "{target} の設定には、作業を始める前から誤りがあります: {output}。"
    "サーバーのファイルは元のままで、これまでの証明書が使われ続けています。",
    "error.server-config-broken-before.no-status": "{target} の設定の検査({command})が {seconds} 秒以内に終わりませ"
    "んでした。サーバーのファイルは元のままで、これまでの証明書が使われ続けています。",
    "next.server-config-broken-before": "`{command}` が成功するように設定を直してください。{lineage} の証明書は保管さ"
    "れており、次の `jprs-client apply` または `jprs-client install {lineage}` で配置されます。",
    "error.server-config-broken-after": "{lineage} の新しい証明書を置くと {target} の設定が {place} で誤りになります: "
    "{output}。すべてのファイルを元に戻しました。サーバーには影響していません。",
    "error.server-config-broken-after.no-place": "{lineage} の新しい証明書を置くと {target} の設定が誤りになります: "
    "{output}。すべてのファイルを元に戻しました。サーバーには影響していません。",
    "error.server-config-broken-after.no-status": "{lineage} の新しい証明書を置いた後、{target} の設定の検査"
    "({command})が {seconds} 秒以内に終わりませんでした。すべてのファイルを元に戻しました。サーバーには影響していま"
    "せん。",
    "next.server-config-broken-after": "サーバーの指摘に対処してから `jprs-client install {lineage}` を実行してくださ"
    "い。書き込むファイルは `jprs-client install --show {lineage}` で確認できます。",
    "error.server-not-running": "{lineage} の新しいファイルは正しく置かれていますが、{target} が動作していません。"
    "`{command}` は {status} で終了し、次のように述べています: {output}",
    "error.server-not-running.no-output": "{lineage} の新しいファイルは正しく置かれていますが、{target} が動作して"
    "いません。`{command}` は {status} で終了しました。",
    "next.server-not-running": "サーバーを起動してください。起動時に新しい証明書を読み込みます。使われているかどうかは"
    "次の実行で確かめます。",
    "error.reload-failed": "{target} に {lineage} の新しい証明書を読み込ませることができませんでした。`{command}` が"
    "終了コード {status} で失敗しました: {output}。すべてのファイルを元に戻しました。",
    "error.reload-failed.no-status": "{target} に {lineage} の新しい証明書を読み込ませることができませんでした。"
    "`{command}` が {seconds} 秒以内に終わらなかったため、停止させました。すべてのファイルを元に戻しました。",
    "error.reload-failed.no-output": "{target} に {lineage} の新しい証明書を読み込ませることができませんでした。"
    "`{command}` が何も表示せずに終了コード {status} で失敗しました。すべてのファイルを元に戻しました。",
    "next.reload-failed": "サーバーが動作していて `{command}` が成功することを確認するか、[installer.{target}] に"
    "別のコマンドを設定し、`jprs-client install {lineage}` を実行してください。",
    "error.not-served": "{target} を再読み込みしましたが、{address} は {name} に対して、{lineage} の新しい証明書"
    "({expected})ではなく別の証明書(SHA-256 {seen})を提示しています。すべてのファイルを元に戻しました。",
    "error.not-served.no-seen": "{target} を再読み込みしましたが、{address} が {name} への TLS 接続に応答しません: "
    "{problem}。{lineage} の新しい証明書を取り下げ、すべてのファイルを元に戻しました。",
    "next.not-served": "{address} で待ち受けているもの(別のサーバー、負荷分散装置、先に一致する server ブロックなど)"
    "と、再読み込み時のサーバーのエラーログを確認してください。このアドレスを確認の対象としない場合は "
    "[installer.{target}] の probe を設定してください。その後 `jprs-client install {lineage}` を実行してください。",
    "error.put-back-failed": "{target} への {lineage} の配置に失敗し、{files} を元に戻すこともできませんでした: "
    "{detail}。元の内容は {aside} に保管しています。",
    "next.put-back-failed": "空き容量やアクセス権を確保し、root で次を実行してください: {restore}。その後サーバーの設"
    "定を検査し、再読み込みしてください。次回の実行時にも自動的に同じことを試みます。",
    "next.put-back-failed.no-restore": "空き容量やアクセス権を確保し、`jprs-client install {lineage}` を実行してくだ"
    "さい。最初に元の内容に戻します。",
    "error.aside-not-written": "{target} の現在の内容を保管できないため({file}: {detail})、何も変更していません。",
    "error.aside-not-written.no-file": "{target} の現在の内容を保管できないため({detail})、何も変更していません。",
    "next.aside-not-written": "状態ディレクトリーの空き容量やアクセス権を確保し、`jprs-client install {lineage}` を実"
    "行してください。",
    "error.aside-damaged": "{target} への {lineage} の前回の配置が途中で終わっており、その記録({aside})が壊れています。"
    "今回は何も変更していません。",
    "next.aside-damaged": "{aside} にある番号付きの控えとサーバーのファイルを比べ、誤りがあれば元に戻し、manifest.json "
    "を削除してから `jprs-client install {lineage}` を実行してください。",
    "error.served-not-recorded": "{target} は {lineage} の新しい証明書を提示していますが、そのことを記録できませんでし"
    "た({file}: {detail})。",
    "error.served-not-recorded.no-file": "{target} は {lineage} の新しい証明書を提示していますが、そのことを記録できま"
    "せんでした({detail})。",
    "next.served-not-recorded": "状態ディレクトリーの空き容量を確保してください。次回の実行時に確認し直して記録しま"
    "す。",
    "error.files-not-written": "{lineage} の証明書を {target} のために書き込めませんでした({file}: {detail})。すべて"
    "のファイルは元のままです。",
    "error.files-not-written.no-file": "{lineage} の証明書を {target} のために書き込めませんでした({detail})。すべて"
    "のファイルは元のままです。",
    "next.files-not-written": "フォルダーがあること、空き容量があること、実行ユーザーが書き込めることを確認し、"
    "`jprs-client install {lineage}` を実行してください。",
    "error.install-folder-unsafe": "{lineage} の証明書を {file} に書き込みませんでした。root 以外のユーザーが "
    "{folder} を変更でき、秘密鍵を別の場所へ書き込ませるおそれがあるためです。{target} は変更していません。",
    "next.install-folder-unsafe": "ほかのユーザーが変更できないようにするか(`chown -h root {folder}`、`chmod go-w "
    "{folder}`)、サーバーの設定で別の場所のファイルを指定してください。",
    "error.program-unsafe": "{program} は root として実行されますが、root 以外のユーザーが {place} を変更できるため、"
    "起動しませんでした。",
    "next.program-unsafe": "ほかのユーザーが変更できないようにするか(`chown -h root {place}`、`chmod go-w {place}`)、"
    "設定で別の場所のプログラムを指定してください。",
    "error.install-owner-unknown": "{file} の所有者となるはずの {owner} がこのホストに存在しないため、{target} は変更"
    "していません。",
    "next.install-owner-unknown": "{target} の所有者とグループの設定を直すか、作成してください。",
    "note.key-readable-by-others": "{file} には {lineage} の秘密鍵がありますが、誰でも読み取れます(モード {mode})。"
    "モードは変更していません。`chmod o-r` を実行してください。",
    "error.server-pair-mismatch": "{target} が証明書 {certificate} と組で読み込む秘密鍵 {key} は、その証明書のもの"
    "ではありません({place})。サーバー自身の検査では見つからず、再読み込みするとサーバーが終了します。{lineage} は配置"
    "しておらず、すべてのファイルは元のままです。",
    "error.server-pair-mismatch.no-place": "{target} が証明書 {certificate} と組で読み込む秘密鍵 {key} は、その証明書"
    "のものではありません。サーバー自身の検査では見つからず、再読み込みするとサーバーが終了します。{lineage} は配置して"
    "おらず、すべてのファイルは元のままです。",
    "next.server-pair-mismatch": "同じ証明書の 2 つのファイルをそろえてから(`openssl x509 -noout -pubkey -in "
    "{certificate}` と `openssl pkey -pubout -in {key}` の出力が一致します)、`jprs-client install {lineage}` を実行し"
    "てください。それまではサーバーを再起動しないでください。読み込み済みの証明書で動作を続けています。",
    "error.server-pair-unreadable": "{target} が組で読み込む {certificate} と {key} のうち({place})、{file} を読み込"
    "めません: {detail}。サーバー自身の検査では見つからず、再読み込みするとサーバーが終了します。{lineage} は配置してお"
    "らず、すべてのファイルは元のままです。",
    "error.server-pair-unreadable.no-place": "{target} が組で読み込む {certificate} と {key} のうち、{file} を読み込"
    "めません: {detail}。サーバー自身の検査では見つからず、再読み込みするとサーバーが終了します。{lineage} は配置してお"
    "らず、すべてのファイルは元のままです。",
    "next.server-pair-unreadable": "{file} を復元するかサーバーの設定から外し、`jprs-client install {lineage}` を実行"
    "してください。それまではサーバーを再起動しないでください。読み込み済みの証明書で動作を続けています。",
    "note.pair-not-judged": "秘密鍵 {file} が対応する証明書のものかどうか({place})は、パスフレーズで保護されているか"
    "装置の中にあるため確認できません。{lineage} はそのまま配置します。",
    "error.nginx-config-unreadable": "{included_at} で include されている nginx の設定ファイル {file} を読み取れませ"
    "ん: {detail}",
    "error.nginx-config-unreadable.no-included_at": "nginx の設定ファイル {file} を読み取れません: {detail}",
    "next.nginx-config-unreadable": "[installer.…] の config に nginx のメインの設定ファイルを指定し、実行ユーザーが"
    "読み取れることを確認してください。",
    "error.nginx-config-broken": "nginx の設定の {place} (「{found}」の付近)を解釈できません。何も変更してい"
    "ないため、これまでの証明書が使われ続けています。",
    "next.nginx-config-broken": "`nginx -t` を実行してファイルを直し、`jprs-client install` を再度実行してください。",
    "error.nginx-config-too-large": "nginx の設定が終わりなく続いているか、想定を超えて大きいため、{file} で読み取り"
    "を中止しました。",
    "next.nginx-config-too-large": "互いに include し合っているファイルがないか確認してください。",
    "error.nginx-no-server-block": "{config} には、証明書 {lineage} ({names})の対象となる server_name をもつ TLS の "
    "server ブロックがありません。",
    "next.nginx-no-server-block": "サイトの server ブロックに `listen … ssl` と server_name を書き、ssl_certificate "
    "と ssl_certificate_key に live/{folder}/ のファイルを指定してください。不要な場合は install = […] からこのイン"
    "ストーラーを外してください。",
    "error.nginx-only-other-certificate": (
        "{place} の server ブロックは別の証明書のファイルを指定しており、{lineage} にあたるブロックがほかにありません。"
    ),
    "next.nginx-only-other-certificate": (
        "{lineage} のファイルを指定するか、どちらかの install = […] からこのインストーラーを除いてください。"
    ),
    "error.nginx-only-partly-covered": "{place} の server ブロックは、{lineage} の証明書に含まれない {names} も扱って"
    "いるため変更していません。ほかに対象となるブロックはありません。",
    "next.nginx-only-partly-covered": "{names} を証明書に加えるか、別の証明書をもつ独立した server ブロックに分けてく"
    "ださい。",
    "error.nginx-no-certificate-directive": "{place} の server ブロックは {lineage} の名前を TLS で扱っていますが、"
    "ssl_certificate と ssl_certificate_key の組がそろっていません。",
    "next.nginx-no-certificate-directive": "状態ディレクトリーの live/{folder}/ にある fullchain.pem を "
    "ssl_certificate に、privkey.pem を ssl_certificate_key に指定してください。",
    "error.nginx-not-a-file": "{place} の {directive} が通常のファイルを指していないため({value})、{lineage} の証明書"
    "を置けません。",
    "next.nginx-not-a-file": "代わりに状態ディレクトリーの live/{folder}/ のファイルを指定してください。",
    "error.nginx-mixed-lineages": "{place} のブロックは、証明書と鍵を対応しない別々の場所から読み込んでいます(一方は "
    "{file})。{lineage} を置くと組が一致しなくなります。",
    "next.nginx-mixed-lineages": "両方とも同じフォルダー(状態ディレクトリーの live/{folder}/ など)のファイルを指定し"
    "てください。",
    "error.nginx-pinned-to-a-version": "{place} のパスは {lineage} の特定のバージョンのフォルダーを指しており、更新し"
    "ても変わりません。",
    "next.nginx-pinned-to-a-version": "代わりに、現在のバージョンを指す {live} のファイルを指定してください。",
    "error.nginx-several-certificates": "{place} のブロックには証明書が複数あり(RSA と ECDSA)、{lineage} がどれを置き"
    "換えるのか判断できません。",
    "next.nginx-several-certificates": "いずれかの組に状態ディレクトリーの live/{folder}/ のファイルを指定するか、同"
    "じ種類の鍵の組だけを残してください。",
    "error.nginx-shared-file": "{file} は {place} の server ブロックでも {names} のために使われています。証明書 "
    "{lineage} はそのブロックに合わないため、書き込みませんでした。",
    "next.nginx-shared-file": "{place} のブロックに専用のファイルを指定するか、{names} も証明書に加えてください。",
    "note.nginx-other-certificate": "{place} の server ブロックには {lineage} の名前がありますが、本プログラムの別の"
    "証明書のファイルを指定しているため、変更していません。",
    "note.nginx-block-left-alone": "{place} の server ブロックは、{lineage} に含まれない {names} も扱っているため、変"
    "更していません。",
    "note.nginx-not-probed": "{place} のブロックが {lineage} を提示しているかどうかは、TLS で直接接続できる待ち受けが"
    "ないため確認できません。接続できるアドレスを probe に設定してください。",
    "note.nginx-rsa-not-probed": "{place} のブロックには RSA のほかに ECDSA の証明書があり、現在のクライアントには "
    "ECDSA が提示されるため、{lineage} が提示されるかどうかは確認していません。",
    "note.nginx-some-not-probed": "{lineage} を提示する {places} か所のうち、{probed} か所を確認します。",
}
