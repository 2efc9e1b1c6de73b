"""`kiosk simulate` lives through whole visits in virtual time and holds the core to every law of money."""

from argparse import Namespace
from pathlib import Path

import msgspec

from kiosk.commands import Subparsers
from kiosk.counted import counted
from kiosk.errors import UsageError
from kiosk.progress_bar import ProgressBar
from kiosk.simulate.campaign import Report, terminals
from kiosk.simulate.luck import Faults


def add(subparsers: Subparsers) -> None:
    """Declare `kiosk simulate --sessions N --seed S [--json] [--data DIR]`."""
    parser = subparsers.add_parser(
        "simulate",
        description="Live through whole visits in virtual time, with every kind of fault, and check the laws of money.",
    )
    parser.add_argument("--sessions", type=int, required=True, metavar="N", help="how many visits")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed, the same lives (default 1)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the journals here, a folder each")


def run(args: Namespace) -> int:
    """Run the campaign; 1 if a law was broken or a situation never came up that had to."""
    if args.sessions < 1:
        msg = f"there is nothing to live through in {args.sessions} sessions"
        raise UsageError(msg, "ask for one or more")
    report, bar, stopped = Report(args.seed), ProgressBar("visits"), None
    try:
        for report in terminals(args.seed, args.sessions, Faults(), args.data):
            bar(report.sessions, args.sessions)
    except UsageError as error:
        stopped = error
    bar.wipe()
    if report.findings or not stopped:  # a disk that fails does not unsay what was found before
        print(_json(report) if args.json else _text(report))
    if stopped:
        raise stopped
    return 1 if report.failed else 0


def _rate(report: Report) -> int:
    return int(report.sessions / report.seconds) if report.seconds else 0


def _json(report: Report) -> str:
    figures = {
        "seed": report.seed,
        "sessions": report.sessions,
        "violations": len(report.findings),
        "sessions_per_s": _rate(report),
        "steps": report.steps,
        "journal_rows": report.rows,
        "sometimes": dict(sorted(report.sometimes.items())),
        "never": report.never,
        "findings": [msgspec.structs.asdict(finding) for finding in report.findings],
        "journal_head": report.journal_head,
    }
    return msgspec.json.format(msgspec.json.encode(figures)).decode()


def _text(report: Report) -> str:
    lines = [
        f"{counted(report.sessions, 'visit')}, {counted(report.steps, 'step')}, {counted(report.rows, 'journal row')}",
        f"{counted(_rate(report), 'visit')} a second, {report.seconds:.1f} s",
        f"journal head {report.journal_head}",
        "",
        "what came up",
        *(f"  {name.replace('_', ' '):<34}{count:>10,}" for name, count in sorted(report.sometimes.items())),
    ]
    if report.never:
        lines += ["", "what never came up", *(f"  {name.replace('_', ' ')}" for name in report.never)]
    lines += ["", counted(len(report.findings), "violation")]
    for finding in report.findings:
        lines.append(f"  terminal {finding.terminal} (seed {finding.seed}), row {finding.step}: {finding.law}")
    return "\n".join(lines)
