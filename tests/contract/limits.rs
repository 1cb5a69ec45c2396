//! A system that refuses descriptors: the log says so, and nothing is lost.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use crate::support::{REMOTEEXE, Scene, code, log_of_h_s, records, stderr};

#[test]
fn however_few_descriptors_there_are_each_record_is_in_the_log_or_on_standard_error() {
    let runs_from = |log_dir: &str| (4..=32).find(|limit| has_run(*limit, log_dir)).expect("enough for the job");
    assert!(runs_from("log") > 4, "four are enough, and so nothing was tried");
    runs_from("missing");
}

/// Whether the job runs with file descriptors below `limit` only. All of its records must be somewhere.
fn has_run(limit: u32, log_dir: &str) -> bool {
    let scene = Scene::new();
    fs::create_dir(scene.path("bin")).unwrap();
    // echo stands for ssh: it prints its arguments, and needs no descriptor.
    symlink("/bin/echo", scene.path("bin/ssh")).unwrap();
    let mut sh = Command::new("sh");
    scene.equip(&mut sh);
    // Descriptors that the caller of the tests left open would count.
    let script = format!(
        r#"exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
           PATH=$DIR/bin:$PATH exec prlimit --nofile={limit} "$0" --log-dir $DIR/{log_dir} h s"#
    );
    let output = sh.args(["-c", &script, REMOTEEXE]).stdin(Stdio::null()).output().unwrap();
    let stderr = stderr(&output);
    let records = match stderr.split_once('\n') {
        Some((warning, rest)) if log_dir == "missing" => {
            assert!(warning.starts_with("remoteexe: cannot log to "), "{warning}");
            records(rest)
        }
        // Nothing was logged: watching for signals left too few descriptors to open the log.
        Some((warning, rest)) if !rest.is_empty() => {
            assert!(
                warning.ends_with("Too many open files (os error 24); keeping up to 1 MiB of records to try again"),
                "{warning}"
            );
            assert_eq!(scene.log(), "");
            records(rest)
        }
        _ => scene.log(),
    };
    if code(&output) == 0 {
        assert_eq!(records, log_of_h_s("root@h s\n", 0));
        return true;
    }
    assert_eq!(code(&output), 126, "{records}");
    // If there are too few to watch for signals, remoteexe does not log the command.
    let reason = "remoteexe: ssh cannot be run: Too many open files (os error 24)\n";
    assert_eq!(records.replace("command,ssh root@h s\n", ""), format!("START,-,h s\n{reason}END,126,h s\n"));
    false
}
