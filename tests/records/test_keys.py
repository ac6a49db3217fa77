"""Keys: named by their bytes, read from PEM, refused if they are something else."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ghapp.records.keys import PublicKey, PublicKeyError, SigningKey, named_key, shown
from tests.records.bundles import KEY, OTHER_KEY
from tests.store.records import DAY, NOW


def test_signatures_are_as_published() -> None:
    # RFC 8032, section 7.1, test 2.
    key = SigningKey(
        bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    )
    public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert key.public.raw.hex() == public
    assert key.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_only_the_same_bytes_of_the_same_key_are_signed() -> None:
    signature = KEY.sign(b"one")
    assert KEY.public.is_signed(b"one", signature)
    assert not KEY.public.is_signed(b"two", signature)
    assert not OTHER_KEY.public.is_signed(b"one", signature)
    assert not KEY.public.is_signed(b"one", signature[:-1])
    assert not KEY.public.is_signed(b"one", b"")


@pytest.mark.parametrize("raw", [b"", b"\x00" * 31, b"\x00" * 33])
def test_a_public_key_has_its_length(raw: bytes) -> None:
    with pytest.raises(PublicKeyError, match=f"32 bytes, not {len(raw)}"):
        PublicKey(raw)


def test_a_key_is_named_by_its_id_or_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(shown(KEY.public.raw, NOW, None))
    assert named_key(KEY.public.id) == named_key(str(file)) == KEY.public.id


def test_a_key_is_shown_with_its_time() -> None:
    ended = shown(KEY.public.raw, NOW, NOW + DAY).splitlines()
    assert ended[:2] == [
        f"# {KEY.public.id}",
        "# from 2026-05-20T15:30:00+00:00 to 2026-05-21T15:30:00+00:00",
    ]
    assert shown(KEY.public.raw, NOW, None).splitlines()[1].endswith(" to now")


def test_what_is_no_such_key_is_refused_by_name(tmp_path: Path) -> None:
    other = generate_private_key(SECP256R1()).public_key()
    kept = {
        "text": (b"no key", "is not a public key in PEM"),
        "other": (
            other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "not an Ed25519 key",
        ),
    }
    for name, (content, problem) in kept.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PublicKeyError, match=problem) as raised:
            named_key(str(tmp_path / name))
        assert name in str(raised.value)
    with pytest.raises(PublicKeyError, match=r"No such file.*\.pem file"):
        named_key(str(tmp_path / "none"))
