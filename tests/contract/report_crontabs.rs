//! `--report --check` and `--report --next`: what the crontabs plan, and what is wrong with them.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::report::reporter;
use crate::support::{REMOTEEXE, Scene, as_ordinary_user, code, needs_root, own_mounts, run_tool, stderr};

/// The output, without the line of `--check` that names the daemon.
fn stdout(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let rest = text.strip_prefix("checked for Debian's cron\n");
    rest.map_or(text.clone(), str::to_owned)
}

#[test]
fn the_crontabs_of_the_machine_are_found_and_their_files_checked() {
    needs_root();
    let scene = Scene::new();
    let line = "* * * * * root /bin/sh -c 'remoteexe h s'\n";
    fs::create_dir(scene.path("cron.d")).unwrap();
    fs::create_dir(scene.path("spool")).unwrap();
    for (name, text, mode) in [
        ("crontab", line, 0o644),
        ("cron.d/jobs", "2 * * * * root remoteexe h t\n", 0o664),
        // A copy, as dpkg leaves it: no second line of the job.
        ("cron.d/jobs.old", "2 * * * * root remoteexe h t\n", 0o644),
        ("cron.d/other", "broken\n", 0o666),
        ("spool/root", "4 * * * * remoteexe h v\n", 0o600),
        ("spool/no_such_user", "5 * * * * remoteexe h w\n", 0o600),
        ("spool/daemon", "6 * * * * remoteexe h x\n", 0o644),
    ] {
        fs::write(scene.path(name), format!("PATH=/mnt:/usr/bin\n{text}")).unwrap();
        fs::set_permissions(scene.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut unshare = own_mounts(&format!(
        "mkfifo $DIR/cron.d/fifo
         ln -s /etc/passwd $DIR/spool/eve
         mount -t tmpfs none /mnt
         cp {REMOTEEXE} /mnt/remoteexe
         mount --bind $DIR/crontab /etc/crontab
         mount --bind $DIR/cron.d /etc/cron.d
         mount --bind $DIR/spool /var/spool/cron/crontabs
         exec /mnt/remoteexe --report \"$@\""
    ));
    scene.equip(&mut unshare);
    let output = unshare.arg("--check").output().unwrap();
    assert_eq!(
        stderr(&output),
        "remoteexe: left out: /etc/cron.d/fifo: not a regular file; \
         tip: give a text file, as cron reads it\n\
         remoteexe: left out: /var/spool/cron/crontabs/eve: \
         Too many levels of symbolic links (os error 40); \
         tip: cron follows no link there; put the file itself in its place\n"
    );
    assert_eq!(
        stdout(&output),
        "/etc/cron.d/jobs: cron ignores a file of mode 664; tip: chmod 644 /etc/cron.d/jobs\n\
         /etc/cron.d/jobs.old: cron ignores a file of this name; \
         tip: give the file a name of letters, digits, - and _ only, or delete it\n\
         /var/spool/cron/crontabs/daemon: cron ignores a file of mode 644; \
         tip: chmod 600 /var/spool/cron/crontabs/daemon\n\
         /var/spool/cron/crontabs/no_such_user: there is no user no_such_user in /etc/passwd; \
         cron ignores this whole file; tip: name the file after the user whose jobs it has\n"
    );
    assert_eq!(code(&output), 1);
}

#[test]
fn the_daemon_of_the_machine_is_named_and_its_lines_are_not_judged_by_the_rules_of_another() {
    needs_root();
    let scene = Scene::new();
    let line = "REMOTEEXE_LOG_DIR=/mnt/log\n* * * * * root /mnt/remoteexe h s\n";
    fs::write(scene.path("crontab"), line).unwrap();
    let log = |pid, time| format!("[2026-03-02 {time}][{pid}] START,-,h s\n[2026-03-02 {time}][{pid}] END,0,h s\n");
    let records = log(7, "10:00:01") + &log(8, "10:30:01");
    fs::write(scene.path("log/20260302_remoteexe.log"), records).unwrap();
    let report = |program: &str, args: &str| {
        let mut unshare = own_mounts(&format!(
            "mount -t tmpfs none /mnt
             cp {REMOTEEXE} /mnt/remoteexe
             cp -r $DIR/log /mnt/log
             cp $DIR/crontab /mnt/crontab
             touch -d 2026-01-01 /mnt/crontab
             mkdir /mnt/sbin && {program}
             mount --bind /mnt/sbin /usr/sbin
             exec /mnt/remoteexe --report --crontab /mnt/crontab {args}"
        ));
        scene.equip(&mut unshare);
        let output = unshare.output().unwrap();
        assert_eq!(stderr(&output), "", "{program}");
        String::from_utf8(output.stdout).unwrap()
    };
    let busybox = "cp /bin/true /mnt/busybox && ln -s /mnt/busybox /mnt/sbin/crond";
    let cronie = "echo cronie 1.7.2 >/mnt/sbin/crond";
    let day = "--log-dir /mnt/log --since '2026-03-02 10:00' --until '2026-03-02 10:40'";
    for (program, first, screen) in [
        (cronie, "checked for cronie 1.7.2", "NOT STARTED  10:01"),
        (
            "touch /mnt/sbin/bcron-sched",
            "bcron, whose rules are not known here; checked as Debian's cron reads it",
            "the rules of bcron are not known here",
        ),
        (busybox, "checked for busybox crond", "NOT STARTED  10:01"),
    ] {
        let check = report(program, "--check");
        assert_eq!(check.lines().next().unwrap(), first, "{check}");
        let sets_nothing = check.contains("busybox crond does not set REMOTEEXE_LOG_DIR");
        assert_eq!(sets_nothing, program == busybox, "{check}");
        let text = report(program, day);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let screen = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&screen), "{text}");
        assert_eq!(text.contains("NOT STARTED"), !first.contains("bcron"), "{text}");
    }
}

#[test]
fn crontabs_that_may_not_be_read_are_said_to_be_left_out() {
    let mut command = as_ordinary_user("/bin/sh");
    let scene = Scene::new();
    // Not by this process: a child of another test could inherit the descriptor, and then the file cannot be run.
    run_tool("cp", &[REMOTEEXE, &scene.path("remoteexe").display().to_string()]);
    fs::set_permissions(scene.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    command.args(["-c", "exec \"$0\" --report --check"]).arg(scene.path("remoteexe"));
    let output = command.env_clear().current_dir("/").output().unwrap();
    let left_out = "remoteexe: left out: /var/spool/cron/crontabs: Permission denied (os error 13); \
         tip: run the report as root, or for your own crontab: \
         crontab -l | remoteexe --report --user-crontab -\n";
    assert!(stderr(&output).contains(left_out), "{}", stderr(&output));
    assert_ne!(code(&output), 74);

    let scene = Scene::new();
    let mut command = reporter(&scene);
    command.args(["--check", "--crontab", "/nowhere/crontab"]);
    let output = command.output().unwrap();
    assert_eq!(
        stderr(&output),
        "remoteexe: left out: /nowhere/crontab: No such file or directory (os error 2); \
         tip: give the path of a crontab\n"
    );
    assert_eq!(code(&output), 74);
}

#[test]
fn a_hostile_crontab_is_told_and_bounded_and_nothing_in_it_is_run() {
    let scene = Scene::new();
    let line = |command: &str| format!("* * * * * root {command}\n");
    let touch = format!("touch {}", scene.path("touched").display());
    let megabyte = "x".repeat(1 << 20);
    fs::write(scene.path("long"), line(&format!("remoteexe h {megabyte}"))).unwrap();
    fs::write(scene.path("brackets"), line(&format!("remoteexe h {}", "[$(".repeat(300)))).unwrap();
    fs::write(scene.path("binary"), b"* * * * * root remoteexe h \0\xff\n").unwrap();
    fs::write(scene.path("control"), line("remoteexe h \x1b[2J'")).unwrap();
    fs::write(scene.path("many"), "61 * * * * root remoteexe h s\n".repeat(300_000)).unwrap();
    fs::write(
        scene.path("run"),
        format!(
            "PATH=$({touch})\n{}{}",
            line(&format!("remoteexe h $({touch})")),
            line(&format!("{touch}; remoteexe h `{touch}`"))
        ),
    )
    .unwrap();
    fs::write(scene.path("no_name"), format!("=x\n{}", line("remoteexe $H s"))).unwrap();
    // Each pair of these lines is compared on all days of a year.
    fs::write(scene.path("never"), "0 0 30 2 * root remoteexe h s\n".repeat(10_000)).unwrap();
    File::create(scene.path("large")).and_then(|file| file.set_len(100 << 20)).unwrap();
    let mut outputs = String::new();
    let names = ["long", "brackets", "binary", "control", "many", "run", "no_name", "never", "large"];
    for name in names {
        for form in ["--check", "--next"] {
            let mut command = reporter(&scene);
            command.current_dir(scene.path("")).args([form, "--crontab", name]);
            let output = command.output().unwrap();
            let text = stdout(&output) + &stderr(&output);
            assert!(!text.contains('\x1b'), "{text}");
            assert!(matches!(code(&output), 0 | 1 | 74), "{name} {form}");
            outputs += &text;
        }
    }
    assert!(outputs.len() < 100_000, "{}", outputs.len());
    for told in [
        "long:1: a command of 1048588 bytes; cron takes less than 999; cron ignores this whole file",
        "brackets:1: there is no closing ) in the command",
        "binary:1: a NUL byte: this is not a text; cron ignores this whole file",
        "many: 9902 more problems; tip: mend the first ones and check again",
        "left out: large: larger than 16 MiB: this is no crontab",
    ] {
        assert!(outputs.contains(told), "{told}\n{outputs}");
    }
    assert!(!scene.path("touched").exists());
}
