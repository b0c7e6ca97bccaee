#!/bin/sh
# Runs the interop suite. Environment:
#   PRESET                          build preset of our programs (default release), from build/$PRESET/bin
#   INTEROP_SERVER, INTEROP_AGENT   peers under test: "ours=/path,go"; "go" is the reference, built on demand
#   INTEROP_FULL=1                  more tunnels, more time
#   INTEROP_EXPECT_REFERENCE_BUGS=1 the reference must show each of its known bugs
#   INTEROP_RUN                     run only the tests that match this pattern
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=$here/../../build/${PRESET:-release}/bin

peers() { # peers PROGRAM: ours, if it is built, and the reference
	if [ -x "$bin/$1" ]; then echo "ours=$bin/$1,go"; else
		echo "interop: $bin/$1 is not built, testing the reference alone; run make first" >&2
		echo go
	fi
}

command -v go >/dev/null || { echo "interop: needs Go 1.26 or later in PATH" >&2; exit 1; }
INTEROP_SERVER=${INTEROP_SERVER:-$(peers proxy-server)}
INTEROP_AGENT=${INTEROP_AGENT:-$(peers proxy-agent)}
export INTEROP_SERVER INTEROP_AGENT

# Thousands of tunnels cost descriptors in three processes at once; take what the hard limit gives.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true

limit=10m
[ "${INTEROP_FULL:-}" != 1 ] || limit=60m
cd "$here"
exec go test -count=1 -timeout "$limit" -parallel "${INTEROP_PARALLEL:-6}" -run "${INTEROP_RUN:-.}" "$@" .
