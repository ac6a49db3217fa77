"""The newest pull requests of the year are on the stand-in, as the year has them."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ghapp.demo.cast import USER_IDS
from ghapp.demo.newest import NEWEST, merge_as_made, newest, number_people
from ghapp.demo.sandbox import Sandbox
from ghapp.demo.year import whole_year

UNTIL = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)


def test_the_newest_are_the_last_of_all_repositories() -> None:
    year = whole_year(UNTIL, 30)
    found = {name: [one.number for one in pulls] for name, pulls in newest(year).items()}
    assert sum(map(len, found.values())) == NEWEST
    first = min(year[name][numbers[0] - 1].merged_at for name, numbers in found.items())
    later = [one for pulls in year.values() for one in pulls if one.merged_at >= first]
    assert len(later) == NEWEST
    assert all(year[name][-1].number == numbers[-1] for name, numbers in found.items())


def test_they_are_merged_with_number_time_author_and_text_even_where_a_file_was_added_before(
    tmp_path: Path,
) -> None:
    first, second = whole_year(UNTIL, 30)["acme/shop"][-2:]
    again = msgspec.structs.replace(second, change=first.change)
    with Sandbox(tmp_path) as sandbox:
        number_people(sandbox)
        shop = sandbox.add_repository("acme", "shop")
        pulls = merge_as_made(sandbox, shop, [first, again])
        assert [one.number for one in pulls] == [first.number, again.number]
        for made, pull in zip((first, again), pulls, strict=True):
            assert (pull.merged_at, pull.title) == (made.merged_at, made.title)
            assert pull.author.id == USER_IDS[made.author]
            changes = shop.git.changes(pull.merge_base, pull.head_sha)
            assert {one.path: one.status for one in changes} == {
                file.path: "A" for file in made.change.files
            }
