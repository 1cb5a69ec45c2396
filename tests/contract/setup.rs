//! The Rust that `tests/setup.sh` takes, on machines that differ in what they have.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Output};

use crate::support::{Scene, code, stderr};

/// A machine whose PATH has these programs, each a shell script, beside three tools.
fn machine(programs: &[(&str, &str)]) -> Scene {
    let scene = Scene::new();
    for tool in ["cut", "sed", "sort"] {
        fs::create_dir_all(scene.path("bin")).unwrap();
        symlink(format!("/usr/bin/{tool}"), scene.path("bin").join(tool)).unwrap();
    }
    for (name, body) in programs {
        let path = scene.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    scene
}

/// Runs these commands there after `source tests/setup/rust.sh`, as root whom the user `u` has become by sudo.
fn run(scene: &Scene, commands: &str) -> (String, Output) {
    let mut bash = Command::new("/bin/bash");
    scene.equip(&mut bash);
    bash.env("PATH", scene.path("bin"))
        .env("HOME", scene.path("root"))
        .env("SUDO_USER", "u")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("-euc")
        .arg(format!("source tests/setup/rust.sh; {commands}"));
    let output = bash.output().unwrap();
    (String::from_utf8(output.stdout.clone()).unwrap(), output)
}

const OLD: (&str, &str) = ("bin/cargo", "echo 'cargo 1.65.0'");
const NO_HOME: (&str, &str) = ("bin/getent", "exit 2");

#[test]
fn under_sudo_the_cargo_of_the_user_who_called_it_is_taken() {
    let toolchain = "[ $RUSTUP_HOME = $DIR/home/.rustup ] && echo 'cargo 1.99.0 (abc)'";
    let scene =
        machine(&[OLD, ("bin/getent", "echo u:x:1:1::$DIR/home:/bin/sh"), ("home/.cargo/bin/cargo", toolchain)]);
    let (shown, output) = run(&scene, "use_cargo; cargo --version");
    assert_eq!(shown, "cargo 1.99.0 (abc)\n", "{}", stderr(&output));
}

#[test]
fn an_old_cargo_gives_way_to_the_first_package_that_is_new_enough() {
    let apt =
        |versions: &str| format!("case $2 in {versions} *) version='(none)' ;; esac; echo \"  Candidate: $version\"");
    for (versions, package) in [
        ("cargo) version=0.66.0+ds1-1 ;; cargo-web) version=1.96.0+dfsg1-1~deb12u2 ;;", "cargo-web\n"),
        ("cargo) version=1.100.0-1 ;;", "cargo\n"),
        ("rustup) version=1.26.0-5 ;;", "rustup\n"),
        ("cargo) version=1.75.0 ;;", ""),
    ] {
        let scene = machine(&[OLD, NO_HOME, ("bin/apt-cache", &apt(versions))]);
        let (shown, output) = run(&scene, "find_cargo || rust_package");
        assert_eq!(shown, package, "{}", stderr(&output));
    }
}

#[test]
fn where_no_rust_is_to_be_had_the_message_says_what_is_there_and_what_to_do() {
    let scene = machine(&[OLD, NO_HOME]);
    let (_, output) = run(&scene, "use_cargo");
    let message = stderr(&output);
    assert!(message.contains(" or later; cargo here: 1.65.0\ntip: install it from https://rustup.rs\n"), "{message}");
    assert_eq!(code(&output), 1);
}

#[test]
fn a_rustup_without_a_toolchain_gets_one_and_an_old_toolchain_is_the_users_affair() {
    let rustup = "case $1 in toolchain) cat $DIR/list 2>/dev/null ;; default) echo 'stable-x' >$DIR/list ;; esac";
    let cargo = "[ -e $DIR/list ] && echo \"cargo 1.${OLD_ONE-99}.0\"";
    let scene = machine(&[NO_HOME, ("bin/rustup", rustup), ("bin/cargo", cargo)]);
    symlink("/usr/bin/cat", scene.path("bin/cat")).unwrap();
    let (shown, output) = run(&scene, "use_cargo; cargo --version");
    assert_eq!(shown, "cargo 1.99.0\n", "{}", stderr(&output));
    let (_, output) = run(&scene, "export OLD_ONE=70; use_cargo");
    assert!(stderr(&output).ends_with("tip: rustup update stable && rustup default stable\n"), "{}", stderr(&output));
}
