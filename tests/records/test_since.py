"""Who kept an older bundle notices what was cut off, also where an old head was put back."""

from pathlib import Path

import pytest

from ghapp.records.keys import SigningKey
from ghapp.records.since import CheckedBundle, checked, lacking
from tests.records.bundles import KEY, OTHER_KEY, bundle, lines


def of(folder: Path, name: str, records: int, key: SigningKey = KEY) -> CheckedBundle:
    path = folder / name
    path.write_bytes(bundle(lines(records, key), key))
    return checked(path, frozenset())


@pytest.mark.parametrize(("before", "after"), [(3, 3), (3, 5), (0, 2)])
def test_what_goes_on_lacks_nothing(tmp_path: Path, before: int, after: int) -> None:
    old, new = of(tmp_path, "old", before), of(tmp_path, "new", after)
    assert lacking(new, old) == []


def test_what_was_cut_off_is_named_although_the_bundle_is_whole(tmp_path: Path) -> None:
    old, new = of(tmp_path, "old", 5), of(tmp_path, "new", 3)
    assert new.done.problems == ()
    assert lacking(new, old) == [
        "record 4 of acme/shop (pull request 4, audit 1) is missing",
        "record 5 of acme/shop (pull request 5, audit 1) is missing",
    ]


def test_a_chain_that_was_written_anew_is_another_one(tmp_path: Path) -> None:
    old, new = of(tmp_path, "old", 2), of(tmp_path, "new", 2)
    other = {42: dict(zip((2, 1), new.chains[42].values(), strict=True))}
    changed = CheckedBundle(done=new.done, chains=other)
    assert all("is another one now" in one for one in lacking(changed, old))
    forged = of(tmp_path, "forged", 2, OTHER_KEY)
    assert lacking(forged, old) == [
        f"key {KEY.public.id} signed in the older bundle, and nothing in the newer one"
    ]


def test_a_repository_that_is_not_there_is_said_once(tmp_path: Path) -> None:
    old, new = of(tmp_path, "old", 2), of(tmp_path, "new", 2)
    elsewhere = CheckedBundle(done=old.done, chains={43: old.chains[42]})
    assert lacking(new, elsewhere) == ["repository 43 is not in the newer bundle: export it, too"]
