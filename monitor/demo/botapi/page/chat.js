"use strict";
// Whatever was written in a chat is only ever text here: nothing of it is read as markup.
(() => {
  const at = (id) => document.getElementById(id);
  const make = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const asked = new URLSearchParams(location.search); // ?chat=…&bot=…&user=…&still
  let state = { bots: [], users: [], groups: [] };
  let rows = new Map();
  let revision = 0;
  let shownChat = "";
  const told = new Set();
  let first = true;

  const get = async (path) => {
    const answer = await fetch(path, { cache: "no-store" });
    if (!answer.ok) throw new Error((await answer.json()).error);
    return answer.json();
  };
  const post = async (name, words, file) => {
    let body = JSON.stringify(words);
    const headers = { "Content-Type": "application/json" };
    if (file) {
      body = new FormData();
      for (const [key, word] of Object.entries(words)) body.append(key, word);
      body.append("file", file, file.name);
      delete headers["Content-Type"];
    }
    const answer = await fetch(`/control/${name}`, { method: "POST", body, headers });
    if (!answer.ok) toast((await answer.json()).error);
  };

  let hiding = 0;
  const toast = (text) => {
    at("toast").textContent = text;
    at("toast").hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => { at("toast").hidden = true; }, 4000);
  };

  // --- what stands in the lists ------------------------------------------------------------------

  const fill = (select, options, wanted) => {
    const key = JSON.stringify(options);
    if (select.dataset.key === key) return;
    const chosen = select.value || wanted;
    select.dataset.key = key;
    select.replaceChildren(...options.map(([value, text]) => {
      const option = make("option", "", text);
      option.value = value;
      return option;
    }));
    if (options.some(([value]) => value === chosen)) select.value = chosen;
  };

  const lists = () => {
    const people = state.users.map(({ user }) => user);
    fill(at("user"), people.map((u) => [String(u.id), u.first_name]), asked.get("user"));
    const me = at("user").value;
    const name = (bot) => bot.name + (bot.revoked ? " ⛔" : "");
    const privates = state.bots.map((bot) => [`${me}/${bot.id}`, name(bot)]);
    const groups = state.groups.filter((g) => !g.to).map(({ chat }) => [`${chat.id}/0`, chat.title]);
    const wanted = asked.get("chat") ? `${asked.get("chat")}/${asked.get("bot") || 0}` : "";
    const options = me ? [...privates, ...groups] : groups;
    fill(at("chat"), options, options.some(([v]) => v === wanted) ? wanted : options[0] && options[0][0]);
  };

  const place = () => {
    const [chat, bot] = (at("chat").value || "0/0").split("/").map(Number);
    const me = Number(at("user").value);
    const said = at("chat").selectedOptions[0];
    return { chat: bot ? me : chat, bot, me, title: said ? said.textContent : "" };
  };

  // --- a message ---------------------------------------------------------------------------------

  const TAGS = {
    bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
    blockquote: "blockquote", expandable_blockquote: "blockquote", spoiler: "span",
    text_link: "a", url: "a", email: "a", mention: "a", hashtag: "a", bot_command: "a", text_mention: "a",
  };

  const EDITED = /^es/i.test(navigator.language || "") ? "editado " : "edited ";
  const BLOCKS = new Set(["PRE", "BLOCKQUOTE"]);

  const marked = (entity, text) => {
    const made = make(TAGS[entity.type] || "span");
    if (entity.type === "text_link" || entity.type === "url") {
      const address = entity.url || text;
      if (/^https?:\/\//i.test(address)) {
        made.href = address;
        made.target = "_blank";
        made.rel = "noopener noreferrer";
        made.title = address;
      }
    } else if (entity.type === "spoiler") {
      made.className = "spoiler";
      made.addEventListener("click", () => made.classList.add("open"));
    } else if (entity.type === "expandable_blockquote") {
      made.className = "folded";
      made.addEventListener("click", () => made.classList.toggle("folded"));
    }
    return made;
  };

  // Entities nest; JavaScript counts in UTF-16 units, as Telegram does.
  const dressed = (into, text, entities, from, to) => {
    let place = from;
    for (let i = 0; i < entities.length; i += 1) {
      const entity = entities[i];
      const start = entity.offset;
      const end = Math.min(start + entity.length, to);
      if (start < place || end <= start || start >= to) continue;
      into.append(text.slice(place, start));
      const made = marked(entity, text.slice(start, end));
      dressed(made, text, entities.slice(i + 1).filter((e) => e.offset < end), start, end);
      into.append(made);
      place = end;
      if (BLOCKS.has(made.tagName) && text[place] === "\n") place += 1; // a block ends its line itself
    }
    into.append(text.slice(place, to));
    return into;
  };

  const size = (bytes) => {
    const units = ["B", "KB", "MB", "GB"];
    let unit = 0;
    for (; bytes >= 1000 && unit < 3; unit += 1) bytes /= 1000;
    return `${bytes.toFixed(unit && bytes < 10 ? 1 : 0)} ${units[unit]}`;
  };
  const length = (s) => `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
  const SIGNS = { video: "▶", animation: "▶", audio: "♫", voice: "🎤", document: "🗎" };

  const attached = (message) => {
    const address = (file) => `/control/file/${encodeURIComponent(file.file_unique_id)}`;
    if (message.photo) {
      const photo = message.photo[message.photo.length - 1];
      const image = make("img");
      image.src = address(photo);
      image.alt = "📷";
      image.width = photo.width; // both keep its place before it has come
      image.height = photo.height;
      return image;
    }
    const kind = Object.keys(SIGNS).find((name) => message[name]);
    if (!kind) return null;
    const file = message[kind];
    const made = make("a", "file");
    made.href = address(file);
    made.download = file.file_name || kind;
    const about = make("span", "about");
    about.append(make("span", "", file.file_name || kind));
    const more = file.duration ? ` · ${length(file.duration)}` : "";
    about.append(make("span", "", size(file.file_size || 0) + more));
    made.append(make("span", "sign", SIGNS[kind]), about);
    return made;
  };

  const keyboard = (row) => {
    const lines = ((row.message.reply_markup || {}).inline_keyboard) || [];
    if (!lines.length) return null;
    const keys = make("div", "keys");
    for (const line of lines) {
      const made = make("div");
      for (const key of line) {
        const button = make("button", "", key.text + (key.url ? " ↗" : ""));
        button.type = "button";
        button.addEventListener("click", () => pressed(row, key));
        made.append(button);
      }
      keys.append(made);
    }
    return keys;
  };

  const pressed = (row, key) => {
    const { me, bot, chat } = place();
    if (key.callback_data) {
      post("press", { user: me, chat, bot: bot || row.by, message_id: row.message.message_id,
        button: key.callback_data });
    } else if (/^https?:\/\//i.test(key.url || "")) {
      window.open(key.url, "_blank", "noopener,noreferrer");
    }
  };

  const service = (message) => {
    if (message.pinned_message) return "📌";
    if (message.migrate_to_chat_id) return "→ supergroup";
    return message.migrate_from_chat_id ? "supergroup" : null;
  };

  const drawn = (row, me, privately, changed) => {
    const { message } = row;
    const note = service(message);
    if (note) return make("article", "service", note);
    const mine = row.by === me && !message.sender_chat;
    const made = make("article", (mine ? "mine" : "") + (changed ? " changed" : ""));
    made.dataset.message = message.message_id;
    const bubble = make("div", "bubble");
    const author = message.sender_chat ? message.sender_chat.title : (message.from || {}).first_name;
    if (!privately && !mine) bubble.append(make("div", "name", author));
    if (message.reply_to_message) {
      const { text, caption } = message.reply_to_message;
      bubble.append(make("div", "reply", text || caption || "📎"));
    }
    const file = attached(message);
    if (file) bubble.append(file);
    const text = message.text || message.caption || "";
    const entities = message.entities || message.caption_entities || [];
    if (text) bubble.append(dressed(make("span", "text"), text, entities, 0, text.length));
    const hour = new Date((message.edit_date || message.date) * 1000)
      .toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    bubble.append(make("span", "stamp", (message.edit_date ? EDITED : "") + hour));
    made.append(bubble);
    const keys = keyboard(row);
    if (keys) made.append(keys);
    return made;
  };

  // --- the whole chat ----------------------------------------------------------------------------

  const nodes = new Map();

  const draw = (came) => {
    const { chat, bot, me, title } = place();
    const list = at("messages");
    const key = `${chat}/${bot}/${me}`;
    const low = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    if (key !== shownChat) {
      nodes.clear();
      list.replaceChildren();
      shownChat = key;
      came = [...rows.values()];
    }
    at("face").textContent = title.slice(0, 1).toUpperCase();
    at("standing").textContent = bot ? "bot" : ((state.groups.find((g) => g.chat.id === chat) || {}).chat || {}).type || "";
    const room = bot ? `${bot}/${chat}` : String(chat);
    const here = came.filter((row) => row.room === room);
    for (const row of here) put(list, row, me, Boolean(bot));
    if (!list.children.length) list.append(make("div", "empty", "—"));
    if (here.length && (low || nodes.size === here.length)) list.scrollTop = list.scrollHeight;
  };

  const put = (list, row, me, privately) => {
    const number = row.message.message_id;
    const old = nodes.get(number);
    if (row.deleted) {
      if (old) old.remove();
      nodes.delete(number);
      return;
    }
    const node = drawn(row, me, privately, Boolean(old));
    nodes.set(number, node);
    if (old) {
      old.replaceWith(node);
      return;
    }
    const empty = list.querySelector(".empty");
    if (empty) empty.remove();
    const day = new Date(row.message.date * 1000).toLocaleDateString([], { day: "numeric", month: "long" });
    if (list.dataset.day !== day || !list.children.length) list.append(make("div", "day", day));
    list.dataset.day = day;
    list.append(node);
  };

  const answers = async () => {
    for (const press of await get("/control/presses")) {
      if (!press.answer || told.has(press.query.id)) continue;
      told.add(press.query.id);
      if (!first && press.answer.text && press.query.from.id === place().me) toast(press.answer.text);
    }
    first = false;
  };

  const look = async () => {
    state = await get("/control/state");
    lists();
    let came = [];
    if (state.revision < revision) { // another server than before
      rows = new Map();
      revision = 0;
      shownChat = "";
    }
    if (state.revision > revision) {
      came = await get(`/control/messages?since=${revision}`);
      for (const row of came) {
        rows.set(`${row.room}:${row.message.message_id}`, row);
        revision = Math.max(revision, row.revision);
      }
    }
    draw(came);
    await answers();
    document.body.dataset.ready = "yes";
  };

  const watch = async () => {
    try {
      await look();
      document.body.classList.remove("away");
    } catch (error) {
      at("standing").textContent = "…";
    }
    if (!asked.has("still")) setTimeout(watch, document.hidden ? 3000 : 500);
  };

  // --- what the person does ----------------------------------------------------------------------

  at("chat").addEventListener("change", () => draw([]));
  at("user").addEventListener("change", () => { lists(); draw([]); });
  at("write").addEventListener("submit", (event) => {
    event.preventDefault();
    const { chat, bot, me } = place();
    const text = at("text").value;
    const [file] = at("file").files;
    at("text").value = "";
    at("file").value = "";
    at("text").placeholder = "Mensaje / Message";
    const words = { user: me, chat, bot };
    if (file) {
      const kind = /^image\/(png|jpeg|gif)$/.test(file.type) ? "photo"
        : /^video\//.test(file.type) ? "video" : "document";
      post("send", { ...words, kind, caption: text }, file);
    } else if (text.trim()) {
      post("write", { ...words, text });
    }
  });
  at("file").addEventListener("change", () => {
    const [file] = at("file").files;
    at("text").placeholder = file ? `📎 ${file.name}` : "Mensaje / Message";
    at("text").focus();
  });

  watch();
})();
