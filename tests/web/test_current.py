"""The services of the application that answers, and of no other."""

import pytest
from flask import Flask

from ghapp.bootstrap import Services
from ghapp.web.current import attach, services


def test_two_applications_of_one_process_each_have_their_own() -> None:
    apps = [Flask(name) for name in ("one", "other")]
    held = [object(), object()]
    for app, own in zip(apps, held, strict=True):
        attach(app, own)  # type: ignore[arg-type] # any object can be held
    for app, own in zip(apps, held, strict=True):
        with app.app_context():
            assert services._get_current_object() is own  # type: ignore[attr-defined] # a proxy


def test_outside_a_request_there_are_none(services: Services) -> None:
    from ghapp.web.current import services as current  # noqa: PLC0415 - the fixture has its name

    attach(Flask("app"), services)
    with pytest.raises(RuntimeError):
        _ = current.settings
