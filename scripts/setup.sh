#!/usr/bin/env bash
# Installs what the project is made with, and builds it, if that is not done. Needs Node 20 or newer and npm;
# what follows then runs with the Node of node_modules/.bin.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "installing dependencies (npm ci)"
  npm ci --no-audit --no-fund --loglevel=error
fi

newest() { find "$@" -type f -printf '%T@\n' | sort -n | tail -1; }
for package in packages/*/; do
  grep -q '"build"' "$package/package.json" || continue
  if [ ! -e "$package/dist/index.js" ] || [ "$(printf '%s\n' "$(newest "$package/src" packages/model/src)" "$(newest "$package/dist")" | sort -n | tail -1)" != "$(newest "$package/dist")" ]; then
    echo "building (npm run build)"
    npm run --silent build
    break
  fi
done
