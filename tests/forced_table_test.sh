#!/usr/bin/env bash
# tests/forced_table_test.sh TABLE PAWSIGHT TARGETS_TEST PROGRAM_TEST: the tests that run a model, with one table of kernels
# forced by $PAWSIGHT_CPU, as on a machine that has no better. Exit code 77, and a line, where this CPU lacks the table.
set -euo pipefail
table=$1 pawsight=$2 targets_test=$3 program_test=$4
export PAWSIGHT_CPU=$table

said=$("$pawsight" model score --count 1 --questions 2 2>&1) || {
  if [[ $said == *"lacks the instructions"* ]]; then
    echo "SKIPPED: this CPU lacks the instructions of \"$table\", so the tests are not run with it"
    exit 77
  fi
  echo "$said" >&2
  exit 1
}
"$targets_test" --gtest_brief=1
"$program_test" --gtest_brief=1 --gtest_filter='Artifacts.*:Compile.PrintsALine*:Goldens.*'
# How right the model is does not depend on the table.
"$pawsight" model score --count 15 --precision int8 --against fp32 --most-flips 0.5 --at-least 95 | tail -n 2
