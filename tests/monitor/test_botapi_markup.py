"""What a text may be: parsed, counted and refused as Telegram does."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram.helpers import escape_markdown

from monitor.demo.botapi import html, keyboards, limits, markdown, markdown_old
from monitor.demo.botapi.entities import MarkupError, units
from monitor.demo.botapi.refusal import RefusedError


def shape(text: str, mode: str) -> tuple[str, list[tuple[Any, ...]]]:
    plain, rows = limits.formatted(text, mode, "", 4096, "message")
    keys = ("url", "language", "custom_emoji_id")
    return plain, [
        (r["type"], r["offset"], r["length"], *(r[k] for k in keys if k in r)) for r in rows
    ]


HTML = [
    ("<b>uno</b> dos", "uno dos", [("bold", 0, 3)]),
    ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
    ("🔴 <b>ñ</b>", "🔴 ñ", [("bold", 3, 1)]),
    ("1 &lt; 2 &amp;&amp; &#50; &gt; &quot;1&quot;", '1 < 2 && 2 > "1"', []),
    ("&laquo;x&raquo; &", "&laquo;x&raquo; &", []),
    ("<code>/no</code> /si", "/no /si", [("code", 0, 3), ("bot_command", 4, 3)]),
    ('<pre><code class="language-sh">ls</code></pre>', "ls", [("pre", 0, 2, "sh")]),
    ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
    (
        '<a href="https://a.es/?x=1&amp;y=2">z</a>',
        "z",
        [("text_link", 0, 1, "https://a.es/?x=1&y=2")],
    ),
    ('<a href="javascript:x()">z</a>', "z", []),
    ('<span class="tg-spoiler">x</span>', "x", [("spoiler", 0, 1)]),
    ("  <b>  x  </b>\n", "x", [("bold", 0, 1)]),
    ("<b></b>x", "x", []),
]


@pytest.mark.parametrize(("text", "plain", "entities"), HTML)
def test_html_is_read(text: str, plain: str, entities: list[Any]) -> None:
    assert shape(text, "HTML") == (plain, entities)


V2 = [
    ("*a _b_ c*", "a b c", [("bold", 0, 5), ("italic", 2, 1)]),
    ("__u__ ~s~ ||x||", "u s x", [("underline", 0, 1), ("strikethrough", 2, 1), ("spoiler", 4, 1)]),
    ("`a_b` c\\.", "a_b c.", [("code", 0, 3)]),
    ("```py\nx = 1\n```", "x = 1", [("pre", 0, 5, "py")]),
    ("[t](https://a.es/\\))", "t", [("text_link", 0, 1, "https://a.es/)")]),
    (">una\n>dos\nfuera", "una\ndos\nfuera", [("blockquote", 0, 8)]),
    (">una\n>dos||", "una\ndos", [("expandable_blockquote", 0, 7)]),
    ("![👍](tg://emoji?id=536)", "👍", [("custom_emoji", 0, 2, "536")]),
    ("🟢 *9 min*", "🟢 9 min", [("bold", 3, 5)]),
]


@pytest.mark.parametrize(("text", "plain", "entities"), V2)
def test_markdown_v2_is_read(text: str, plain: str, entities: list[Any]) -> None:
    assert shape(text, "MarkdownV2") == (plain, entities)


WRONG = [
    ("HTML", "<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
    ("HTML", "ñ <x>", 'Unsupported start tag "x" at byte offset 3'),
    ("HTML", "a < b", 'Unsupported start tag "" at byte offset 2'),
    ("HTML", "a <b", "Unclosed start tag at byte offset 2"),
    ("HTML", "<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
    ("HTML", "x</b>", "Unexpected end tag at byte offset 1"),
    ("HTML", "<b>x</b", "Unclosed end tag at byte offset 4"),
    ("HTML", "<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ("MarkdownV2", "v1.2", "Character '.' is reserved and must be escaped with the preceding '\\'"),
    ("MarkdownV2", "a-b", "Character '-' is reserved and must be escaped with the preceding '\\'"),
    ("MarkdownV2", "ñ *x", "Can't find end of Bold entity at byte offset 3"),
    ("MarkdownV2", "`x", "Can't find end of Code entity at byte offset 0"),
    ("MarkdownV2", "[x](y", "Can't find end of a URL at byte offset 4"),
    ("Markdown", "a_b", "Can't find end of the entity starting at byte offset 1"),
]


@pytest.mark.parametrize(("mode", "text", "said"), WRONG)
def test_what_cannot_be_read_is_refused_in_the_servers_words(
    mode: str, text: str, said: str
) -> None:
    with pytest.raises(RefusedError) as raised:
        shape(text, mode)
    assert raised.value.description == f"Bad Request: can't parse entities: {said}"


ALPHABET = st.text(alphabet="ab <>/&;=\"'*_`~|[]()!\\\n>🔴ñ#lt:.")


@settings(deadline=None)
@given(ALPHABET)
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (html.parse, markdown.parse, markdown_old.parse):
        try:
            plain, entities = parse(text)
        except MarkupError:
            continue
        for entity in entities:
            assert 0 <= entity.offset < entity.end <= units(plain)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_an_escaped_text_comes_out_as_it_was(text: str) -> None:
    assert html.parse(escape(text, quote=False))[0] == text
    if not text.startswith(">"):  # the first of a line is escaped as all the others are
        assert markdown.parse(escape_markdown(text, version=2))[0] == text


def test_a_text_is_counted_in_utf_16_units() -> None:
    assert len(shape("🔴" * 2048, "")[0]) == 2048
    with pytest.raises(RefusedError, match="message is too long"):
        shape("🔴" * 2048 + "x", "")
    assert shape("<b>" + "x" * 4096 + "</b>", "HTML")[0] == "x" * 4096


KEYBOARDS = [
    ("{", "can't parse reply keyboard markup JSON object"),
    ("[]", "object expected as reply markup"),
    ('{"inline_keyboard": {}}', 'field "inline_keyboard" must be of type Array'),
    (
        '{"inline_keyboard": [{}]}',
        'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
    ),
    (
        '{"inline_keyboard": [["x"]]}',
        "can't parse inline keyboard button: InlineKeyboardButton must be an Object",
    ),
    (
        '{"inline_keyboard": [[{"text": "x"}]]}',
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ),
    (
        '{"inline_keyboard": [[{"callback_data": "x"}]]}',
        "can't parse inline keyboard button: Can't find field \"text\"",
    ),
    ('{"inline_keyboard": [[{"text": " ", "callback_data": "x"}]]}', "BUTTON_TEXT_INVALID"),
    (
        f'{{"inline_keyboard": [[{{"text": "x", "callback_data": "{"ñ" * 33}"}}]]}}',
        "BUTTON_DATA_INVALID",
    ),
]


@pytest.mark.parametrize(("word", "said"), KEYBOARDS)
def test_a_keyboard_that_is_none_is_refused(word: str, said: str) -> None:
    with pytest.raises(RefusedError) as raised:
        keyboards.markup(word)
    assert raised.value.description == f"Bad Request: {said}"


def test_a_button_may_carry_64_bytes() -> None:
    word = f'{{"inline_keyboard": [[{{"text": "x", "callback_data": "{"ñ" * 32}"}}]]}}'
    assert keyboards.markup(word)
