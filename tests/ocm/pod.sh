#!/bin/bash
# pod.sh ROOT NAME PROGRAM [SOURCE=TARGET...] -- ARGUMENT...: in mount and host name namespaces of its own, lays ROOT/account and the SOURCEs
# where a pod has them, and becomes PROGRAM, called NAME. Used by harness/pods.py.
set -euo pipefail
root=$1 name=$2 program=$3
shift 3
token_folder=/run/secrets/kubernetes.io/serviceaccount

hostname "$(head -n 2 "$root/etc/hosts" | tail -n 1 | cut -d ' ' -f 2)"
mount --make-rprivate /
mkdir -p "$root/upper" "$root/work" $token_folder
mount --bind "$root/account" $token_folder
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$root/upper,workdir=$root/work" /etc
cat "$root/etc/hosts" >/etc/hosts
while [ "$1" != -- ]; do
  if [ -d "${1%%=*}" ]; then
    mkdir -p "${1#*=}"
    mount --bind "${1%%=*}" "${1#*=}"
  fi
  shift
done
shift
exec -a "$name" "$program" "$@"
