"""What the description says of a route: the route's function carries it and works as before."""

from ghapp.web.api.operation import READ, READ_REFUSALS, describe, operation_of, reads
from ghapp.web.api.operation import ApiOperation as Operation
from ghapp.web.api.questions import PageParameters


def test_a_function_carries_its_operation_and_works_as_before() -> None:
    operation = Operation(id="make", about="Make.", answers={201: None})

    def view(number: int) -> int:
        return number + 1

    described = describe(operation)(view)
    assert described is view
    assert described(1) == 2
    assert operation_of(view) is operation


def test_another_function_carries_none() -> None:
    assert operation_of(lambda: None) is None


def test_a_route_that_reads_needs_a_read_token_and_may_be_refused() -> None:
    @reads("list", "List.", tuple[int, ...], question=PageParameters)
    def view() -> None:
        return None

    assert operation_of(view) == Operation(
        id="list",
        about="List.",
        answers={200: tuple[int, ...]},
        token=READ,
        question=PageParameters,
        refusals=READ_REFUSALS,
    )
