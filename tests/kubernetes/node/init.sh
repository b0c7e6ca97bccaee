#!/bin/bash
# init.sh NAME FOLDER PAUSE HIERARCHY...: the first process of a node's namespaces (mount, PID, UTS, IPC, control groups, network).
# Lays the mounts so that containerd, kubelet and kube-proxy find what they know by their usual paths, and what they write
# there lands in FOLDER; then becomes PAUSE. FOLDER/ready says that the mounts are there.
set -euo pipefail
name=$1 folder=$2 pause=$3
shift 3

main() {
  hostname "$name"
  mount --make-rslave /
  mount --make-rshared / # volumes of pods appear in their containers; nothing appears outside
  mount -t proc proc /proc
  umount -l -R /sys
  mount -t sysfs sysfs /sys # that of this network namespace
  mount_cgroups "$@"
  local path
  for path in /etc /var/lib /var/log; do overlay $path; done
  mkdir -p /var/lib/{kubelet,cni} /var/log/{pods,containers}
  mount -t tmpfs -o mode=755 none /run
  mkdir -p /run/lock /run/netns
  show_sysctls
  : >"$folder/ready"
  exec "$pause"
}

mount_cgroups() {
  local hierarchy options
  mount -t tmpfs -o mode=755 none /sys/fs/cgroup
  for hierarchy; do
    options=$hierarchy
    [ "$hierarchy" != systemd ] || options=none,name=systemd
    mkdir "/sys/fs/cgroup/$hierarchy"
    mount -t cgroup -o "$options" cgroup "/sys/fs/cgroup/$hierarchy"
  done
}

overlay() {
  local upper=$folder/upper$1 work=$folder/work$1
  mkdir -p "$upper" "$work"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$upper,workdir=$work" "$1"
}

# The kubelet sets these for the whole machine; it is shown files that hold what it wants already.
show_sysctls() {
  local setting
  mkdir /run/sysctl
  for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    local file=/run/sysctl/${setting//\//.}
    echo "${setting#*=}" >"$file"
    mount --bind "$file" "/proc/sys/${setting%=*}"
  done
}

main "$@"
