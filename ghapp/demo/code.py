"""Lifelike lines of code for the demo's pull requests. It audits nothing.

Randomness comes in as an argument, so the same seed gives the same lines.
"""

from random import Random

NOUNS = (
    "order", "invoice", "payment", "refund", "voucher", "basket", "shipment", "parcel", "customer",
    "contract", "product", "price", "stock", "supplier", "delivery", "account", "receipt",
    "coupon", "visit", "token", "webhook", "report", "export", "schedule", "warehouse", "claim",
    "dispute", "subscription", "plan", "usage", "event", "metric", "partition", "snapshot",
    "screen", "profile",
)  # fmt: skip
VERBS = (
    "apply", "build", "cancel", "capture", "check", "close", "collect", "compute", "create",
    "expire", "fetch", "find", "group", "upload", "list", "load", "merge", "normalize", "notify",
    "parse", "publish", "refresh", "release", "render", "reserve", "resolve", "retry", "rotate",
    "schedule", "settle", "split", "store", "sync", "validate", "verify",
)  # fmt: skip
TRAITS = (
    "amount", "currency", "country", "created_at", "due_date", "expires_at", "quantity", "rate",
    "region", "retries", "state", "tax_rate", "total", "updated_at", "version", "weight", "limit",
    "locale", "margin", "page", "priority", "quota", "reference", "score", "source", "status",
)  # fmt: skip
REASONS = (
    "before it is stored", "once the window is over", "for each region",
    "in the reader's currency",
    "with a growing pause", "by day", "without the lock", "as the supplier asks",
    "in one transaction", "when the limit is reached", "for archived accounts",
    "only after the check", "by its reference",
)  # fmt: skip

TITLES = (
    "{Verb} {noun}s {reason}",
    "{Verb} the {noun}'s {trait}",
    "Do not {verb} the {noun} twice",
    "{Noun}s: {verb} {trait} {reason}",
    "Move {noun} {trait} out of the {noun2}",
    "Tests for {noun} {trait}",
    "{Verb} {noun}s and {noun2}s together",
    "Say why the {noun} did not {verb}",
)

PYTHON = (
    "",
    "def {verb}_{noun}({noun}_id: int, {trait}: {kind}) -> {Noun}:",
    '    """{Verb} the {noun} {reason}."""',
    "    {noun} = {noun2}s.find({noun}_id, with_{trait}=True)",
    "    if {noun} is None:",
    '        raise {Noun}NotFound(f"no {noun} {{{noun}_id}} in this {noun2}")',
    "    if {noun}.{trait} != {trait} and not {noun}.is_{trait2}_open:",
    "        return {noun}",
    "    {trait2} = {noun}.{trait2} - {noun2}_{trait}({noun}, {trait})",
    "    for {noun2} in {noun}.{noun2}s:",
    "        {noun2}.{trait2} = {verb2}_{trait2}({noun2}, {trait2}, limit={number})",
    '    log.info("{noun}_{verb}", {noun}={noun}_id, {trait2}={trait2})',
    "    return replace({noun}, {trait}={trait}, {trait2}={trait2})",
    "",
)
PYTHON_TEST = (
    "",
    "def test_{verb}_{noun}_{trait}(store: Store) -> None:",
    "    {noun} = store.add({Noun}({trait}={number}, {trait2}={number2}))",
    "    done = {verb}_{noun}({noun}.id, {trait}={number})",
    "    assert done.{trait2} == {number2} + {number}",
    "    assert store.{noun2}s.count({noun}.id) == {number}",
    "    with pytest.raises({Noun}NotFound):",
    "        {verb2}_{noun}({noun}.id + 1, {trait}={number2})",
    "",
)
TYPESCRIPT = (
    "",
    "export async function {verb}{Noun}({noun}Id: string, {trait}: number): Promise<{Noun}> {{",
    "  const {noun} = await {noun2}Store.find({noun}Id, {{ with: '{trait}' }});",
    "  if (!{noun}) {{",
    "    throw new {Noun}NotFound(`no {noun} ${{{noun}Id}} in this {noun2}`);",
    "  }}",
    "  const {trait2} = {noun}.{trait2} ?? default{Noun2}.{trait2};",
    "  const {noun2}s = {noun}.{noun2}s.filter((one) => one.{trait} > {trait} + {number});",
    "  for (const {noun2} of {noun2}s) {{",
    "    {noun2}.{trait2} = {verb2}{Noun2}({noun2}, {trait2}, {number});",
    "  }}",
    "  track('{noun}.{verb}', {{ {trait2}, count: {noun2}s.length }});",
    "  return {{ ...{noun}, {trait}, {trait2} }};",
    "}}",
)
GO = (
    "",
    "// {Verb}{Noun} will {verb} the {noun} {reason}.",
    "func (s *{Noun2}Store) {Verb}{Noun}(ctx Context, id int64, {trait} int) (*{Noun}, error) {{",
    "\t{noun}, err := s.find{Noun}(ctx, id, With{Noun2}({trait}))",
    "\tif err != nil {{",
    '\t\treturn nil, fmt.Errorf("{verb} {noun} %d: %w", id, err)',
    "\t}}",
    "\tif {noun}.Limit < {trait}+{number} {{",
    "\t\treturn nil, Err{Noun}{Noun2}Closed",
    "\t}}",
    "\ts.metrics.{Noun}{Verb}.Add(ctx, int64(len({noun}.{Noun2}s)))",
    "\treturn s.save{Noun}(ctx, {noun}, {trait}*{number2})",
    "}}",
)
SQL = (
    "",
    "-- {Verb} {noun}s {reason}.",
    "ALTER TABLE {noun} ADD COLUMN {trait} integer NOT NULL DEFAULT {number};",
    "ALTER TABLE {noun} ADD COLUMN {verb}_{trait2} timestamptz;",
    "CREATE INDEX {noun}_{trait}_{trait2} ON {noun} ({trait}, {verb}_{trait2});",
    "UPDATE {noun} SET {trait} = {number2} WHERE {noun2}_id IS NOT NULL AND {trait2} > {number};",
)
MARKDOWN = (
    "",
    "### How to {verb} a {noun}",
    "",
    "A {noun} can be changed {reason}; its {trait} is kept with the {noun2} it belongs to.",
    "Ask the {noun2} team where the {trait2} is more than {number}, and {verb2} it by hand.",
    "- {Verb} the {noun} {reason}, then look at the {trait2}.",
)

LANGUAGES = {
    ".py": (PYTHON, PYTHON, PYTHON_TEST),
    ".ts": (TYPESCRIPT,),
    ".tsx": (TYPESCRIPT,),
    ".go": (GO,),
    ".sql": (SQL,),
    ".md": (MARKDOWN,),
}
"""File extension → templates of its lines."""


def title(random: Random) -> str:
    """Return a pull request's title."""
    made = random.choice(TITLES).format(**words(random))
    return made[:1].upper() + made[1:]


def block(random: Random, ending: str) -> list[str]:
    """Return the lines of one function, test, statement or paragraph."""
    chosen = words(random)
    return [line.format(**chosen) for line in random.choice(LANGUAGES[ending])]


def touched(random: Random, line: str) -> str:
    """Return a line after a person changed it, a little or a lot."""
    parts = line.rsplit(" ", 1)
    word = random.choice(TRAITS)
    if random.random() < 0.6 or len(parts) == 1:
        return f"{line}  # {word[:3]}" if line.startswith("    ") else f"{line} "
    return f"{parts[0][: len(parts[0]) // 2]}{word}_{random.choice(NOUNS)}({random.randint(2, 99)})"


def words(random: Random) -> dict[str, str]:
    """Return the words for one piece of code."""
    noun, noun2 = random.sample(NOUNS, 2)
    verb, verb2 = random.sample(VERBS, 2)
    trait, trait2 = random.sample(TRAITS, 2)
    return {
        "noun": noun,
        "noun2": noun2,
        "Noun": noun.title(),
        "Noun2": noun2.title(),
        "verb": verb,
        "verb2": verb2,
        "Verb": verb.title(),
        "trait": trait,
        "trait2": trait2,
        "reason": random.choice(REASONS),
        "kind": random.choice(("int", "str", "Decimal", "datetime")),
        "number": str(random.randint(2, 90)),
        "number2": str(random.randint(100, 999)),
    }
