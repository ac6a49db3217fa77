"""The command line of the measurements: ``python -m bench truth|corpus|speed|replay|…``."""

import argparse
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import (
    agreement,
    backfill,
    claims,
    corpus,
    coverage,
    demo_start,
    looks,
    names,
    pages,
    pages_beside,
    pushed,
    readers,
    replay,
    slow,
    speed,
    telemetry,
    truth,
    upgrade,
    upload,
    usage,
    usage_pages,
)
from bench.audits import Auditor, CommandAuditor
from bench.engine import EngineAuditor, PatientEngineAuditor
from bench.peers import PEERS, PeerAuditor
from bench.plain import PlainAuditor
from bench.releases import known
from ghapp.attribution.policy import POLICIES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one measurement and return its exit status."""
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    which = (
        "truth|looks|pushed|corpus|agreement|readers|usage|telemetry|speed|replay|pages|usage_pages|backfill|upload|"
        "slow|names|claims|"
        "demo_start|upgrade|coverage|mutants"
    )
    commands = parser.add_subparsers(required=True, metavar=which)
    _truth_arguments(commands.add_parser("truth", help=truth.__doc__))
    _pushed_arguments(commands.add_parser("pushed", help=pushed.__doc__), _pushed)
    _pushed_arguments(commands.add_parser("looks", help=looks.__doc__), _looks)
    _corpus_arguments(commands.add_parser("corpus", help=corpus.__doc__))
    _agreement_arguments(commands.add_parser("agreement", help=agreement.__doc__))
    _claims_arguments(commands.add_parser("claims", help=claims.__doc__))
    _readers_arguments(commands.add_parser("readers", help=readers.__doc__))
    _usage_arguments(commands.add_parser("usage", help=usage.__doc__))
    _telemetry_arguments(commands.add_parser("telemetry", help=telemetry.__doc__))
    _speed_arguments(commands.add_parser("speed", help=speed.__doc__))
    _beside_arguments(commands.add_parser("pages", help=pages.__doc__))
    _usage_pages_arguments(commands.add_parser("usage_pages", help=usage_pages.__doc__))
    _replay_arguments(commands.add_parser("replay", help=replay.__doc__))
    _backfill_arguments(commands.add_parser("backfill", help=backfill.__doc__))
    _upload_arguments(commands.add_parser("upload", help=upload.__doc__))
    _slow_arguments(commands.add_parser("slow", help=slow.__doc__))
    _names_arguments(commands.add_parser("names", help=names.__doc__))
    start = commands.add_parser("demo_start", help=demo_start.__doc__)
    start.add_argument("--rounds", type=int, default=3)
    start.set_defaults(run=lambda options: demo_start.measure(options.rounds))
    _upgrade_arguments(commands.add_parser("upgrade", help=upgrade.__doc__))
    _coverage_arguments(
        commands.add_parser("coverage", help=coverage.__doc__, add_help=False, prefix_chars="\0")
    )
    _mutants_arguments(
        commands.add_parser("mutants", help="Whether the tests notice a changed line")
    )
    return parser


def _truth_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--packages", default=",".join(known()), help="names, separated by commas")
    parser.add_argument("--pulls", type=int, default=8, help="pull requests for each package")
    parser.add_argument(
        "--shells", action="store_true", help="only commands of agents, and people beside them"
    )
    parser.add_argument("--keep", type=Path, help="empty folder for the cases")
    parser.add_argument("--again", type=Path, help="audit the cases kept in this folder again")
    parser.add_argument("--show-misses", type=int, default=0, metavar="N")
    _auditor_arguments(parser)
    parser.set_defaults(run=_truth)


def _pushed_arguments(
    parser: argparse.ArgumentParser, measure: Callable[[argparse.Namespace], int]
) -> None:
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--packages", default=",".join(known()), help="names, separated by commas")
    parser.add_argument("--pulls", type=int, default=8, help="pull requests for each package")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=measure)


def _corpus_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, help="holds units/ and transcripts/")
    parser.add_argument(
        "--root", action="append", default=[], help="checkout on the recording machine"
    )
    parser.add_argument("--show-misses", type=int, default=0, metavar="N")
    _auditor_arguments(parser)
    parser.set_defaults(run=_corpus)


def _claims_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_claims)


def _claims(options: argparse.Namespace) -> int:
    return claims.measure(options.seeds, as_json=options.json)


def _agreement_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, help="holds units/ and transcripts/")
    parser.add_argument(
        "--root", action="append", required=True, help="checkout on the recording machine"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_agreement)


def _readers_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", type=Path, help="records or folders of them [default: the cases]"
    )
    parser.add_argument("--times", type=int, default=1, help="how often each file is read")
    parser.set_defaults(run=lambda options: readers.measure(options.paths, options.times))


def _usage_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, help="records or folders of them")
    parser.set_defaults(run=lambda options: usage.run(options.paths))


def _telemetry_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=lambda options: telemetry.run(options.points, as_json=options.json))


def _speed_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--added", type=_numbers, default=(1_000, 10_000, 50_000))
    parser.add_argument("--edits", type=_numbers, default=(10_000, 100_000, 1_000_000))
    parser.add_argument(
        "--transcript", type=int, default=200, help="megabytes of the transcript to read"
    )
    parser.add_argument("--command", help="measure this program instead, such as 'ghapp audit'")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_speed)


def _replay_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pulls", type=_numbers, default=(250, 1_000))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for the clones; reused if present")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_replay)


def _backfill_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--megabytes", type=_numbers, default=(50, 500), help="in ascending order")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_backfill)


def _upload_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--databases", default="sqlite,postgresql", help="separated by a comma")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_upload)


def _slow_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--rate", type=int, default=20, help="deliveries a second")
    parser.add_argument("--seconds", type=int, default=20, help="length of each of four runs")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_slow)


def _names_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pairs", type=int, default=100, help="names of each kind")
    parser.add_argument("--databases", default="sqlite,postgresql", help="separated by a comma")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_hidden_names)


def _upgrade_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="since", required=True, help="an earlier commit or tag")
    parser.add_argument("--output", type=Path, help="HTML file to write")
    parser.set_defaults(run=_upgrade)


def _coverage_arguments(parser: argparse.ArgumentParser) -> None:
    # Without options of its own, so that all of them reach pytest.
    parser.add_argument("arguments", nargs="*", help="what pytest takes")
    parser.set_defaults(run=lambda options: coverage.measure(options.arguments))


def _mutants_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help="attribution, publishers, jobs")
    parser.add_argument("--sample", type=int, default=60, help="number of mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--at", action="append", default=[], metavar="FILE:LINE", help="all mutants of this line"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_mutants)


def _pages_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--audits", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("--keep", type=Path, help="folder for the SQLite file; reused if present")
    parser.add_argument("--rounds", type=int, default=5, help="turns of pages that are compared")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def _beside_arguments(parser: argparse.ArgumentParser) -> None:
    _pages_arguments(parser)
    parser.add_argument(
        "--beside", metavar="COMMIT", help="compare CPU with this commit's pages, in turns"
    )
    parser.set_defaults(run=_pages)


def _usage_pages_arguments(parser: argparse.ArgumentParser) -> None:
    _pages_arguments(parser)
    parser.set_defaults(audits=10_000, run=_usage_pages)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _auditor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--policy", choices=sorted(POLICIES), default="claude-code-v1")
    parser.add_argument("--command", help="measure this program instead, such as 'ghapp audit'")
    parser.add_argument("--peer", choices=sorted(PEERS), help="measure this program instead")
    parser.add_argument("--plain", action="store_true", help="measure plain equality instead")
    parser.add_argument(
        "--forget", choices=("applied", "all", "seen"), help="whose outcomes to forget"
    )


def _auditor(options: argparse.Namespace, *, patient: bool) -> Auditor:
    if options.command:
        return CommandAuditor(tuple(shlex.split(options.command)))
    if options.plain:
        return PlainAuditor()
    if options.peer:
        return PeerAuditor(options.peer)
    policy = POLICIES[options.policy]
    if options.forget:
        return PatientEngineAuditor(policy, forget=options.forget)
    return PatientEngineAuditor(policy) if patient else EngineAuditor(policy)


def _truth(options: argparse.Namespace) -> int:
    wanted = truth.Options(
        seed=options.seed,
        packages=tuple(options.packages.split(",")),
        count=options.pulls,
        keep=options.keep,
        show=options.show_misses,
        as_json=options.json,
        shells=options.shells,
    )
    if options.again:
        return truth.rescore(options.again, wanted, _auditor(options, patient=False))
    return truth.measure(wanted, _auditor(options, patient=False))


def _corpus(options: argparse.Namespace) -> int:
    return corpus.measure(
        options.directory,
        _auditor(options, patient=True),
        tuple(options.root),
        as_json=options.json,
        show=options.show_misses,
    )


def _agreement(options: argparse.Namespace) -> int:
    return agreement.measure(options.directory, tuple(options.root), as_json=options.json)


def _speed(options: argparse.Namespace) -> int:
    command = tuple(shlex.split(options.command)) if options.command else None
    wanted = speed.Options(
        options.seed, options.added, options.edits, options.transcript, command, options.json
    )
    return speed.measure(wanted)


def _replay(options: argparse.Namespace) -> int:
    wanted = replay.Options(options.seed, options.pulls, options.jobs, options.keep, options.json)
    return replay.measure(wanted)


def _pages(options: argparse.Namespace) -> int:
    wanted = _page_options(options)
    if options.beside is not None:
        return pages_beside.measure(wanted, options.beside, options.rounds)
    return pages.measure(wanted)


def _usage_pages(options: argparse.Namespace) -> int:
    return usage_pages.measure(_page_options(options), options.rounds)


def _page_options(options: argparse.Namespace) -> pages.Options:
    databases = (options.database,) if options.database else ("sqlite", "postgresql")
    return pages.Options(options.audits, options.seed, databases, options.keep, options.json)


def _backfill(options: argparse.Namespace) -> int:
    return backfill.measure(options.megabytes, options.seed, as_json=options.json)


def _upload(options: argparse.Namespace) -> int:
    databases = tuple(options.databases.split(","))
    return upload.measure(options.lines, databases, options.seed, as_json=options.json)


def _slow(options: argparse.Namespace) -> int:
    wanted = slow.Options(options.connections, options.rate, options.seconds, options.json)
    return slow.measure(wanted)


def _looks(options: argparse.Namespace) -> int:
    packages = tuple(options.packages.split(","))
    return looks.measure(options.seed, packages, options.pulls, as_json=options.json)


def _pushed(options: argparse.Namespace) -> int:
    packages = tuple(options.packages.split(","))
    return pushed.measure(options.seed, packages, options.pulls, as_json=options.json)


def _hidden_names(options: argparse.Namespace) -> int:
    databases = tuple(options.databases.split(","))
    return names.measure(options.pairs, databases, as_json=options.json)


def _upgrade(options: argparse.Namespace) -> int:
    return upgrade.measure(upgrade.Options(options.since, options.output))


def _mutants(options: argparse.Namespace) -> int:
    try:
        from bench import mutants  # noqa: PLC0415 - it needs the tools, which no other command does
    except ModuleNotFoundError as missing:
        raise SystemExit(
            f"{missing.name} is not installed: python3 run.py tools -m bench mutants"
        ) from None
    unknown = set(options.rooms) - set(mutants.ROOMS)
    if unknown:
        raise SystemExit(f"{', '.join(unknown)}: not one of {', '.join(mutants.ROOMS)}")
    rooms = tuple(options.rooms or mutants.ROOMS)
    wanted = mutants.Options(rooms, options.sample, options.seed, tuple(options.at), options.json)
    return mutants.measure(wanted)


if __name__ == "__main__":
    raise SystemExit(main())
