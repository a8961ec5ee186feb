# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2013
# Names of what runs, one a line: sh -c THIS sh container|pod|unit. No quotation marks of the other kind and no double
# backslash in here, so that all three shells quote it alike.
case $1 in
  container)
    sed -nE "s/.*[/:-]([0-9a-f]{12})[0-9a-f]{52}(\.scope)?(\/.*)?$/\1/p" /proc/[0-9]*/cgroup
    for log in /var/log/containers/*_*_*-*.log; do
      log=${log%-*}
      printf "%s\n" "${log##*_}"
    done
    for monitor in $(grep -lx conmon /proc/[0-9]*/comm); do
      tr "\000" "\n" <"${monitor%comm}cmdline" | sed -n "/^-n$/{n;p;}"
    done
    ;;
  pod)
    for pod in /var/log/pods/*_*_*; do
      pod=${pod##*/}
      pod=${pod%_*}
      printf "%s\n" "${pod%%_*}/${pod#*_}"
    done
    ;;
  unit) sed -nE "s/.*\/([^/]+\.(service|scope|socket|mount|swap))(\/.*)?$/\1/p" /proc/[0-9]*/cgroup ;;
esac 2>/dev/null | grep -vxE "\*(\/\*)?|(docker|libpod|crio|cri-containerd)-.*|.*,.*" | sort -u
