#!/bin/sh
# A Bot API server of your own, in Docker: files up to 2 GB instead of 20 MB.
set -eu

usage() {
    cat <<'TEXT'
Usage: scripts/start_local_bot_api.sh [start|stop|status] [--home DIR]

start   (the default) runs the server on 127.0.0.1:8081 and waits until it answers
stop    ends it; its files stay
status  says whether it runs and answers; exit code 0 when it does

API_ID and API_HASH come from .env of the home (or the environment); get them at https://my.telegram.org.
Files are kept in HOME/data/telegram-bot-api, owned by whoever owns the home. Then put into .env:
    USE_LOCAL_BOT_API=1
    TELEGRAM_BOT_API_LOCAL_URL=http://127.0.0.1:8081
    TELEGRAM_BOT_API_FILES=/var/lib/telegram-bot-api=HOME/data/telegram-bot-api
Log your bot out of Telegram's own server once before: https://api.telegram.org/bot<token>/logOut
TEXT
}

fail() {
    echo "start_local_bot_api.sh: $*" >&2
    exit "${code:-2}"
}

home=${VIGIA_HOME:-$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)}
action=start
while [ $# -gt 0 ]; do
    case $1 in
    start | stop | status) action=$1 ;;
    --home)
        [ $# -ge 2 ] || fail "--home needs a folder"
        home=$2
        shift
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    *) fail "unknown word $1; --help shows all" ;;
    esac
    shift
done

name=${VIGIA_BOT_API_NAME:-vigia-bot-api}
image=${VIGIA_BOT_API_IMAGE:-aiogram/telegram-bot-api:latest}
port=${VIGIA_BOT_API_PORT:-8081}
url=http://127.0.0.1:$port

setting() { # NAME: from the environment, else from .env, without quotes
    eval "value=\${$1:-}"
    if [ -z "$value" ] && [ -r "$home/.env" ]; then
        value=$(sed -n "s/^\(export \)\{0,1\}$1=//p" "$home/.env" | tail -n 1 | sed "s/^[\"']//; s/[\"'] *\$//")
    fi
    printf %s "$value"
}

answers() { # any answer will do: a bare path is 404 there
    status=$(curl -s -o /dev/null -m 3 -w '%{http_code}' "$url/" || true)
    [ "$status" != 000 ] && [ -n "$status" ]
}

runs() {
    [ "$(docker inspect -f '{{.State.Running}}' "$name" 2>/dev/null || true)" = true ]
}

command -v curl >/dev/null || fail "curl is missing: sudo apt install curl"

if [ "$action" = status ]; then
    answers || code=1 fail "nothing answers on $url"
    echo "the Bot API server answers on $url"
    exit 0
fi

command -v docker >/dev/null || fail "docker is missing: sudo apt install docker.io"
docker info >/dev/null 2>&1 || fail "the Docker engine does not answer: sudo systemctl start docker"

if [ "$action" = stop ]; then
    docker rm -f "$name" >/dev/null 2>&1 || true
    echo "the Bot API server is stopped; its files stay in $home/data/telegram-bot-api"
    exit 0
fi

api_id=$(setting API_ID)
api_hash=$(setting API_HASH)
if [ -z "$api_id" ] || [ -z "$api_hash" ]; then
    fail "API_ID and API_HASH are needed: get them at https://my.telegram.org and put them into $home/.env"
fi
printf %s "$api_id" | grep -Eqx '[0-9]+' || fail "API_ID is a number"
printf %s "$api_hash" | grep -Eqx '[0-9a-f]{32}' || fail "API_HASH is 32 letters 0-9 a-f"

if runs && answers; then
    echo "the Bot API server runs already on $url"
    exit 0
fi
answers && fail "something else answers on $url: end it, or set VIGIA_BOT_API_PORT"

files=$home/data/telegram-bot-api
mkdir -p "$files"
owner=$(stat -c %u:%g "$home")
[ "$(id -u)" != 0 ] || chown "$owner" "$files"

docker rm -f "$name" >/dev/null 2>&1 || true
# The hash goes by the environment, not by a list of arguments that everybody can read.
TELEGRAM_API_ID=$api_id TELEGRAM_API_HASH=$api_hash docker run -d --name "$name" \
    --restart unless-stopped --user "$owner" -p "127.0.0.1:$port:8081" \
    -e TELEGRAM_API_ID -e TELEGRAM_API_HASH -e TELEGRAM_LOCAL=1 \
    -v "$files:/var/lib/telegram-bot-api" "$image" >/dev/null ||
    code=1 fail "docker could not start $image"

tries=60
until answers; do
    tries=$((tries - 1))
    if [ "$tries" = 0 ] || ! runs; then
        docker logs --tail 20 "$name" >&2 || true
        code=1 fail "the server did not answer on $url within 60 s; its last words are above"
    fi
    sleep 1
done
echo "the Bot API server answers on $url; files in $files"
