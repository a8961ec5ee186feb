#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes docs/top.png and docs/report.png from a real run: screenshots.sh BINARY
#
# Runs the scene of screenshots/scene.py in two network namespaces for SCENE_SECONDS (150) while `top` watches it in
# tmux and records it. One picture is the last screen of `top`, in color; the other is the page that `report` makes
# of the recording. Needs root.
set -euo pipefail

cd "$(dirname "$0")/.."
binary=$(readlink -f "$1")
seconds=${SCENE_SECONDS:-150}
parts=$PWD/scripts/screenshots
server=shot-server-$$
clients=shot-clients-$$
folder=$(mktemp -d)
export PYTHONDONTWRITEBYTECODE=1

terminal() { tmux -L "$server" -f /dev/null "$@"; }

cleanup() {
  terminal kill-server 2>/dev/null || true
  for namespace in "$server" "$clients"; do
    ip netns pids "$namespace" 2>/dev/null | xargs -r kill 2>/dev/null || true
    ip netns del "$namespace" 2>/dev/null || true
  done
  rm -rf "$folder"
}
trap cleanup EXIT

# Addresses as scene.py has them. What the server sends to 10.0.1.0/24 gets no answer.
namespaces() {
  ip netns add "$server"
  ip netns add "$clients"
  ip link add eth0 netns "$server" type veth peer name eth0 netns "$clients"
  ip -n "$server" addr add 10.0.0.5/24 dev eth0
  for last in $(seq 21 40); do ip -n "$clients" addr add "10.0.0.$last/24" dev eth0; done
  for namespace in "$server" "$clients"; do
    ip -n "$namespace" link set eth0 up
    ip -n "$namespace" link set lo up
  done
  ip -n "$server" route add 10.0.1.0/24 via 10.0.0.21
  ip netns exec "$clients" sysctl -qw net.ipv4.ip_forward=1
  ip -n "$clients" route add blackhole 10.0.1.0/24
}

# A page as a picture: picture PAGE PICTURE WIDTH,HEIGHT
picture() {
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --disable-lcd-text --force-device-scale-factor=1.5 \
    --user-data-dir="$folder/chromium" --window-size="$3" --virtual-time-budget=10000 \
    --screenshot="$folder/picture.png" "file://$1" >"$folder/chromium.log" 2>&1 || {
    cat "$folder/chromium.log" >&2
    exit 1
  }
  pngquant --force --strip --speed 1 --output "$2" "$folder/picture.png"
  chown --reference=. "$2" # under sudo, not root's
  echo "$2: $(stat -c %s "$2") bytes"
}

namespaces
terminal new-session -d -x 120 -y 30 \
  "TERM=tmux-256color '$binary' top --netns /run/netns/$server --record '$folder/rows.csv'"
sleep 1
ip netns exec "$server" python3 "$parts/scene.py" server "$folder" >"$folder/server.log" 2>&1 &
sleep 2
ip netns exec "$clients" python3 "$parts/scene.py" clients "$folder" >"$folder/clients.log" 2>&1 &
echo "The scene runs for $seconds s"
sleep "$seconds"

terminal capture-pane -e -p >"$folder/screen"
terminal send-keys q
sleep 1
python3 "$parts/terminal.py" "sudo tcpstate-trace top" <"$folder/screen" >"$folder/top.html"
picture "$folder/top.html" docs/top.png 1074,580
(cd "$folder" && "$binary" report --read rows.csv --output report.html)
picture "$folder/report.html" docs/report.png 1280,1440
