"""What is said about proving control of names: solvers, proofs, DNS and CAA."""

from __future__ import annotations

EN: dict[str, str] = {
    "error.wildcard-needs-dns": "{name} in certificate {certificate} is a wildcard, which can only be proved by "
    "dns-01; its solver {solver} proves by {challenge}.",
    "next.wildcard-needs-dns": 'Name a dns-01 solver for it, for example solver = {{ "{name}" = "…" }} '
    "in [[certificate]]. Solvers that would do: {able}.",
    "next.wildcard-needs-dns.no-able": 'Add a dns-01 solver, for example a [solver.dns] with plugin = "hook", '
    "and name it for {name} in the solver of [[certificate]] or [defaults].",
    "error.challenge-not-offered": "The CA does not offer {challenge} for {name}, and solver {solver} proves by "
    "nothing else. On offer: {offered}.",
    "error.challenge-not-offered.no-offered": "The CA does not offer {challenge} for {name}, nor anything else "
    "that this program knows; solver {solver} proves by {challenge}.",
    "next.challenge-not-offered": "Choose a solver for {name} that proves by one of these: {offered}.",
    "next.challenge-not-offered.no-offered": "Ask the operator which way of proving control the CA supports for "
    "{name}.",
    "error.port-busy": "{address} is held by {holder}, so the CA's http-01 request cannot be answered there.",
    "error.port-busy.no-holder": "{address} is held by another program (which one, this user may not see), so "
    "the CA's http-01 request cannot be answered there.",
    "next.port-busy": 'If {holder} is the web server, use plugin = "webroot" with its document root; otherwise '
    "stop it or set another listen address.",
    "next.port-busy.no-holder": 'If it is a web server, use plugin = "webroot" with its document root; `ss '
    "-ltnp` as root shows who it is.",
    "error.port-not-permitted": "This user may not listen on {address}.",
    "next.port-not-permitted": 'Run as root or with CAP_NET_BIND_SERVICE, or use plugin = "webroot" with the web '
    "server that is there.",
    "error.port-unusable": "It is not possible to listen on {address}: {reason}.",
    "next.port-unusable": "Set listen to an address of this host, or leave it out for port 80 of all addresses.",
    "error.webroot-missing": "The document root {path} does not exist.",
    "next.webroot-missing": "Correct path in the solver's table: it is the folder the web server serves as /.",
    "error.webroot-not-a-directory": "The document root {path} is not a folder.",
    "next.webroot-not-a-directory": "Correct path in the solver's table: it is the folder the web server serves as /.",
    "error.webroot-unwritable": "The http-01 proof cannot be written to {path}: {reason}.",
    "next.webroot-unwritable": "Let the owner of the document root write there, or let this program run as a "
    "user who may.",
    "error.webroot-folder-in-the-way": "{path} should be a folder and is a file or a symbolic link; links are "
    "not followed there.",
    "next.webroot-folder-in-the-way": "Move {path} away, or make it a real folder.",
    "error.webroot-file-in-the-way": "Where the http-01 proof should stand there is something else: {path}.",
    "next.webroot-file-in-the-way": "Look who made {path}, then remove it; symbolic links are not followed there.",
    "error.webroot-failed": "The http-01 proof could not be put at {path}: {reason}.",
    "next.webroot-failed": "Mend what the system complains about at {path}, then try again.",
    "error.solver-hook-no-command": "A hook solver has an empty command.",
    "next.solver-hook-no-command": 'Write command = ["/path/to/program"] in the solver\'s table.',
    "error.solver-hook-challenge": "The hook solver with {command} is to prove by {challenge}, which hooks cannot.",
    "next.solver-hook-challenge": 'Set challenge to "dns-01" or "http-01".',
    "error.solver-hook-timeout-unusable": "The hook solver with {command} has a timeout of {timeout}.",
    "next.solver-hook-timeout-unusable": "Set timeout to whole seconds, 1 or more.",
    "error.solver-hook-missing": "The solver's hook {command} could not be started: {reason}.",
    "next.solver-hook-missing": "Check the path in command, that the file is executable, and its first line.",
    "error.solver-hook-failed": "The solver's hook {command} failed on {verb} for {name} with exit code {exit}. "
    "It said: {output}",
    "next.solver-hook-failed": "Mend what it complains about; run it by hand with {verb} and the JPRS_CLIENT_… "
    "variables of the manual to see more.",
    "error.solver-hook-timeout": "The solver's hook {command} had not finished {verb} for {name} after {timeout} "
    "seconds and was stopped.",
    "next.solver-hook-timeout": "See what it waits for, or raise timeout in the solver's table. Waiting until "
    "DNS shows the record is not its work.",
    "error.caa-forbids-precheck": "The CAA records at {zone} do not let {issuer} issue for {name}: {records}. "
    "Nothing was ordered.",
    "next.caa-forbids-precheck": "Change the CAA records at {zone} so that one lets {issuer} issue (for a "
    "wildcard an issuewild record, where there is any), without an accounturi or validationmethods that does not "
    "fit and without unknown critical records. Once DNS shows it, run again.",
    "note.proof-not-taken-down": "The proof for {name} by solver {solver} at {place} could not be taken down and "
    "will be tried again in the next run: {cause}",
    "note.proof-orphaned": "An earlier run left a proof for {name} at {place}, and its solver {solver} is no "
    "longer configured. Please remove it by hand; it is harmless, and this is not said again.",
    "note.proof-not-seen": "The TXT record for {name} at {place} was not to be seen in time. The CA is asked "
    "nevertheless; if it refuses, look whether the record reached the zone's name servers.",
    "note.proof-not-checked": "Whether the TXT record for {name} at {place} is there could not be found out: DNS "
    "did not answer. The CA is asked nevertheless.",
    "note.proof-not-served": "The program's own listener at {place} did not answer for {name} as it should. The "
    "CA is asked nevertheless.",
    "note.caa-unanswered": "DNS did not answer for the CAA records of {zone}, on the way up from {name}. The CA "
    "refuses to issue while this is so: please look at that zone's name servers, and at DNSSEC.",
    "reason.caa-none": "there are no CAA records",
    "reason.caa-allows": "the CAA records allow it",
    "reason.caa-nobody": "the CAA records let nobody issue",
    "reason.caa-other-issuer": "the CAA records name other CAs only",
    "reason.caa-critical": "a CAA record is marked critical and of a kind that is not known",
    "reason.caa-account": "the CAA record is for another ACME account",
    "reason.caa-method": "the CAA record allows other ways of proving control only",
    "reason.caa-unanswered": "the look-up of the CAA records failed",
}

JA: dict[str, str] = {
    "error.wildcard-needs-dns": "証明書 {certificate} の {name} はワイルドカードのため dns-01 でしか認証できませ"
    "んが、割り当てられたソルバー {solver} の認証方式は {challenge} です。",
    "next.wildcard-needs-dns": "dns-01 のソルバーを割り当ててください。例: [[certificate]] に solver = "
    '{{ "{name}" = "…" }}。使えるソルバー: {able}',
    "next.wildcard-needs-dns.no-able": 'dns-01 のソルバー(例: plugin = "hook" の [solver.dns])を追加し、'
    "[[certificate]] または [defaults] の solver で {name} に割り当ててください。",
    "error.challenge-not-offered": "認証局は {name} に {challenge} を提示しておらず、ソルバー {solver} はほかの方"
    "式に対応していません。提示された方式: {offered}",
    "error.challenge-not-offered.no-offered": "認証局は {name} に {challenge} も、本プログラムが扱えるほかの方式"
    "も提示していません。ソルバー {solver} の認証方式は {challenge} です。",
    "next.challenge-not-offered": "{name} には、次のいずれかの方式のソルバーを選んでください: {offered}",
    "next.challenge-not-offered.no-offered": "{name} で利用できる認証方式を指定事業者にお問い合わせください。",
    "error.port-busy": "{address} は {holder} が使用中のため、認証局からの http-01 の要求に応答できません。",
    "error.port-busy.no-holder": "{address} は別のプログラムが使用中のため(どのプログラムかは現在のユーザーの権限"
    "では確認できません)、認証局からの http-01 の要求に応答できません。",
    "next.port-busy": '{holder} がウェブサーバーなら plugin = "webroot" とそのドキュメントルートを設定してくださ'
    "い。そうでなければ停止するか、listen に別のアドレスを設定してください。",
    "next.port-busy.no-holder": 'ウェブサーバーなら plugin = "webroot" とそのドキュメントルートを設定してください'
    "。使用中のプログラムは root で `ss -ltnp` を実行すると分かります。",
    "error.port-not-permitted": "現在のユーザーには {address} で待ち受ける権限がありません。",
    "next.port-not-permitted": "root または CAP_NET_BIND_SERVICE 権限で実行するか、稼働中のウェブサーバーで "
    'plugin = "webroot" を使ってください。',
    "error.port-unusable": "{address} で待ち受けることができません: {reason}",
    "next.port-unusable": "listen にこのホストのアドレスを設定するか、listen を省いて全アドレスの 80 番ポートを使"
    "ってください。",
    "error.webroot-missing": "ドキュメントルート {path} が存在しません。",
    "next.webroot-missing": "ソルバーの path を、ウェブサーバーが / として公開しているフォルダーに直してください。",
    "error.webroot-not-a-directory": "ドキュメントルート {path} はフォルダーではありません。",
    "next.webroot-not-a-directory": "ソルバーの path を、ウェブサーバーが / として公開しているフォルダーに直して"
    "ください。",
    "error.webroot-unwritable": "http-01 の認証用ファイルを {path} に書き込めません: {reason}",
    "next.webroot-unwritable": "ドキュメントルートの所有者が書き込めるようにするか、書き込み権限のあるユーザーで"
    "実行してください。",
    "error.webroot-folder-in-the-way": "{path} はフォルダーであるべきところ、ファイルまたはシンボリックリンクです"
    "。ここではリンクをたどりません。",
    "next.webroot-folder-in-the-way": "{path} を移動するか、実際のフォルダーにしてください。",
    "error.webroot-file-in-the-way": "http-01 の認証用ファイルを置く場所に別のものがあります: {path}",
    "next.webroot-file-in-the-way": "{path} を作成したものを確認してから削除してください。ここではシンボリックリ"
    "ンクをたどりません。",
    "error.webroot-failed": "http-01 の認証用ファイルを {path} に置けませんでした: {reason}",
    "next.webroot-failed": "{path} についてシステムが示した問題を解消してから、再度実行してください。",
    "error.solver-hook-no-command": "フックのソルバーの command が空です。",
    "next.solver-hook-no-command": 'ソルバーの設定に command = ["/path/to/program"] のように書いてください。',
    "error.solver-hook-challenge": "フック {command} のソルバーに設定された認証方式 {challenge} は、フックでは使"
    "えません。",
    "next.solver-hook-challenge": 'challenge を "dns-01" または "http-01" にしてください。',
    "error.solver-hook-timeout-unusable": "フック {command} のソルバーの timeout が {timeout} になっています。",
    "next.solver-hook-timeout-unusable": "timeout は 1 以上の整数(秒)にしてください。",
    "error.solver-hook-missing": "ソルバーのフック {command} を起動できませんでした: {reason}",
    "next.solver-hook-missing": "command のパス、実行権限、ファイルの 1 行目(インタープリターの指定)を確認してく"
    "ださい。",
    "error.solver-hook-failed": "ソルバーのフック {command} が {name} の {verb} に失敗しました(終了コード "
    "{exit})。出力: {output}",
    "next.solver-hook-failed": "出力に示された問題を解消してください。詳しく調べるには、マニュアルにある "
    "JPRS_CLIENT_… の環境変数を設定し、引数 {verb} を付けて手動で実行してください。",
    "error.solver-hook-timeout": "ソルバーのフック {command} は {name} の {verb} を {timeout} 秒以内に終えなかっ"
    "たため、停止しました。",
    "next.solver-hook-timeout": "フックが何を待っているかを確認するか、ソルバーの timeout を延ばしてください。"
    "DNS への反映を待つのはフックの役目ではありません。",
    "error.caa-forbids-precheck": "{zone} の CAA レコードは、{issuer} による {name} の証明書発行を許可していませ"
    "ん: {records} 発行の申請は送信していません。",
    "next.caa-forbids-precheck": "{zone} の CAA レコードを、{issuer} に発行を許可するように変更してください(ワイ"
    "ルドカードで issuewild がある場合は issuewild を変更します)。合わない accounturi や validationmethods、未知"
    "の critical レコードがあればそれも直してください。DNS に反映されたら再度実行してください。",
    "note.proof-not-taken-down": "ソルバー {solver} が {place} に置いた {name} の認証用のレコードまたは"
    "ファイルを取り除けませんでした。次回の実行時に再度試みます: {cause}",
    "note.proof-orphaned": "以前の実行で {place} に置かれた {name} の認証用のレコードまたはファイルが残っています"
    "が、そのソルバー {solver} はすでに設定にありません。手動で取り除いてください。残っていても害はなく、"
    "このお知らせは今回限りです。",
    "note.proof-not-seen": "{name} の TXT レコード({place})を時間内に確認できませんでしたが、このまま認証局に確認"
    "を依頼します。拒否された場合は、レコードがゾーンのネームサーバーに反映されているかを確認してください。",
    "note.proof-not-checked": "DNS の応答がないため、{name} の TXT レコード({place})の有無を確認できませんでした"
    "が、このまま認証局に確認を依頼します。",
    "note.proof-not-served": "本プログラム自身の待ち受け {place} が {name} について正しく応答しませんでしたが、こ"
    "のまま認証局に確認を依頼します。",
    "note.caa-unanswered": "{name} から上位をたどる途中の {zone} について、CAA レコードの問い合わせに DNS が応答"
    "しませんでした。この状態では認証局は発行を拒否します。ゾーンのネームサーバーと DNSSEC を確認してください。",
    "reason.caa-none": "CAA レコードはありません",
    "reason.caa-allows": "CAA レコードで許可されています",
    "reason.caa-nobody": "CAA レコードはどの認証局にも発行を許可していません",
    "reason.caa-other-issuer": "CAA レコードはほかの認証局だけに発行を許可しています",
    "reason.caa-critical": "未知の種類の CAA レコードに critical が指定されています",
    "reason.caa-account": "CAA レコードは別の ACME アカウントに限定されています",
    "reason.caa-method": "CAA レコードはほかの認証方式だけを許可しています",
    "reason.caa-unanswered": "CAA レコードの問い合わせに失敗しました",
}
