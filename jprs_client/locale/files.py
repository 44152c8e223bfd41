"""What the installer of plain files says."""

from __future__ import annotations

EN: dict[str, str] = {
    "error.files-nothing-to-write": "[installer.{target}] names no file to write, so the certificate was not installed "
    "there.",
    "next.files-nothing-to-write": "Give it at least one path: {expected}.",
    "error.files-folder-missing": "{file} could not be written for {lineage}: there is no folder {folder}. {target} "
    "was left as it is.",
    "next.files-folder-missing": "Make the folder (`install -d -m 755 {folder}`), or correct the path in "
    "[installer.{target}]; then run `jprs-client install {lineage}`.",
}

JA: dict[str, str] = {
    "error.files-nothing-to-write": "[installer.{target}] に書き込むファイルの指定がないため、証明書を配置していませ"
    "ん。",
    "next.files-nothing-to-write": "{expected} のうち少なくとも 1 つにパスを指定してください。",
    "error.files-folder-missing": "フォルダー {folder} がないため、{lineage} の {file} を書き込めません。{target} は変"
    "更していません。",
    "next.files-folder-missing": "フォルダーを作成するか(`install -d -m 755 {folder}`)、[installer.{target}] のパスを直"
    "してから、`jprs-client install {lineage}` を実行してください。",
}
