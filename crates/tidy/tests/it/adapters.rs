//! An adapter is one folder plus one line in the list.

/// The folders of adapters. `http` is what those that speak HTTP share.
fn folders() -> Vec<String> {
    let folders = tidy::folders("crates/adapters/src").unwrap();
    folders.into_iter().filter(|folder| folder != "http").collect()
}

#[test]
fn adapter_folders_are_those_in_the_list() {
    let folders = folders();
    let list = tidy::read("crates/adapters/src/list.rs").unwrap();
    for folder in &folders {
        assert!(list.contains(&format!("{folder}::")), "adapters/src/{folder}/ is not in list.rs");
    }
    let front = tidy::read("crates/adapters/src/lib.rs").unwrap();
    for folder in &folders {
        assert!(front.contains(&format!("mod {folder};")), "adapters/src/{folder}/ is no module of lib.rs");
    }
}

#[test]
fn adapter_folders_have_the_same_files() {
    for folder in folders() {
        for file in ["mod.rs", "config.rs", "client.rs", "fault.rs", "README.md"] {
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
