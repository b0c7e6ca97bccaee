# What the demo prints: headings, prose, commands with their output, expectations. Colours only on a terminal.

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' dim='' green='' red='' plain=''
fi
heading_number=0
last_output=''

heading() {
  heading_number=$((heading_number + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$heading_number" "$1" "$plain"
}

say() { printf '%s\n' "$@"; }

proves() { printf '   %s✓%s %s\n' "$green" "$plain" "$1"; }

fail() {
  printf '   %s✗ %s%s\n' "$red" "$1" "$plain" >&2
  exit 1
}

# show PLACE COMMAND...: prints the command as one would type it there, runs it there, prints what it said and
# keeps that in last_output. Never fails: the step says what it expects.
show() {
  local place=$1
  shift
  printf '   %s%s$%s %s\n' "$dim" "$place" "$plain" "$(as_typed "$@")"
  last_output=$(in_place "$place" "$@" 2>&1) || true
  [[ -z $last_output ]] || printf '%s\n' "$last_output" | sed "s/^/     /"
}

# Arguments with the quotes that a shell needs to read them back, and no others.
as_typed() {
  local argument quoted=()
  for argument in "$@"; do
    [[ $argument =~ ^[A-Za-z0-9_./:=@%,+-]+$ ]] || argument="'$argument'"
    quoted+=("$argument")
  done
  printf '%s' "${quoted[*]}"
}

expect() {
  [[ $last_output == *"$1"* ]] || fail "expected to see \"$1\""
}
