#!/bin/bash
# The README's first command on a bare Debian 13: Python 3.13, no compiler, no Node, no Redis. Needs
# root and debootstrap. `.ci/bare.sh FOLDER` makes the system in FOLDER and removes it at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$1
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
mirror=http://deb.debian.org/debian

site=

stop() { # make and all that it started: a signal to make alone would leave the site running
    if [ -n "$site" ]; then
        kill -TERM -- "-$site" 2>/dev/null || true
        for _ in $(seq 30); do
            pgrep --session "$site" >/dev/null || break
            sleep 0.5
        done
        site=
    fi
}

finish() {
    stop
    umount "$root/proc" 2>/dev/null || true
    rm -rf "$root"
}
trap finish EXIT

debootstrap --variant=minbase --include=make,python3,python3-venv,ca-certificates trixie \
    "$root" "$mirror" >"$root.log" 2>&1 || { tail -20 "$root.log"; exit 1; }
mount -t proc proc "$root/proc" || mount --bind /proc "$root/proc"

# What lets this machine reach its package registries, wherever they are.
for path in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt /etc/pip.conf /etc/xdg/pip /etc/npmrc \
    /root/.npmrc /root/.config/pip; do
    if [ -e "$path" ]; then
        mkdir -p "$root$(dirname "$path")"
        cp -rL "$path" "$root$(dirname "$path")/"
    fi
done

mkdir "$root/mien"
git archive HEAD | tar -x -C "$root/mien"
inside() { chroot "$root" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

for program in cc gcc g++ clang c99 node npm redis-server valkey-server; do
    if inside sh -c "command -v $program" >/dev/null; then
        echo "$program is there; this is no bare machine." >&2
        exit 1
    fi
done
inside python3 --version

setsid chroot "$root" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    make -C /mien run PORT="$port" >"$root.log" 2>&1 &
site=$!
for _ in $(seq 900); do
    grep -q "Mien is ready" "$root.log" && break
    kill -0 "$site" 2>/dev/null || { cat "$root.log"; exit 1; }
    sleep 1
done
cat "$root.log"
grep -q "Mien is ready" "$root.log"
inside python3 /mien/tests/deploy/journey.py "http://127.0.0.1:$port"
inside cat /mien/var/redis/server
echo
stop

# `make test` sets itself up the same way; a few tests with a real queue show that it works.
inside make -C /mien test ARGS="tests/deploy/test_redis_server.py \
    tests/recognition/photos/test_queue.py tests/recognition/engine/test_formats.py"
