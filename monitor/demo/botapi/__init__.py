"""A Bot API server of our own, on loopback: it plays Telegram for tests and demonstrations.

    with bot_api(tmp_path) as api:                     # in a thread; process=True: a process of its own
        ana = api.user("Ana")                          # the bot of api.token may write to her at once
        run_bot(token=api.token, base_url=api.base_url, base_file_url=api.base_file_url)
        message = api.write(ana, "/start")             # the bot gets it by getUpdates
        answer = api.wait_message(ana, lambda m: "hola" in m.text)
        api.press(ana, answer, "Sí")                   # a button, by what stands on it or by its data
        api.send(ana, "video", path="x.mp4", caption="c")   # or data=b"...", or size=2 * 10**9
        api.fault("flood", method="sendMessage", retry_after=3, times=2)
        api.fault("drop", method="sendMessage", when="after")   # delivered, but the reply is lost
        api.fault("wait", seconds=10, **{"for": 2})    # all requests of the next 10 s come 2 s late
        api.requests("sendMessage")                    # as received, each with its time and answer
        api.messages(ana)                              # as they stand, each with its history of edits
        api.revoke(); api.revoke(revoked=False)        # 401 from now on; good again

In an async test the calls are short and may stand as they are; those that wait go to a thread:
`await asyncio.to_thread(api.wait_message, ana)`. Faults and what they do: see `faults.py`; README
of methods and limits: `methods/`, `limits.py`. By hand: `python -m monitor.demo.botapi --help`.
"""

from __future__ import annotations

from monitor.demo.botapi.client import BotApi, bot_api
from monitor.demo.botapi.shown import Bot, Shown

__all__ = ["Bot", "BotApi", "Shown", "bot_api"]
