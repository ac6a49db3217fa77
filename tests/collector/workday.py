"""A day of two developers' agents on one repository, for journeys that follow its evidence.

What happens: new files, edits, an edit over an edit, a shell command, a refused write, a
subagent, worktrees, a copied agent session, a person's own lines, and lines of common shape.
"""

from collections.abc import Iterator
from pathlib import Path

from ghapp.attribution.model import Audit
from tests.collector.machine import Agent, Machine

BASE = {
    "README.md": "# Shop\n",
    "src/totals.py": "def total(lines):\n    return sum(line.amount for line in lines)\n",
    "src/stock.py": "LEVELS = {}\n",
}
CUSTOMERS = """
def total_by_customer(lines):
    totals = defaultdict(Decimal)
    for line in lines:
        totals[line.customer_number] += line.amount
    return dict(totals)
"""
VOUCHERS = """class Voucher:
    def __init__(self, code, discount_percent):
        self.code = code
        self.discount_percent = discount_percent

    def redeem(self, basket):
        return basket.amount * (100 - self.discount_percent) / 100
"""
STOCK = """LEVELS = {}


def reserve(article_number, quantity):
    available = LEVELS.get(article_number, 0)
    if available < quantity:
        raise OutOfStock(article_number, available)
    LEVELS[article_number] = available - quantity
"""
BY_HAND = """

def write_off(article_number, reason):
    audit_trail.append((article_number, reason))
    del LEVELS[article_number]
"""
SHELL = "warehouse_region = 'north'\nreorder_threshold_pallets = 14\n"
TESTS = """import pytest


def test_a_voucher_is_redeemed_against_the_basket():
    assert Voucher("SPRING", 20).redeem(Basket(amount=50)) == 40
"""


def on_machine_a(machine: Machine, checkout: Path, worktree: Path) -> Iterator[Agent]:
    """Do the first developer's day; yield each agent session when it ends a turn."""
    first = Agent(machine, checkout, "a-1")
    first.says("Please total the orders of each customer")
    first.edit("src/totals.py", "in lines)\n", f"in lines)\n{CUSTOMERS}")
    yield first
    first.edit("src/totals.py", "dict(totals)", "dict(sorted(totals.items()))")
    first.refused("src/totals.py", "def secret_plan():\n    return 'never applied'\n")
    yield first
    second = Agent(machine, worktree, "a-2")
    second.write("src/vouchers.py", VOUCHERS)
    copied = second.transcript.read_text().replace('"a-2"', '"a-3"')
    second.transcript.with_name("a-3.jsonl").write_text(copied)
    yield second


def on_machine_b(machine: Machine, checkout: Path, worktree: Path) -> Iterator[Agent]:
    """Do the second developer's day."""
    first = Agent(machine, checkout, "b-1")
    first.write("src/stock.py", STOCK)
    yield first
    helper = Agent(machine, worktree, "b-1", subagent=True)
    helper.write("tests/test_vouchers.py", TESTS)
    yield helper
    first.shell("./configure > deploy/region.py", {"src/region.py": ("", SHELL)})
    yield first


def merged(checkouts: list[Path]) -> dict[str, str]:
    """Return the files of the merged change: what the checkouts hold, and a person's lines."""
    files = {
        name: path.read_text()
        for root in checkouts
        for path in sorted(root.glob("**/*.py"))
        if ".claude" not in path.relative_to(root).parts
        for name in [path.relative_to(root).as_posix()]
        if path.read_text() != BASE.get(name)
    }
    files["src/stock.py"] += BY_HAND
    return files


def told(audit: Audit) -> list[tuple[object, ...]]:
    """Return what an audit says of each line, less the instants: a hook's clock is its own."""
    return [
        (file.path, one.line, one.reason, one.attributed, one.difference, one.edit)
        for file in audit.files
        for one in file.lines
    ]
