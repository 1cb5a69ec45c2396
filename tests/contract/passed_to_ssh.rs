//! The arguments that ssh gets: its own options, the destination and the remote command.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use crate::support::{Scene, assert_bytes, code, log_of_h_s, texts};

/// Prints the arguments that ssh was called with, each in brackets.
const SHOW_ARGUMENTS: &str = r#"printf '<%s>' "$@"; echo"#;

#[test]
fn without_options_only_the_destination_and_the_command_are_passed() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(SHOW_ARGUMENTS);
    let run = scene.run(command.args(["host_sum_batch01", "/path/sum.sh"]));
    assert_eq!(run.code, 0);
    assert_eq!(
        run.records,
        "START,-,host_sum_batch01 /path/sum.sh\n\
         command,ssh root@host_sum_batch01 /path/sum.sh\n\
         <root@host_sum_batch01></path/sum.sh>\n\
         END,0,host_sum_batch01 /path/sum.sh\n"
    );
}

#[test]
fn every_option_of_ssh_is_passed_on_and_none_is_part_of_the_job() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(SHOW_ARGUMENTS);
    command.args(["-i", "/k", "-l", "bob", "-o", "ConnectTimeout=9"]);
    command.args(["-oCompression=yes", "-F", "/c", "-p2222", "--tee", "never"]);
    let run = scene.run(command.args(["host", "/x.sh", "-v"]));
    assert_eq!(run.code, 0);
    let arguments = "-F /c -i /k -p 2222 -o ConnectTimeout=9 -o Compression=yes bob@host /x.sh -v";
    assert_eq!(
        run.records,
        format!(
            "START,-,host /x.sh -v\ncommand,ssh {arguments}\n<{}>\nEND,0,host /x.sh -v\n",
            arguments.replace(' ', "><")
        )
    );
}

#[test]
fn variables_stand_in_for_options_and_options_win() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("");
    command.env("REMOTEEXE_IDENTITY", "/key").env("REMOTEEXE_LOGIN", "bob");
    let run = scene.run(command.args(["host", "/x.sh"]));
    assert_eq!(run.code, 0);
    assert_eq!(
        run.records,
        "START,-,host /x.sh\ncommand,ssh -i /key bob@host /x.sh\nEND,0,host /x.sh\n"
    );

    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("");
    command.env("REMOTEEXE_IDENTITY", "/key").env("REMOTEEXE_LOGIN", "bob");
    command.args(["--identity", "/other", "--login", "eve"]);
    let run = scene.run(command.args(["host", "/x.sh"]));
    assert_eq!(run.code, 0);
    assert_eq!(
        run.records,
        "START,-,host /x.sh\ncommand,ssh -i /other eve@host /x.sh\nEND,0,host /x.sh\n"
    );
}

#[test]
fn several_identities_are_passed_on_as_ssh_takes_them() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(SHOW_ARGUMENTS);
    let run = scene.run(command.args(["-i", "/a", "-i", "/b", "h", "s"]));
    assert_eq!(run.code, 0);
    assert_eq!(
        run.records,
        "START,-,h s\ncommand,ssh -i /a -i /b root@h s\n<-i></a><-i></b><root@h><s>\nEND,0,h s\n"
    );
}

#[test]
fn a_variable_that_is_set_but_empty_counts_as_unset() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("");
    command.env("REMOTEEXE_IDENTITY", "").env("REMOTEEXE_LOGIN", "");
    let run = scene.run(command.args(["host", "/x.sh"]));
    assert_eq!(run.code, 0);
    assert_eq!(run.records, "START,-,host /x.sh\ncommand,ssh root@host /x.sh\nEND,0,host /x.sh\n");
}

#[test]
fn everything_after_the_host_is_the_remote_command() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(SHOW_ARGUMENTS);
    command.args(["host", "/x.sh", "--help", "-v", "--", "-l", "eve", ""]);
    let run = scene.run(command.arg("--log-dir=/nowhere"));
    assert_eq!(run.code, 0);
    assert_eq!(
        run.records,
        "START,-,host /x.sh --help -v -- -l eve  --log-dir=/nowhere\n\
         command,ssh root@host /x.sh --help -v -- -l eve  --log-dir=/nowhere\n\
         <root@host></x.sh><--help><-v><--><-l><eve><><--log-dir=/nowhere>\n\
         END,0,host /x.sh --help -v -- -l eve  --log-dir=/nowhere\n"
    );
}

#[test]
fn no_word_is_split_globbed_or_expanded_here() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(SHOW_ARGUMENTS);
    let run = scene.run(command.args(["host", "/x.sh  a", "/*", "$HOME", "`id`", "a\\tb"]));
    assert_eq!(run.code, 0);
    assert_eq!(
        run.records,
        "START,-,host /x.sh  a /* $HOME `id` a\\tb\n\
         command,ssh root@host /x.sh  a /* $HOME `id` a\\tb\n\
         <root@host></x.sh  a></*><$HOME><`id`><a\\tb>\n\
         END,0,host /x.sh  a /* $HOME `id` a\\tb\n"
    );
}

#[test]
fn operands_are_bytes_in_whatever_encoding() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(SHOW_ARGUMENTS);
    let output = command.arg("host").arg(OsStr::from_bytes(b"/\x8e\x52.sh \xff")).output().unwrap();
    assert_eq!(code(&output), 0);
    assert_bytes(
        &texts(&scene.log_bytes()),
        b"START,-,host /\x8e\x52.sh \xff\n\
          command,ssh root@host /\x8e\x52.sh \xff\n\
          <root@host></\x8e\x52.sh \xff>\n\
          END,0,host /\x8e\x52.sh \xff\n",
    );
}

#[test]
fn standard_input_reaches_ssh() {
    let scene = Scene::new();
    std::fs::write(scene.path("input"), "one\ntwo\n").unwrap();
    let mut command = scene.remoteexe_with_ssh("cat");
    command.stdin(std::fs::File::open(scene.path("input")).unwrap());
    let run = scene.run(command.args(["host", "/x.sh"]));
    assert_eq!(run.code, 0);
    assert_eq!(
        run.records,
        "START,-,host /x.sh\ncommand,ssh root@host /x.sh\none\ntwo\nEND,0,host /x.sh\n"
    );
}

#[test]
fn ssh_gets_no_descriptor_of_remoteexes() {
    let scene = Scene::new();
    let list = "cd /proc/$$/fd && echo *";
    // Descriptors that the caller of the tests left open are there with and without remoteexe.
    let mut sh = Command::new("sh");
    scene.equip(&mut sh);
    let inherited = String::from_utf8(sh.args(["-c", list]).output().unwrap().stdout).unwrap();
    assert!(inherited.starts_with("0 1 "), "{inherited}");
    let run = scene.run(scene.remoteexe_with_ssh(list).args(["h", "s"]));
    assert_eq!(run.code, 0);
    assert_eq!(run.records, log_of_h_s(&inherited, 0));
}
