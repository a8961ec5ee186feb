#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs or removes the program of this archive: install.sh [--prefix DIR] [--tcpstates] [--uninstall]
#
# What has been installed is listed in PREFIX/share/PROGRAM/installed, and only that is removed. Needs a POSIX
# shell, and find, cp, mkdir, chmod, rm, rmdir, ln, mv. DESTDIR is put before PREFIX, for packagers.
set -eu
umask 022

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

program=@PROGRAM@ # put in by packaging/tarball.py
usage="usage: install.sh [--prefix DIR] [--tcpstates] [--uninstall]"
prefix=/usr/local link='' uninstall=''
while [ $# -gt 0 ]; do
  case $1 in
    --prefix)
      [ $# -gt 1 ] || fail "--prefix needs a folder"
      prefix=$2
      shift
      ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    --tcpstates)
      [ "$program" = tcpstate-trace ] || fail "--tcpstates: only tcpstate-trace has that name too"
      link=yes
      ;;
    --uninstall) uninstall=yes ;;
    -h | --help)
      echo "$usage"
      exit 0
      ;;
    *) fail "unknown: $1; $usage" ;;
  esac
  shift
done
case $prefix in
  /*) ;;
  *) fail "--prefix: $prefix isn't an absolute path" ;;
esac
root=${DESTDIR-}${prefix%/}
list=$root/share/$program/installed

# The last added first, so that folders are empty when their turn comes.
remove() {
  reversed=''
  while IFS= read -r name; do
    reversed="$name
$reversed"
  done <"$list"
  rm -f "$list"
  printf '%s' "$reversed" | while IFS= read -r name; do
    case $name in
      /* | *..*) fail "$list: not ours: $name" ;;
      */) rmdir "$root/$name" 2>/dev/null || true ;;
      ?*) rm -f "$root/$name" ;;
    esac
  done
}

if [ -n "$uninstall" ]; then
  [ -f "$list" ] || fail "$list is missing: nothing is installed below $prefix"
  remove
  echo "Removed $program from $prefix"
  exit 0
fi

files=$(dirname "$0")/files
[ -x "$files/bin/$program" ] || fail "$files/bin/$program is missing: unpack the whole archive"
"$files/bin/$program" --version >/dev/null 2>&1 || fail "the program doesn't run here: is this another architecture?"
if [ -f "$list" ]; then remove; fi # an older version

made=''
add_folder() { # relative; its parents first
  [ ! -d "$root/$1" ] || return 0
  case $1 in */*) add_folder "${1%/*}" ;; esac
  mkdir "$root/$1"
  made="$made$1/
"
}
mkdir -p "$root" 2>/dev/null || fail "can't write to $root: run as root, or choose another --prefix"
[ -w "$root" ] || fail "can't write to $root: run as root, or choose another --prefix"
add_folder "share/$program"
printf '%s' "$made" >"$list" # from the start, so that also half an installation can be removed

(cd "$files" && find . -type f) | while IFS= read -r path; do
  name=${path#./}
  made=''
  add_folder "${name%/*}"
  printf '%s%s\n' "$made" "$name" >>"$list"
  # A new file, so that a running program keeps its own.
  cp "$files/$name" "$root/$name.new"
  if [ -x "$files/$name" ]; then chmod 755 "$root/$name.new"; else chmod 644 "$root/$name.new"; fi
  mv -f "$root/$name.new" "$root/$name"
done
if [ -n "$link" ]; then
  if [ -e "$root/bin/tcpstates" ] || [ -L "$root/bin/tcpstates" ]; then
    echo "install.sh: $prefix/bin/tcpstates is there already, and stays as it is" >&2
  else
    ln -s "$program" "$root/bin/tcpstates"
    echo bin/tcpstates >>"$list"
  fi
fi
echo "Installed $prefix/bin/$program; to remove it: install.sh --prefix $prefix --uninstall"
