#!/usr/bin/env bash
# tests/kernel_objects_test.sh KERNELS.a ENGINE.a TARGETS.a COMPILER: the program must start on a CPU that lacks an instruction
# set it was built with. So the objects of a set define nothing that the linker could take for everybody (weak and unique
# symbols: of several copies it keeps one), and no other object has their instructions. The scan is first shown two objects
# that it must refuse.
set -euo pipefail
kernels=$1 engine=$2 targets=$3 compiler=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sets='avx2|avx512|int8|bf16|attend_bf16|narrow_gemm|amx|emulated_test' # objects of src/kernels/{avx2,avx512,amx}

shared_symbols() { nm --defined-only -C "$1" | awk '$2 ~ /^[WVu]$/'; }
wide_instructions() { objdump -d --no-show-raw-insn "$1" | grep -E '%zmm|%ymm|%tmm|tileload' || true; }
fail() {
  printf 'kernel_objects_test: %s\n' "$1" >&2
  exit 1
}

cat >"$work/bad.cc" <<'CC'
#include <immintrin.h>
template <typename T> T Twice(T x) { return x + x; }
void Store(float* to) { _mm512_storeu_ps(to, _mm512_set1_ps(Twice(*to))); }
CC
"$compiler" -O0 -mavx512f -c "$work/bad.cc" -o "$work/bad.o"
[[ -n $(shared_symbols "$work/bad.o") ]] || fail "the scan does not see a template instantiated under -mavx512f"
[[ -n $(wide_instructions "$work/bad.o") ]] || fail "the scan does not see an AVX-512 instruction"

mkdir "$work/kernels"
(cd "$work/kernels" && ar x "$kernels")
of_a_set=0 others=0
for object in "$work"/kernels/*.o; do
  name=$(basename "$object" .cc.o)
  if [[ $name =~ ^($sets)$ ]]; then
    symbols=$(shared_symbols "$object")
    [[ -z $symbols ]] || fail "$name defines what others could be given: $symbols"
    of_a_set=$((of_a_set + 1))
  else
    found=$(wide_instructions "$object" | head -n 3)
    [[ -z $found ]] || fail "$name has instructions that not every CPU has: $found"
    others=$((others + 1))
  fi
done
if [[ $(uname -m) == x86_64 ]]; then
  ((of_a_set >= 6 && others >= 4)) || fail "$of_a_set objects of a set and $others others: the names have changed"
fi
for library in "$engine" "$targets"; do
  found=$(wide_instructions "$library" | head -n 3)
  [[ -z $found ]] || fail "$library has instructions that not every CPU has: $found"
done
printf '%d objects of an instruction set share no symbol; %d others, the engine and the targets have plain instructions\n' \
  "$of_a_set" "$others"
