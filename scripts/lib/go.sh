# Puts a Go that is new enough for the peers of the tests on PATH. Source it in the project's root, then call go_use
# or go_fetch.
#
# In this order: the Go on PATH (one of 1.21 or newer fetches the version that a go.mod asks for by itself),
# the one that go_fetch once put into the cache.

# The newest that a go.mod of the tests asks for, with all three numbers, as toolchains are named.
go_minimum=$(git ls-files 'tests/*go.mod' | xargs -r awk '$1 == "go" { print $2 ($2 ~ /[.].*[.]/ ? "" : ".0") }' | sort -V | tail -n 1)
go_cache=${CLUSTER_PROXY_CACHE:-$HOME/.cache/cluster-proxy}/go-$go_minimum

# True when `$1` as go builds a module that asks for go_minimum.
go_usable() {
  local dir version
  command -v "$1" > /dev/null || return
  dir=$(mktemp -d)
  printf 'module probe\n\ngo %s\n' "$go_minimum" > "$dir/go.mod"
  version=$(cd "$dir" && "$1" version 2> /dev/null | awk '{ print substr($3, 3) }')
  rm -rf "$dir"
  [[ -n $version ]] && printf '%s\n%s\n' "$go_minimum" "$version" | sort -C -V
}

go_use() {
  go_usable go && return
  go_usable "$go_cache/bin/go" && export PATH=$go_cache/bin:$PATH
}

# Fetches a toolchain as the Go module that it also is, checked against Go's checksum database, with the old
# go command "$1". Old commands leave out the execute bits.
go_fetch() {
  local old=$1 module="golang.org/toolchain" version temporary
  version=v0.0.1-go$go_minimum.linux-$(dpkg --print-architecture)
  temporary=$(mktemp -d)
  GOFLAGS=-modcacherw GOMODCACHE=$temporary GOTOOLCHAIN=local "$old" mod download "$module@$version" || return
  chmod -R u+x "$temporary/$module@$version/bin" "$temporary/$module@$version/pkg/tool"
  mkdir -p "$(dirname "$go_cache")"
  rm -rf "$go_cache"
  mv "$temporary/$module@$version" "$go_cache"
  rm -rf "$temporary"
}
