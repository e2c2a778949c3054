"""Where alerts go, from the settings; what is missing is said in one line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor.config import Config
from monitor.redact import HIDDEN, redact
from monitor.settings import Fault, SettingsError
from monitor.tell.hours import HoursError, check_zone, digest_at, span_of

_TOKEN = re.compile(r"\d{6,12}:[A-Za-z0-9_-]{30,}")


@dataclass(frozen=True, slots=True)
class Channels:
    """What the sending process is given, and the chats; `off` says why Telegram is not among them."""

    token: str = ""
    base_url: str = ""  # of a Bot API server of one's own
    chats: tuple[str, ...] = ()
    webhook: str = ""
    apprise: tuple[str, ...] = ()
    shared: bool = False  # two tokens, but of the same bot: then nobody may listen but the child
    remote: bool = False  # that token is the monitor's own: nobody else listens with it
    off: str = ""  # the kind of sentence that says what is missing
    secrets: tuple[str, ...] = ()  # never to be seen in any text

    @property
    def who(self) -> dict[str, str]:
        """What the sending process is told at its start."""
        return {"token": self.token, "base_url": self.base_url}

    @property
    def bot(self) -> str:
        """Its number; what updates are counted by."""
        return self.token.partition(":")[0]

    def hidden(self, text: str) -> str:
        """Without our own secrets, whatever their form."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return text

    @property
    def lanes(self) -> tuple[str, ...]:
        lanes = [f"telegram:{chat}" for chat in self.chats]
        lanes += ["webhook:0"] if self.webhook else []
        return (*lanes, *(f"apprise:{number}" for number in range(len(self.apprise))))


def channels_of(config: Config) -> Channels:
    """Raises SettingsError with all that is wrong in the settings of alerts."""
    faults = faults_of(config)
    known = config.secrets
    name = "MONITOR_TELEGRAM_TOKEN" if known.get("MONITOR_TELEGRAM_TOKEN") else "TELEGRAM_TOKEN"
    token = known.get(name, "").strip()
    chats = _chats(known.get("ADMIN_ID", ""), str(config.home / ".env"), faults)
    base = (config.bot_api or "").rstrip("/")
    if base and not base.startswith(("http://", "https://")):
        what = "TELEGRAM_BOT_API_LOCAL_URL must be a URL like http://127.0.0.1:8081"
        faults.append(Fault(str(config.home / ".env"), None, what))
    if faults:
        raise SettingsError(tuple(faults))
    own = name == "MONITOR_TELEGRAM_TOKEN"
    shared = token == known.get("TELEGRAM_TOKEN", "").strip()
    off = ""
    if not token:
        off = "alerts_need_token"
    elif not _TOKEN.fullmatch(token):
        off = "alerts_token_malformed"
    elif not chats:
        off = "alerts_need_admin"
    return Channels(
        token="" if off else token,
        base_url=base,
        chats=() if off else chats,
        webhook=config.alerts.webhook,
        apprise=config.alerts.apprise,
        remote=not off and own and not shared,
        shared=own and shared,
        off=off,
        secrets=tuple(v for k, v in known.items() if _is_secret(k) and len(v) >= 8),
    )


def _is_secret(name: str) -> bool:
    return any(word in name for word in ("TOKEN", "KEY", "SECRET", "PASSWORD", "HASH"))


def _chats(raw: str, file: str, faults: list[Fault]) -> tuple[str, ...]:
    """Numbers, several separated by commas; of groups and channels they are negative."""
    chats = [part.strip() for part in raw.split(",") if part.strip()]
    wrong = [chat for chat in chats if not re.fullmatch(r"-?\d{1,20}", chat) or int(chat) == 0]
    if wrong:
        shown = ", ".join(f'"{redact(chat)[:40]}"' for chat in wrong)
        what = f"ADMIN_ID must be numeric Telegram ids separated by commas, not {shown}"
        faults.append(Fault(file, None, f"{what}; your own id: write to @userinfobot"))
    return tuple(dict.fromkeys(chats))


def faults_of(config: Config) -> list[Fault]:
    """What is wrong in `[alerts]` beyond the kinds of its values."""
    alerts, found = config.alerts, []
    for key, check in (("quiet", span_of), ("zone", check_zone), ("digest", digest_at)):
        try:
            check(getattr(alerts, key))
        except HoursError as wrong:
            found.append(f"alerts.{key}: {wrong}")
    if alerts.webhook and not alerts.webhook.startswith(("http://", "https://")):
        found.append("alerts.webhook: must be a URL that begins with http:// or https://")
    if any("://" not in url for url in alerts.apprise):
        found.append("alerts.apprise: must be Apprise URLs like mailto://…")
    return [Fault(str(config.home / "vigia.toml"), None, what) for what in found]
