#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by scripts/test after scripts/_env.sh, or run: `scripts/_training_env.sh` makes .venv-training, which scripts/train
# and its like then use. It holds PyTorch (CPU) and what only training needs; all else it takes from .venv.
#
#   WEGEWART_TORCH_INDEX=URL   where PyTorch's CPU wheels are, should pip's own settings not lead to one
#                              (default: https://download.pytorch.org/whl/cpu)
#
# On a machine with a GPU: install another build of the same version into .venv-training afterwards.

# shellcheck source=scripts/_env.sh
[[ ${wegewart_root:-} ]] || source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"
wegewart_training_venv=$wegewart_root/.venv-training
wegewart_training_python=$wegewart_training_venv/bin/python

_wegewart_training_wanted() {
  # shellcheck disable=SC2154  # _env.sh sets it
  (cd "$wegewart_root" && { "$wegewart_python" --version && cat requirements/{training.lock,torch.txt}; } | sha256sum)
}

_wegewart_training_install() {
  local stamp=$wegewart_training_venv/wegewart.stamp wanted done_hash='' done_root='' here there
  local index=${WEGEWART_TORCH_INDEX:-https://download.pytorch.org/whl/cpu} pip torch
  wanted=$(_wegewart_training_wanted)
  [[ ! -e $stamp ]] || { read -r done_hash && read -r done_root; } <"$stamp"
  [[ $done_hash != "$wanted" || $done_root != "$wegewart_root" ]] || return 0
  cd "$wegewart_root" || return
  rm -rf "$wegewart_training_venv"
  "$wegewart_python" -m venv --without-pip "$wegewart_training_venv" || return 10
  there=$("$wegewart_python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') || return 10
  here=$("$wegewart_training_python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') || return 10
  # A line that begins with import is run at the start; it looks into .venv's own .pth files, too.
  printf 'import site; site.addsitedir(%s)\n' "'$there'" >"$here/wegewart.pth"
  pip=("$wegewart_python" -m pip --python "$wegewart_training_python" install --disable-pip-version-check --only-binary ":all:")
  torch=("${pip[@]}" --no-deps -r requirements/torch.txt)
  _wegewart_step "Pakete zum Trainieren / packages for training" \
    "${pip[@]}" --require-hashes --no-deps -r requirements/training.lock || return
  # First where pip's own settings lead; elsewhere there is no CPU build, which it says at once.
  wegewart_say "PyTorch, beim ersten Mal 200 MB / 200 MB the first time ..."
  _wegewart_step "PyTorch" "${torch[@]}" 2>/dev/null ||
    _wegewart_step "PyTorch (CPU) von / from $index" "${torch[@]}" --index-url "$index" || return
  "$wegewart_training_python" -c 'import torch, onnx, onnxruntime' || return 10
  printf '%s\n' "$wanted" "$wegewart_root" >"$stamp"
}

# Make or refresh .venv-training; .venv must stand. Anything that goes wrong is one line on stderr and the value 10.
wegewart_training_env() {
  (
    exec 9<"$wegewart_root"
    flock 9 2>/dev/null
    _wegewart_training_install 9<&-
  ) || return 10
}

# Run the tests that need PyTorch. Without it they are skipped, with CI=true that is a failure.
wegewart_training_tests() {
  local files
  if ! wegewart_training_env; then
    wegewart_say "PyTorch nicht da / not there: die Tests des Trainings werden übersprungen / its tests are skipped"
    [[ ${CI:-} != true ]]
    return
  fi
  mapfile -t files < <(cd "$wegewart_root" && grep -rlF 'importorskip("torch")' tests --include='*.py')
  "$wegewart_training_python" -m pytest "${files[@]}"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  wegewart_training_env
fi
