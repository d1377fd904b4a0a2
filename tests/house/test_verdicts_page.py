"""docs/verdicts.md is what its program writes now; and every case has its right answer.

RIGHT is written by hand, from the cases' READMEs.  The inputs lie beside the checkout
(../shared/cases); without them only what needs none of them runs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import verdicts
from places import ROOT
from verdicts import CASES, GROUPS, Case, answer

from pingpong.verdicts.verdict import Kind

needs_cases = pytest.mark.skipif(
    not verdicts.is_here(), reason=f"the failing cases are not on this machine (looked in {CASES})"
)
ALL = [case for group in GROUPS for case in group.cases]


class Right(NamedTuple):
    """What has to be said: all the kinds of verdict and all the outcomes of calls, where it is a
    capture; and words that have to be there, and words that must not."""

    kinds: str = ""
    outcomes: str = ""
    words: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def _words(*words: str, never: tuple[str, ...] = ()) -> Right:
    return Right(words=words, never=never)


TWO_ANSWERED = Right("ALL_WELL", "2 success", ("2 calls", "2 answered"))
READ = _words("CALL ping", never=("cannot",))
NO_CONNECTION = _words("no connection", "firewall", never=("connection itself stood",))
CLOSED = _words("The other side closed the connection")
LIMIT = _words("the reader's limit", never=("SASL",))

RIGHT = {
    # A message that cannot be read, or means something else.
    "exception_in_reply": Right(
        "UNREADABLE",
        "1 success, 1 unreadable",
        ("REPLY get", "string length", "wrote an exception", "the server failed"),
        ("Nothing is wrong",),
    ),
    "jaeger_missing_stop_only": Right(
        "UNREADABLE", "2 oneway", ("emitBatch", "cut off"), ("no Thrift",)
    ),
    "leftover_framed": Right(
        "UNREADABLE",
        "2 success",
        ("12 bytes left over", "CALL add", "'ping'", "client's buffer"),
    ),
    "ttwitter_header": Right(
        "UNREADABLE", "2 success, 1 unreadable", ("REPLY store", "no tracing header")
    ),
    "two_threads": Right(
        "OUT_OF_STEP",
        "1 success, 1 closed by server",
        ("byte 33", "two threads", "a client of its own"),
        ("handler",),
    ),
    "one_byte_off": Right(
        "APPLICATION_EXCEPTION OUT_OF_STEP",
        "1 success, 1 application exception, 1 closed by server",
        ("GetInfo", "PROTOCOL_ERROR", "left unread", "the client is newer than the server"),
        ("handler failed",),
    ),
    # Two that speak differently.
    "thrift_on_cql": Right("OTHER_PROTOCOL", "2 unreadable", ("CQL", "9160")),
    "thriftmux": Right("OTHER_PROTOCOL ALL_WELL", "2 success", ("ThriftMux",), ("not recognised",)),
    "jaeger_binary_oneway": Right(
        "TWO_PROTOCOLS", "5 oneway", ("2 protocols",), ("Nothing is wrong",)
    ),
    "http-post-to-framed-server": Right("HTTP", "", ("Thrift by HTTP", "framed")),
    "tls-server-hello": Right("NOT_THRIFT", "", ("a server's hello",)),
    # Limits, and calls that are cut off.
    "frame_limit_reset": Right(
        "FRAME_TOO_LARGE ALL_WELL",
        "2 success, 2 reset by server",
        ("1500027 bytes", "its limit is most likely below that"),
        ("handler",),
    ),
    "frame_limit_size": Right(
        "FRAME_TOO_LARGE ALL_WELL",
        "1 success, 1 reset by server",
        ("15900027 bytes", "its limit is most likely below that"),
        ("lies between",),
    ),
    "nat_300": Right(
        "CUT_OFF",
        "1 success, 1 reset by server",
        ("ExecuteStatement", "300 s", "load balancer"),
        ("handler failed",),
    ),
    "http-oneway-never-answered": Right(
        "HTTP_UNANSWERED", "1 oneway", ("testOneway", "44.9 s"), ("Nothing is wrong",)
    ),
    # Handlers and credentials.
    "two-methods-fail": Right(
        "HANDLER_CRASHED DECLARED_EXCEPTIONS",
        "3 success, 2 declared exception, 2 application exception",
        ("handler of get_partitions", "handler of get_functions"),
        ("2 times",),
    ),
    "http-401-then-200": Right(
        "HTTP ALL_WELL",
        "1 success, 1 application exception",
        ("401 Unauthorized", "credentials"),
        ("a web server",),
    ),
    # Nothing is wrong.
    "json-void-reply": Right("ALL_WELL", "1 success"),
    "http-gzip-reply": Right("ALL_WELL", "1 success"),
    "http-bare-struct-jaeger": Right("STRUCTS_ALONE", "", ("1 struct", "202"), ("error",)),
    "go-oneway-as-call": Right("ALL_WELL", "5 success, 8 oneway"),
    "go-oneway-as-call --idl go-oneway.thrift": Right("ALL_WELL", "5 success, 8 oneway"),
    "proxy-v2-accepted": TWO_ANSWERED,
    "theader-empty-frame-at-close": Right("ALL_WELL", "1 success", never=("not recognised",)),
    # Only one direction was captured.
    "half-client-with-syn": Right("ONE_DIRECTION", "2 lost", ("cannot be told",)),
    "half-server-no-syn": Right(
        "ONE_DIRECTION BEGAN_LATE", "2 no call", ("only what the server sends",), ("all is well",)
    ),
    # Calls that were not seen, or seen twice.
    "stray-rst-at-start": TWO_ANSWERED,
    # The capture ends inside of the reply.
    "theader-inside-frames": Right("WAITING", "1 waiting", ("testVoid", "a reply had begun")),
    "tunnel-vxlan-real": Right("WAITING", "11 success, 1 waiting", ("12 calls",)),
    "tunnel-gre": TWO_ANSWERED,
    "tunnel-mpls": TWO_ANSWERED,
    "tunnel-geneve": TWO_ANSWERED,
    "linktype-ppp": TWO_ANSWERED,
    "udp-copies-on-any": Right("ALL_WELL", "3 oneway", ("3 oneway calls",)),
    "container-snoop.cap": TWO_ANSWERED,
    "container-modpcap.cap": TWO_ANSWERED,
    "container.pcap.lz4": TWO_ANSWERED,
    # Lines of a log.
    "connect_timeout_java": NO_CONNECTION,
    "connect_timeout_cpp": NO_CONNECTION,
    "limit_nifty_http": LIMIT._replace(words=("the reader's limit", "16 MiB")),
    "limit_nifty_64m": LIMIT._replace(words=("the reader's limit", "64 MiB")),
    "cql_v2_startup": _words("CQL v2", never=("a SASL OK", "SASL on both sides")),
    "cql_v3_answer": _words("CQL v3 answer"),
    "number_dropped_es": _words("80 01 00 01", "strict binary CALL", "Elasticsearch"),
    "number_dropped_php": _words('"HTTP"', "the start of an HTTP response"),
    "sasl_no_mechanism": _words(
        "nothing was sent", "mechanism", never=("Both sides use SASL", "94 bytes", "host and port")
    ),
    "required_hive": _words("newer than the server", "a driver of that version"),
    "required_go": _words("different versions of the IDL", "Bytes are mixed up"),
    "reset_java": _words("with a reset (RST)"),
    "hs2_eof": _words("closed the connection", "another version", "the server's log"),
    "ruby_no_version": _words("a positive number", "SASL"),
    "fbthrift_header": _words('"asda"', "four characters of text"),
    "envoy_field_type": _words("in the middle of a struct", "out of step"),
    "kitex_eof": CLOSED,
    "php_could_not_read": CLOSED,
    "health_check_sasl": _words("health check", "harmless"),
    "udp_unreachable": _words("nobody listens on that UDP port"),
    "rust_version": _words("82 21", "compact CALL"),
    # .thrift files.
    "ampersand.thrift": READ,
    "const_list_key.thrift": READ,
    "latin1_comment.thrift": READ,
    "namespace_annotation.thrift": READ,
    "namespace-annotation.thrift": READ,
    # Structs with no message around them.
    "struct-whole.parquet": _words("Parquet", "--offset 185 --length 537"),
    "struct-whole.parquet --offset 185 --length 537": _words("struct, 537 bytes, compact"),
    "struct-confluent-prefix.bin": _words("schema", "--offset 5"),
    "struct-confluent-prefix.bin --offset 5": _words("struct, 348 bytes, binary"),
    "struct-tuple.bin": _words("want a struct in one of the protocols"),
}


def test_every_case_has_a_right_answer() -> None:
    assert list(RIGHT) == [case.name for case in ALL]
    for right in RIGHT.values():
        assert set(right.kinds.split()) <= {kind.name for kind in Kind}
        assert right.kinds or right.words


@needs_cases
def test_every_input_is_a_case() -> None:
    inputs = {
        str(path.relative_to(CASES))
        for folder in ("threads", "peers")
        for path in (CASES / folder).rglob("*")
        if path.is_file() and not path.name.startswith("README")
    }
    assert inputs == {case.path for case in ALL} | {case.idl for case in ALL if case.idl}


def _examples() -> list[Any]:
    return [
        pytest.param(
            case,
            id=case.name,
            marks=[pytest.mark.xfail(reason=case.missing, strict=True)] if case.missing else [],
        )
        for case in ALL
    ]


@needs_cases
@pytest.mark.parametrize("case", _examples())
def test_the_answer_is_right(case: Case) -> None:
    right, told = RIGHT[case.name], answer(case)
    assert (told.kinds, told.outcomes) == (right.kinds, right.outcomes), told.text
    for words in right.words:
        assert words.lower() in told.text.lower()
    for words in right.never:
        assert words.lower() not in told.text.lower()


def test_what_was_said_before_is_recorded_for_every_case() -> None:
    assert list(verdicts.recorded()) == [case.name for case in ALL]


@needs_cases
def test_the_page_is_up_to_date() -> None:
    written = (ROOT / "docs/verdicts.md").read_text(encoding="utf-8")
    assert written == verdicts.page(), "run python docs/verdicts.py"


@needs_cases
def test_check_tells_a_page_that_is_out_of_date(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verdicts, "PAGE", tmp_path / "verdicts.md")
    assert verdicts.main(["--check"]) == 1
    assert "python docs/verdicts.py" in capsys.readouterr().err
    assert verdicts.main([]) == 0
    assert verdicts.main(["--check"]) == 0
    with (tmp_path / "verdicts.md").open("a", encoding="utf-8") as page:
        page.write("\n")
    assert verdicts.main(["--check"]) == 1


def test_a_cell_means_nothing_to_markdown() -> None:
    assert verdicts._cell("a|b <c> *d* [e](f) _g_") == (r"a\|b \<c\> \*d\* \[e\](f) \_g\_")
