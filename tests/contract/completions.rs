//! `--generate complete-bash` and `complete-zsh`, in these shells. `generate` has fish, which needs no terminal.

use std::fs;
use std::process::Command;

use crate::support::{Scene, Terminal};

/// What somebody types, and the arguments that remoteexe then gets. A tab asks for a completion.
const TYPED: [(&str, &str); 15] = [
    ("remoteexe --vers\t", "<--version>"),
    ("remoteexe --tee alw\th s", "<--tee><always><h><s>"),
    ("remoteexe --tee=alw\th s", "<--tee=always><h><s>"),
    ("remoteexe alpha_\t/x", "<alpha_sum01></x>"),
    ("remoteexe -i ke\tbravo\t/x", "<-i><key_file><bravo_db01></x>"),
    ("remoteexe -F other\tcharl\tx", "<-F><other_config><charlie><x>"),
    // What follows HOST is not ours. A local file may have the same name there.
    ("remoteexe h --te\t", "<h><--te>"),
    ("remoteexe h ke\t", "<h><key_file>"),
    ("remoteexe --repo\t--prom\t", "<--report><--prometheus>"),
    ("remoteexe --report --host brav\t", "<--report><--host><bravo_db01>"),
    ("remoteexe --report --color nev\tke\t", "<--report><--color><never><key_file>"),
    ("remoteexe --report --since yest\t", "<--report><--since><yesterday>"),
    ("remoteexe --generate complete-z\t", "<--generate><complete-zsh>"),
    ("remoteexe --generate airf\t--user-crontab ke\t", "<--generate><airflow><--user-crontab><key_file>"),
    ("remoteexe -p 22 --repo\t", "<-p><22><--repo>"),
];

/// A home with hosts in ssh's configuration and among the known hosts, a file, and the completions.
fn home(shell: &str) -> Scene {
    let scene = Scene::new();
    fs::create_dir(scene.path(".ssh")).unwrap();
    // A host can be named after a command, which nobody may run.
    let config = "Host alpha_sum01\nHost *\nHost zulu_$(touch${IFS}taken)\n";
    fs::write(scene.path(".ssh/config"), config).unwrap();
    fs::write(scene.path("other_config"), "Host charlie\n").unwrap();
    let known = "bravo_db01,192.0.2.9 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0\n";
    fs::write(scene.path(".ssh/known_hosts"), known).unwrap();
    fs::write(scene.path("key_file"), "").unwrap();
    let output = scene.remoteexe().args(["--generate", &format!("complete-{shell}")]).output().unwrap();
    fs::write(scene.path("_remoteexe"), output.stdout).unwrap();
    scene
}

/// Types all of that in a shell, which is started by `line` and begins with `setup`.
fn check(scene: &Scene, line: &str, setup: &str) {
    let setup = format!("PS1='READY> '\nremoteexe() {{ printf 'got'; printf '<%s>' \"$@\"; echo; }}\n{setup}\n");
    fs::write(scene.path(".zshrc"), setup).unwrap();
    let mut script = Command::new("script");
    scene.equip(&mut script);
    script.env("HOME", scene.path("")).env("TERM", "dumb");
    script.current_dir(scene.path(""));
    let mut terminal = Terminal::start(&mut script, line);
    for (typed, expected) in TYPED {
        terminal.wait_for("READY> ");
        terminal.enter(&format!("{typed}\n"));
        terminal.wait_for("got");
        assert_eq!(terminal.wait_for("\r\n"), expected, "{typed:?}");
    }
    assert!(!scene.path("taken").exists());
}

#[test]
fn bash_completes_both_command_lines_with_bash_completion_and_without() {
    let line = "exec bash --rcfile .zshrc -i";
    check(&home("bash"), line, "source ./_remoteexe");
    let setup = "source /usr/share/bash-completion/bash_completion; source ./_remoteexe";
    check(&home("bash"), line, setup);
}

#[test]
fn zsh_completes_both_command_lines() {
    let setup = "fpath=($HOME $fpath); autoload -U compinit; compinit -D -u";
    check(&home("zsh"), "exec zsh -d -i", setup);
}
