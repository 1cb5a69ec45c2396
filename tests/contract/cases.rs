//! The cases in `cases`: each file has a log, commands, and exactly what they print. CONTRIBUTING says how to add one.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use crate::support::{case_as_run, files};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/cases");

/// How many cases of a subject run at once. Others wait for a processor while one waits for its program.
const AT_ONCE: usize = 4;

macro_rules! subjects {
    ($($subject:ident)*) => {
        $(#[test] fn $subject() { check(stringify!($subject)); })*

        #[test]
        fn each_folder_is_a_subject_here() {
            let folders = files(Path::new(FOLDER));
            let folders = folders.iter().filter(|path| path.is_dir());
            let names: Vec<_> = folders.map(|path| path.file_name().unwrap().to_owned()).collect();
            assert_eq!(names, [$(stringify!($subject)),*]);
        }
    };
}

subjects! { accepted airflow causes connections crontabs damage forms generate inputs jobs logs metrics missed owners pairing questions rerun rotated schedulers scope screens setup signals usage watch }

/// Runs all cases of a subject, and fails with what differs.
fn check(subject: &str) {
    let cases = files(&Path::new(FOLDER).join(subject));
    let next = AtomicUsize::new(0);
    let run_some = || {
        let cases = std::iter::from_fn(|| cases.get(next.fetch_add(1, Ordering::Relaxed)));
        cases.map(|case| difference(case)).collect::<String>()
    };
    let differences: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(run_some)).collect();
        threads.into_iter().map(|thread| thread.join().expect("a case as it is written")).collect()
    });
    let differences = differences.concat();
    assert!(differences.is_empty(), "CASES=rewrite accepts this:\n{differences}");
}

/// How the case differs from what its commands print now. Nothing, if it has just been rewritten.
fn difference(case: &Path) -> String {
    let written = fs::read_to_string(case).expect("a case");
    let found = case_as_run(&written);
    if found == written {
        return String::new();
    }
    if env::var_os("CASES").is_some_and(|what| what == "rewrite") {
        fs::write(case, found).expect("a case that can be rewritten");
        return String::new();
    }
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("found");
    fs::write(&path, found).expect("a file");
    let diff = Command::new("diff").arg("-U4").arg(case).arg(path).output().expect("diff");
    String::from_utf8_lossy(&diff.stdout).into_owned()
}
