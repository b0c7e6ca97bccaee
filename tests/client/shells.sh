# Completion, loaded into the shells that it is for. Sourced, never run.

check_completion() {
  check 'bash completes commands' bash_completes 'cluster-proxy f' forward
  check 'bash completes flags' bash_completes 'cluster-proxy dial --serv' --server
  check 'bash completes values' bash_completes 'cluster-proxy dial --protocol ht' http1
  check 'bash completes values behind an equals sign' bash_completes 'cluster-proxy status --output=j' json
  check 'zsh completes commands' zsh_completes 'cluster-proxy forw' 'cluster-proxy forward'
  check 'fish completes commands' fish_completes 'cluster-proxy f' forward
  check 'zsh completes values behind an equals sign' zsh_completes 'cluster-proxy status --output=js' '--output=json'
  check 'fish completes values' fish_completes 'cluster-proxy status -o w' wide
  check 'fish completes flags' fish_completes 'cluster-proxy proxy --so' --socks5
}

# bash_completes LINE WORD: by the function that bash calls, with what bash sets.
bash_completes() {
  PATH=$(dirname "$program"):$PATH bash -c '
    source <(cluster-proxy completion bash)
    COMP_LINE=$1 COMP_POINT=${#1}
    _cluster_proxy
    printf "%s\n" "${COMPREPLY[@]}"' bash "$1" | grep -qxF -- "$2"
}

fish_completes() {
  PATH=$(dirname "$program"):$PATH HOME=$work fish --no-config -c 'cluster-proxy completion fish | source; complete -C "$argv[1]"' "$1" |
    cut -f 1 | grep -qxF -- "$2"
}

# zsh completes on a terminal only: one of its own, where a tab is typed.
zsh_completes() {
  PATH=$(dirname "$program"):$PATH HOME=$work zsh -f -c '
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "PS1=; autoload -U compinit; compinit -u -D; source <(cluster-proxy completion zsh); echo re""ady"
    zpty -r -m shell seen "*ready*"
    zpty -w -n shell "$1	"
    zpty -r -m shell seen "*$2*"
    print -r -- $seen
    zpty -d shell' zsh "$1" "$2" | grep -qF -- "$2"
}
