//! `--generate complete-bash`, `complete-zsh` and `complete-fish`, in these shells.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{REMOTEEXE, Scene, Terminal, code, stderr};

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
    fs::write(scene.path("_remoteexe"), completions(shell)).unwrap();
    scene
}

fn completions(shell: &str) -> String {
    let what = format!("complete-{shell}");
    let output = Command::new(REMOTEEXE).args(["--generate", &what]).output();
    let output = output.unwrap();
    assert_eq!((code(&output), &*stderr(&output)), (0, ""));
    String::from_utf8(output.stdout).unwrap()
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

#[test]
fn fish_completes_both_command_lines() {
    for (typed, expected) in [
        ("remoteexe --vers", "--version"),
        ("remoteexe --tee ", "always auto never"),
        ("remoteexe --tee=al", "--tee=always"),
        ("remoteexe alpha", "alpha_sum01"),
        ("remoteexe -i ke", "key_file"),
        ("remoteexe -i key_file brav", "bravo_db01"),
        ("remoteexe h --te", ""),
        ("remoteexe h ke", "key_file"),
        ("remoteexe --repo", "--report"),
        ("remoteexe -p 22 --repo", ""),
        ("remoteexe --report --prom", "--prometheus"),
        ("remoteexe --report --host brav", "bravo_db01"),
        ("remoteexe --report ke", "key_file"),
        ("remoteexe --generate ", "airflow complete-bash complete-fish complete-zsh man"),
        ("remoteexe --generate man ", ""),
    ] {
        let scene = home("fish");
        let mut fish = Command::new("fish");
        scene.equip(&mut fish);
        fish.env("HOME", scene.path("")).current_dir(scene.path(""));
        let ask = format!("source _remoteexe; complete -C '{typed}'");
        let output = fish.args(["--no-config", "-c", &ask]).output().unwrap();
        assert_eq!(stderr(&output), "", "{typed}");
        let lines = String::from_utf8(output.stdout).unwrap();
        let words = lines.lines().map(|line| line.split('\t').next().unwrap());
        let mut words: Vec<_> = words.collect();
        words.sort_unstable();
        assert_eq!(words.join(" "), expected, "{typed}");
    }
}

#[test]
fn each_shell_and_shellcheck_accept_the_completions() {
    for (shell, checker) in [
        ("bash", &["shellcheck", "-s", "bash", "-"][..]),
        ("bash", &["bash", "-n"]),
        ("zsh", &["zsh", "-n"]),
        ("fish", &["fish", "-n"]),
    ] {
        let scene = home(shell);
        let mut command = Command::new(checker[0]);
        let file = fs::File::open(scene.path("_remoteexe")).unwrap();
        command.args(&checker[1..]).stdin(Stdio::from(file));
        let output = command.output().unwrap();
        let found = String::from_utf8(output.stdout.clone()).unwrap() + &stderr(&output);
        assert_eq!((code(&output), &*found), (0, ""), "{checker:?}");
    }
}
