//! Compiled programs in the place of ssh.

use std::fs;
use std::process::Command;

use super::process::run_tool;
use super::scene::Scene;

/// The version of a stand-in that need not be another.
pub const SOME_VERSION: &str = "OpenSSH_9.2p1";

/// Compiles a C program as `ssh` into a directory of the scene, and gives that directory for PATH.
pub fn compile_ssh(scene: &Scene, main: &str) -> String {
    let bin = scene.path("bin");
    fs::create_dir_all(&bin).unwrap();
    let source = format!(
        "#define _GNU_SOURCE\n#include <errno.h>\n#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n\
         #include <string.h>\n#include <sys/wait.h>\n#include <unistd.h>\n\
         int main(int argc, char **argv) {{ {main} }}\n"
    );
    fs::write(scene.path("ssh.c"), source).unwrap();
    // The linker of every Rust program.
    let mut cc = Command::new("cc");
    cc.arg("-o").arg(bin.join("ssh")).arg(scene.path("ssh.c"));
    assert!(cc.status().unwrap().success());
    bin.display().to_string()
}

/// The same for a forgery: a program with all constants of the real ssh, which is therefore taken for this `version`.
pub fn forge_ssh(scene: &Scene, version: &str, main: &str) -> String {
    let path = scene.path("constants").display().to_string();
    let copy = ["-O", "binary", "-j", ".rodata", "/usr/bin/ssh", &path];
    run_tool("objcopy", &copy);
    let said = Command::new("ssh").arg("-V").output().unwrap().stderr;
    let own = str::from_utf8(said.split(|byte| b", ".contains(byte)).next().unwrap()).unwrap();
    // It stands there with the distribution's suffix and without.
    let replace =
        format!("$found += s/\\Q{own}\\E[^\\0]*/pack 'a' . length $&, '{version}'/ge; END {{ exit !$found }}");
    run_tool("perl", &["-pi", "-e", &replace, &path]);
    let held = format!("__asm__(\".section .rodata\\n.incbin \\\"{path}\\\"\\n.text\\n\");");
    compile_ssh(scene, &format!("{held} {main}"))
}
