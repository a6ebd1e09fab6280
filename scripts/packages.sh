#!/bin/sh
# Installs the system packages that hafnia's demo and tests need, where they are missing. Debian 12, Ubuntu 24.04 and
# later. As root it calls apt-get; as another user it calls sudo, but only where that asks for no password. Otherwise it
# says what to install and ends with exit code 3.
set -eu

# program:package
wanted="verilator:verilator yosys:yosys iverilog:iverilog vvp:iverilog c++:g++ make:make"

missing=""
for pair in $wanted; do
  program=${pair%%:*}
  package=${pair##*:}
  if ! command -v "$program" >/dev/null 2>&1; then
    case " $missing " in
      *" $package "*) ;;
      *) missing="$missing $package" ;;
    esac
  fi
done
if [ -z "$missing" ]; then
  exit 0
fi

ask() {
  echo "missing system packages:$missing" >&2
  echo "install them first, on Debian or Ubuntu with: apt-get install$missing" >&2
  exit 3
}

command -v apt-get >/dev/null 2>&1 || ask
if [ "$(id -u)" -eq 0 ]; then
  as_root="env"
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
  as_root="sudo -n env"
else
  ask
fi

echo "installing:$missing"
$as_root DEBIAN_FRONTEND=noninteractive apt-get update -q || {
  echo "apt-get update failed; trying with the lists at hand" >&2
}
# shellcheck disable=SC2086 # a list of packages
$as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing || ask
