#!/bin/sh
# Checks RTL with every frontend that has to accept it: Verilator's lint with all warnings, Icarus Verilog, Yosys.
#
#   scripts/lint-rtl.sh                the library in rtl/
#   scripts/lint-rtl.sh BUILD...       build directories that `hafnia generate` wrote
set -eu
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

# check NAME COMMAND...: quiet where it holds, its whole output where it does not.
check() {
  name=$1
  shift
  if "$@" >"$log" 2>&1; then
    echo "ok    $name"
  else
    echo "FAILED $name: $*"
    cat "$log"
    failed=1
  fi
}

library() {
  for file in rtl/*.sv rtl/array/*.sv rtl/stub/*.sv; do
    case $file in
      rtl/stub/*) arrays=rtl/stub ;;
      *) arrays=rtl/array ;;
    esac
    check "verilator $file" verilator --lint-only -Wall --top-module "$(basename "$file" .sv)" -y rtl -y "$arrays" "$file"
  done
  # One null file: Icarus elaborates every module of the library, each with its defaults.
  for file in rtl/*.sv rtl/array/*.sv; do
    check "iverilog $file" iverilog -g2012 -Wall -Wno-timescale -t null -s "$(basename "$file" .sv)" \
      -y rtl -y rtl/array -Y .sv "$file"
  done
  for file in rtl/stub/*.sv; do
    check "iverilog $file" iverilog -g2012 -t null "$file"
  done
  check "yosys rtl/" yosys -q -e . -p "read_verilog -sv -defer -DSYNTHESIS $(echo rtl/*.sv rtl/stub/*.sv)"
  check "yosys rtl/array/" yosys -q -e . -p "read_verilog -sv -defer $(echo rtl/array/*.sv)"
  check "yosys rtl/formal/" yosys -q -p "read_verilog -sv -formal -defer $(echo rtl/formal/*.sv)"
}

# Runs in the build directory, where the file lists and memory images are named from.
build() {
  top=$(basename "$1"/*.core .core)
  (
    # `check` looks at the exit code, so `set -e` does not hold here.
    cd "$1" &&
      verilator --lint-only -Wall --top-module "$top" -f synth/files.f &&
      verilator --lint-only -Wall --top-module hafnia_sim -f sim/files.f &&
      verilator --lint-only -Wall --top-module hafnia_sim -f sim/files_bank.f &&
      iverilog -g2012 -t null -s tb -f sim/files.f sim/tb_icarus.sv &&
      iverilog -g2012 -t null -s tb -f sim/files_bank.f sim/tb_icarus.sv &&
      iverilog -g2012 -t null -s "$top" -f synth/files.f &&
      yosys -q -p "read_verilog -sv -defer -DSYNTHESIS $(tr '\n' ' ' <synth/files.f); hierarchy -check -top $top"
  )
}

if [ $# -eq 0 ]; then
  library
else
  for folder in "$@"; do
    check "build directory $folder" build "$folder"
  done
fi
exit $failed
