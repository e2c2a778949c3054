"""The Markdown of before MarkdownV2: no nesting, four marks, and an escape for just these."""

from __future__ import annotations

from monitor.demo.botapi.entities import Entity, MarkupError, link, ordered, units


def parse(text: str) -> tuple[str, list[Entity]]:
    out: list[str] = []
    entities: list[Entity] = []
    at = size = 0
    while at < len(text):
        c = text[at]
        if c == "\\" and text[at + 1 : at + 2] in set("_*`["):
            out.append(text[at + 1])
            size += 1
            at += 2
        elif c in "_*`[":
            mark = "```" if text.startswith("```", at) else "]" if c == "[" else c
            begin = at + (1 if c == "[" else len(mark))
            end = text.find(mark, begin)
            if end < 0:
                offset = len(text[:at].encode())
                raise MarkupError(f"Can't find end of the entity starting at byte offset {offset}")
            held = text[begin:end]
            at = end + len(mark)
            entity: Entity | None
            if c == "[":
                url, at = _old_address(text, at, held)
                entity = link(size, units(held), url)
            else:
                type = {"_": "italic", "*": "bold", "`": "code", "```": "pre"}[mark]
                entity = Entity(type, size, units(held))
            if held and entity is not None:
                entities.append(entity)
            out.append(held)
            size += units(held)
        else:
            out.append(c)
            size += units(c)
            at += 1
    return "".join(out), ordered(entities)


def _old_address(text: str, at: int, held: str) -> tuple[str, int]:
    if text[at : at + 1] != "(":
        return held, at
    end = text.find(")", at)
    return (text[at + 1 : end], end + 1) if end >= 0 else (held, at)
