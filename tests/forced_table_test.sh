#!/usr/bin/env bash
# tests/forced_table_test.sh TABLE PAWSIGHT TARGETS_TEST PROGRAM_TEST KERNELS_TEST EMULATOR: the tests that run a model, with one
# table of kernels forced by $PAWSIGHT_CPU, as on a machine that has no better. Where this CPU lacks the tiles of AMX and has the
# rest, EMULATOR executes their instructions (tests/tile_emulator.cc), a thousand times slower: then the longest tests are left
# out, unless $PAWSIGHT_EMULATE is "all" (four minutes of a core). Exit code 77, and a line, where this CPU lacks the table.
set -euo pipefail
table=$1 pawsight=$2 targets_test=$3 program_test=$4 kernels_test=$5 emulator=$6
export PAWSIGHT_CPU=$table

runs() { said=$("$pawsight" model score --count 1 --questions 2 2>&1); }
of_targets='*' of_program='Artifacts.*:Compile.PrintsALine*:Goldens.*' scenes=6
if [[ $table == amx ]] && ! runs; then
  export LD_PRELOAD=$emulator
  if runs; then
    echo "this CPU lacks the tiles: their instructions are emulated"
    "$kernels_test" --gtest_brief=1 --gtest_filter='Table/Amx*:AmxEmulation.*:Choose.*'
    if [[ ${PAWSIGHT_EMULATE:-} != all ]]; then
      of_targets='*-NarrowAnswers.AreTheSame*:CompileForCpu.MakesAnArtifact*:CompileForCpu.OneComponent*:ForwardPass.AllocatesNothing*'
      of_program='Compile.PrintsALine*:Goldens.*' scenes=2
    fi
  fi
fi
runs || {
  if [[ $said == *"lacks the instructions"* ]]; then
    echo "SKIPPED: this CPU lacks the instructions of \"$table\", so the tests are not run with it"
    exit 77
  fi
  echo "$said" >&2
  exit 1
}
"$targets_test" --gtest_brief=1 --gtest_filter="$of_targets"
"$program_test" --gtest_brief=1 --gtest_filter="$of_program"
# How right the model is does not depend on the table.
"$pawsight" model score --count "$scenes" --precision int8 --against fp32 --most-flips 0.5 --at-least 95 | tail -n 2
