//! An adapter is one folder, one line in the list and one feature.

use std::path::Path;
use std::process::Command;

/// The folders of adapters. `http` is what those that speak HTTP share.
fn folders(root: &Path) -> Vec<String> {
    let folders = tidy::folders(root.join("src")).unwrap();
    folders.into_iter().filter(|folder| folder != "http").collect()
}

/// Folders, lines of the list, modules and features are the same names.
fn corresponds(root: &Path) {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let (list, front, manifest) = (read("src/list.rs"), read("src/lib.rs"), read("Cargo.toml"));
    let names = folders(root);
    for name in &names {
        let listed = format!("    #[cfg(feature = \"{name}\")]\n    crate::{name}::KIND,\n");
        assert!(list.contains(&listed), "{name}/ has no line in list.rs");
        let module = format!("#[cfg(feature = \"{name}\")]\npub mod {name};\n");
        assert!(front.contains(&module), "{name}/ is no module of lib.rs");
        assert!(manifest.contains(&format!("\n{name} = [")), "{name} is no feature in Cargo.toml");
        let default = manifest.lines().find(|line| line.starts_with("default = [")).unwrap();
        assert!(default.contains(&format!("\"{name}\"")), "{name} is not among the default features");
    }
    assert_eq!(list.matches("::KIND,").count(), names.len(), "list.rs has a line without a folder");
}

#[test]
fn adapter_folders_are_those_in_the_list() {
    corresponds(&tidy::root().join("crates/adapters"));
}

/// What CONTRIBUTING promises, done by the script that it names; `make adapter` also compiles the result and runs the
/// conformance suite over it.
#[test]
fn an_adapter_is_added_by_a_folder_and_a_few_lines() {
    let root = std::env::temp_dir().join(format!("cardan-tidy-{}", std::process::id()));
    let copied = Command::new("cp").arg("-r").arg(tidy::root().join("crates/adapters")).arg(&root).status();
    assert!(copied.unwrap().success());
    let script = tidy::root().join("scripts/adapter.sh");
    let added = Command::new(&script).args(["carrier_pigeon"]).arg(&root).status().unwrap();
    let (there, again) = (folders(&root), Command::new(&script).args(["carrier_pigeon"]).arg(&root).output());
    let (pigeon, stale) = (root.join("src/carrier_pigeon"), "NAME");
    let left = ["mod.rs", "config.rs", "client.rs", "fault.rs", "README.md", "contract/sample.json"]
        .map(|file| std::fs::read_to_string(pigeon.join(file)).unwrap());
    corresponds(&root);
    std::fs::remove_dir_all(&root).unwrap();
    assert!(added.success() && there.contains(&"carrier_pigeon".to_owned()));
    assert!(left.iter().all(|text| !text.contains(stale)), "the template's name is left in a file");
    assert!(!again.unwrap().status.success(), "a name that is taken is refused");
}

#[test]
fn adapter_folders_have_the_same_files() {
    for folder in folders(&tidy::root().join("crates/adapters")) {
        for file in ["mod.rs", "config.rs", "client.rs", "fault.rs", "README.md", "contract/sample.json"] {
            let path = format!("crates/adapters/src/{folder}/{file}");
            assert!(tidy::root().join(&path).exists(), "{path} is missing");
        }
    }
}

/// Adapters translate; the runtime behaves.
#[test]
fn adapters_do_not_sleep_spawn_or_retry() {
    for path in tidy::files("crates/adapters/src", ".rs").unwrap() {
        if path.ends_with("tests.rs") {
            continue;
        }
        let code = std::fs::read_to_string(&path).unwrap();
        for banned in ["tokio::spawn", "time::sleep", "thread::spawn"] {
            assert!(!code.contains(banned), "{} uses {banned}", path.display());
        }
    }
}
