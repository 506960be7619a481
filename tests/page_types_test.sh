#!/usr/bin/env bash
# tests/page_types_test.sh WEB: the TypeScript of the page holds what its types say: esbuild, which bundles it, drops types
# without reading them. Every .ts file under WEB is read. Exit code 77, and a line, where there is no TypeScript compiler.
set -euo pipefail
web=$(realpath "$1")

command -v tsc >/dev/null || {
  echo "SKIPPED: there is no tsc (node-typescript in packaging/apt/test.txt); THE PAGE'S TYPES ARE NOT CHECKED"
  exit 77
}
read_files=$(tsc --noEmit --pretty false --listFiles -p "$web") || {
  grep -E 'error TS|^ ' <<<"$read_files" || echo "$read_files"
  exit 1
}
while read -r file; do
  grep -qxF "$file" <<<"$read_files" || {
    echo "$file is not among what $web/tsconfig.json includes: nobody has checked it"
    exit 1
  }
done < <(find "$web" -name '*.ts')
echo "the page's types: $(grep -cF "$web/" <<<"$read_files") files checked by tsc $(tsc --version | tr -dc 0-9.)"
