"""Sentences of `config/` and `credentials.py`: what is wrong in the files a person writes.

Each says the place first, as FILE:LINE. What was expected is shown as TOML would have it, alike in both languages.
"""

from jprs_client.locale import terms

EN: dict[str, str] = {
    # A file that cannot be read as TOML at all
    "error.config-file-missing": "There is no configuration file {file}.",
    "next.config-file-missing": (
        "Write one with `jprs-client init`, or name yours with --config or in JPRS_CLIENT_CONFIG."
    ),
    "error.config-file-unreadable": "{file} cannot be read: {detail}.",
    "next.config-file-unreadable": "Check owner and mode of the file and of the folders above it, or run as its owner.",
    "error.config-file-is-a-directory": "{file} is a directory, not a configuration file.",
    "next.config-file-is-a-directory": "Name the file itself, such as {file}/config.toml.",
    "error.config-file-unreasonable": "{file} is too large or too deeply nested to be a configuration.",
    "next.config-file-unreasonable": "Check that it is the right file; split a long one into files under conf.d.",
    "error.config-file-has-byte-order-mark": "{place}: the file begins with a byte order mark, which is no TOML.",
    "next.config-file-has-byte-order-mark": "Save it as UTF-8 without BOM.",
    "error.config-file-not-utf8": "{place}: the file is not in UTF-8.",
    "next.config-file-not-utf8": "Save it as UTF-8; Japanese comments are often in Shift_JIS or EUC-JP.",
    "error.config-syntax": "{place}: this is no TOML: {detail}.",
    "next.config-syntax": "Correct that line; texts stand in straight double quotes, each key on a line of its own.",
    # Keys
    "error.config-unknown-key": "{place}: {key} is no key that is known here. Did you mean {nearest}?",
    "next.config-unknown-key": "Write {nearest}, or remove the line. Known here: {expected}.",
    "error.config-unknown-key.no-nearest": "{place}: {key} is no key that is known here.",
    "next.config-unknown-key.no-nearest": "Remove the line, or use a key that is known here: {expected}.",
    "error.config-key-missing": "{place}: {key} is missing.",
    "next.config-key-missing": "Add {key}; what it may hold: {expected}.",
    "error.config-key-twice": "{place}: {key} is set already, at {other}.",
    "next.config-key-twice": "Remove one of the two: files add up, none overrides another.",
    "error.config-name-twice": "{place}: {key}: “{name}” is there already, at {other}.",
    "next.config-name-twice": "Remove one of the two, or give it another name.",
    "error.config-listed-twice": "{place}: {key}: “{name}” is listed twice, first at {other}.",
    "next.config-listed-twice": "Remove one of the two.",
    "error.config-secret-in-file": "{place}: {key} holds a secret, and secrets do not belong into this file.",
    "next.config-secret-in-file": (
        "Put it into a file of its own that only its owner can read (chmod 600), and name that file here: "
        "eab_credentials for the operator's credentials, a key ending in _file for a plugin's. "
        "Where others could read this file, have the secret replaced."
    ),
    # Values
    "error.config-wrong-value": "{place}: {key} cannot be {found}.",
    "next.config-wrong-value": "Expected: {expected}",
    "error.config-date-with-time": "{place}: {key} is a day of Japan's calendar, but {found} has a time of day.",
    "next.config-date-with-time": "Write the date alone, without quotes, such as 2026-11-22.",
    "error.config-directory-not-https": "{place}: {key}: {found} is not HTTPS, and nothing is asked over plain HTTP.",
    "next.config-directory-not-https": (
        "Write the CA's https:// address. Of a private or test CA, put the root certificate into [ca] trust."
    ),
    "error.config-directory-not-a-url": "{place}: {key} is no address of an ACME directory.",
    "next.config-directory-not-a-url": "Write the whole address, {expected}, in ASCII and without spaces.",
    "error.config-directory-with-user": "{place}: {key}: an ACME directory's address has no user name or password.",
    "next.config-directory-with-user": "Remove the part before the @; the account's key proves who asks.",
    "error.config-directory-with-fragment": "{place}: {key}: an ACME directory's address has no part after a #.",
    "next.config-directory-with-fragment": "Remove the # and what follows it.",
    "error.config-storage-not-there-yet": "{place}: {key}: storage in {scheme} is planned, but not there yet.",
    "next.config-storage-not-there-yet": "Remove the line: facts are then kept in SQLite in the state directory.",
    "error.config-storage-unknown": "{place}: {key} is no storage that is known.",
    "next.config-storage-unknown": "Write {expected} with a path relative to the state directory, or remove the line.",
    # Usage FQDNs
    "error.config-ends-without-started": "{place}: {key} is there, but when the usage period started is not.",
    "next.config-ends-without-started": (
        "Add started, the day in Japan on which the first certificate was issued; or remove ends, to be computed."
    ),
    "error.config-ends-before-started": "{place}: {key}: the period ends on {ends}, before its start on {started}.",
    "next.config-ends-before-started": "Correct one of the two days; the operator can tell both.",
    # Certificates
    "error.config-certificate-two-lists": "{place}: {key}: this certificate has both usage_fqdns and names.",
    "next.config-certificate-two-lists": "Keep one: usage_fqdns for all they authorise, names for exactly these names.",
    "error.config-certificate-without-names": "{place}: {key} says neither usage_fqdns nor names.",
    "next.config-certificate-without-names": 'Add one of them, such as usage_fqdns = ["example.jp"].',
    "error.config-certificate-named-as-automatic": (
        "{place}: {key}: “{name}” is also the usage FQDN at {other}, whose own certificate would have that name."
    ),
    "next.config-certificate-named-as-automatic": "Give it another name, or let it carry that usage FQDN.",
    "error.config-file-of-two": "{place}: {key}: {path} would be written for {certificate} and, by {other}, for "
    "{other_certificate}, each over the other.",
    "next.config-file-of-two": "Put {{name}} into the path, as in tls/{{name}}.pem: it stands for each certificate's "
    "name. Or let only one of them have this installer in its install = […].",
    "error.config-file-for-two-things": "{place}: {key}: {path} is also what {other} writes, with another content.",
    "next.config-file-for-two-things": "Give each a path of its own; for key and certificate in one file there is "
    "combined.",
    "error.config-usage-fqdn-unknown": "{place}: {key}: no [[usage_fqdn]] declares {name}. Did you mean {nearest}?",
    "next.config-usage-fqdn-unknown": "Write {nearest}, or declare {name} once it is applied for through the operator.",
    "error.config-usage-fqdn-unknown.no-nearest": "{place}: {key}: no [[usage_fqdn]] declares {name}.",
    "next.config-usage-fqdn-unknown.no-nearest": (
        "Declare {name} once you applied for it through the operator, or use a declared one: {expected}."
    ),
    "error.config-solver-unknown": "{place}: {key}: there is no [solver.{name}]. Did you mean {nearest}?",
    "next.config-solver-unknown": "Write {nearest}, or add the table. There are: {expected}.",
    "error.config-solver-unknown.no-nearest": "{place}: {key}: there is no [solver.{name}].",
    "next.config-solver-unknown.no-nearest": "Add the table, or use one of those there are: {expected}.",
    "error.config-solver-for-other-name": "{place}: {key}: {name} is no name this is about. Did you mean {nearest}?",
    "next.config-solver-for-other-name": "Write {nearest}, or remove the entry. Possible here: {expected}.",
    "error.config-solver-for-other-name.no-nearest": "{place}: {key}: {name} is no name this is about.",
    "next.config-solver-for-other-name.no-nearest": "Remove the entry. Possible here: {expected}.",
    "error.config-solver-not-said": "{place}: {key}: of several solvers, nothing says which is for which name.",
    "next.config-solver-not-said": "Set solver in [defaults], or a default for this certificate: {expected}.",
    "error.config-installer-unknown": "{place}: {key}: there is no [installer.{name}]. Did you mean {nearest}?",
    "next.config-installer-unknown": "Write {nearest}, or add the table. Possible: {expected}.",
    "error.config-installer-unknown.no-nearest": "{place}: {key}: there is no [installer.{name}].",
    "next.config-installer-unknown.no-nearest": "Add the table, or use one of: {expected}.",
    # Plugins' tables
    "error.config-plugin-unknown": "{place}: {key}: no plugin “{plugin}” is installed. Did you mean {nearest}?",
    "next.config-plugin-unknown": "Write {nearest}, or install the package that has it. Installed: {expected}.",
    "error.config-plugin-unknown.no-nearest": "{place}: {key}: no plugin “{plugin}” is installed.",
    "next.config-plugin-unknown.no-nearest": "Install the package that has it, or use one of: {expected}.",
    "error.config-bad-table-name": "{place}: {key}: “{name}” cannot be the name of such a table.",
    "next.config-bad-table-name": "Use these characters, a letter or digit first: {expected}.",
    "error.config-notifier-unknown": "{place}: {key} names {name}, but there is no [notifier.{name}].",
    "next.config-notifier-unknown": "Write {nearest}, or add the table. There are: {expected}.",
    "next.config-notifier-unknown.no-nearest": "Add the table, or take the name out. There are: {expected}.",
    "error.config-notifier-twice": "{place}: {key} is a notifier of that name, and {other} is one as well.",
    "next.config-notifier-twice": "Keep one of them, or give the table another name.",
    # The operator's credentials (EAB), and files with secrets
    "error.secret-readable-by-others": "{file} holds a secret, and everybody on this host can read it (mode {mode}).",
    "next.secret-readable-by-others": (
        "Run `chmod 600 {file}`. If others use this host, take the secret for known and have it replaced."
    ),
    "error.secret-not-a-file": "{file} is no regular file.",
    "next.secret-not-a-file": "Name the file that holds the secret itself.",
    "error.eab-file-missing": "The file with the operator's credentials, {file}, is not there.",
    "next.eab-file-missing": (
        'Create it with mode 600; it has two lines, key_id = "…" and hmac_key = "…", as the operator gave them.'
    ),
    "error.eab-file-unreadable": "The file with the operator's credentials, {file}, cannot be read: {detail}.",
    "next.eab-file-unreadable": "Check its owner and the folders above it; run the command as its owner.",
    "error.eab-syntax": "Line {line} of {file} is not as it should be.",
    "next.eab-syntax": 'Write two lines with straight quotes: key_id = "…" and hmac_key = "…".',
    "error.eab-syntax.no-line": "{file} is not as it should be.",
    "error.eab-not-in-quotes": "{file}: {key} is not a text in quotes.",
    "next.eab-not-in-quotes": 'Put it in straight double quotes: {key} = "…".',
    "error.eab-key-id-missing": "{file} has no key_id.",
    "next.eab-key-id-missing": 'Add key_id = "…" with the key identifier (kid) that the operator gave you.',
    "error.eab-key-id-not-ascii": "{file}: key_id has characters that no key identifier has.",
    "next.eab-key-id-not-ascii": "Copy it again from what the operator gave you, without surrounding words.",
    "error.eab-hmac-missing": "{file} has no hmac_key.",
    "next.eab-hmac-missing": 'Add hmac_key = "…" with the HMAC key that the operator gave you.',
    "error.eab-hmac-not-base64url": "{file}: character {position} of hmac_key is none that base64url has.",
    "next.eab-hmac-not-base64url": (
        "Copy the key again from what the operator gave you: letters, digits, - and _ alone. Nothing was sent."
    ),
    "error.eab-hmac-cut-off": "{file}: hmac_key has {characters} characters, which no whole key has; some are missing.",
    "next.eab-hmac-cut-off": "Copy the whole key again from what the operator gave you. Nothing was sent.",
    "error.eab-hmac-too-short": "{file}: hmac_key is only {bytes} bytes long; a key has {minimum} at least.",
    "next.eab-hmac-too-short": "Copy the whole key again; it is not the key identifier. Nothing was sent.",
}

JA: dict[str, str] = {
    "error.config-file-missing": "設定ファイル {file} がありません。",
    "next.config-file-missing": (
        "`jprs-client init` で作成するか、--config または環境変数 JPRS_CLIENT_CONFIG で場所を指定してください。"
    ),
    "error.config-file-unreadable": "{file} を読めません: {detail}。",
    "next.config-file-unreadable": (
        "ファイルと上位フォルダーの所有者とパーミッションを確かめるか、所有者として実行してください。"
    ),
    "error.config-file-is-a-directory": "{file} は設定ファイルではなくディレクトリです。",
    "next.config-file-is-a-directory": "{file}/config.toml のように、ファイルそのものを指定してください。",
    "error.config-file-unreasonable": "{file} は、設定ファイルとしては大きすぎるか、入れ子が深すぎます。",
    "next.config-file-unreasonable": (
        "ファイルが正しいか確かめてください。長い設定は conf.d の下の複数のファイルに分けられます。"
    ),
    "error.config-file-has-byte-order-mark": "{place}: ファイルの先頭に、TOMLでは使えないBOMが付いています。",
    "next.config-file-has-byte-order-mark": "BOMなしのUTF-8で保存してください。",
    "error.config-file-not-utf8": "{place}: ファイルの文字コードがUTF-8ではありません。",
    "next.config-file-not-utf8": "UTF-8で保存してください。日本語のコメントがShift_JISやEUC-JPのことがあります。",
    "error.config-syntax": "{place}: TOMLとして読めません: {detail}。",
    "next.config-syntax": "その行を直してください。文字列は半角の二重引用符で囲み、キーは1行に1つずつ書きます。",
    "error.config-unknown-key": "{place}: {key} というキーはここにはありません。{nearest} のことでしょうか。",
    "next.config-unknown-key": "{nearest} と書くか、その行を削除してください。ここで使えるもの: {expected}。",
    "error.config-unknown-key.no-nearest": "{place}: {key} というキーはここにはありません。",
    "next.config-unknown-key.no-nearest": "その行を削除するか、ここで使えるキーを書いてください: {expected}。",
    "error.config-key-missing": "{place}: {key} がありません。",
    "next.config-key-missing": "{key} を書き加えてください。書けるもの: {expected}。",
    "error.config-key-twice": "{place}: {key} はすでに {other} で設定されています。",
    "next.config-key-twice": "どちらか一方を削除してください。ファイルは足し合わされ、上書きはされません。",
    "error.config-name-twice": "{place}: {key}: 「{name}」はすでに {other} にあります。",
    "next.config-name-twice": "どちらか一方を削除するか、別の名前にしてください。",
    "error.config-listed-twice": "{place}: {key}: 「{name}」が重複しています（最初は {other}）。",
    "next.config-listed-twice": "どちらか一方を削除してください。",
    "error.config-secret-in-file": "{place}: {key} に秘密の値が書かれています。このファイルに秘密の値は書けません。",
    "next.config-secret-in-file": (
        "所有者だけが読める（chmod 600）別のファイルに移し、ここにはそのファイル名を書いてください。"
        "指定事業者から受け取った認証情報は eab_credentials、プラグインのものは _file で終わるキーです。"
        "このファイルを他人が読めた場合は、秘密の値を取り替えてください。"
    ),
    "error.config-wrong-value": "{place}: {key} に {found} は書けません。",
    "next.config-wrong-value": "書けるもの: {expected}",
    "error.config-date-with-time": "{place}: {key} は日本時間の日付ですが、{found} には時刻が付いています。",
    "next.config-date-with-time": "2026-11-22 のように、日付だけを引用符なしで書いてください。",
    "error.config-directory-not-https": "{place}: {key}: {found} はHTTPSではありません。平文のHTTPでは通信しません。",
    "next.config-directory-not-https": (
        "認証局の https:// のアドレスを書いてください。独自の認証局やテスト用の認証局では、"
        "ルート証明書を [ca] の trust に指定します。"
    ),
    "error.config-directory-not-a-url": "{place}: {key} はACMEディレクトリのアドレスではありません。",
    "next.config-directory-not-a-url": "{expected} の形のアドレス全体を、空白を入れずに半角で書いてください。",
    "error.config-directory-with-user": (
        "{place}: {key}: ACMEディレクトリのアドレスに、ユーザー名やパスワードは含められません。"
    ),
    "next.config-directory-with-user": "@ までの部分を削除してください。利用者の確認はアカウントの鍵で行われます。",
    "error.config-directory-with-fragment": "{place}: {key}: ACMEディレクトリのアドレスに # 以降は含められません。",
    "next.config-directory-with-fragment": "# とその後を削除してください。",
    "error.config-storage-not-there-yet": "{place}: {key}: {scheme} への保存は予定していますが、まだ使えません。",
    "next.config-storage-not-there-yet": "その行を削除してください。削除すると、状態ディレクトリのSQLiteに保存します。",
    "error.config-storage-unknown": "{place}: {key} は、知られている保存先ではありません。",
    "next.config-storage-unknown": (
        "{expected} の形で、状態ディレクトリからの相対パスを書くか、その行を削除してください。"
    ),
    "error.config-ends-without-started": "{place}: {key} がありますが、ご利用期間の開始日がありません。",
    "next.config-ends-without-started": (
        "最初の証明書が発行された日（日本時間）を started に書くか、ends を削除して計算に任せてください。"
    ),
    "error.config-ends-before-started": (
        "{place}: {key}: ご利用期間の終了日 {ends} が、開始日 {started} より前になっています。"
    ),
    "next.config-ends-before-started": "どちらかの日付を直してください。どちらも指定事業者に確認できます。",
    "error.config-certificate-two-lists": "{place}: {key}: この証明書には usage_fqdns と names の両方があります。",
    "next.config-certificate-two-lists": (
        "どちらか一方にしてください。利用FQDNで発行できる名前すべてなら usage_fqdns、名前を選ぶなら names です。"
    ),
    "error.config-certificate-without-names": "{place}: {key} に usage_fqdns も names もありません。",
    "next.config-certificate-without-names": 'usage_fqdns = ["example.jp"] のように、どちらかを書いてください。',
    "error.config-certificate-named-as-automatic": (
        "{place}: {key}: 「{name}」は {other} の利用FQDNでもあり、その証明書に自動で付く名前と重なります。"
    ),
    "next.config-certificate-named-as-automatic": (
        "この証明書を別の名前にするか、その利用FQDNをこの証明書に含めてください。"
    ),
    "error.config-file-of-two": "{place}: {key}: {path} は {certificate} のために書き込まれますが、{other} により "
    "{other_certificate} のためにも書き込まれ、互いに上書きします。",
    "next.config-file-of-two": "tls/{{name}}.pem のようにパスに {{name}} を入れてください(証明書ごとの名前に置き換わり"
    "ます)。または、このインストーラーを install = […] に指定する証明書を 1 つだけにしてください。",
    "error.config-file-for-two-things": "{place}: {key}: {path} には、{other} も別の内容を書き込みます。",
    "next.config-file-for-two-things": "それぞれ別のパスを指定してください。鍵と証明書を 1 つのファイルにする場合は "
    "combined を使います。",
    "error.config-usage-fqdn-unknown": (
        "{place}: {key}: {name} を宣言する [[usage_fqdn]] がありません。{nearest} のことでしょうか。"
    ),
    "next.config-usage-fqdn-unknown": (
        "{nearest} と書くか、指定事業者を通じて {name} をお申し込みの上、宣言を書き加えてください。"
    ),
    "error.config-usage-fqdn-unknown.no-nearest": "{place}: {key}: {name} を宣言する [[usage_fqdn]] がありません。",
    "next.config-usage-fqdn-unknown.no-nearest": (
        "指定事業者を通じて {name} をお申し込みの上、宣言を書き加えるか、宣言済みのものを書いてください: {expected}。"
    ),
    "error.config-solver-unknown": "{place}: {key}: [solver.{name}] がありません。{nearest} のことでしょうか。",
    "next.config-solver-unknown": "{nearest} と書くか、そのテーブルを書き加えてください。今あるもの: {expected}。",
    "error.config-solver-unknown.no-nearest": "{place}: {key}: [solver.{name}] がありません。",
    "next.config-solver-unknown.no-nearest": "そのテーブルを書き加えるか、今あるものを書いてください: {expected}。",
    "error.config-solver-for-other-name": (
        "{place}: {key}: {name} は、ここで対象になる名前ではありません。{nearest} のことでしょうか。"
    ),
    "next.config-solver-for-other-name": "{nearest} と書くか、削除してください。ここに書けるもの: {expected}。",
    "error.config-solver-for-other-name.no-nearest": "{place}: {key}: {name} は、ここで対象になる名前ではありません。",
    "next.config-solver-for-other-name.no-nearest": "削除してください。ここに書けるもの: {expected}。",
    "error.config-solver-not-said": (
        "{place}: {key}: ソルバーが複数ありますが、どの名前にどれを使うかが書かれていません。"
    ),
    "next.config-solver-not-said": (
        "[defaults] の solver か、この証明書の default に、いずれかを書いてください: {expected}。"
    ),
    "error.config-installer-unknown": "{place}: {key}: [installer.{name}] がありません。{nearest} のことでしょうか。",
    "next.config-installer-unknown": "{nearest} と書くか、そのテーブルを書き加えてください。書けるもの: {expected}。",
    "error.config-installer-unknown.no-nearest": "{place}: {key}: [installer.{name}] がありません。",
    "next.config-installer-unknown.no-nearest": "テーブルを書き加えるか、次のいずれかを書いてください: {expected}。",
    "error.config-plugin-unknown": (
        "{place}: {key}: プラグイン「{plugin}」はインストールされていません。{nearest} のことでしょうか。"
    ),
    "next.config-plugin-unknown": (
        "{nearest} と書くか、そのプラグインを含むパッケージをインストールしてください。インストール済み: {expected}。"
    ),
    "error.config-plugin-unknown.no-nearest": ("{place}: {key}: プラグイン「{plugin}」はインストールされていません。"),
    "next.config-plugin-unknown.no-nearest": (
        "そのプラグインを含むパッケージをインストールするか、次のいずれかを書いてください: {expected}。"
    ),
    "error.config-bad-table-name": "{place}: {key}: 「{name}」という名前は付けられません。",
    "error.config-notifier-unknown": "{place}: {key} に {name} がありますが、[notifier.{name}] がありません。",
    "next.config-notifier-unknown": "{nearest} と書くか、その表を加えてください。使えるもの: {expected}。",
    "next.config-notifier-unknown.no-nearest": "その表を加えるか、この名前を除いてください。使えるもの: {expected}。",
    "error.config-notifier-twice": "{place}: {key} と同じ名前の通知先が {other} にもあります。",
    "next.config-notifier-twice": "一方だけを残すか、表の名前を変えてください。",
    "next.config-bad-table-name": "英数字で始め、次の文字だけを使ってください: {expected}。",
    "error.secret-readable-by-others": (
        "秘密の値を含む {file} を、このホストの誰もが読めるようになっています（モード {mode}）。"
    ),
    "next.secret-readable-by-others": (
        "`chmod 600 {file}` を実行してください。"
        "ほかの人もこのホストを使う場合は、秘密の値が知られたものとして、取り替えを依頼してください。"
    ),
    "error.secret-not-a-file": "{file} は通常のファイルではありません。",
    "next.secret-not-a-file": "秘密の値を含むファイルそのものを指定してください。",
    "error.eab-file-missing": "指定事業者から受け取った認証情報のファイル {file} がありません。",
    "next.eab-file-missing": (
        'モード600で作成し、受け取った値を key_id = "…" と hmac_key = "…" の2行に書いてください。'
    ),
    "error.eab-file-unreadable": "指定事業者から受け取った認証情報のファイル {file} を読めません: {detail}。",
    "next.eab-file-unreadable": "所有者と上位フォルダーを確かめ、所有者として実行してください。",
    "error.eab-syntax": "{file} の{line}行目が正しい形になっていません。",
    "next.eab-syntax": '半角の引用符を使い、key_id = "…" と hmac_key = "…" の2行を書いてください。',
    "error.eab-syntax.no-line": "{file} が正しい形になっていません。",
    "error.eab-not-in-quotes": "{file}: {key} が引用符で囲まれた文字列ではありません。",
    "next.eab-not-in-quotes": '{key} = "…" のように、半角の二重引用符で囲んでください。',
    "error.eab-key-id-missing": "{file} に key_id がありません。",
    "next.eab-key-id-missing": '指定事業者から受け取った鍵の識別子（kid）を、key_id = "…" と書いてください。',
    "error.eab-key-id-not-ascii": "{file}: key_id に、鍵の識別子には使われない文字があります。",
    "next.eab-key-id-not-ascii": "受け取った識別子だけを、前後の語句を含めずに写し直してください。",
    "error.eab-hmac-missing": "{file} に hmac_key がありません。",
    "next.eab-hmac-missing": '指定事業者から受け取ったHMAC鍵を、hmac_key = "…" と書いてください。',
    "error.eab-hmac-not-base64url": "{file}: hmac_key の{position}文字目が、base64urlの文字ではありません。",
    "next.eab-hmac-not-base64url": (
        "受け取った鍵を写し直してください。使われるのは英数字と - と _ だけです。まだ何も送信していません。"
    ),
    "error.eab-hmac-cut-off": (
        "{file}: hmac_key は{characters}文字ですが、この長さの鍵はありません。一部が欠けています。"
    ),
    "next.eab-hmac-cut-off": "受け取った鍵の全体を写し直してください。まだ何も送信していません。",
    "error.eab-hmac-too-short": "{file}: hmac_key は{bytes}バイトしかありません。鍵は{minimum}バイト以上です。",
    "next.eab-hmac-too-short": (
        "鍵の全体を写し直し、鍵の識別子と取り違えていないか確かめてください。まだ何も送信していません。"
    ),
}

# A name that is wrong in a file has the same fault as one on the command line, and a place besides.
for _ours, _theirs in ((EN, terms.EN), (JA, terms.JA)):
    for _key, _sentence in _theirs.items():
        if _key.startswith("error.name-"):
            _ours[_key.replace(".", ".config-", 1)] = "{place}: {key}: " + _sentence
        elif _key.startswith("next.name-"):
            _ours[_key.replace(".", ".config-", 1)] = _sentence
