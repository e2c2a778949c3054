"""What each finding means, and the command that mends it, in Spanish and in English."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from monitor.texts.reasons import facts_in_spanish


class Words(NamedTuple):
    """The mending word is a command for a shell where one does it, else a sentence."""

    es: str
    en: str
    mend_es: str = ""
    mend_en: str = ""


_IN_A_SHELL = ("path", "home", "python", "user", "name", "meant", "server")
_INSTALL = "{python} -m pip install {names}"
_ENGINE = "{python} -m pip install hyperscan google-re2"

WORDS: dict[str, Words] = {
    # --- the machine ---
    "python": Words("Python {version}", "Python {version}"),
    "python_old": Words(
        "Python {version} es demasiado viejo: hace falta 3.11 o más nuevo",
        "Python {version} is too old: 3.11 or newer is needed",
        "sudo apt install python3.11",
    ),
    "packages": Words("paquetes instalados", "packages installed"),
    "packages_missing": Words(
        "faltan paquetes: {names}", "packages are missing: {names}", _INSTALL
    ),
    "no_engine": Words(
        "no hay motor para las reglas (hyperscan o google-re2)",
        "there is no engine for the rules (hyperscan or google-re2)",
        _ENGINE,
    ),
    "slow_engine": Words(
        "reglas con RE2; con hyperscan van al doble de velocidad",
        "rules run on RE2; with hyperscan they run twice as fast",
        _ENGINE,
    ),
    "few_files": Words(
        "solo se pueden abrir {count} archivos a la vez",
        "only {count} files may be open at once",
        "ulimit -n 65536",
    ),
    "inotify": Words(
        "inotify: {watches} vigilancias, {free} instancias libres",
        "inotify: {watches} watches, {free} instances free",
    ),
    "few_watches": Words(
        "inotify solo deja vigilar {count} cosas: se seguirá mirando cada segundo",
        "inotify lets only {count} things be watched: logs are looked at every second instead",
        "sudo sysctl -w fs.inotify.max_user_watches=65536",
    ),
    "few_instances": Words(
        "quedan {free} de {count} instancias de inotify",
        "{free} of {count} inotify instances are left",
        "sudo sysctl -w fs.inotify.max_user_instances=512",
    ),
    "clock": Words("el reloj parece correcto", "the clock looks right"),
    "clock_behind": Words(
        "el reloj está atrasado ({now}): TLS fallará y los registros mentirán",
        "the clock is behind ({now}): TLS will fail and records will lie",
        "sudo timedatectl set-ntp true",
    ),
    "clock_free": Words(
        "nadie ajusta el reloj (sin NTP)",
        "nobody keeps the clock (no NTP)",
        "sudo timedatectl set-ntp true",
    ),
    "clock_skewed": Words(
        "el reloj difiere {seconds} s del de Telegram",
        "the clock is {seconds} s away from Telegram's",
        "sudo timedatectl set-ntp true",
    ),
    "ffmpeg": Words("ffmpeg y ffprobe", "ffmpeg and ffprobe"),
    "ffmpeg_missing": Words(
        "sin ffmpeg: los vídeos se comprueban con menos detalle",
        "no ffmpeg: videos are checked less deeply",
        "sudo apt install ffmpeg",
    ),
    "tesseract": Words("tesseract con español e inglés", "tesseract with Spanish and English"),
    "tesseract_missing": Words(
        "sin tesseract: no se lee texto de imágenes",
        "no tesseract: text in images is not read",
        "sudo apt install tesseract-ocr tesseract-ocr-spa",
    ),
    "tesseract_language": Words(
        "tesseract no tiene el idioma {names}",
        "tesseract lacks the language {names}",
        "sudo apt install {packages}",
    ),
    # --- the home ---
    "settings": Words("configuración válida", "settings are valid"),
    "settings_wrong": Words("{why}", "{why}", "edita esa línea", "edit that line"),
    "folder": Words("{path} se puede escribir", "{path} can be written"),
    "folder_missing": Words(
        "falta la carpeta {path}", "the folder {path} is missing", "mkdir -p {path}"
    ),
    "folder_taken": Words(
        "{path} no es una carpeta",
        "{path} is not a folder",
        "mv {path} {path}.old && mkdir {path}",
    ),
    "folder_closed": Words(
        "{user} no puede escribir en {root}: {why}",
        "{user} cannot write in {root}: {why}",
        "sudo chown {user} {path} && sudo chmod u+rwx {path}",
    ),
    "root_unusable": Words(
        "una carpeta de `roots` no sirve: {why}",
        "a folder of `roots` cannot be used: {why}",
        "cambia `roots` en vigia.toml",
        "change `roots` in vigia.toml",
    ),
    "room": Words("{free} libres en el disco", "{free} free on the disk"),
    "room_low": Words(
        "queda poco disco: {why}",
        "the disk is getting full: {why}",
        "du -xh --max-depth=2 {home} | sort -h | tail",
    ),
    "room_critical": Words(
        "el disco está lleno: {why}",
        "the disk is full: {why}",
        "du -xh --max-depth=2 {home} | sort -h | tail",
    ),
    "room_unknown": Words(
        "no se puede saber el espacio: {why}",
        "the room cannot be told: {why}",
        "ls -ld {home}",
    ),
    "rules": Words("{count} reglas válidas", "{count} rules are valid"),
    "rules_wrong": Words("{why}", "{why}", "vigia rules check"),
    "child": Words("{name}: {command}", "{name}: {command}"),
    "child_program": Words(
        "{name}: no se encuentra el programa {program}",
        "{name}: the program {program} is not found",
        "instálalo o corrige children.{name}.command en vigia.toml",
        "install it, or mend children.{name}.command in vigia.toml",
    ),
    "child_directory": Words(
        "{name}: no existe su carpeta {path}",
        "{name}: its folder {path} is not there",
        "mkdir -p {path}",
    ),
    "child_user": Words(
        "{name}: no existe el usuario {user}",
        "{name}: there is no user {user}",
        "sudo useradd --system {user}",
    ),
    "child_user_not_ours": Words(
        "{name}: solo root puede arrancarlo como {user}",
        "{name}: only root can start it as {user}",
        "quita children.{name}.user o arranca el monitor como root",
        "remove children.{name}.user or start the monitor as root",
    ),
    "child_ready": Words("{name}: {says}", "{name}: {says}"),
    "child_note": Words("{name}: {says}", "{name}: {says}", "{mend}"),
    "child_cannot_say": Words(
        "{name}: su propia comprobación falló: {why}",
        "{name}: its own check failed: {why}",
        "{command}",
    ),
    "monitor_down": Words(
        "el monitor no está en marcha", "the monitor is not running", "vigia run --home {home}"
    ),
    "monitor_up": Words("el monitor está en marcha (pid {pid})", "the monitor runs (pid {pid})"),
    "monitor_deaf": Words(
        "el pid {pid} tiene esta carpeta pero no contesta",
        "pid {pid} holds this home but does not answer",
        "kill {pid}",
    ),
    "we_are_root": Words(
        "somos root: no hace falta ayuda para los permisos",
        "we are root: no help is needed for permissions",
    ),
    "root_helper": Words(
        "el ayudante de root está permitido por sudo", "sudo allows the root helper"
    ),
    "root_helper_missing": Words(
        "sin el ayudante de root: lo que es de otro usuario no se repara solo",
        "no root helper: what belongs to another user is not repaired by itself",
        "sudo scripts/install_service.sh --apply --only sudo",
    ),
    # --- .env ---
    "env": Words("{path} solo lo lee su dueño", "{path} is read by its owner only"),
    "env_missing": Words(
        "no hay {path}: todo funciona, sin Telegram",
        "there is no {path}: all works, without Telegram",
        "cp .env.example {path}",
    ),
    "env_unreadable": Words(
        "{path} no se puede leer: {why}",
        "{path} cannot be read: {why}",
        "sudo chown $(id -un) {path}",
    ),
    "env_open": Words(
        "{path} lo pueden leer otros (modo {mode}) y guarda tokens",
        "{path} can be read by others (mode {mode}) and holds tokens",
        "chmod 600 {path}",
    ),
    "key_misspelt": Words(
        "{path}:{line}: {name} no lo lee nadie; ¿será {meant}?",
        "{path}:{line}: nobody reads {name}; is {meant} meant?",
        "sed -i '{line}s/{name}/{meant}/' {path}",
    ),
    "telegram_token_off": Words(
        "sin TELEGRAM_TOKEN: ni bot ni avisos",
        "no TELEGRAM_TOKEN: no bot and no alerts",
        "pide un token a @BotFather y ponlo en .env",
        "get a token from @BotFather and put it into .env",
    ),
    "monitor_telegram_token_off": Words(
        "sin MONITOR_TELEGRAM_TOKEN: no hay mando a distancia",
        "no MONITOR_TELEGRAM_TOKEN: no remote control",
        "pide un segundo token a @BotFather y ponlo en .env",
        "get a second token from @BotFather and put it into .env",
    ),
    "token_form": Words(
        "{name} no tiene la forma de un token (123456789:AA…)",
        "{name} does not look like a token (123456789:AA…)",
        "cópialo de nuevo de @BotFather, sin comillas ni espacios",
        "copy it again from @BotFather, without quotes or spaces",
    ),
    "token_twice": Words(
        "TELEGRAM_TOKEN y MONITOR_TELEGRAM_TOKEN son el mismo: se quitarían los mensajes",
        "TELEGRAM_TOKEN and MONITOR_TELEGRAM_TOKEN are the same: they would take each other's messages",
        "pide otro token a @BotFather para el monitor",
        "get another token from @BotFather for the monitor",
    ),
    "token_elsewhere": Words(
        "otro programa usa {name} en esta máquina (pid {pids}): dos no pueden leer del mismo bot",
        "another program here has {name} (pid {pids}): two cannot read from one bot",
        "kill {pids}",
    ),
    "token": Words("{name}: @{bot}", "{name}: @{bot}"),
    "token_refused": Words(
        "Telegram no acepta {name}: {why}",
        "Telegram refuses {name}: {why}",
        "renueva el token con @BotFather (/token) y ponlo en .env",
        "renew the token with @BotFather (/token) and put it into .env",
    ),
    "token_unclear": Words(
        "{name}: Telegram contesta {why}",
        "{name}: Telegram answers {why}",
        "vigia check",
    ),
    "server_silent": Words(
        "{name}: {server} no contesta: {why}",
        "{name}: {server} does not answer: {why}",
        "curl -sS -m 5 {server}",
    ),
    "nobody_asked": Words(
        "no se pudo preguntar a {server}", "{server} could not be asked", "vigia check --offline"
    ),
    "webhook_set": Words(
        "{name} tiene un webhook: así no le llegan mensajes a quien pregunta",
        "{name} has a webhook: who asks for messages gets none",
        'curl "https://api.telegram.org/bot${name}/deleteWebhook"',
    ),
    "admin": Words("ADMIN_ID {id} alcanzable", "ADMIN_ID {id} can be reached"),
    "admin_off": Words(
        "sin ADMIN_ID: nadie recibe los avisos",
        "no ADMIN_ID: nobody gets the alerts",
        "pregunta tu número a @userinfobot y ponlo en .env: ADMIN_ID=123456789",
        "ask @userinfobot for your number and put it into .env: ADMIN_ID=123456789",
    ),
    "admin_form": Words(
        "ADMIN_ID {id} no es un número",
        "ADMIN_ID {id} is no number",
        "pregunta tu número a @userinfobot",
        "ask @userinfobot for your number",
    ),
    "admin_unreachable": Words(
        "el bot no puede escribir a ADMIN_ID {id}: {why}",
        "the bot cannot write to ADMIN_ID {id}: {why}",
        "abre el bot en Telegram y pulsa Iniciar (/start)",
        "open the bot in Telegram and press Start (/start)",
    ),
    "local_server": Words("el servidor {server} contesta", "the server {server} answers"),
    "local_server_down": Words(
        "el servidor Bot API local {server} no contesta: {why}",
        "the local Bot API server {server} does not answer: {why}",
        "scripts/start_local_bot_api.sh",
    ),
    # --- what was mended by --fix ---
    "mended": Words("arreglado: {what}", "mended: {what}"),
}


def said(kind: str, lang: str, facts: dict[str, str]) -> tuple[str, str]:
    """The sentence and what mends it, ready for a shell; facts are data, never read as a pattern."""
    words = WORDS[kind]
    spanish = lang == "es"
    mend = words.mend_es if spanish or not words.mend_en else words.mend_en
    shell = {name: shlex.quote(v) if name in _IN_A_SHELL else v for name, v in facts.items()}
    says = words.es.format_map(facts_in_spanish(facts)) if spanish else words.en.format_map(facts)
    return says, mend.format_map(shell)
