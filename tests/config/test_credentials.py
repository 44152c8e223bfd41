"""The operator's credentials: tidied where copying changed them, refused where they are damaged, never told."""

from __future__ import annotations

import base64
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jprs_client.credentials import EabCredentials, read_eab
from jprs_client.errors import SecretExposed

KEY = bytes(range(200, 232))  # its base64 has both characters in which the alphabets differ
CANARY = base64.urlsafe_b64encode(KEY).decode().rstrip("=")
STANDARD = base64.b64encode(KEY).decode()
FULL_WIDTH = "".join(chr(ord(c) + 0xFEE0) for c in CANARY)


def written(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "eab.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def fault(path: Path) -> SecretExposed:
    with pytest.raises(SecretExposed) as error:
        read_eab(path)
    assert error.value.exit_code == 3
    return error.value


@pytest.mark.parametrize(
    "hmac_key",
    [
        CANARY,
        CANARY + "=",
        CANARY + "==",
        STANDARD,
        STANDARD.rstrip("="),
        f"  {CANARY}\t",
        f"{CANARY[:20]} {CANARY[20:]}",
        FULL_WIDTH,
        FULL_WIDTH + "\u3000＝",
        f"\u200b{CANARY}\u00a0",
    ],
)
def test_what_copying_does_to_a_key_is_undone(tmp_path: Path, hmac_key: str) -> None:
    path = written(tmp_path, f'key_id = " ｋｉｄ-1 "\nhmac_key = "{hmac_key}"\n')

    assert read_eab(path) == EabCredentials("kid-1", KEY)


@pytest.mark.parametrize(
    "text",
    [
        f'key_id = "kid-1"\r\nhmac_key = """\r\n{CANARY[:9]}\r\n{CANARY[9:]}"""\r\n'.encode(),
        f"\ufeffkey_id = \"kid-1\"\nhmac_key = '{CANARY}'\n".encode(),
        b"# " + "認証情報".encode("shift_jis") + f'\nkey_id = "kid-1"\nhmac_key = "{CANARY}"\nmore = 1'.encode(),
    ],
)
def test_so_is_what_editors_do_to_the_file(tmp_path: Path, text: bytes) -> None:
    assert read_eab(written(tmp_path, text)) == EabCredentials("kid-1", KEY)


@pytest.mark.parametrize(
    ("text", "code", "params"),
    [
        (f"key_id = kid\nhmac_key = {CANARY}", "eab-syntax", {"line": 1}),
        (f'key_id = "kid"\nhmac_key = {CANARY}', "eab-syntax", {"line": 2}),
        (f'key_id = "kid"\nhmac_key = “{CANARY}”', "eab-syntax", {"line": 2}),
        (f"{CANARY} = 1\n{CANARY} = 2", "eab-syntax", {"line": 2}),
        (f"x = {{{CANARY} = 1, {CANARY} = 2}}", "eab-syntax", {"line": 1}),
        (f"x = {'[' * 5000}", "eab-syntax", {"line": None}),
        (f'hmac_key = "{CANARY}"', "eab-key-id-missing", {}),
        (f'key_id = " "\nhmac_key = "{CANARY}"', "eab-key-id-missing", {}),
        (f'key_id = 12\nhmac_key = "{CANARY}"', "eab-not-in-quotes", {"key": "key_id"}),
        (f'key_id = "識別子"\nhmac_key = "{CANARY}"', "eab-key-id-not-ascii", {}),
        ('key_id = "kid"', "eab-hmac-missing", {}),
        ('key_id = "kid"\nhmac_key = "="', "eab-hmac-too-short", {"bytes": 0}),
        ('key_id = "kid"\nhmac_key = ""', "eab-hmac-missing", {}),
        ('key_id = "kid"\nhmac_key = 123456', "eab-not-in-quotes", {"key": "hmac_key"}),
        (f'key_id = "kid"\nhmac_key = "{CANARY[:5]}…{CANARY[6:]}"', "eab-hmac-not-base64url", {"position": 6}),
        (f'key_id = "kid"\nhmac_key = "{CANARY[:5]}!"', "eab-hmac-not-base64url", {"position": 6}),
        (f'key_id = "kid"\nhmac_key = "{CANARY[:-2]}"', "eab-hmac-cut-off", {"characters": 41}),
        (f'key_id = "kid"\nhmac_key = "{CANARY[:20]}"', "eab-hmac-too-short", {"bytes": 15, "minimum": 16}),
    ],
)
def test_each_fault_has_a_code_of_its_own_and_shows_nothing(
    tmp_path: Path, text: str, code: str, params: dict[str, object]
) -> None:
    path = written(tmp_path, text)

    error = fault(path)

    assert error.code == code
    assert error.params["file"] == str(path)
    assert error.params.items() >= params.items()
    for shown in (str(error), repr(error), "".join(traceback.format_exception(error))):
        assert CANARY[:6] not in shown
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    error = fault(written(tmp_path, f'key_id = "kid"\nhmac_key = "{CANARY}"', mode=0o644))

    assert (error.code, error.params["mode"]) == ("secret-readable-by-others", "0644")


def test_a_group_may_read_it(tmp_path: Path) -> None:
    assert read_eab(written(tmp_path, f'key_id = "kid"\nhmac_key = "{CANARY}"', mode=0o640)).key_id == "kid"


def test_a_file_that_is_not_there_or_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")

    assert fault(tmp_path / "absent").code == "eab-file-missing"
    assert fault(tmp_path / "loop").code == "eab-file-unreadable"
    assert fault(tmp_path / "a\0b").code == "eab-file-unreadable"
    assert fault(Path("/dev/null")).code == "secret-not-a-file"


def test_the_key_is_not_in_what_python_prints_of_the_credentials(tmp_path: Path) -> None:
    credentials = read_eab(written(tmp_path, f'key_id = "kid"\nhmac_key = "{CANARY}"'))

    for shown in (repr(credentials), str(credentials), f"{credentials}"):
        assert shown == "EabCredentials(key_id='kid')"


def test_the_key_is_not_in_the_traceback_of_a_program_that_lets_the_error_through(tmp_path: Path) -> None:
    path = written(tmp_path, f'key_id = "kid"\nx.{CANARY} = 1\nx.{CANARY} = 2\nhmac_key = "{CANARY}"')
    code = "import sys, pathlib, jprs_client.credentials as c; c.read_eab(pathlib.Path(sys.argv[1]))"

    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)

    assert "eab-syntax" in done.stderr
    assert CANARY[:6] not in done.stdout + done.stderr


@given(st.binary(min_size=16, max_size=64), st.data())
@settings(max_examples=100, deadline=None)
def test_any_key_survives_being_wrapped_padded_and_written_in_either_alphabet(key: bytes, data: st.DataObject) -> None:
    import tempfile

    text = data.draw(st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]))(key).decode()
    text = data.draw(st.sampled_from([text, text.rstrip("=")]))
    cut = data.draw(st.integers(0, len(text)))
    space = data.draw(st.sampled_from(["", " ", "\n", "\r\n", "\u3000"]))
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), f'key_id = "k"\nhmac_key = """{text[:cut]}{space}{text[cut:]}"""\n')

        assert read_eab(path).hmac_key == key
