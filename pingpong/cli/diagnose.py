"""``pingpong diagnose``: what is wrong."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from ..calls.exchanges import Pairing
from ..model import Flow
from ..verdicts.diagnosis import Diagnoser
from ..views.diagnosis import MAX_GROUPS, diagnosis_lines, diagnosis_rows
from ..wire.capturefile import open_capture
from .options import Command, add_idl, add_reading, pipeline_of
from .printing import TROUBLE, InputReport, complain, counted, say, say_unmatched, width
from .show import few_collections, progress_of, say_bystanders

__all__ = ["add"]

DIAGNOSE: Final = """\
  pingpong diagnose trouble.pcap
  pingpong diagnose trouble.pcap -p 9090     Thrift is what should be spoken there
  pingpong diagnose trouble.pcap --json | jq -r 'select(.severity == "error").sentence'

For each connection one sentence: who speaks what, who closed when, which calls got no answer; what
was seen of it; what to change.  Connections that are alike are told once.  docs/errors.md goes the
other way, from the error in a log.

With --json, one object a line a verdict: kind, severity (error, warning, note), sentence, evidence
(a list), advice, client and server of its first connection, connections (how many), and flows
(the numbers of the first of them).
"""


def add(command: Command) -> None:
    """Add the command of this file."""
    one = command("diagnose", diagnose, "say what is wrong, and what to change", DIAGNOSE)
    one.add_argument("file", help='a capture, packed or not; "-" is standard input')
    one.add_argument("--json", action="store_true", help="a JSON object a verdict")
    one.add_argument("--all", action="store_true", help="leave nothing out, however long it is")
    add_idl(one)
    add_reading(one)


def diagnose(args: argparse.Namespace) -> int:
    """``pingpong diagnose``: the verdicts, the most telling first."""
    verdict = InputReport()
    pairing = Pairing()
    gone: list[Flow] = []
    pipeline = pipeline_of(args, gone.append, pairing=pairing)
    diagnoser = Diagnoser(args.port or ())
    with open_capture(args.file) as file, progress_of(file, args.file) as progress:
        pipeline.use_secrets_of(file)
        with few_collections():
            while packets := file.batch():
                for packet in packets:
                    pipeline.take(packet)
                diagnoser.take(pairing.take(), gone)
                gone.clear()
                if progress is not None:
                    progress()
            pipeline.close()
            diagnoser.take(pairing.take(), [*gone, *pipeline.flows])
        diagnosis = diagnoser.diagnosis()
        if args.json:
            sys.stdout.writelines(f"{row}\n" for row in diagnosis_rows(diagnosis))
        else:
            limit = None if args.all else MAX_GROUPS
            say(diagnosis_lines(diagnosis, exact=True, limit=limit, width=width()))
        # What is wrong with a connection is in the verdicts already.
        verdict.report(file.findings)
        verdict.report(pipeline.of_packets)
    say_unmatched(pipeline.redactor)
    verdict.any_thrift = diagnosis.any_thrift
    if diagnosis.is_trouble:
        return TROUBLE
    verdict.bad = verdict.bad or diagnosis.is_unread
    if not verdict.any_thrift and not verdict.bad:
        complain(f"nothing known here in {counted(diagnosis.connections, 'connection')}")
        say_bystanders(pipeline)
    return verdict.end()
