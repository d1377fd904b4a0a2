"""HTML says what the text says, is safe, small, and reads well without styles."""

from __future__ import annotations

import re
import shutil

import pytest
from making import Talk, message
from pages import Page, squeezed
from views_samples import MESSAGES, call, crowd, field, lesson, odd, string

from pingpong import views
from pingpong.capture import Capture, read_packets
from pingpong.model import Exchange, Message
from pingpong.protocols.explain import explain
from pingpong.views.html import MAX_HTML, ladder_html, message_html
from pingpong.views.ladder import ladder
from pingpong.views.text import plain


@pytest.mark.parametrize("name", MESSAGES)
def test_the_inspector_has_the_cells_of_the_hexdump(name: str) -> None:
    one = MESSAGES[name]
    page = Page(message_html(one))
    text = views.text(one, width=2000)
    lines = [squeezed(line) for line in text.splitlines()]
    at = 0
    for offset, shown, label, meaning in (row for row in page.tables[1][1:] if len(row) == 4):
        start = squeezed(offset + shown[:23] + label)
        while not lines[at].startswith(start):
            at += 1
        assert squeezed(meaning) in "".join(lines[at : at + 12])
        at += 1
    title = text.splitlines()[0]
    assert title in "".join(page.words)
    for finding in one.findings:
        assert finding.text in "".join(page.words)


@pytest.mark.parametrize("name", ["ping", "pong", "add", "framed login", "every type", "lossy"])
def test_every_byte_is_there_twice_and_notes_carry_their_number(name: str) -> None:
    one = MESSAGES[name]
    source = message_html(one)
    page = Page(source)
    left = "".join(row[1] for row in page.tables[0][1:])
    right = "".join(row[1] for row in page.tables[1][1:])
    assert squeezed(left) == squeezed(right)
    assert len(squeezed(left)) == 2 * one.size
    for at in range(len(explain(one))):
        assert f'<tr class="pp-{at}"' in source
        assert f'<span class="pp-{at}"' in source
        assert f".pp-message:has(.pp-{at}:hover) .pp-{at}" in source


@pytest.mark.parametrize("exact", [False, True])
def test_tables_have_the_same_cells_as_the_text(exact: bool) -> None:
    for capture in (lesson(), crowd(60)):
        for thing in (capture.messages, capture.exchanges):
            (table,) = Page(views.html(thing, exact=exact)).tables
            text = views.text(thing, exact=exact, width=500).splitlines()
            del text[1]  # the line below the head
            assert [squeezed("".join(row)) for row in table] == [squeezed(line) for line in text]


@pytest.mark.parametrize("exact", [False, True])
def test_the_ladder_has_the_same_rows_as_the_text(exact: bool) -> None:
    steps = lesson().steps
    (table,) = Page(ladder_html(steps, exact=exact)).tables
    lines = plain(ladder(steps, exact=exact)).splitlines()
    got = [squeezed("".join(row)) for row in table]
    assert got[1:] == [squeezed(line.replace("│", "")) for line in lines[1:]]


def test_a_capture_has_its_ladder_and_its_exchanges() -> None:
    capture = odd()
    page = Page(views.html(capture))
    words = squeezed("".join(page.words))
    assert len(page.tables) == 2
    for row in [*capture.exchanges]:
        assert row.method[:3] in words
    for finding in capture.findings:
        assert squeezed(finding.text)[:60] in words


THINGS = {
    "message": MESSAGES["hostile"],
    "exchanges": odd().exchanges,
    "exchange": odd().exchanges[4],
    "messages": odd().messages,
    "capture": odd(),
    "flow": odd().flows[0],
}


@pytest.mark.parametrize("name", THINGS)
@pytest.mark.parametrize("exact", [False, True])
def test_captured_bytes_stay_text(name: str, exact: bool) -> None:
    source = views.html(THINGS[name], exact=exact)
    Page(source)
    assert source.replace("\n", "").replace("\xa0", " ").isprintable()
    assert "<script" not in source
    assert "<i>" not in source
    assert not re.search(r"\b(id|href|src|onload)=", re.sub(r"&quot;|&lt;[^&]*&gt;", "", source))


def huge() -> list[object]:
    wide = "\x1b\u202e<&\"'" * 300
    many = call(b"m", b"".join(field(11, at, string(wide.encode())) for at in range(400)))
    inner = b"".join(field(11, at, string(wide.encode())) for at in range(20)) + b"\0"
    trees = call(b"t", b"".join(field(12, at, inner) for at in range(30)))
    flood = call(b"<&>" * 60, field(11, 1, string(b"<" * 60)))
    talk = Talk().open()
    for _ in range(900):
        talk.call(flood)
    capture = read_packets(talk.packets)
    return [message(many), capture, capture.messages, Exchange(1, message(trees)), crowd(5000)]


def test_html_stays_small_whatever_it_shows() -> None:
    for thing in [*huge(), *MESSAGES.values()]:
        source = views.html(thing)
        Page(source)
        assert len(source.encode()) < MAX_HTML, repr(thing)[:60]


@pytest.mark.parametrize(
    "thing", huge(), ids=["message", "capture", "messages", "exchange", "calls"]
)
def test_what_is_left_out_is_said(thing: object) -> None:
    assert "not shown" in views.html(thing)


def test_nothing_changes_from_run_to_run() -> None:
    first, second = lesson(50001), lesson(61234)
    assert views.html(first) == views.html(second)
    for one, other in zip(first.messages, second.messages, strict=True):
        assert views.html(one) == views.html(other)
    assert views.html(first, exact=True) != views.html(second, exact=True)


def test_objects_show_themselves() -> None:
    one: Message = MESSAGES["add"]
    capture: Capture = lesson()
    assert one._repr_html_() == views.html(one)
    assert str(capture) == views.text(capture)


def test_hovering_lights_both_ways_and_in_one_message_only() -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    source = views.html(MESSAGES["add"]) + views.html(MESSAGES["add"])
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_api.sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=chromium, args=flags).new_page()
        page.set_content(source)

        def lit() -> list[bool]:
            """The first message's byte and row of note 4, then the second's."""
            found = page.evaluate(
                """[...document.querySelectorAll(".pp-4")]
                    .map(one => getComputedStyle(one).outlineStyle == "solid")"""
            )
            assert isinstance(found, list)
            return found

        assert lit() == [False, False, False, False]
        page.locator("span.pp-4").first.hover()
        assert lit() == [True, True, False, False]
        page.locator("tr.pp-4").last.hover()
        assert lit() == [False, False, True, True]
