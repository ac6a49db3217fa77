"""Every number on a page with the words that say what it counts, read out of the page's HTML.

A figure is where it stands (section, row, column or term) and its text. Nothing that shows a digit
is passed over, but for what asks (forms, navigation, choices), the marks of an axis, the rules' own
paragraphs, and what others published, which no selection changes (tests/web/pages/test_spend.py).
"""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

Figure = tuple[str, ...]

ASKING = {"form", "nav"}
VOID = {"br", "hr", "img", "input", "link", "meta"}
WHOLE = {"p", "li", "h1", "h3", "figcaption"}
"""What is read as one text where none of them stands inside."""
WITHOUT_DIGITS = {"-", "none", "unknown", "equal"}
"""Texts that stand in the place of a number."""


class Element:
    """One element of a page."""

    def __init__(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Element | str] = []

    @property
    def elements(self) -> list["Element"]:
        """Return what stands in it, without the text between."""
        return [one for one in self.children if isinstance(one, Element)]

    def all(self, *tags: str) -> Iterator["Element"]:
        """Yield the elements of some kinds in it, in order."""
        for one in self.elements:
            if one.tag in tags:
                yield one
            yield from one.all(*tags)

    @property
    def text(self) -> str:
        """Return its words, those of drawings left out."""
        return " ".join("".join(self._words()).split())

    @property
    def lines(self) -> list[str]:
        """Return its words line by line, as they are."""
        return "".join(self._words()).splitlines()

    def _words(self) -> Iterator[str]:
        for one in self.children:
            if isinstance(one, str):
                yield one
            elif one.tag != "svg":
                yield from one._words()

    @property
    def label(self) -> str:
        """Return the name that the template gives it, or else its words."""
        return self.attributes.get("data-figure") or self.text

    def is_a(self, kind: str) -> bool:
        """Say whether it is of a class of the style sheet."""
        return kind in (self.attributes.get("class") or "").split()


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("page", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, dict(attrs))
        self.open[-1].children.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop().tag == tag, tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(html: str) -> Element:
    """Return a page as a tree; fails where an element is not closed."""
    parser = _Parser()
    parser.feed(html)
    (page,) = parser.open
    return page


def figures(html: str) -> list[Figure]:
    """Return what a page's main part shows in numbers."""
    (main,) = parsed(html).all("main")
    return [one for one in _read(main, "") if is_figure(one)]


def is_figure(found: Figure) -> bool:
    """Say whether a text is a number, or what stands in the place of one."""
    return found[-1] in WITHOUT_DIGITS or re.search(r"\d", found[-1]) is not None


def _read(element: Element, where: str) -> Iterator[Figure]:
    where = _section(element) or where
    if _is_passed_over(element):
        return
    if element.tag in READERS:
        yield from READERS[element.tag](element, where)
    elif not element.elements or _is_whole(element):
        yield where, element.text
        for drawing in element.all("svg"):
            yield from _drawing(drawing, (where,))
    elif element.tag != "h2":
        for one in element.children:
            if isinstance(one, Element):
                yield from _read(one, where)
            else:
                yield where, one.strip()


def _is_passed_over(element: Element) -> bool:
    """Say whether it only asks, or holds the rules' own paragraphs or others' figures."""
    is_asking = element.tag in ASKING or element.is_a("choice") or element.is_a("on")
    is_quoted = element.tag == "details" and element.is_a("published")
    return is_asking or is_quoted or (element.tag == "section" and element.is_a("prose"))


def _is_whole(element: Element) -> bool:
    return element.tag in WHOLE and next(element.all(*WHOLE), None) is None


def _section(element: Element) -> str | None:
    if element.tag in {"section", "figure"}:
        head = next(element.all("h2"), None)
        return None if head is None else head.text
    return element.attributes.get("data-figure")


def _table(table: Element, where: str) -> Iterator[Figure]:
    rows = [list(row.all("th", "td")) for row in table.all("tr")]
    if next(table.all("thead"), None) is None:
        for name, value in rows:
            yield where, name.text, value.text
        return
    heads, *rows = rows
    covered = dict.fromkeys(range(len(heads)), 0)
    for row in rows:
        for head, cell in _under(heads, row, covered):
            yield where, row[0].text, head.label, cell.text
            for drawing in cell.all("svg"):
                yield from _drawing(drawing, (where, row[0].text))


def _under(
    heads: list[Element], row: list[Element], covered: dict[int, int]
) -> Iterator[tuple[Element, Element]]:
    """Yield a row's cells but the first, each with its head.

    ``covered`` counts by column the rows that a cell from above still reaches; it is kept up.
    """
    cells = iter(row)
    next(cells)
    for column, head in list(enumerate(heads))[1:]:
        if covered[column]:
            covered[column] -= 1
            continue
        cell = next(cells)
        covered[column] = int(cell.attributes.get("rowspan") or 1) - 1
        yield head, cell
    assert next(cells, None) is None


def _terms(terms: Element, where: str) -> Iterator[Figure]:
    name = ""
    for one in terms.all("dt", "dd"):
        if one.tag == "dt":
            name = one.text
        else:
            yield where, name, one.text


def _drawing(drawing: Element, where: Figure) -> Iterator[Figure]:
    yield *where, "drawn", drawing.attributes.get("aria-label") or ""
    for one in drawing.all("title", "desc", "text"):
        if not (one.is_a("mark") or one.is_a("word")):
            yield *where, "drawn", one.text


def _progress(element: Element, where: str) -> Iterator[Figure]:
    given = element.attributes
    yield where, given["aria-label"] or "", f"{given['value']} of {given['max']}"


READERS: dict[str, Callable[[Element, str], Iterator[Figure]]] = {
    "table": _table,
    "dl": _terms,
    "svg": lambda element, where: _drawing(element, (where,)),
    "progress": _progress,
}
"""How elements of a kind are read."""
