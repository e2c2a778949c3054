"""Who is in and who is out: bots that are blocked or thrown out, groups that become another one."""

from __future__ import annotations

import time

from monitor.demo.botapi.body import Said
from monitor.demo.botapi.orders import OrderError, the_bot, whole
from monitor.demo.botapi.people import Place
from monitor.demo.botapi.rows import Row
from monitor.demo.botapi.world import World, hear, room_of


def block(world: World, said: Said) -> bool:
    """The user shuts the bot out, or lets it in again; the bot is told."""
    user, blocked = whole(said, "user"), said.words.get("blocked", "true") == "true"
    bot = the_bot(world, said)
    world.chats.block(bot["id"], user, blocked)
    row = world.chats.user(user)
    place = room_of(world, user, bot["id"])
    if row is not None and place is not None:
        was, is_now = ("member", "kicked") if blocked else ("kicked", "member")
        _standing(world, bot, place, row["user"], was, is_now)
    return True


def move(world: World, said: Said) -> bool:
    """A bot's standing in a group or channel becomes another one."""
    group = world.chats.group(whole(said, "chat"))
    if group is None:
        raise OrderError("there is no such group or channel")
    bot, status = the_bot(world, said), said.words.get("status", "member")
    was = group["bots"].get(str(bot["id"]), "left")
    world.chats.save(group | {"bots": group["bots"] | {str(bot["id"]): status}})
    place = Place(str(group["chat"]["id"]), group["chat"])
    person = next((u["user"] for u in world.chats.users()), None)
    if person is not None:
        _standing(world, bot, place, person, was, status)
    return True


def migrate(world: World, said: Said) -> Row:
    number = whole(said, "chat")
    old = world.chats.group(number)
    if old is None or old["chat"]["type"] != "group":
        raise OrderError("only a group becomes a supergroup")
    fresh = world.chats.migrate(number)
    person: Row = next((u["user"] for u in world.chats.users()), {})
    before, after = Place(str(number), old["chat"]), Place(str(fresh["chat"]["id"]), fresh["chat"])
    hear(world, before, person, {"migrate_to_chat_id": fresh["chat"]["id"]})
    hear(world, after, person, {"migrate_from_chat_id": number})
    return fresh


def _standing(world: World, bot: Row, place: Place, by: Row, was: str, is_now: str) -> None:
    from_to = {"old_chat_member": _member(bot, was), "new_chat_member": _member(bot, is_now)}
    change = {"chat": place.chat, "from": by, "date": int(time.time())} | from_to
    world.updates.add(bot, "my_chat_member", change)


def _member(bot: Row, status: str) -> Row:
    user = {"id": bot["id"], "is_bot": True, "first_name": bot["name"], "username": bot["name"]}
    member: Row = {"user": user, "status": status}
    if status == "kicked":
        member["until_date"] = 0
    if status == "administrator":
        rights = (
            *("be_edited", "manage_chat", "delete_messages", "manage_video_chats"),
            *("restrict_members", "promote_members", "change_info", "invite_users"),
            *("post_stories", "edit_stories", "delete_stories", "pin_messages"),
            *("post_messages", "edit_messages", "send_welcome_messages"),
        )
        member |= {f"can_{right}": True for right in rights} | {"is_anonymous": False}
    return member
