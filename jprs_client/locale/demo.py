"""What the demo says."""

EN: dict[str, str] = {
    "help.demo.without-nginx": "Serve the sites by the program itself, even where nginx is installed.",
    "demo.curtain": (
        "A certificate's whole life, played with the real program on this machine: a private CA, a private web "
        "server, free ports, one temporary folder. The play begins 62 days ago and ends today."
    ),
    "demo.contract": (
        "1. A subscriber applies through an operator for the usage FQDNs example.jp (one year) and *.shop.example.jp "
        "(one month), and is handed credentials. The sites are served by: {server}."
    ),
    "demo.explain": "2. Which certificate will serve a shop that nobody wrote down? The wildcard's.",
    "demo.register": "3. The ACME account is created with the credentials, once.",
    "demo.plan": "4. The plan says what is due and why, and that first issuances start what is paid for.",
    "demo.apply": (
        "5. Carried out: control is proved over HTTP and, for the wildcard, by DNS; the certificates come, are checked "
        "and installed, and the program looks whether they are really served. (A private CA has no public logs, hence "
        "the note.)"
    ),
    "demo.fetch": "6. The sites as a browser sees them, verified up to the CA's root:",
    "demo.move": "7. Two months pass, for the CA and for the client. One usage period was carried on meanwhile.",
    "demo.plan-again": "8. The plan today: two thirds of the lifetimes are over.",
    "demo.renew": "9. Renewed, each with a new key.",
    "demo.fetch-renewed": "10. The new certificates are served:",
    "demo.revoke": (
        "11. The key of example.jp has leaked. Replaced first, seen served, then revoked with the code that follows."
    ),
    "demo.fetch-replaced": "12. The site never went down; its key is another one:",
    "demo.crl": "13. The CA's revocation list shows the old one:",
    "demo.status": "14. How things stand:",
    "demo.served": "https://{name}: {answer}, certificate {serial}",
    "demo.crl-entry": "{url}: serial {serial}, code {code} {reason}, {at}",
    "demo.end": "Everything the demo made is gone again.",
    "error.demo-ca-not-started": "The bundled CA did not start: {output}",
    "error.demo-ca-not-started.no-output": "The bundled CA did not start in time.",
    "next.demo-ca-not-started": "Run “jprs-client test-ca serve” to see what it says.",
    "error.demo-nginx-not-started": "The private nginx does not listen on port {port}.",
    "next.demo-nginx-not-started": "Run the demo with --without-nginx.",
}

JA: dict[str, str] = {
    "help.demo.without-nginx": "nginx があっても、このプログラム自身でサイトを提供します。",
    "demo.curtain": (
        "証明書の一生を、本物のプログラムでこのマシンの上に再現します。専用の認証局、専用のWebサーバー、空いている"
        "ポート、一つの一時フォルダーだけを使います。62日前に始まり、今日終わります。"
    ),
    "demo.contract": (
        "1. 利用者が指定事業者を通じて利用FQDN example.jp（1年）と *.shop.example.jp（1カ月）を申し込み、"
        "認証情報を受け取ります。サイトを提供するのは {server} です。"
    ),
    "demo.explain": "2. どこにも書いていないショップは、どの証明書に含まれるのでしょうか。ワイルドカードです。",
    "demo.register": "3. 認証情報を使って、ACMEアカウントを一度だけ作成します。",
    "demo.plan": "4. 何がなぜ必要か、最初の発行で課金が始まることを、計画が示します。",
    "demo.apply": (
        "5. 実行します。HTTPで、ワイルドカードはDNSで管理権限を証明し、届いた証明書を検査して配置し、"
        "本当に提供されているかを確かめます。（専用の認証局は公開ログに登録しないため、注意が表示されます。）"
    ),
    "demo.fetch": "6. ブラウザーから見たサイトです。認証局のルートまで検証しています:",
    "demo.move": "7. 認証局とクライアントの時計を2カ月進めます。その間に一つのご利用期間が継続されました。",
    "demo.plan-again": "8. 今日の計画です。有効期間の3分の2が過ぎました。",
    "demo.renew": "9. それぞれ新しい鍵で更新しました。",
    "demo.fetch-renewed": "10. 新しい証明書が提供されています:",
    "demo.revoke": (
        "11. example.jp の鍵が漏れました。先に取り替え、提供を確かめてから、状況に応じた理由コードで失効させます。"
    ),
    "demo.fetch-replaced": "12. サイトは止まりませんでした。鍵は別のものです:",
    "demo.crl": "13. 認証局の証明書失効リストに古い証明書が載っています:",
    "demo.status": "14. 現在の状態です:",
    "demo.served": "https://{name}: {answer}、証明書 {serial}",
    "demo.crl-entry": "{url}: シリアル番号 {serial}、理由コード {code} {reason}、{at}",
    "demo.end": "デモで作ったものはすべて消しました。",
    "error.demo-ca-not-started": "付属の認証局を起動できませんでした: {output}",
    "error.demo-ca-not-started.no-output": "付属の認証局が時間内に起動しませんでした。",
    "next.demo-ca-not-started": "「jprs-client test-ca serve」を実行すると、認証局の出力を確認できます。",
    "error.demo-nginx-not-started": "専用の nginx がポート {port} で待ち受けていません。",
    "next.demo-nginx-not-started": "--without-nginx を付けて実行してください。",
}
