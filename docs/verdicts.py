"""Writes docs/verdicts.md: what pingpong says of inputs that it was wrong about, before and now.

    python docs/verdicts.py             writes the page
    python docs/verdicts.py --check     says whether it is what would be written; exit code 1 if not
    PYTHONPATH=OLD python docs/verdicts.py --before     records what another commit says

The inputs lie beside the checkout, in ../shared/cases: rebuilt from public threads (threads), or
recorded with real programs (peers).  What is right is written down here by hand, from their
READMEs; tests/house/test_verdicts_page.py holds the program against it.  What it said before it
knew them is in verdicts-before.tsv: recorded once, at BEFORE, in a worktree of that commit.  So
this file uses only what both have.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

import pingpong
from pingpong import cli

__all__ = ["BEFORE", "CASES", "GROUPS", "Answer", "Case", "Group", "answer", "is_here", "page"]

HERE: Final = Path(__file__).resolve().parent
CASES: Final = HERE.parent.parent / "shared/cases"
PAGE: Final = HERE / "verdicts.md"
RECORD: Final = HERE / "verdicts-before.tsv"
BEFORE: Final = "4639209"
# Patterns of words in its table of complaints.
PATTERNS_BEFORE: Final = 84

# A ping, for which a .thrift file is read.
PING: Final = "80 01 00 01 00 00 00 04 70 69 6e 67 00 00 00 00 00"
# Characters of a sentence that a cell has room for.
LONGEST: Final = 150


class Case(NamedTuple):
    """An input, and what is right to say of it.

    ``path`` is relative to CASES.  ``missing`` says what of the right answer pingpong does not
    give yet, "" where it gives all of it.  ``idl`` is a .thrift file beside a capture,
    ``options`` are those of ``pingpong struct``.
    """

    path: str
    right: str
    missing: str = ""
    idl: str = ""
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What tells it from the others: the file's name, and what it is asked with."""
        path = Path(self.path)
        known_by_its_end = path.suffix in (".bin", ".cap", ".lz4", ".parquet", ".thrift")
        name = path.name if known_by_its_end else path.stem
        asked = ["--idl", Path(self.idl).name] if self.idl else list(self.options)
        return " ".join((name, *asked))


class Group(NamedTuple):
    """Cases of one kind of trouble."""

    title: str
    cases: tuple[Case, ...]


class Answer(NamedTuple):
    """What pingpong says of a case.

    ``kinds`` are those of the verdicts, ``outcomes`` those of the calls ("2 success"): "" where it
    is no capture.  ``sentence`` is what is read first, ``text`` all of it, in one line.
    """

    kinds: str
    sentence: str
    outcomes: str
    text: str


_PEERS: Final = "peers/"
_CAPTURES: Final = "threads/captures/"
_LINES: Final = "threads/lines/"
_IDL: Final = "threads/idl/"

GROUPS: Final = (
    Group(
        "A message that cannot be read, or means something else",
        (
            Case(
                _CAPTURES + "exception_in_reply.pcap",
                "The server wrote an exception into a half-written reply: that call failed.",
            ),
            Case(
                _CAPTURES + "jaeger_missing_stop_only.pcap",
                "A compact emitBatch, cut off by one byte.",
            ),
            Case(
                _CAPTURES + "leftover_framed.pcap",
                "The frame holds half an `add` and a whole `ping`: 12 bytes left over.",
            ),
            Case(
                _CAPTURES + "ttwitter_header.pcap",
                "The reply to `store` has no ResponseHeader, as the others have: out of step.",
            ),
            Case(
                _CAPTURES + "two_threads.pcap",
                "Two threads share a client: not readable after 33 bytes.",
            ),
            Case(
                _CAPTURES + "one_byte_off.pcap",
                "GetInfo was answered PROTOCOL_ERROR, a byte stayed unread, and the next call was "
                "not understood. The client is newer.",
            ),
        ),
    ),
    Group(
        "Two that speak differently",
        (
            Case(
                _CAPTURES + "thrift_on_cql.pcap",
                "A Thrift client on Cassandra's CQL port: the answer is a CQL v4 ERROR. Use "
                "rpc_port 9160.",
            ),
            Case(
                _CAPTURES + "thriftmux.pcap",
                "Finagle's ThriftMux on a plain framed server: ThriftMux on both sides, or none.",
            ),
            Case(
                _CAPTURES + "jaeger_binary_oneway.pcap",
                "Two clients of one UDP port speak two protocols.",
            ),
            Case(
                _PEERS + "http-post-to-framed-server.pcap",
                "An HTTP client, a framed server.",
            ),
            Case(
                _PEERS + "tls-server-hello.pcap",
                "TLS, no Thrift; handshake type 2 is the server's hello.",
            ),
        ),
    ),
    Group(
        "Limits, and calls that are cut off",
        (
            Case(
                _CAPTURES + "frame_limit_reset.pcap",
                "A frame of 1 500 023 bytes is above the server's limit, 1 MiB: reset while it was "
                "sent.",
            ),
            Case(
                _CAPTURES + "frame_limit_size.pcap",
                "The call has 15 900 023 bytes, the limit is 15 MiB.",
            ),
            Case(
                _CAPTURES + "nat_300.pcap",
                "A middlebox cuts a call off after 300 s: keepalive, or an asynchronous query.",
            ),
            Case(
                _PEERS + "http-oneway-never-answered.pcap",
                "C++'s THttpServer gives a oneway call no response; the client hung for 44.9 s.",
            ),
        ),
    ),
    Group(
        "Handlers and credentials",
        (
            Case(
                _PEERS + "two-methods-fail.pcap",
                "get_partitions and get_functions fail, once each.",
            ),
            Case(
                _PEERS + "http-401-then-200.pcap",
                "401, then the same with credentials, and 200: one call failed, one was answered.",
            ),
        ),
    ),
    Group(
        "Nothing is wrong",
        (
            Case(_PEERS + "json-void-reply.pcap", "Answered: a void reply in framed JSON."),
            Case(_PEERS + "http-gzip-reply.pcap", "Answered: a reply packed with gzip."),
            Case(
                _PEERS + "http-bare-struct-jaeger.pcap",
                "An exporter posts a Batch, a struct without a message, and gets 202.",
            ),
            Case(
                _PEERS + "go-oneway-as-call.pcap",
                "Go sends oneway as CALL: 8 of them, and 5 calls that were answered.",
            ),
            Case(
                _PEERS + "go-oneway-as-call.pcap",
                "The same, and the IDL says that it is oneway.",
                idl=_PEERS + "go-oneway.thrift",
            ),
            Case(_PEERS + "proxy-v2-accepted.pcap", "Two calls behind a PROXY header, version 2."),
            Case(
                _PEERS + "theader-empty-frame-at-close.pcap",
                "C++'s THeader server writes an empty frame when it closes.",
            ),
        ),
    ),
    Group(
        "Only one direction was captured",
        (
            Case(
                _PEERS + "half-client-with-syn.pcap",
                "Two calls; whether they were answered cannot be told.",
            ),
            Case(_PEERS + "half-server-no-syn.pcap", "Two replies; the calls are not in it."),
        ),
    ),
    Group(
        "Calls that were not seen, or seen twice",
        (
            Case(
                _PEERS + "stray-rst-at-start.pcap",
                "A RST of another connection ends nothing: two calls answered.",
            ),
            Case(_PEERS + "theader-inside-frames.pcap", "Go's THeader inside frames: one call."),
            Case(_PEERS + "tunnel-vxlan-real.pcap", "23 messages in the kernel's VXLAN."),
            Case(_PEERS + "tunnel-gre.pcap", "Two calls in GRE."),
            Case(_PEERS + "tunnel-mpls.pcap", "Two calls in MPLS."),
            Case(_PEERS + "tunnel-geneve.pcap", "Two calls in GENEVE."),
            Case(_PEERS + "linktype-ppp.pcap", "Two calls in PPP frames, link type 9."),
            Case(_PEERS + "udp-copies-on-any.pcap", "3 datagrams, captured on several interfaces."),
            Case(_PEERS + "container-snoop.cap", "Two calls in a snoop file."),
            Case(_PEERS + "container-modpcap.cap", "Two calls in a pcap of Kuznetzov's form."),
            Case(_PEERS + "container.pcap.lz4", "Two calls in a pcap packed with LZ4."),
        ),
    ),
    Group(
        "Lines of a log",
        (
            Case(_LINES + "connect_timeout_java.txt", "No connection: firewall, address, down."),
            Case(_LINES + "connect_timeout_cpp.txt", "The same."),
            Case(_LINES + "limit_nifty_http.txt", "16777216 is the reader's limit: 16 MiB."),
            Case(_LINES + "limit_nifty_64m.txt", "67108864 is the reader's limit: 64 MiB."),
            Case(_LINES + "cql_v2_startup.txt", "02 00 00 01: CQL, version 2, on the Thrift port."),
            Case(_LINES + "cql_v3_answer.txt", "83 00 00 00: an answer of CQL, version 3."),
            Case(
                _LINES + "number_dropped_es.txt",
                "80 01 00 01: a Thrift client on Elasticsearch's transport port.",
            ),
            Case(_LINES + "number_dropped_php.txt", "“HTTP”, taken for a length."),
            Case(
                _LINES + "sasl_no_mechanism.txt",
                "Nothing was sent: this machine lacks the mechanism.",
            ),
            Case(
                _LINES + "required_hive.txt",
                "The driver is newer: it sends an enum value that the server does not know.",
            ),
            Case(_LINES + "required_go.txt", "Bytes mixed up, or another IDL."),
            Case(_LINES + "reset_java.txt", "The other side closed with RST."),
            Case(_LINES + "hs2_eof.txt", "The server closed: mostly another version; its log."),
            Case(_LINES + "ruby_no_version.txt", "No version in the header: framed, or SASL."),
            Case(_LINES + "fbthrift_header.txt", "Somebody sent text to the port."),
            Case(_LINES + "envoy_field_type.txt", "Out of step in a struct."),
            Case(_LINES + "kitex_eof.txt", "The other side closed."),
            Case(_LINES + "php_could_not_read.txt", "The other side closed."),
            Case(_LINES + "health_check_sasl.txt", "A TCP health check; harmless."),
            Case(_LINES + "udp_unreachable.txt", "Nobody listens on the UDP port."),
            Case(_LINES + "rust_version.txt", "82 21: compact instead of binary."),
        ),
    ),
    Group(
        ".thrift files",
        (
            Case(_IDL + "ampersand.thrift", "Apache's compiler takes “Type & name”."),
            Case(_IDL + "const_list_key.thrift", "It takes a list as the key of a constant map."),
            Case(_IDL + "latin1_comment.thrift", "It takes a comment in Latin-1."),
            Case(_IDL + "namespace_annotation.thrift", "It takes annotations of a namespace."),
            Case(_PEERS + "namespace-annotation.thrift", "The same."),
        ),
    ),
    Group(
        "Structs with no message around them",
        (
            Case(_PEERS + "struct-whole.parquet", "A Parquet file: the struct is its footer."),
            Case(
                _PEERS + "struct-whole.parquet",
                "The footer: a struct in compact.",
                options=("--offset", "185", "--length", "537"),
            ),
            Case(
                _PEERS + "struct-confluent-prefix.bin",
                "00 and the number of a schema, then a struct.",
            ),
            Case(
                _PEERS + "struct-confluent-prefix.bin",
                "The struct: binary.",
                options=("--offset", "5"),
            ),
            Case(_PEERS + "struct-tuple.bin", "Java's TTupleProtocol: refused, rightly."),
        ),
    ),
)


def is_here() -> bool:
    """Whether the cases are on this machine."""
    return (CASES / "threads").is_dir() and (CASES / "peers").is_dir()


def answer(case: Case) -> Answer:
    """What pingpong says of it."""
    path = CASES / case.path
    if case.path.startswith(_LINES):
        return _of_line(path.read_text(encoding="utf-8"))
    if path.suffix == ".thrift":
        return _of_idl(path)
    if path.name.startswith("struct-"):
        return _of_struct(path, case.options)
    return _of_capture(path, CASES / case.idl if case.idl else None)


def _of_capture(path: Path, idl: Path | None) -> Answer:
    try:
        capture = pingpong.read(str(path), idl=str(idl) if idl else None)
    except pingpong.CaptureError as error:
        told = str(error).replace(f"{path}: ", "")
        return Answer("", told, "refused", told)
    verdicts = capture.diagnosis.verdicts
    outcomes = Counter(exchange.outcome for exchange in capture.exchanges)
    return Answer(
        " ".join(dict.fromkeys(verdict.kind.name for verdict in verdicts)),
        _first(verdicts[0].plainly) if verdicts else "nothing",
        ", ".join(
            f"{outcomes[outcome]} {outcome.name.lower().replace('_', ' ')}"
            for outcome in sorted(outcomes)
        ),
        # The sentences once more, with their times.
        _line("\n".join((str(capture.diagnosis), *(one.sentence for one in verdicts)))),
    )


def _of_line(text: str) -> Answer:
    told = pingpong.explain_text(text)
    said = [f"{one.number} is {one.readings[0].what}" for one in told.numbers if one.readings]
    said += [_first(one.meaning) for one in told.complaints]
    return Answer("", "; ".join(said[:2]) or "nothing is known", "", _line(str(told)))


def _of_idl(path: Path) -> Answer:
    code, out, err = _run("explain", "--idl", str(path), "--", PING)
    said = "read" if code == 0 else err
    return Answer("", said.replace(f"{path}", path.name), "", _line(out + err))


def _of_struct(path: Path, options: tuple[str, ...]) -> Answer:
    _, out, err = _run("struct", str(path), *options)
    first = [text.splitlines()[0] for text in (err, out) if text]
    return Answer("", "; ".join(first).replace(f"{path}", path.name), "", _line(out + err))


def _run(*arguments: str) -> tuple[int, str, str]:
    """A command's exit code, and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run(list(arguments))
    told = err.getvalue().strip().removeprefix("pingpong: error: ")
    return code, out.getvalue().strip(), told


def _first(text: str) -> str:
    """The first sentence."""
    return re.split(r"(?<=[.?!]) (?=[A-Z])", text, maxsplit=1)[0]


def _line(text: str) -> str:
    return " ".join(text.split())


# ── The page ─────────────────────────────────────────────────────────────────────────

_HEAD: Final = f"""\
# Said before, and said now

Inputs on which pingpong was wrong, silent or vague at commit {BEFORE}, and what it says of them
now. Half of them are rebuilt from public threads in which people looked for their fault, half were
recorded with real programs. None of them is special to the program: each is an example of a kind.

`python docs/verdicts.py` writes this page, and a test holds it: “now” is what the program says.
“right” is written by hand. A capture's cell has the verdicts of `pingpong diagnose`, the first
sentence of the first, and the outcomes of `pingpong calls`; a line's what `pingpong explain` says
first. [errors.md](errors.md#all-verdicts) says what each verdict means.
"""


def page() -> str:
    """The page, made anew."""
    before = recorded()
    parts = [_HEAD, _summary()]
    for group in GROUPS:
        rows = [
            f"| {_cell(case.name)} | {_cell(case.right)} | {before[case.name]} | "
            f"{_told(answer(case), case.missing)} |"
            for case in group.cases
        ]
        head = ("| case | right | before | now |", "|---|---|---|---|")
        parts.append("\n".join((f"## {group.title}\n", *head, *rows)) + "\n")
    parts.append(_words())
    return "\n".join(parts)


def _summary() -> str:
    cases = [case for group in GROUPS for case in group.cases]
    missing = [case for case in cases if case.missing]
    if not missing:
        return f"{len(cases)} cases, and each has its right answer.\n"
    return (
        f"{len(cases)} cases: {len(cases) - len(missing)} have their right answer.\n"
        f"{len(missing)} have not, or not all of it, and the last column says what is missing.\n"
    )


def _words() -> str:
    """How many wordings of each language are known: errors.md tells of which library."""
    from pingpong.hints.complaints.table import WORDINGS

    counts = Counter(wording.language or "any" for wording in WORDINGS)
    rows = [f"| {language} | {count} |" for language, count in counts.most_common()]
    return "\n".join(
        (
            "## Words of a log that are known\n",
            f"Before: {PATTERNS_BEFORE} patterns, of all languages together. Now: {len(WORDINGS)}",
            "wordings, each with its place in a library's source. [errors.md]"
            "(errors.md#how-many-words-are-known) says which libraries.\n",
            "| language | wordings |",
            "|---|---:|",
            *rows,
            "",
        )
    )


def recorded() -> dict[str, str]:
    """Name of a case → its cell of what was said before."""
    with RECORD.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        name: _told(Answer(kinds, sentence, outcomes, ""))
        for name, kinds, sentence, outcomes in rows[1:]
    }


def record() -> None:
    """Writes down what this pingpong says, as what was said before."""
    lines = ["case\tkinds\tsentence\toutcomes"]
    for case in (case for group in GROUPS for case in group.cases):
        lines.append("\t".join((case.name, *map(_line, answer(case)[:3]))))
    RECORD.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _told(said: Answer, missing: str = "") -> str:
    """An answer as a cell."""
    kinds = " ".join(f"`{kind}`" for kind in said.kinds.split())
    parts = [kinds, _cell(_short(said.sentence)), f"*{said.outcomes}*" if said.outcomes else ""]
    if missing:
        parts.append(f"**Missing:** {_cell(missing)}")
    return "<br>".join(part for part in parts if part)


def _short(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def _cell(text: str) -> str:
    """Text that means nothing to Markdown but itself; code between backquotes stays."""
    return re.sub(r"([|<>*_\[\]\\])", r"\\\1", text)


def main(arguments: list[str]) -> int:
    if not is_here():
        print(f"{CASES}: is not here, want the folders threads and peers", file=sys.stderr)
        return 2
    if arguments == ["--before"]:
        record()
    elif arguments == ["--check"]:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
            print(f"{PAGE}: is out of date: run python docs/verdicts.py", file=sys.stderr)
            return 1
    elif not arguments:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
