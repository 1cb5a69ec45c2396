//! Operands that look like options, commands or control sequences are only text here.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::support::{Sandbox, Scene, assert_bytes, code, texts};

/// Parameters that a shell, ssh or a terminal would act upon. `MARKER` stands for a file that must not be
/// created.
const PARAMETERS: [&[u8]; 24] = [
    b"-oProxyCommand=touch MARKER",
    b"-o",
    b"ProxyCommand=touch MARKER",
    b"-oPermitLocalCommand=yes",
    b"-oLocalCommand=touch MARKER",
    b"-F/dev/null",
    b"-v",
    b"--",
    b"--log-dir=/nonexistent",
    b"root@elsewhere",
    b"$(touch MARKER)",
    b"`touch MARKER`",
    b"; touch MARKER;",
    b"| touch MARKER &",
    b">MARKER",
    b"\ntouch MARKER\n",
    b"~!touch MARKER",
    b"%h%u%d %n",
    b"*",
    b"'\"\\",
    b"",
    b" ",
    b"\x1b[2J\x1b]0;title\x07\r",
    b"\xff\xfe\x80 \x8e\x52",
];

/// Makes sshd send the command back byte for byte instead of running it. So only this side can create a
/// marker.
const ECHO: &str = r#"ForceCommand printf '%s\n' "$SSH_ORIGINAL_COMMAND""#;

/// [`PARAMETERS`] with the marker of `scene`.
fn parameters(scene: &Scene) -> Vec<OsString> {
    let with_marker = |word: &&[u8]| with_marker(scene, word);
    PARAMETERS.iter().map(with_marker).collect()
}

fn with_marker(scene: &Scene, word: &[u8]) -> OsString {
    let marker = scene.path("MARKER");
    let mut bytes = word.to_vec();
    if let Some(at) = word.windows(6).position(|window| window == b"MARKER") {
        bytes.splice(at..at + 6, marker.as_os_str().as_bytes().iter().copied());
    }
    OsString::from_vec(bytes)
}

/// `words` as START and END show them.
fn shown(words: &[OsString]) -> Vec<u8> {
    let show = |byte: u8| {
        if byte.is_ascii_control() { byte.escape_ascii().collect() } else { vec![byte] }
    };
    joined(words).into_iter().flat_map(show).collect()
}

fn joined(words: &[OsString]) -> Vec<u8> {
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    words.join(&b' ')
}

/// Expects `words` to arrive unchanged, through the real ssh, at an sshd with [`ECHO`].
fn assert_arrives(sandbox: &Sandbox, scene: &Scene, words: &[OsString]) {
    let mut command = scene.remoteexe();
    let output = sandbox.connect(&mut command).arg("h").args(words).output();
    assert_eq!(code(&output.unwrap()), 0);
    let shown = shown(words);
    let destination = format!("command,ssh -F {} {}@h ", sandbox.dir.join("ssh_config").display(), sandbox.login);
    let expected = [
        b"START,-,h ",
        &shown[..],
        b"\n",
        destination.as_bytes(),
        &shown,
        b"\n",
        &joined(words),
        b"\nEND,0,h ",
        &shown,
        b"\n",
    ];
    assert_bytes(&texts(&scene.log_bytes()), &expected.concat());
    assert!(!scene.path("MARKER").exists());
}

#[test]
fn hostile_parameters_and_scripts_reach_the_remote_unchanged_and_nothing_here() {
    let sandbox = Sandbox::start_with_sshd_config(ECHO);
    let scene = Scene::new();
    let mut words = vec![OsString::from("/x.sh")];
    words.extend(parameters(&scene));
    assert_arrives(&sandbox, &scene, &words);
    for word in PARAMETERS {
        if !word.starts_with(b"-") && !word.trim_ascii().is_empty() {
            let scene = Scene::new();
            let script = with_marker(&scene, word);
            assert_arrives(&sandbox, &scene, &[script, "-oProxyCommand=false".into()]);
        }
    }
}

#[test]
fn operands_of_100_kilobytes_arrive_whole() {
    let sandbox = Sandbox::start_with_sshd_config(ECHO);
    let one = vec![OsString::from("/x.sh"), "x".repeat(100_000).into()];
    assert_arrives(&sandbox, &Scene::new(), &one);
    let many: Vec<OsString> = (0..1000).map(|i| format!("/{i:099}").into()).collect();
    assert_arrives(&sandbox, &Scene::new(), &many);
}

#[test]
fn no_host_that_is_accepted_means_anything_to_the_shell_of_a_proxy_command() {
    let sandbox = Sandbox::start_with_sshd_config(ECHO);
    let hosts: [&[u8]; 8] =
        [b"%h%n%r", b"ProxyCommand=x", b"../../etc/passwd", b"h^+:22", b"fe80::1%lo", b"ssh", b"\x8e\x52", b"\xff\xfe"];
    for host in hosts {
        let scene = Scene::new();
        let host = OsStr::from_bytes(host);
        let script = format!(
            "printf '%s\\n' \"$*\" >{}; exec /usr/sbin/sshd -i -f {}/sshd_config",
            scene.path("seen").display(),
            sandbox.dir.display()
        );
        fs::write(scene.path("proxy"), script).unwrap();
        let proxy = format!("ProxyCommand=sh {} %n", scene.path("proxy").display());
        let mut command = scene.remoteexe();
        sandbox.connect(&mut command).args(["-o", &proxy]);
        let output = command.arg(host).arg("/x.sh").output().unwrap();
        let log = texts(&scene.log_bytes());
        assert_eq!(code(&output), 0, "{}", log.escape_ascii());
        let end = [b"\n/x.sh\nEND,0,", host.as_bytes(), b" /x.sh\n"].concat();
        assert!(log.ends_with(&end), "{}", log.escape_ascii());
        let seen = fs::read(scene.path("seen")).unwrap();
        assert_bytes(&seen, &[host.as_bytes(), b"\n"].concat());
    }
}

#[test]
fn an_option_in_front_of_the_host_does_run_its_command() {
    // The other tests of this file rely on it: such an option does create the marker.
    let scene = Scene::new();
    let proxy = format!("ProxyCommand=touch {}", scene.path("MARKER").display());
    let mut command = scene.remoteexe();
    command.args(["-F", "/dev/null", "-o", &proxy, "h", "/x.sh"]);
    assert_eq!(code(&command.output().unwrap()), 255);
    assert!(scene.path("MARKER").exists());
}
