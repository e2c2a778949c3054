"""How a bot hears of things, and how it answers a pressed button."""

from __future__ import annotations

import time

from monitor.demo.botapi.call import Call
from monitor.demo.botapi.entities import units
from monitor.demo.botapi.limits import ANSWER
from monitor.demo.botapi.presses import TOO_LATE
from monitor.demo.botapi.refusal import TOO_OLD, WEBHOOK_ACTIVE, bad, conflict
from monitor.demo.botapi.rows import Row

LONGEST_POLL = 50


async def get_updates(call: Call) -> list[Row]:
    """The real server lengthens a poll that repeats its offset within 3 s; ours does not."""
    if call.bot["webhook"]:
        raise conflict(WEBHOOK_ACTIVE)
    _allow(call)
    offset = call.number("offset")
    limit = call.number("limit", 100, 1, 100)
    timeout = call.number("timeout", 0, 0, LONGEST_POLL)
    return await call.world.updates.poll(call.bot["id"], offset, limit, timeout)


def _allow(call: Call) -> None:
    """The kinds wanted from now on; without the word it stays as it was said last."""
    if not call.word("allowed_updates"):
        return
    kinds = call.json("allowed_updates", "allowed_updates")
    if not isinstance(kinds, list):
        raise bad("expected an Array of String as allowed_updates")
    wanted = [kind for kind in kinds if isinstance(kind, str)] or None
    if wanted != call.bot["allowed"]:
        call.world.bots.change(call.bot["token"], allowed=wanted)


def set_webhook(call: Call) -> bool:
    url = call.word("url")
    if not url:
        return delete_webhook(call)
    if not url.startswith("https://") and not call.world.local:
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    _allow(call)
    call.world.updates.interrupt(call.bot["id"], "terminated by setWebhook request")
    _forget(call)
    call.world.bots.change(call.bot["token"], webhook={"url": url})
    return True


def delete_webhook(call: Call) -> bool:
    _forget(call)
    call.world.bots.change(call.bot["token"], webhook={})
    return True


def _forget(call: Call) -> None:
    if call.flag("drop_pending_updates"):
        call.world.updates.forget(call.bot["id"])


def get_webhook_info(call: Call) -> Row:
    info: Row = {
        "url": call.bot["webhook"].get("url", ""),
        "has_custom_certificate": False,
        "pending_update_count": len(call.world.updates.pending(call.bot["id"])),
    }
    return info | ({"allowed_updates": call.bot["allowed"]} if call.bot["allowed"] else {})


def answer_callback_query(call: Call) -> bool:
    press = call.world.presses.find(call.word("callback_query_id"))
    late = press is None or press["bot"] != call.bot["id"] or press["answer"] is not None
    if late or press is None or time.time() - press["at"] > TOO_LATE:
        raise bad(TOO_OLD)
    text = call.word("text")
    if units(text) > ANSWER:
        raise bad("MESSAGE_TOO_LONG")
    answer = {"text": text, "show_alert": call.flag("show_alert"), "url": call.word("url")}
    call.world.presses.answer(press, answer)
    return True
