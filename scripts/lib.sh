# Shared by the scripts: where builds go, and what a bare Debian 12 still needs. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Outside the checkout, so that fresh clones share the one long build of RocksDB.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/portolan/target}"
nextest_version=0.9.143

say() { printf '%s\n' "$*" >&2; }

need_cargo() {
    if ! command -v cargo >/dev/null; then
        [ -x "$HOME/.cargo/bin/cargo" ] && PATH="$HOME/.cargo/bin:$PATH"
    fi
    command -v cargo >/dev/null || { say "Rust is missing: install 1.95 or newer (https://rustup.rs), then run this again."; exit 1; }
}

# RocksDB is C++ and its bindings are made with libclang.
need_packages() {
    local missing=()
    command -v c++ >/dev/null || missing+=(g++)
    command -v make >/dev/null || missing+=(make)
    command -v clang >/dev/null || missing+=(clang)
    compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null || missing+=(libclang-dev)
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        say "Missing packages: ${missing[*]}. Install them (Debian: apt-get install ${missing[*]}), then run this again."
        exit 1
    fi
    say "Installing ${missing[*]} …"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2
}

need_nextest() {
    command -v cargo-nextest >/dev/null && return
    say "Building cargo-nextest $nextest_version from its crate, once …"
    # Unoptimised, which is enough to start tests and wait for them, and quicker to build.
    cargo install --debug --locked --version "$nextest_version" cargo-nextest >&2
}

# Cargo takes two checkouts at one version for the same packages and tells old from new by times alone: after another checkout
# used the folder, everything of this one is made newer than what was built.
claim_target() {
    local owner="$CARGO_TARGET_DIR/checkout"
    [ "$(cat "$owner" 2>/dev/null)" = "$root" ] && return
    find "$root" \( -name .git -o -name .devnet -o -name target \) -prune -o -type f -exec touch {} +
    mkdir -p "$CARGO_TARGET_DIR"
    printf '%s' "$root" >"$owner"
}

prepare() {
    need_cargo
    need_packages
    claim_target
}

# Builds the two binaries; cargo's own progress goes to standard error.
build_binaries() {
    say "Building Portolan into $CARGO_TARGET_DIR (the first build is long, RocksDB most of it) …"
    (cd "$root" && cargo build --release --locked --workspace --bins >&2)
}
