"""The language of a file, from its name alone. It reads no file."""

from pathlib import PurePosixPath

OTHER = "other"
"""The language of a name that does not tell it."""

_BY_NAME = {
    "dockerfile": "Dockerfile",
    "makefile": "Makefile",
    "gnumakefile": "Makefile",
    "cmakelists.txt": "CMake",
    "gemfile": "Ruby",
    "rakefile": "Ruby",
    "jenkinsfile": "Groovy",
    "procfile": "Configuration",
}

_BY_ENDING = {
    "C": "c h",
    "C#": "cs csx",
    "C++": "cc cpp cxx hh hpp hxx ipp",
    "CMake": "cmake",
    "CSS": "css less sass scss styl",
    "Clojure": "clj cljc cljs edn",
    "Configuration": "cfg conf editorconfig env ini properties toml",
    "Dart": "dart",
    "Dockerfile": "dockerfile",
    "Elixir": "eex ex exs heex leex",
    "Elm": "elm",
    "Erlang": "erl hrl",
    "F#": "fs fsi fsx",
    "Go": "go",
    "GraphQL": "gql graphql",
    "Groovy": "gradle groovy",
    "HTML": "ejs erb haml handlebars hbs htm html j2 jinja jinja2 mustache njk pug",
    "Haskell": "hs lhs",
    "JSON": "json json5 jsonc jsonl ndjson",
    "Java": "java jsp",
    "JavaScript": "cjs js jsx mjs",
    "Julia": "jl",
    "Jupyter Notebook": "ipynb",
    "Kotlin": "kt kts",
    "Lua": "lua",
    "Makefile": "mak mk",
    "Markdown": "adoc markdown md mdx rst",
    "Nix": "nix",
    "OCaml": "ml mli",
    "Objective-C": "m mm",
    "PHP": "php phtml",
    "Perl": "pl pm",
    "PowerShell": "ps1 psd1 psm1",
    "Protocol Buffers": "proto",
    "Python": "py pyi pyx",
    "R": "r rmd",
    "Ruby": "gemspec rake rb",
    "Rust": "rs",
    "SQL": "sql",
    "Scala": "sbt scala",
    "Shell": "bash bats fish sh zsh",
    "Solidity": "sol",
    "Svelte": "svelte",
    "Swift": "swift",
    "Terraform": "hcl tf tfvars",
    "Text": "csv text tsv txt",
    "TypeScript": "cts mts ts tsx",
    "Vue": "vue",
    "XML": "csproj plist resx svg xml xsd xsl xslt",
    "YAML": "yaml yml",
    "Zig": "zig",
}

_LANGUAGES = {
    ending: language for language, endings in _BY_ENDING.items() for ending in endings.split()
}


def language_of(path: str) -> str:
    """Return a file's language.

    >>> language_of("src/app.py"), language_of("docker/Dockerfile"), language_of("LICENSE")
    ('Python', 'Dockerfile', 'other')
    """
    name = path.rpartition("/")[2].lower()
    if name in _BY_NAME:
        return _BY_NAME[name]
    return _LANGUAGES.get(PurePosixPath(name).suffix.removeprefix("."), OTHER)
