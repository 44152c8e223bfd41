"""What the Apache installer says."""

from __future__ import annotations

EN: dict[str, str] = {
    "error.apache-config-unreadable": "Apache's configuration file {file}, included at {included_at}, cannot be read: "
    "{detail}.",
    "error.apache-config-unreadable.no-included_at": "Apache's configuration file {file} cannot be read: {detail}.",
    "next.apache-config-unreadable": "Set config in [installer.…] to Apache's main file (and prefix to its ServerRoot, "
    "if that is elsewhere), and see that the user that runs this may read it.",
    "error.apache-config-broken": "Apache's configuration cannot be understood at {place}, near “{found}”. Nothing was "
    "changed, and the old certificate goes on being served.",
    "next.apache-config-broken": "Run `apache2ctl -t` and repair the file; then run `jprs-client install` again.",
    "error.apache-config-too-large": "Apache's configuration does not end, or is larger than any we know of; reading "
    "stopped in {file}.",
    "next.apache-config-too-large": "Look for files that include one another, and for macros that use one another.",
    "error.apache-no-virtual-host": "No TLS virtual host of {config} has a ServerName or ServerAlias that the "
    "certificate {lineage} ({names}) covers.",
    "next.apache-no-virtual-host": "See that mod_ssl is loaded (`a2enmod ssl`) and that the site's <VirtualHost> says "
    "SSLEngine on, its ServerName, and SSLCertificateFile and SSLCertificateKeyFile under live/{folder}/; or take the "
    "installer out of install = […].",
    "error.apache-only-other-certificate": "The virtual host at {place} names the files of another certificate of "
    "ours, and no other host is for {lineage}.",
    "next.apache-only-other-certificate": "Let it name the files of {lineage}, or take the installer out of "
    "install = […] of one of the two.",
    "error.apache-only-partly-covered": "The virtual host at {place} is left alone, and no other is for {lineage}: it "
    "also serves {names}, which this certificate does not cover.",
    "next.apache-only-partly-covered": "Add {names} to the certificate, or give them a <VirtualHost> of their own with "
    "their own certificate.",
    "error.apache-no-certificate-directive": "The virtual host at {place} serves names of {lineage} by TLS, but has no "
    "SSLCertificateFile.",
    "next.apache-no-certificate-directive": "Add SSLCertificateFile …/fullchain.pem and SSLCertificateKeyFile "
    "…/privkey.pem, both under live/{folder}/ of the state directory. Where mod_md looks after the host, take the "
    "installer out of install = […].",
    "error.apache-not-a-file": "{directive} at {place} names no plain file ({value}), so the certificate of {lineage} "
    "cannot be put there.",
    "next.apache-not-a-file": "Name the files under live/{folder}/ of the state directory instead.",
    "error.apache-mixed-lineages": "The virtual host at {place} takes certificate, chain and key from different places "
    "that do not belong together ({file} is one); with {lineage} there, they would not match.",
    "next.apache-mixed-lineages": "Name SSLCertificateFile, SSLCertificateKeyFile and, if there is one, "
    "SSLCertificateChainFile under the same folder, such as live/{folder}/ of the state directory.",
    "error.apache-pinned-to-a-version": "The path at {place} leads into the folder of one version of {lineage}, which "
    "stays as it is at a renewal.",
    "next.apache-pinned-to-a-version": "Name the files under {live} instead; that leads to the current version.",
    "error.apache-several-certificates": "The virtual host at {place} has several certificates (RSA and ECDSA), and it "
    "cannot be told which of them {lineage} is to replace.",
    "next.apache-several-certificates": "Let one pair name files under live/{folder}/ of the state directory, or keep "
    "the pair of the same key type only.",
    "error.apache-shared-file": "{file} is also used by the virtual host at {place}, for {names}; what {lineage} would "
    "write there does not suit that host, so it was not written.",
    "next.apache-shared-file": "Give the host at {place} files of its own, or have {names} in the certificate, too.",
    "note.apache-other-certificate": "The virtual host at {place} has names of {lineage}, but names the files of "
    "another certificate of ours; it was left alone.",
    "note.apache-host-left-alone": "The virtual host at {place} was left alone: it also serves {names}, which "
    "{lineage} does not cover.",
    "note.apache-not-probed": "Whether the virtual host at {place} serves {lineage} could not be looked at: no address "
    "that Apache listens to leads a plain TLS client to it by a name of it. Set probe to an address that answers.",
    "note.apache-rsa-not-probed": "Whether the virtual host at {place} serves {lineage} was not looked at: beside RSA "
    "it has an ECDSA certificate, which clients of today are shown.",
    "note.apache-some-not-probed": "Of {places} places that serve {lineage}, {probed} are looked at.",
    "note.apache-chain-elsewhere": "The virtual host at {place} takes {lineage} from live/, but the certificates above "
    "it from {file}, which no renewal changes. Take SSLCertificateChainFile out and name fullchain.pem.",
    "note.apache-not-read": "The <Perl> section at {place} was not read: hosts that it makes are not known here.",
}

JA: dict[str, str] = {
    "error.apache-config-unreadable": "{included_at} で Include されている Apache の設定ファイル {file} を読み取れませ"
    "ん: {detail}",
    "error.apache-config-unreadable.no-included_at": "Apache の設定ファイル {file} を読み取れません: {detail}",
    "next.apache-config-unreadable": "[installer.…] の config に Apache のメインの設定ファイルを指定し(ServerRoot が別"
    "の場所にある場合は prefix にも指定)、実行ユーザーが読み取れることを確認してください。",
    "error.apache-config-broken": "Apache の設定の {place} (「{found}」の付近)を解釈できません。何も変更してい"
    "ないため、これまでの証明書が使われ続けています。",
    "next.apache-config-broken": "`apache2ctl -t` を実行してファイルを直し、`jprs-client install` を再度実行してくださ"
    "い。",
    "error.apache-config-too-large": "Apache の設定が終わりなく続いているか、想定を超えて大きいため、{file} で読み取り"
    "を中止しました。",
    "next.apache-config-too-large": "互いに Include し合っているファイルや、互いに Use し合っているマクロがないか確認"
    "してください。",
    "error.apache-no-virtual-host": "{config} には、証明書 {lineage} ({names})の対象となる ServerName または "
    "ServerAlias をもつ TLS のバーチャルホストがありません。",
    "next.apache-no-virtual-host": "mod_ssl が読み込まれていること(`a2enmod ssl`)を確認し、サイトの <VirtualHost> に "
    "SSLEngine on と ServerName を書き、SSLCertificateFile と SSLCertificateKeyFile に live/{folder}/ のファイルを指定"
    "してください。不要な場合は install = […] からこのインストーラーを外してください。",
    "error.apache-only-other-certificate": "{place} のバーチャルホストは別の証明書のファイルを指定しており、{lineage} "
    "にあたるバーチャルホストがほかにありません。",
    "next.apache-only-other-certificate": "{lineage} のファイルを指定するか、どちらかの install = […] からこのインスト"
    "ーラーを除いてください。",
    "error.apache-only-partly-covered": "{place} のバーチャルホストは、{lineage} の証明書に含まれない {names} も扱って"
    "いるため変更していません。ほかに対象となるバーチャルホストはありません。",
    "next.apache-only-partly-covered": "{names} を証明書に加えるか、別の証明書をもつ独立した <VirtualHost> に分けてく"
    "ださい。",
    "error.apache-no-certificate-directive": "{place} のバーチャルホストは {lineage} の名前を TLS で扱っていますが、"
    "SSLCertificateFile がありません。",
    "next.apache-no-certificate-directive": "状態ディレクトリーの live/{folder}/ にある fullchain.pem を "
    "SSLCertificateFile に、privkey.pem を SSLCertificateKeyFile に指定してください。mod_md で証明書を管理している場合"
    "は、install = […] からこのインストーラーを外してください。",
    "error.apache-not-a-file": "{place} の {directive} が通常のファイルを指していないため({value})、{lineage} の証明書"
    "を置けません。",
    "next.apache-not-a-file": "代わりに状態ディレクトリーの live/{folder}/ のファイルを指定してください。",
    "error.apache-mixed-lineages": "{place} のバーチャルホストは、証明書、チェーン、鍵を対応しない別々の場所から読み込"
    "んでいます(ひとつは {file})。{lineage} を置くと組が一致しなくなります。",
    "next.apache-mixed-lineages": "SSLCertificateFile と SSLCertificateKeyFile(および、あれば "
    "SSLCertificateChainFile)に、同じフォルダー(状態ディレクトリーの live/{folder}/ など)のファイルを指定してくださ"
    "い。",
    "error.apache-pinned-to-a-version": "{place} のパスは {lineage} の特定のバージョンのフォルダーを指しており、更新し"
    "ても変わりません。",
    "next.apache-pinned-to-a-version": "代わりに、現在のバージョンを指す {live} のファイルを指定してください。",
    "error.apache-several-certificates": "{place} のバーチャルホストには証明書が複数あり(RSA と ECDSA)、{lineage} がど"
    "れを置き換えるのか判断できません。",
    "next.apache-several-certificates": "いずれかの組に状態ディレクトリーの live/{folder}/ のファイルを指定するか、同"
    "じ種類の鍵の組だけを残してください。",
    "error.apache-shared-file": "{file} は {place} のバーチャルホストでも {names} のために使われています。{lineage} の"
    "内容はそのバーチャルホストに合わないため、書き込みませんでした。",
    "next.apache-shared-file": "{place} のバーチャルホストに専用のファイルを指定するか、{names} も証明書に加えてくださ"
    "い。",
    "note.apache-other-certificate": "{place} のバーチャルホストには {lineage} の名前がありますが、本プログラムの別の"
    "証明書のファイルを指定しているため、変更していません。",
    "note.apache-host-left-alone": "{place} のバーチャルホストは、{lineage} に含まれない {names} も扱っているため、変"
    "更していません。",
    "note.apache-not-probed": "{place} のバーチャルホストが {lineage} を提示しているかどうかは、その名前で TLS により"
    "直接接続できる待ち受けアドレスがないため確認できません。接続できるアドレスを probe に設定してください。",
    "note.apache-rsa-not-probed": "{place} のバーチャルホストには RSA のほかに ECDSA の証明書があり、現在のクライアン"
    "トには ECDSA が提示されるため、{lineage} が提示されるかどうかは確認していません。",
    "note.apache-some-not-probed": "{lineage} を提示する {places} か所のうち、{probed} か所を確認します。",
    "note.apache-chain-elsewhere": "{place} のバーチャルホストは {lineage} の証明書を live/ から読み込みますが、その上"
    "位の証明書は更新されない {file} から読み込んでいます。SSLCertificateChainFile を削除し、fullchain.pem を指定して"
    "ください。",
    "note.apache-not-read": "{place} の <Perl> セクションは読み取っていません。そこで作られるバーチャルホストは対象に"
    "なりません。",
}
