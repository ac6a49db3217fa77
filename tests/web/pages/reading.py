"""A page read as a person reads it: its tables, its numbers, its links."""

from html.parser import HTMLParser


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.numbers: dict[str, str] = {}
        self.links: list[str] = []
        self._text: list[str] = []
        self._name = ""
        self._drawing = 0
        self.heads: list[str] = []
        self._head = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._drawing += tag == "svg"
        if tag == "table":
            self.tables.append([])
            self.heads.append(self._head)
        if tag == "tr":
            self.tables[-1].append([])
        if tag == "a":
            self.links.append(dict(attrs).get("href") or "")
        if tag in {"td", "th", "dt", "dd", "h2"}:
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        self._drawing -= tag == "svg"
        text = " ".join("".join(self._text).split())
        if tag in {"td", "th"}:
            self.tables[-1][-1].append(text)
        if tag == "h2":
            self._head = text
        if tag == "dt":
            self._name = text
        if tag == "dd":
            self.numbers.setdefault(self._name, text)

    def handle_data(self, data: str) -> None:
        if not self._drawing:
            self._text.append(data)


class Read:
    """What stands on a page."""

    def __init__(self, html: str) -> None:
        reader = _Reader()
        reader.feed(html)
        self.numbers = reader.numbers
        """First value of each term of a description list."""
        self.links = reader.links
        self._tables = reader.tables
        self._heads = reader.heads

    def table(self, *heads: str) -> list[list[str]]:
        """Return the rows of the table whose head begins with these words."""
        for table in self._tables:
            if table and table[0][: len(heads)] == list(heads):
                return table[1:]
        raise AssertionError(f"no table begins with {heads}: {[one[0] for one in self._tables]}")

    def labelled(self, *heads: str) -> dict[str, list[list[str]]]:
        """Return the rows of each table whose head begins so, by the heading above it."""
        return {
            name: table[1:]
            for name, table in zip(self._heads, self._tables, strict=True)
            if table and table[0][: len(heads)] == list(heads)
        }
