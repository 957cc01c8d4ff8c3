#!/usr/bin/env bash
# Prints the lines of /etc/hosts for the five sample services; --add adds those that are missing, --remove takes
# them away. HOSTS_FILE names another file.
set -euo pipefail

hosts_file=${HOSTS_FILE:-/etc/hosts}
mark='# cLess example'

lines() {
  for language in golang python java nodejs rust; do
    printf '127.0.0.1 %s.cless.cloud %s\n' "$language" "$mark"
  done
}

case "${1:-}" in
  '')
    lines
    ;;
  --add)
    lines | while read -r line; do
      grep -qxF "$line" "$hosts_file" || printf '%s\n' "$line" >> "$hosts_file"
    done
    ;;
  --remove)
    # Written in place: in a container /etc/hosts cannot be replaced.
    rest=$(grep -v "$mark\$" "$hosts_file" || true)
    printf '%s\n' "$rest" > "$hosts_file"
    ;;
  *)
    echo "usage: hosts.sh [--add | --remove]" >&2
    exit 2
    ;;
esac
