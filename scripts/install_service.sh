#!/bin/sh
# Installs Vigía as a systemd service. Without --apply it only shows every file and every command.
set -eu

usage() {
    cat <<'TEXT'
Usage: scripts/install_service.sh [--apply] [OPTIONS]

Shows what it would do; with --apply (as root) it does it. Running it again brings things up to date.

  --apply           do it
  --user USER       who runs it; made as a system user when missing (vigia)
  --home DIR        where .env, vigia.toml, logs/, modelos/ and data/ live (/var/lib/vigia)
  --with-root-help  also the helper that gives back files of other users (sudo; docs/safety.md)
  --only sudo       nothing but that helper
  --start           enable and start it at the end
  --uninstall       take away what it put there; the home and the user stay
  --root DIR        put the files below DIR and touch neither users nor systemd (for packagers)

The checkout is the one this script stands in; its .venv is made when it is not there.
TEXT
}

fail() {
    echo "install_service.sh: $*" >&2
    exit 2
}

checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
apply=no user=vigia home=/var/lib/vigia help=no only=all start=no action=install root=
while [ $# -gt 0 ]; do
    case $1 in
    --apply) apply=yes ;;
    --user | --home | --only | --root)
        [ $# -ge 2 ] || fail "$1 needs a value"
        case $1 in
        --user) user=$2 ;;
        --home) home=$2 ;;
        --only) only=$2 ;;
        --root) root=$2 ;;
        esac
        shift
        ;;
    --with-root-help) help=yes ;;
    --start) start=yes ;;
    --uninstall) action=uninstall ;;
    -h | --help)
        usage
        exit 0
        ;;
    *) fail "unknown option $1; --help shows all" ;;
    esac
    shift
done

case $only in all) ;; sudo) help=yes ;; *) fail "--only takes: sudo" ;; esac
printf %s "$user" | grep -Eqx '[a-z_][a-z0-9_-]{0,30}' || fail "'$user' is no name for a user"
# They go into a unit file and through sed: nothing that either would read as its own.
for path in "$home" "$checkout"; do
    printf %s "$path" | grep -Eqx '/[A-Za-z0-9._/-]+' ||
        fail "'$path' must be an absolute path of letters, digits and . _ - / (a unit file takes no spaces)"
done
if [ "$apply" = yes ] && [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
    fail "--apply needs root: sudo $0 --apply ..."
fi

units=$root/etc/systemd/system
helper=$root/usr/local/libexec/vigia/root_helper
table=$root/etc/vigia/roots.toml
sudoers=$root/etc/sudoers.d/vigia

do_() { # show it, and do it when asked to
    echo "+ $*"
    [ "$apply" = no ] || "$@"
}

write() { # MODE FILE; the text comes on stdin and is shown when nothing is done
    text=$(cat)
    echo "+ write $2 (mode $1)"
    if [ "$apply" = no ]; then
        printf '%s\n' "$text" | sed 's/^/    | /'
        return
    fi
    mkdir -p "$(dirname "$2")"
    printf '%s\n' "$text" >"$2.new"
    chmod "$1" "$2.new"
    mv -f "$2.new" "$2"
}

adapted() { # a file of ours with this machine's places and user
    sed -e "s#/var/lib/vigia#$home#g" -e "s#/opt/vigia#$checkout#g" \
        -e "s#^User=vigia#User=$user#" -e "s#^Group=vigia#Group=$user#" -e "s#^vigia ALL#$user ALL#" "$1"
}

make_user() {
    [ -n "$root" ] && return
    id "$user" >/dev/null 2>&1 ||
        do_ useradd --system --user-group --home-dir "$home" --shell /usr/sbin/nologin "$user"
}

make_home() {
    [ -n "$root" ] && return
    for folder in "$home" "$home/logs" "$home/modelos" "$home/data"; do
        [ -d "$folder" ] || do_ install -d -o "$user" -g "$user" -m 0750 "$folder"
    done
    if [ ! -e "$home/.env" ]; then
        do_ install -o "$user" -g "$user" -m 0600 "$checkout/.env.example" "$home/.env"
    fi
}

make_environment() {
    [ -n "$root" ] && return
    do_ python3 "$checkout/scripts/start_with_monitor.py" --only-set-up --home "$home"
    [ ! -e "$home/logs/setup.log" ] || do_ chown "$user:$user" "$home/logs/setup.log"
}

install_unit() {
    adapted "$checkout/systemd/vigia.service" | write 0644 "$units/vigia.service"
    adapted "$checkout/systemd/vigia@.service" | write 0644 "$units/vigia@.service"
    case $home/:$checkout/ in
    /home/* | /root/* | *:/home/* | *:/root/*)
        write 0644 "$units/vigia.service.d/under-home.conf" <"$checkout/systemd/drop-ins/under-home.conf"
        ;;
    esac
    if systemctl --version 2>/dev/null | awk 'NR == 1 { exit !($2 >= 253) }'; then
        write 0644 "$units/vigia.service.d/notify-reload.conf" \
            <"$checkout/systemd/drop-ins/notify-reload.conf"
    fi
}

install_root_help() {
    do_ mkdir -p "$(dirname "$helper")"
    do_ install -m 0755 "$checkout/monitor/safe/root_helper.py" "$helper"
    uid=$(id -u "$user" 2>/dev/null || echo 990) gid=$(id -g "$user" 2>/dev/null || echo 990)
    if [ ! -e "$table" ]; then
        write 0644 "$table" <<TOML
# What root does for the monitor. Only root may write it; docs/safety.md explains each key.
[[root]]
path = "$home/modelos"
uid = $uid
gid = $gid

[[root]]
path = "$home/data"
uid = $uid
gid = $gid
kept = ["$home/data/monitor"]
TOML
    fi
    adapted "$checkout/systemd/vigia.sudoers" | write 0440 "$sudoers.checked"
    if command -v visudo >/dev/null; then
        do_ visudo -cqf "$sudoers.checked" || fail "the sudoers file does not parse; nothing was put in force"
    fi
    do_ mv -f "$sudoers.checked" "$sudoers"
    [ "$only" = sudo ] ||
        write 0644 "$units/vigia.service.d/root-helper.conf" <"$checkout/systemd/drop-ins/root-helper.conf"
}

uninstall() {
    if [ -z "$root" ]; then
        do_ systemctl disable --now vigia.service || true
    fi
    for file in "$units/vigia.service" "$units/vigia@.service" "$sudoers" "$helper" \
        "$units/vigia.service.d/under-home.conf" "$units/vigia.service.d/notify-reload.conf" \
        "$units/vigia.service.d/root-helper.conf"; do
        [ ! -e "$file" ] || do_ rm -f "$file"
    done
    [ ! -d "$units/vigia.service.d" ] || do_ rmdir --ignore-fail-on-non-empty "$units/vigia.service.d"
    [ -n "$root" ] || do_ systemctl daemon-reload
    echo "The home $home, the user $user and $table stay; remove them yourself when you are sure."
}

if [ "$action" = uninstall ]; then
    uninstall
else
    if [ "$only" = all ]; then
        make_user
        make_home
        make_environment
        install_unit
    fi
    [ "$help" = no ] || install_root_help
    if [ -z "$root" ] && [ "$only" = all ]; then
        do_ systemctl daemon-reload
        if [ "$start" = yes ]; then
            do_ systemctl enable --now vigia.service
        else
            echo "Then: edit $home/.env, and: systemctl enable --now vigia"
        fi
    fi
fi
[ "$apply" = yes ] || echo "Nothing was done. With --apply it is."
