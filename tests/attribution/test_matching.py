"""One file's lines are credited to one edit each, the strongest match first."""

from fractions import Fraction

from ghapp.attribution.certainty import SPEAKS_FOR_ITSELF
from ghapp.attribution.codebook import Codebook
from ghapp.attribution.matching import FileMatching, FileWeights
from ghapp.attribution.model import EditHunk, EditLines, FileDiff
from ghapp.attribution.sides import EditSide, EditSides, file_side
from tests.attribution.strategies import diff_of, replaced
from tests.attribution.test_candidates import edit

INVOICE = "invoice_total = load_ledger(tenant, quota)"
LEDGER = "ledger_drift = measure_beam(invoice, parse)"
TENANT = "tenant_quota = reserve_value(ledger, beam)"


class Told:
    """A file and some edits of it, in the order of ties."""

    def __init__(self, *added: str, old: tuple[str, ...] = ()) -> None:
        self.book = Codebook()
        self.diff: FileDiff = diff_of("a.py", list(old), [*old, *added])
        self.sides: list[EditSide] = []

    def side(self, name: str, *own: str, removed: tuple[str, ...] = ()) -> EditSide:
        """Return an edit's side."""
        lines = EditLines((EditHunk((), own, ()),), removed)
        return EditSides(self.book).of(replaced(edit(name, session=name), lines=lines), "a.py")

    def edit(self, name: str, *own: str, removed: tuple[str, ...] = ()) -> EditSide:
        """Add an edit of a session of its own, and return its side."""
        self.sides.append(self.side(name, *own, removed=removed))
        return self.sides[-1]

    def matching(self) -> FileMatching:
        """Return the file and the edits, not yet matched."""
        numbers = {line.number: self.book.number(line.text) for line in self.diff.added()}
        counted = {number: code for number, code in numbers.items() if self.book.effective[code]}
        side = file_side(self.diff, counted, self.book)
        return FileMatching(side, self.sides, self.book, Fraction(1, 5))

    def credits(self) -> list[tuple[str, str] | None]:
        """Return (edit, reason) of each added line that counts."""
        matching = self.matching()
        matching.match()
        return of(matching)


def of(matching: FileMatching) -> list[tuple[str, str] | None]:
    return [one and (one.side.edit.id, str(one.reason)) for one in matching.credits]


def test_equal_lines_are_a_run_and_a_lone_one_is_a_line() -> None:
    told = Told(INVOICE, LEDGER, "", "", TENANT)
    told.edit("both", INVOICE, LEDGER)
    told.edit("alone", TENANT)
    assert told.credits() == [("both", "run"), ("both", "run"), ("alone", "line")]


def test_the_heavier_run_wins_and_the_lighter_keeps_the_rest() -> None:
    told = Told(INVOICE, LEDGER, TENANT)
    told.edit("two", LEDGER, TENANT)
    told.edit("three", INVOICE, LEDGER, TENANT)
    assert told.credits() == [("three", "run")] * 3
    told = Told(INVOICE, LEDGER, TENANT)
    told.edit("first", INVOICE, LEDGER)
    told.edit("second", LEDGER, TENANT)
    assert [one and one[0] for one in told.credits()] == ["first", "second", "second"]


def test_an_own_line_is_credited_once() -> None:
    told = Told(INVOICE, INVOICE)
    side = told.edit("one", INVOICE)
    assert told.credits() == [("one", "line"), None]
    assert side.credited == {0}


def test_what_another_file_took_is_not_there_again() -> None:
    told = Told(INVOICE)
    told.edit("one", INVOICE).credited.add(0)
    assert told.credits() == [None]


def test_a_touched_line_between_equal_ones_is_edited() -> None:
    told = Told(INVOICE, LEDGER.replace("beam", "boom"), TENANT)
    told.edit("one", INVOICE, LEDGER, TENANT)
    assert told.credits() == [("one", "run"), ("one", "edited"), ("one", "run")]


def test_a_line_that_a_formatter_broke_is_rewrapped() -> None:
    broken = ("ledger_drift = measure_beam(", "    invoice,", "    parse,", ")")
    told = Told(INVOICE, *broken, TENANT)
    told.edit("one", INVOICE, LEDGER, TENANT)
    reasons = [one and one[1] for one in told.credits()]
    assert reasons == ["run", "rewrapped", "rewrapped", "rewrapped", "run"]


def test_an_edit_that_only_restyled_a_line_is_not_credited_with_it() -> None:
    told = Told(INVOICE)
    told.edit("one", f"    {INVOICE}", removed=(INVOICE,))
    assert told.credits() == [None]


def test_common_lines_alone_are_no_match() -> None:
    told = Told("return None", "else:", "x = 1")
    told.edit("one", "return None", "y = some_other(value_of_it, invoice)", LEDGER)
    assert told.credits() == [None, None, None]


def test_without_lines_or_edits_nothing_happens() -> None:
    assert Told(INVOICE).credits() == [None]
    told = Told()
    told.edit("one", INVOICE)
    assert told.credits() == []


def test_a_line_that_recurs_weighs_less_in_that_file() -> None:
    told = Told(INVOICE, LEDGER, LEDGER)
    told.edit("one", TENANT, TENANT)
    matching = told.matching()
    weights = FileWeights(matching.file, told.sides, told.book)
    whole = {line: told.book.weight(told.book.number(line)) for line in (INVOICE, LEDGER, TENANT)}
    for line, part in ((INVOICE, 1.0), (LEDGER, 0.5), (TENANT, 0.5)):
        assert weights[told.book.number(line)] == whole[line] * part


def test_an_edit_of_another_file_needs_a_long_and_heavy_run() -> None:
    def foreign(*own: str, least: float = SPEAKS_FOR_ITSELF) -> list[tuple[str, str] | None]:
        told = Told(INVOICE, LEDGER, TENANT)
        matching = told.matching()
        sides = [told.side("far", *own)]
        matching.credit_foreign(sides, lambda run: len(run.pairs) >= 3 and run.weight >= least)
        return of(matching)

    assert foreign(INVOICE, LEDGER, TENANT) == [("far", "run")] * 3
    assert foreign(INVOICE, LEDGER) == [None] * 3
    assert foreign(INVOICE, LEDGER, TENANT, least=1000.0) == [None] * 3
