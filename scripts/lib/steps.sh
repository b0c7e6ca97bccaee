# Runs named steps one after another, keeps going after a failure, and ends with one table.
#
#   step "unit tests" ctest --preset debug
#   steps_end            # prints the table; false when a step failed
#
# Source it; needs bash.

steps_names=()
steps_results=()
steps_seconds=()

step() {
  local name=$1 start=$SECONDS code=0
  shift
  printf '\n=== %s\n' "$name"
  "$@" || code=$?
  steps_names+=("$name")
  steps_results+=("$code")
  steps_seconds+=($((SECONDS - start)))
  if ((code == 0)); then
    printf -- '--- %s: passed in %d s\n' "$name" $((SECONDS - start))
  else
    printf -- '--- %s: FAILED with exit code %d after %d s\n' "$name" "$code" $((SECONDS - start))
  fi
  return "$code"
}

steps_end() {
  local i failed=0 word
  printf '\n=== summary\n'
  for i in "${!steps_names[@]}"; do
    word=passed
    if ((steps_results[i] != 0)); then
      word=FAILED
      failed=$((failed + 1))
    fi
    printf '%-8s %5d s  %s\n' "$word" "${steps_seconds[i]}" "${steps_names[i]}"
  done
  printf '%d of %d steps passed\n' $((${#steps_names[@]} - failed)) "${#steps_names[@]}"
  ((failed == 0))
}
