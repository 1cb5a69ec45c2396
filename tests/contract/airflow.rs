//! `--generate airflow`: Python reads what is in the crontab. `tests/release/airflow.sh` runs such DAGs in the real
//! Airflow, beside a real cron.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{Scene, code, stderr, with_seeds};

/// The program that stands for Airflow.
const ENGINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/airflow/engine.py");

/// A text of characters that are special somewhere on the way.
fn random_text(random: &mut fastrand::Rng) -> String {
    let letters =
        ['a', 'b', ' ', '\\', '"', '\'', '{', '}', '%', '$', '@', '\t', '\r', '\u{c}', 'é', '\u{202e}', '🦀', '\u{1}'];
    (0..random.usize(1..40)).map(|_| *random.choice(&letters).unwrap()).collect()
}

#[test]
fn python_has_each_byte_of_the_command_and_the_variables() {
    with_seeds(1, |seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        let lines = (0..400).map(|_| {
            // Debian's cron unescapes \% and \\ in a command, so none of them is in it.
            let command = format!("x{}x", random_text(&mut random).replace(['\\', '%'], "#"));
            (command, random_text(&mut random).replace(['"', '\''], "#"))
        });
        let lines: Vec<(String, String)> = lines.collect();
        let text = lines.iter().map(|(command, value)| format!("V=\"{value}\"\n0 1 * * * {command}\n"));
        let scene = Scene::new();
        fs::write(scene.path("crontab"), text.collect::<String>()).unwrap();
        let mut generate = scene.remoteexe();
        generate.args(["--generate", "airflow", "--user-crontab", "crontab"]).env("TZ", "UTC");
        let output = generate.current_dir(scene.path("")).output().unwrap();
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        fs::write(scene.path("dags.py"), output.stdout).unwrap();
        let list = Command::new("python3").arg(ENGINE).arg(scene.path("dags.py")).arg("list").output().unwrap();
        let list: Value = serde_json::from_slice(&list.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let read = list["lines"].as_array().unwrap().iter();
        let read = read.map(|line| (text(&line["command"]), text(&line["variables"]["V"])));
        assert_eq!(read.collect::<Vec<_>>(), lines);
    });
}
