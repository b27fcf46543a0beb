# shellcheck shell=bash
# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by scripts/demo and scripts/test. After `wegewart_env run` (or `test`) the project stands ready in `.venv` and
# `$wegewart_python` is its Python. Anything that goes wrong is one line on stderr and the return value 10.
#
#   PYTHON=/path/to/python   the Python to make the environment with; else the first of python3, python3.13 ... 3.10
#
# What was installed is noted in .venv/wegewart.stamp together with a hash of all files that say what to install:
# as long as they stay the same nothing is done again and no network is needed.

wegewart_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
wegewart_venv=$wegewart_root/.venv
# shellcheck disable=SC2034  # for the scripts that source this file
wegewart_python=$wegewart_venv/bin/python

wegewart_say() { printf 'wegewart: %s\n' "$*" >&2; }

# Print the Python to use: one of 3.10 to 3.13 that can make environments.
_wegewart_find_python() {
  local name without_venv='' found=''
  local names=(python3 python3.13 python3.12 python3.11 python3.10)
  [[ ! ${PYTHON:-} ]] || names=("$PYTHON")
  for name in "${names[@]}"; do
    command -v "$name" >/dev/null 2>&1 || continue
    found+=" $name $("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)"
    "$name" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue
    if "$name" -c 'import venv, ensurepip' 2>/dev/null; then
      command -v "$name"
      return
    fi
    without_venv=$name
  done
  if [[ $without_venv ]]; then
    wegewart_say "Python fehlt das Modul venv / Python lacks its venv module: sudo apt install python3-venv"
  else
    wegewart_say "Python 3.10 bis 3.13 wird gebraucht / is needed (gefunden / found:${found:- -}):" \
      "sudo apt install python3 python3-venv, oder / or PYTHON=/path/to/python"
  fi
  return 10
}

# One hash of everything that says what has to be installed, and for which Python.
_wegewart_wanted() {
  (
    cd "$wegewart_root" &&
      { "$wegewart_python" --version && cat pyproject.toml requirements/*.lock depot/web/{install.py,package-lock.json}; } |
      sha256sum
  )
}

# Run one step quietly: a label for people, then the command. Its output goes to .venv/install.log.
_wegewart_step() {
  local label=$1 log=$wegewart_venv/install.log output why
  shift
  wegewart_say "$label ..."
  output=$(mktemp "$log.XXXXXX") || return 10
  if "$@" >"$output" 2>&1 </dev/null; then
    rm -f "$output"
    return
  fi
  mv "$output" "$log"
  why=$(grep -iE 'error|fehler' "$log" | tail -n 1)
  wegewart_say "$label: FEHLGESCHLAGEN / FAILED: ${why:-$(tail -n 1 "$log")}" \
    "(braucht das Netz / needs the network; mehr in / more in $log)"
  return 10
}

_wegewart_make_venv() {
  local python output
  python=$(_wegewart_find_python) || return 10
  wegewart_say "$("$python" --version), .venv wird angelegt / making .venv ..."
  if ! output=$("$python" -m venv --clear "$wegewart_venv" 2>&1); then
    wegewart_say ".venv FEHLGESCHLAGEN / FAILED: $(tail -n 1 <<<"$output")"
    return 10
  fi
}

# First argument: run or test. The stamp's lines: kind and hash; place of the checkout.
_wegewart_install() {
  local kind=$1 stamp=$wegewart_venv/wegewart.stamp wanted done_kind='' done_hash='' done_root=$wegewart_root
  local pip=("$wegewart_python" -m pip install --disable-pip-version-check --no-build-isolation)
  [[ ! -e $stamp ]] || { read -r done_kind done_hash && read -r done_root; } <"$stamp"
  # Commands in a copied or moved .venv point to the old place.
  if [[ $done_root != "$wegewart_root" ]] || ! "$wegewart_python" -m pip --version >/dev/null 2>&1; then
    _wegewart_make_venv || return
    done_kind=''
  fi
  wanted=$(_wegewart_wanted 2>/dev/null)
  # test.lock holds all of run.lock.
  [[ $done_hash != "$wanted" || ($done_kind != test && $done_kind != "$kind") ]] || return 0
  # pip and npm want a home that they can write to.
  if [[ ! -w ${HOME:-} ]]; then
    export HOME=$wegewart_venv/home
    mkdir -p "$HOME"
  fi
  cd "$wegewart_root" || return
  _wegewart_step "Werkzeuge / build tools" "${pip[@]}" --require-hashes -r requirements/build.lock || return
  _wegewart_step "Pakete, beim ersten Mal einige Minuten / packages, some minutes the first time" \
    "${pip[@]}" --require-hashes -r "requirements/$kind.lock" || return
  _wegewart_step "Wegewart" "${pip[@]}" --no-index --no-deps --editable . || return
  _wegewart_step "Pakete der Seite / the page's packages" "$wegewart_python" depot/web/install.py || return
  printf '%s\n' "$kind $wanted" "$wegewart_root" >"$stamp"
  wegewart_say "Umgebung bereit / environment ready: $wegewart_venv"
}

# Make or refresh the environment: `wegewart_env run` for the product, `wegewart_env test` for the tests too.
wegewart_env() {
  (
    # One at a time, should demo and test be started together. The lock is on the folder itself.
    exec 9<"$wegewart_root"
    flock 9 2>/dev/null
    _wegewart_install "$1" 9<&-
  ) || return 10
}
