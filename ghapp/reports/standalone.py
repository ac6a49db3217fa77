"""A self-contained HTML page: it loads nothing, and runs only its own script. It opens no file."""

import base64
import hashlib
from html import escape

STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8882; --accent: #2563eb; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .25rem; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
table.even { table-layout: fixed; max-width: 40rem; }
th[scope=rowgroup] { border-bottom: 0; padding-bottom: 0; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
code, pre { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .5rem .75rem; white-space: pre-wrap; margin: .4rem 0; }
.soft { opacity: .75; }
article { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem;
  margin: .75rem 0; }
article.answered { opacity: .6; }
button, input, textarea { font: inherit; }
button { padding: .4rem .9rem; }
label { margin-right: 1rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
header.bar { position: sticky; top: 0; background: Canvas; padding: .5rem 0;
  border-bottom: 1px solid var(--line); }
@media print { header.bar { position: static; } button { display: none; } }
"""


def page(title: str, body: str, script: str = "") -> str:
    """Return a whole page. ``body`` is HTML in which all text is already escaped.

    The page's content security policy lets the browser load nothing and run only ``script``.
    """
    allowed = ["default-src 'none'", f"style-src {_hash(STYLE)}"]
    allowed.append(f"script-src {_hash(script)}" if script else "script-src 'none'")
    running = f"<script>{script}</script>\n" if script else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(allowed)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<main>\n<h1>{escape(title)}</h1>\n{body}\n</main>\n{running}</body>\n</html>\n"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
