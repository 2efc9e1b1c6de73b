# Sourced at the root of the tree by test and demo. Afterwards .venv holds the pinned packages and the kiosk command.

system_packages="python3 python3-venv"

say() { printf '%s\n' "$@"; }
stop() { printf '%s\n' "$@" >&2; exit 1; }

# Print the version and the file of a Python that fits, without the virtual environment that may surround it.
probe='import ensurepip, os, sys, venv
if not (3, 11) <= sys.version_info[:2] <= (3, 13): sys.exit(1)
print(sys.version.split()[0], os.path.realpath(sys._base_executable))'

find_python() {
    for name in python3 python3.13 python3.12 python3.11; do
        found=$("$name" -c "$probe" 2>/dev/null) && return 0
    done
    return 1
}

# Find out how packages are installed here, if at all.
as_root() {
    if ! command -v apt-get >/dev/null; then
        return 1
    elif [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    elif sudo -n true 2>/dev/null; then
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    else
        return 1
    fi
}

# Install Debian packages, or return 1.
install_packages() {
    as_root true || return 1
    say "Installing system packages: $*"
    as_root apt-get update -qq >/dev/null
    as_root apt-get install -qq --yes --no-install-recommends "$@" >/dev/null
}

find_python || {
    command -v apt-get >/dev/null || stop "Install Python 3.11, 3.12 or 3.13 with its venv module, then start again."
    # shellcheck disable=SC2086 - two packages
    install_packages $system_packages ||
        stop "Run this line, then start again:" "  sudo apt-get update && sudo apt-get install --yes $system_packages"
    find_python || stop "Python 3.11, 3.12 or 3.13 is needed, and this system's packages hold none of them."
}

# The stamp is written last: without it, or with another one, whatever lies in .venv is made anew.
stamp=$({ say "$PWD" "$found"; cat pyproject.toml deploy/setup.sh deploy/requirements*.txt; } | sha256sum)

if [ "$(cat .venv/stamp 2>/dev/null)" != "$stamp" ] || ! .venv/bin/python -c "" 2>/dev/null; then
    say "Making .venv with Python $found"
    rm -rf .venv
    "${found#* }" -m venv .venv
    say "Installing the pinned packages"
    pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install --quiet"
    $pip --require-hashes --only-binary :all: -r deploy/requirements.txt -r deploy/requirements-dev.txt
    $pip --no-index --no-deps --no-build-isolation --editable .
    say "$stamp" >.venv/stamp
fi

PATH=$PWD/.venv/bin:$PATH
