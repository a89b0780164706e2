#!/usr/bin/env bash
# Adds an adapter: scripts/adapter.sh NAME [CRATE]. Copies crates/adapters/template/ to src/NAME/ and adds its lines to
# list.rs, lib.rs and Cargo.toml of CRATE (crates/adapters). `make adapter` tries it on a copy.
set -euo pipefail
name=${1:?usage: scripts/adapter.sh NAME [CRATE]}
crate=${2:-$(dirname "$0")/../crates/adapters}
[[ $name =~ ^[a-z][a-z0-9_]*$ ]] || { echo "$name: use small letters, digits and _" >&2; exit 2; }
[ ! -e "$crate/src/$name" ] || { echo "$crate/src/$name is there already" >&2; exit 2; }
code=$(tr -d _ <<<"$name" | tr a-z A-Z)

cp -r "$crate/template" "$crate/src/$name"
find "$crate/src/$name" -type f -exec sed -i "s/NAME/$name/g; s/\"CODE\([0-9]\)/\"$code\1/g" {} +
# After the folder: one line in the list, one module, one feature.
sed -i "s/^const BUILT_IN: &\[Kind\] = &\[\$/&\n    #[cfg(feature = \"$name\")]\n    crate::$name::KIND,/" "$crate/src/list.rs"
sed -i "s/^pub mod list;\$/&\n#[cfg(feature = \"$name\")]\npub mod $name;/" "$crate/src/lib.rs"
sed -i "s/^default = \[/&\"$name\", /; s/^http = \[/$name = [\"http\"]\n&/" "$crate/Cargo.toml"
