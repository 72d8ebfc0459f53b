#!/usr/bin/env bash
# Installs the system packages that builds, the demo and the tests need. Missing packages are installed through apt, as
# root or with a sudo that asks for no password; otherwise the script fails and lists them.
# usage: tools/setup-system.sh [matrix|bench]; `matrix` adds the packages with which tools/matrix.py makes root folders,
# `bench` those with which the benchmarks build the other binding tools
set -euo pipefail

missing=()

# need PACKAGE COMMAND...: the Debian package is missing when the command fails.
need() {
    "${@:2}" >/dev/null 2>&1 || missing+=("$1")
}

has_libclang() {
    [[ -n ${LIBCLANG_PATH:-} ]] || compgen -G '/usr/lib/llvm-*/lib/libclang.so' || compgen -G '/usr/lib*/libclang.so'
}

fail() {
    echo "setup: $*" >&2
    exit 1
}

need gcc command -v cc
need libc6-dev test -e /usr/include/stdio.h
need pkg-config command -v pkg-config
need libxml2-dev pkg-config --exists libxml-2.0
need libmagic-dev pkg-config --exists libmagic
need libcairo2-dev pkg-config --exists cairo-svg
need zlib1g-dev pkg-config --exists zlib
need libsqlite3-dev pkg-config --exists sqlite3
need libexpat1-dev pkg-config --exists expat
need liblmdb-dev pkg-config --exists lmdb
need libjansson-dev pkg-config --exists jansson
need libcurl4-openssl-dev pkg-config --exists libcurl
need libclang-dev has_libclang
need python3 command -v python3
need python3-venv python3 -c 'import ensurepip, venv'
# The official binding belongs to the system's own Python, whichever python3 comes first in PATH.
need python3-libxml2 /usr/bin/python3 -c 'import libxml2'
need libxml2-utils command -v xmllint
need shared-mime-info test -r /usr/share/mime/packages/freedesktop.org.xml
need valgrind command -v valgrind
if [[ ${1:-} == matrix ]]; then
    need debootstrap command -v debootstrap
    need util-linux command -v unshare
elif [[ ${1:-} == bench ]]; then
    need g++ command -v c++
    # Debian's lxml has the libxml2 that xml-safe uses.
    need python3-lxml /usr/bin/python3 -c 'import lxml.etree'
fi

if ((${#missing[@]})); then
    as_root=()
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || fail "please install (Debian's names): ${missing[*]}"
        as_root=(sudo -n)
    fi
    command -v apt-get >/dev/null || fail "please install (Debian's names): ${missing[*]}"
    echo "setup: installing ${missing[*]}"
    # A package list that can't be refreshed may still be good enough to install from.
    "${as_root[@]}" apt-get -qq update || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "${missing[@]}" ||
        fail "please install (Debian's names): ${missing[*]}"
fi

command -v cargo >/dev/null || fail "please install Rust with its cargo, as https://rustup.rs says"
