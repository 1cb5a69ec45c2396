//! `--report --html FILE`, `-o FILE`: what is in the place of FILE, or in its directory, hands on no right.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{XattrFlags, setxattr};

use crate::support::{ORDINARY_USER, REMOTEEXE, Scene, as_ordinary_user, code, files, needs_root, run_tool, stderr};

/// The modes of files that a stranger makes in the place of FILE.
const MODES: [&str; 5] = ["4777", "2777", "666", "644", "600"];

/// A scene with a directory that root has made sticky, and one that belongs to the ordinary user.
fn scene() -> (Scene, [PathBuf; 2]) {
    needs_root();
    let scene = Scene::new();
    run_tool("chmod", &["755", &scene.path("").display().to_string()]);
    fs::write(scene.path("a.log"), "").unwrap();
    let dirs = ["sticky", "own"].map(|name| scene.path(name));
    for dir in &dirs {
        fs::create_dir(dir).unwrap();
    }
    fs::set_permissions(&dirs[0], Permissions::from_mode(0o1777)).unwrap();
    run_tool("chown", &[ORDINARY_USER, &dirs[1].display().to_string()]);
    (scene, dirs)
}

/// Root writes a page or gauges to FILE, with this umask.
fn write(scene: &Scene, umask: &str, option: &str, file: &Path) {
    let mut sh = Command::new("sh");
    scene.equip(&mut sh);
    let option = match option {
        "--html" => "--html",
        _ => "--prometheus -o",
    };
    let script = format!("umask {umask}; exec {REMOTEEXE} --report {option} \"$0\" a.log");
    let output = sh.args(["-c", &script]).arg(file);
    let output = output.current_dir(scene.path("")).output().unwrap();
    assert_eq!((stderr(&output), code(&output)), (String::new(), 0));
}

/// The owner, the group and the mode of a file.
fn rights(file: &Path) -> (u32, u32, String) {
    let data = fs::metadata(file).unwrap();
    (data.uid(), data.gid(), format!("{:o}", data.mode() & 0o7777))
}

fn as_stranger(script: &str, file: &Path) {
    let output = as_ordinary_user("sh").args(["-c", script]).arg(file).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_file_that_a_stranger_has_made_hands_on_no_bit_of_its_mode() {
    let (scene, dirs) = scene();
    for dir in &dirs {
        for mode in MODES {
            for (umask, option, expected) in
                [("077", "--html", "600"), ("022", "--html", "644"), ("077", "-o", "644"), ("000", "-o", "644")]
            {
                let file = dir.join("x.html");
                as_stranger(&format!("rm -f $0; echo >$0; chmod {mode} $0"), &file);
                write(&scene, umask, option, &file);
                let what = format!("{mode} {umask} {option} {}", dir.display());
                assert_eq!(rights(&file), (0, 0, expected.to_owned()), "{what}");
                fs::remove_file(&file).unwrap();
            }
        }
    }
}

#[test]
fn a_file_of_one_s_own_keeps_its_mode_but_no_more_than_others_may_read() {
    let (scene, dirs) = scene();
    // Into a sticky directory others can move what root wrote elsewhere: there the umask decides too.
    for (dir, umask) in [(&scene.path("log"), "077"), (&dirs[0], "022")] {
        for (mode, expected) in [(0o640, "640"), (0o600, "600"), (0o6777, "644"), (0o666, "644")] {
            let file = dir.join("x.html");
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            write(&scene, umask, "--html", &file);
            assert_eq!(rights(&file).2, expected, "{mode:o}");
        }
    }
}

#[test]
fn a_file_of_root_s_that_a_stranger_has_put_there_opens_no_page_to_others() {
    let (scene, dirs) = scene();
    let public = scene.path("public");
    fs::write(&public, "").unwrap();
    for dir in &dirs {
        // Where protected_hardlinks is 0, anybody can do that.
        let file = dir.join("linked.html");
        fs::hard_link(&public, &file).unwrap();
        write(&scene, "077", "--html", &file);
        assert_eq!(rights(&file).2, "600");
    }
    // What root once wrote in a directory of the user's.
    for dir in &dirs {
        let file = dir.join("moved.html");
        fs::write(dirs[1].join("readme"), "").unwrap();
        as_stranger("mv ${0%/*/*}/own/readme $0", &file);
        write(&scene, "077", "--html", &file);
        assert_eq!(rights(&file).2, "600");
    }
}

#[test]
fn a_stranger_s_link_leads_the_page_to_no_directory_but_the_stranger_s() {
    let (scene, dirs) = scene();
    fs::create_dir(scene.path("cron.d")).unwrap();
    let file = dirs[1].join("www/x.html");
    for target in ["../cron.d", "$PWD/cron.d", "loop/../../cron.d", "www"] {
        let target = target.replace("$PWD", &scene.path("").display().to_string());
        as_stranger(&format!("cd ${{0%/*/*}}; rm -f www; ln -sfn . loop; ln -s {target} www"), &file);
        let mut report = scene.remoteexe();
        report.args(["--report", "a.log", "--html"]).arg(&file);
        let output = report.current_dir(scene.path("")).output().unwrap();
        assert!(stderr(&output).contains("no new file can be made"), "{}", stderr(&output));
        assert_eq!((code(&output), files(&scene.path("cron.d"))), (74, Vec::new()));
    }
    as_stranger("cd ${0%/*/*}; rm www; mkdir real; ln -s loop/real www", &file);
    write(&scene, "022", "--html", &file);
    assert_eq!(files(&dirs[1].join("real")), [dirs[1].join("real/x.html")]);
    // Root's own link leads anywhere.
    symlink("cron.d", scene.path("link")).unwrap();
    write(&scene, "022", "--html", &scene.path("link/y.html"));
    assert_eq!(files(&scene.path("cron.d")), [scene.path("cron.d/y.html")]);
}

#[test]
fn a_stranger_s_directory_gives_the_page_no_group_and_no_acl() {
    let (scene, dirs) = scene();
    let own = &dirs[1];
    let uid = fs::metadata(own).unwrap().uid();
    chown(own, None, Some(uid)).unwrap();
    fs::set_permissions(own, Permissions::from_mode(0o2755)).unwrap();
    // Version 2: the owner, the user, the group, the mask and others, each with all rights (acl(5)).
    let mut acl = vec![2, 0, 0, 0];
    for (tag, id) in [(1_u16, u32::MAX), (2, uid), (4, u32::MAX), (16, u32::MAX), (32, u32::MAX)] {
        acl.extend(tag.to_le_bytes());
        acl.extend([7, 0]);
        acl.extend(id.to_le_bytes());
    }
    setxattr(own, "system.posix_acl_default", &acl, XattrFlags::empty()).unwrap();
    let file = own.join("x.html");
    write(&scene, "027", "--html", &file);
    assert_eq!(rights(&file), (0, 0, "640".to_owned()));
    let read = as_ordinary_user("cat").arg(&file).output().unwrap();
    assert!(stderr(&read).contains("Permission denied"), "{read:?}");
}

#[test]
fn whatever_else_stands_in_the_place_of_the_file_is_left_alone() {
    let (scene, dirs) = scene();
    fs::write(scene.path("victim"), "old").unwrap();
    for dir in &dirs {
        let file = dir.join("x.html");
        for script in ["mkfifo $0", "ln -s ../victim $0", "ln -s nowhere $0", "mkdir $0"] {
            as_stranger(script, &file);
            let mut report = scene.remoteexe();
            report.args(["--report", "a.log", "--html"]).arg(&file);
            let output = report.current_dir(scene.path("")).output().unwrap();
            let message = stderr(&output);
            assert!(message.contains("not a regular file"), "{script}: {message}");
            assert_eq!(code(&output), 74);
            assert_eq!(files(dir), std::slice::from_ref(&file));
            run_tool("rm", &["-r", &file.display().to_string()]);
        }
    }
    assert_eq!(fs::read_to_string(scene.path("victim")).unwrap(), "old");
}
