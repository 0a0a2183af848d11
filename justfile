# The tasks of a day; `just` alone lists them. Each is one or two commands that can be typed instead.

_list:
    @just --list --unsorted

# the compiler's opinion, in seconds
check:
    cargo check --locked --all-targets

# build quickly and run a pipeline: `just try scripts/smallest.epo`
try *args:
    cargo run --locked --quiet -- {{args}}

# everything that CI runs, as far as this machine has what it needs
test:
    scripts/test.sh

# one test file or a part of it: `just only objective golden`
only target *names:
    cargo test --locked --test {{target}} {{names}}

fmt:
    cargo fmt

lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- --deny warnings

# the pages of the crate's own documentation
docs:
    cargo doc --locked --no-deps --document-private-items

# write generated pages and recorded messages anew; read `git diff` before committing them
bless:
    UPDATE=1 cargo test --locked --test cli reference
    UPDATE=1 cargo test --locked --test recipes
    UPDATE=1 cargo test --locked --test diagnostics
    UPDATE=1 cargo test --locked --test safety seed

# the speed of the kernels, of generation and of updates
bench:
    cargo bench --locked --bench model

# the wheel of the program, in target
wheel:
    python3 -m pip wheel --no-deps --wheel-dir target .

# licences and sources of all dependencies
licences:
    scripts/licences.sh

# what takes hours: whole replays, quickstart, guides, peers
full:
    scripts/full-check.sh
