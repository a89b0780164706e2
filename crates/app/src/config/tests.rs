use std::fs;
use std::path::{Path, PathBuf};

use adapters::Secrets as _;
use diag::{Colour, Source};
use expect_test::{ExpectFile, expect_file};
use secrecy::ExposeSecret;

use super::{Config, check, load};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/config")
}

/// The texts of one case: a file, or the files of a directory.
fn case(path: &Path) -> Vec<Source> {
    let mut files = match path.is_dir() {
        true => fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect(),
        false => vec![path.to_owned()],
    };
    files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    let name = |file: &Path| file.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|file| source(&name(file), &fs::read_to_string(file).unwrap())).collect()
}

fn source(file: &str, text: &str) -> Source {
    Source { file: file.into(), text: text.into() }
}

fn accepted(text: &str) -> Config {
    let report = check(&[source("cardan.yaml", text)]);
    report.config.unwrap_or_else(|| panic!("{}", diag::render(&report.found, &[], Colour::Plain)))
}

/// Each file of `mistakes/` is wrong in its own way; `NAME.out` is what a user is told.
#[test]
fn every_mistake_is_told_at_its_place() {
    let folder = data().join("mistakes");
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_none_or(|ending| ending == "yaml"));
    cases.sort();
    assert!(cases.len() >= 50, "{} mistakes are too few to trust", cases.len());
    for path in cases {
        let sources = case(&path);
        let report = check(&sources);
        assert!(!report.found.is_empty(), "{}: nothing was found", path.display());
        assert!(report.found.iter().all(|found| found.span.line > 0), "{}: no place", path.display());
        golden(&path.with_extension("out")).assert_eq(&diag::render(&report.found, &sources, Colour::Plain));
    }
}

fn golden(path: &Path) -> ExpectFile {
    expect_file![path]
}

#[test]
fn two_mistakes_in_one_file_are_both_told() {
    let text =
        "cardan: 1\nlisten: nowhere\nsystems: { crm: { profil: default, rest: { url: 'http://x' } } }\n";
    let places: Vec<_> = check(&[source("cardan.yaml", text)])
        .found
        .iter()
        .map(|found| (found.code, found.span.line, found.span.column))
        .collect();
    assert_eq!(places, [("CFG109", 2, 9), ("CFG010", 3, 19)]);
}

/// `check` gets texts and gives findings: a function pointer of that type has no place for I/O to hide in a
/// parameter, and the file named here does not exist.
#[test]
fn checking_needs_no_file() {
    let pure: fn(&[Source]) -> super::Report = check;
    let text = "cardan: 1\nsecrets: { s: { file: /nowhere/at/all } }\n\
                systems: { a: { rest: { url: 'http://a.invalid', auth: { bearer: { secret: s } } } } }\n";
    assert!(pure(&[source("/nowhere/cardan.yaml", text)]).config.is_some());
}

#[test]
fn a_guard_is_its_profile_changed_by_the_system() {
    let config = accepted(
        "cardan: 1
profiles:
  patient: { extends: erpSystem, attempt_timeout: 90s, retry: { max_attempts: 9, jitter: { up_to: 50ms } } }
systems:
  erp-one:
    profile: patient
    guard: { limit: off, breaker: { open_for: 7s, error_rate: { window: { calls: 50 } } }, hedge: { after: 1s }, operations: { charge: { retry: { max_attempts: 1 } } } }
    rest: { url: 'http://127.0.0.1:1', operations: { charge: { post: /c } } }
",
    );
    let policies = &config.systems["erp_one"].policies;
    let mut expected = guard::profile("erpSystem").unwrap();
    expected.attempt_timeout = std::time::Duration::from_secs(90);
    expected.retry.max_attempts = 9.try_into().unwrap();
    expected.retry.jitter = guard::Jitter::UpTo(std::time::Duration::from_millis(50));
    expected.limit = None;
    let breaker = expected.breaker.as_mut().unwrap();
    breaker.open_for = std::time::Duration::from_secs(7);
    breaker.error_rate.as_mut().unwrap().window = guard::Window::Calls(50);
    expected.hedge = Some(guard::Hedge { after: std::time::Duration::from_secs(1), max: 2 });
    assert_eq!(policies.system, expected);
    expected.retry.max_attempts = 1.try_into().unwrap();
    assert_eq!(policies.operations.get("charge"), Some(&expected));
}

#[test]
fn a_later_word_about_a_fault_replaces_an_earlier_one() {
    let config = accepted(
        "cardan: 1
profiles:
  odd: { classify: { failure: [conflict, 404], neutral: [timeout] } }
systems:
  crm:
    profile: odd
    guard: { classify: { throttle: [503, 404] }, operations: { find: { classify: { neutral: [conflict] } } } }
    rest: { url: 'http://127.0.0.1:1', operations: { find: { get: /f } } }
",
    );
    use guard::{Class, Sign};
    use port::Kind;
    let policies = &config.systems["crm"].policies;
    let mut expected = guard::Classify::default();
    expected.differ([
        (Sign::Kind(Kind::Conflict), Class::Failure),
        (Sign::Kind(Kind::Timeout), Class::Neutral),
        (Sign::Status(503), Class::Throttle),
        (Sign::Status(404), Class::Throttle),
    ]);
    assert_eq!(policies.system.classify, expected);
    expected.differ([(Sign::Kind(Kind::Conflict), Class::Neutral)]);
    assert_eq!(policies.operations["find"].classify, expected);
}

#[test]
fn a_shared_limit_names_its_store_and_its_fallback() {
    let config = accepted(
        "cardan: 1
secrets: { redis_url: { env: REDIS_URL } }
limit_stores:
  common: { redis: { url: { secret: redis_url } }, patience: 20ms }
  ledger: { postgres: { url: 'postgres://cardan@db.example/limits' } }
systems:
  crm:
    profile: salesSystem
    guard:
      limit: { shared: { store: common, fallback: { local_share: { of: 3 } } } }
      operations:
        read: { limit: { shared: { store: ledger, fallback: open } } }
        find: { limit: { shared: off } }
    rest: { url: 'http://127.0.0.1:1', operations: { read: { get: /r }, find: { get: /f }, tell: { put: /t } } }
",
    );
    let policies = &config.systems["crm"].policies;
    let shared = |operation| policies.of(operation).limit.clone().unwrap().shared;
    let share = guard::Fallback::LocalShare { of: 3.try_into().unwrap() };
    assert_eq!(shared("tell"), Some(guard::Shared { store: "common".into(), fallback: share }));
    let open = guard::Shared { store: "ledger".into(), fallback: guard::Fallback::Open };
    assert_eq!((shared("read"), shared("find")), (Some(open), None));
    let common = &config.limit_stores["common"];
    assert_eq!(common.url, super::Url::Secret("redis_url".to_owned()));
    assert_eq!(common.patience, std::time::Duration::from_millis(20));
    assert_eq!(config.limit_stores["ledger"].patience, guard::shared::Store::PATIENCE);
}

#[test]
fn what_is_not_written_has_its_default() {
    let config = accepted("cardan: 1\n");
    assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.store, super::Place::Sqlite("data/cardan.db".into()));
    assert_eq!(config.limits, gate::Limits::default());
    assert!(config.acts.mode == act::Mode::Strict && config.auth.is_none() && config.systems.is_empty());
}

#[test]
fn secrets_are_read_and_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "s3cr3t-file\n").unwrap();
    let text = format!(
        "cardan: 1\nsecrets: {{ a: {{ env: A }}, b: {{ file: {} }} }}\nsystems: {{ x: {{ rest: {{ url: 'https://x.example', \
         auth: {{ basic: {{ user: u, password: {{ secret: a }} }} }} }} }}, y: {{ rest: {{ url: 'https://y.example', \
         auth: {{ bearer: {{ secret: b }} }} }} }} }}\n",
        file.display()
    );
    let config = accepted(&text);
    let env = |name: &str| (name == "A").then(|| "s3cr3t-env".to_owned());
    let vault = config.vault(env).unwrap();
    assert_eq!(vault.get("a").unwrap().expose_secret(), "s3cr3t-env");
    assert_eq!(vault.get("b").unwrap().expose_secret(), "s3cr3t-file");
    let shown = format!("{config:?} {config:#?} {vault:?}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
    let missing = config.vault(|_| None).unwrap_err();
    assert_eq!(missing[0].message, "the secret `a` cannot be had: the variable A is not set");
}

/// A password typed where a handle belongs is an error that does not repeat it.
#[test]
fn a_secret_written_in_the_open_is_not_shown() {
    let text = "cardan: 1\nsystems:\n  x:\n    rest:\n      url: https://x.example\n      pasword: hunter2\n      \
                auth: { basic: { user: u, password: hunter2, token: hunter2 } }\n";
    let sources = [source("cardan.yaml", text)];
    let found = check(&sources).found;
    let shown = diag::render(&found, &sources, Colour::Plain) + &diag::to_json(&found).to_string();
    assert!(shown.contains("CFG023") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn custom_types_are_taken_in_strict_mode() {
    let config = accepted("cardan: 1\nvalidation: { custom_types: [visit] }\n");
    let act =
        r#"{"id":"act_1","timestamp":"2026-01-01T00:00:00Z","speaker":"a","type":"visit","on":"friday"}"#;
    assert!(act::parse_act(act.as_bytes(), &config.acts).is_ok());
}

#[test]
fn a_directory_is_one_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("a.yaml", "cardan: 1\nsystems: { crm: { rest: { url: 'http://127.0.0.1:1' } } }\n");
    write("b.yml", "cardan: 1\nsystems: { erp: { rest: { url: 'http://127.0.0.1:2' } } }\n");
    write("conversation.yaml", "title: a story\nconversation: conv_1\n");
    write("other.yaml", "title: not a configuration\n");
    let (config, warnings) = load(folder.path()).unwrap();
    assert_eq!(config.systems.keys().collect::<Vec<_>>(), ["crm", "erp"]);
    let told: Vec<_> = warnings.iter().map(|warning| (warning.code, &*warning.span.file)).collect();
    assert_eq!(told, [("CFG128", folder.path().join("other.yaml").to_str().unwrap())]);
}

/// A file of a directory may hold any one section.
#[test]
fn no_section_is_passed_over_for_standing_alone() {
    for section in super::shape::names() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.yaml"), format!("{section}: {{}}\n")).unwrap();
        let (sources, skipped) = super::sources(folder.path()).unwrap();
        assert_eq!((sources.len(), skipped), (1, Vec::new()), "{section}");
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = load(folder.path()).unwrap_err();
    assert!(nothing.to_string().contains("error[CFG114]: no file in this directory starts with `cardan: 1`"));
    let nowhere = load(&folder.path().join("nowhere.yaml")).unwrap_err();
    assert!(nowhere.to_string().contains("error[CFG114]: reading it: No such file"), "{nowhere}");
    fs::write(folder.path().join("x.yaml"), [b'c', 0xff, 0xfe]).unwrap();
    let broken = load(&folder.path().join("x.yaml")).unwrap_err();
    assert!(broken.to_string().contains("valid UTF-8"), "{broken}");
}

/// What is accepted and read by nobody would silently do nothing: every field is used where the house is wired.
#[test]
fn everything_that_is_configured_is_read() {
    let source = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let here = source("src/config/mod.rs");
    let config = here.split("pub struct Config {").nth(1).unwrap();
    let fields = config.lines().take_while(|line| *line != "}");
    let names: Vec<_> =
        fields.filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next()).collect();
    let wiring = ["mod", "door", "systems", "limit_stores", "telemetry", "hear/mod"];
    let wiring = wiring.map(|file| source(&format!("src/wire/{file}.rs"))).concat();
    let vault = source("src/config/secrets.rs");
    let is_read =
        |name: &str| wiring.contains(&format!("config.{name}")) || vault.contains(&format!("self.{name}"));
    assert!(names.len() > 10, "{names:?}");
    assert_eq!(names.into_iter().filter(|name| !is_read(name)).collect::<Vec<_>>(), Vec::<&str>::new());
}

/// The pages that are made from the shape, and the schema that editors use. `UPDATE_EXPECT=1` writes them.
mod published {
    use super::*;

    fn reference(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name)
    }

    #[test]
    fn the_schema_is_the_one_in_the_docs() {
        golden(&reference("cardan.schema.json")).assert_eq(&super::super::json_schema());
    }

    #[test]
    fn the_reference_is_the_one_in_the_docs() {
        golden(&reference("config.md")).assert_eq(&super::super::reference());
    }

    /// Every code that this crate, `diag`, `react`, `flow` or an adapter can say has its entry, and no entry is left over.
    #[test]
    fn every_code_is_explained() {
        let page = fs::read_to_string(reference("errors.md")).unwrap();
        let explained: Vec<&str> =
            page.lines().filter_map(|line| line.strip_prefix("### ")?.split(':').next()).collect();
        let mut said = Vec::new();
        for crate_name in ["app", "diag", "adapters", "react", "flow"] {
            codes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(crate_name).join("src"), &mut said);
        }
        said.sort();
        said.dedup();
        assert_eq!(said, explained, "left: said in the code; right: explained in errors.md");
    }

    fn codes(folder: &Path, said: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                codes(&path, said);
            } else if !path.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).unwrap();
                said.extend(text.split('"').filter(|part| is_code(part)).map(str::to_owned));
            }
        }
    }

    fn is_code(text: &str) -> bool {
        let digits = ["CFG", "REST", "ENTITY", "FLOW"].iter().find_map(|room| text.strip_prefix(room));
        digits.is_some_and(|digits| digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// Every example of the repository is right, without a warning.
#[test]
fn the_examples_are_right() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for example in fs::read_dir(examples).unwrap() {
        let (config, warnings) = load(&example.unwrap().path()).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert!(warnings.is_empty(), "{warnings:?}");
        assert_eq!(config.rules.routes.len(), config.flows.len());
    }
}
