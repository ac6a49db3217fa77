"""Evidence is removed where its developer says so, and only what is meant."""

import pytest

from ghapp.collector import queue
from ghapp.collector.account import NotEnrolled
from ghapp.collector.flush import flush
from ghapp.collector.forgetting import NothingMeant, forget, forget_requests
from ghapp.collector.places import CollectorBusy
from ghapp.wire import ForgetRequest
from tests.collector.machine import NOW, Agent, Machine
from tests.collector.stand_in import App

SHOP = ("github.com/acme/shop",)


def test_files_a_repository_or_everything_is_meant(machine: Machine, app: App) -> None:
    machine.enroll(app)
    clone = machine.clone()
    files = [str(clone.path / name) for name in ("src/a.py", "b.py")]
    assert forget_requests(machine.places, files, None) == (
        ForgetRequest(remotes=SHOP, paths=("src/a.py",)),
        ForgetRequest(remotes=SHOP, paths=("b.py",)),
    )
    assert forget_requests(machine.places, [], "Acme/Shop") == (ForgetRequest(remotes=SHOP),)
    elsewhere = forget_requests(machine.places, [], "Git.Example.com/acme/shop")
    assert elsewhere == (ForgetRequest(remotes=("git.example.com/acme/shop",)),)
    assert forget_requests(machine.places, [], None) == (ForgetRequest(),)


def test_a_file_of_no_clone_means_nothing_rather_than_everything(machine: Machine) -> None:
    lonely = machine.home / "a.py"
    with pytest.raises(NothingMeant, match="lies in no clone with a remote"):
        forget_requests(machine.places, [str(lonely)], None)


def test_a_repository_needs_an_account_to_name_its_host(machine: Machine) -> None:
    with pytest.raises(NotEnrolled):
        forget_requests(machine.places, [], "acme/shop")


def test_everything_empties_the_queue_and_one_repository_does_not(
    machine: Machine, app: App
) -> None:
    machine.enroll(app)
    agent = Agent(machine, machine.clone().path, "s1")
    machine.take(agent.write("a.py", "one = 1\n"), NOW)
    queue.set_aside(machine.places, "github.com/acme/new", [b"1 {}"], NOW)
    assert forget(machine.places, [ForgetRequest(remotes=SHOP)], now=NOW) == 0
    assert queue.waiting(machine.places).events == 1
    forget(machine.places, [ForgetRequest()], now=NOW)
    assert (queue.waiting(machine.places).events, queue.aside(machine.places)) == (0, {})


def test_what_was_removed_is_not_sent_again(machine: Machine, app: App) -> None:
    machine.enroll(app)
    agent = Agent(machine, machine.clone().path, "s1")
    event = agent.write("a.py", "one = 1\n")
    machine.take(event, NOW)
    flush(machine.places, now=NOW)
    assert forget(machine.places, [ForgetRequest(), ForgetRequest(remotes=SHOP)], now=NOW) == 2
    machine.take(event, NOW)
    assert flush(machine.places, now=NOW).sent == 0


def test_nothing_is_removed_while_something_is_sent(machine: Machine, app: App) -> None:
    machine.enroll(app)
    with machine.places.alone(), pytest.raises(CollectorBusy):
        forget(machine.places, [ForgetRequest()], now=NOW)
    assert app.forgotten == []
