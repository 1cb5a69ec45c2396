//! `--generate man`: the manual says what the program does, and nothing else.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::report::{LOG, report, run};
use crate::support::{REMOTEEXE, Scene, code, files, records_of, stderr};

type Names = BTreeSet<String>;

/// The source of the manual.
pub fn manual() -> String {
    let scene = Scene::new();
    let output = scene.remoteexe().args(["--generate", "man"]).output();
    let output = output.unwrap();
    assert_eq!((code(&output), &*stderr(&output)), (0, ""));
    String::from_utf8(output.stdout).unwrap()
}

/// What mandoc(1) makes of the manual.
fn mandoc(args: &[&str]) -> Output {
    let mut mandoc = Command::new("mandoc");
    mandoc.args(args).stdin(Stdio::piped());
    mandoc.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut mandoc = mandoc.spawn().expect("mandoc");
    let mut input = mandoc.stdin.take().unwrap();
    input.write_all(manual().as_bytes()).unwrap();
    drop(input);
    mandoc.wait_with_output().unwrap()
}

/// The manual as a reader sees it, without the indentation of sections.
pub fn shown() -> String {
    let output = mandoc(&["-Tascii", "-Owidth=200"]);
    assert_eq!((code(&output), &*stderr(&output)), (0, ""));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut plain = String::new();
    for character in text.chars() {
        // A letter in bold or underlined is three characters.
        match character {
            '\u{8}' => drop(plain.pop()),
            _ => plain.push(character),
        }
    }
    plain.replace("\n     ", "\n")
}

/// The names of the items of this kind in a section.
fn items(section: &str, kind: &str) -> Names {
    let manual = manual();
    let (_, section) = manual.split_once(&format!("\n{section}\n")).unwrap();
    let lines = section.lines();
    let section = lines.take_while(|line| !line.starts_with(".Sh") && !line.starts_with(".Ss"));
    let items = section.filter_map(|line| line.strip_prefix(kind));
    let names = items.flat_map(|items| items.split(" , "));
    names.map(str::to_owned).collect()
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Names {
    names.into_iter().map(str::to_owned).collect()
}

/// The fields of all documents in this text.
fn fields(documents: &[u8]) -> Names {
    let documents = str::from_utf8(documents).unwrap().lines();
    let documents = documents.map(|document| serde_json::from_str(document).unwrap());
    let fields = documents.flat_map(|document: Value| document.as_object().unwrap().clone());
    fields.map(|(name, _)| name).collect()
}

#[test]
fn mandoc_has_nothing_to_say_against_the_manual() {
    let output = mandoc(&["-Tlint"]);
    let said = String::from_utf8(output.stdout.clone()).unwrap() + &stderr(&output);
    // Which other manuals a machine has is no fault of this one.
    let is_about_it = |line: &&str| !line.contains("manual not found") && !line.contains("mandoc.db");
    let said: Vec<&str> = said.lines().filter(is_about_it).collect();
    assert_eq!(said, [""; 0]);
    let version = concat!("manual of version ", env!("CARGO_PKG_VERSION"), ".");
    assert!(shown().contains(version), "{version}");
}

#[test]
fn the_manual_has_the_fields_of_json_and_no_other() {
    let run_of_913 = report(LOG, &["--run", "913", "--json"]);
    let scene = Scene::new();
    // Nothing is started from 10:01 to 10:09.
    let runs = ["10:00:00", "10:10:00"].map(|time| run(1, time, time, "h s", "", 0));
    fs::write(scene.path("a.log"), runs.concat()).unwrap();
    let crontab = File::create(scene.path("crontab")).unwrap();
    let bin = Path::new(REMOTEEXE).parent().unwrap().display();
    writeln!(&crontab, "PATH={bin}\n* * * * * remoteexe h s").unwrap();
    crontab.set_modified(std::time::UNIX_EPOCH).unwrap();
    let mut command = scene.remoteexe();
    command.env("TZ", "UTC").current_dir(scene.path(""));
    command.args(["--report", "--json", "--user-crontab", "crontab", "a.log"]);
    let missed = command.output().unwrap().stdout;
    assert!(String::from_utf8_lossy(&missed).contains("missed"));
    let nights = "03-02 02:00:00..03-08 02:00:00/24h  1  h s  1s  ok\n03-09 02:00:00..03-10 02:00:00/24h  9  h s  1s  ok: ERROR: 403\n";
    let watched = report(records_of(nights), &["--json"]).stdout;
    let all = [run_of_913.stdout, missed, watched].concat();
    assert_eq!(fields(&all), items(".Ss JSON", ".It Va "));
}

/// An option in the help of a command line, in the notation of the manual.
struct HelpOption {
    names: Vec<String>,
    /// The name of the value in the notation of the manual, after a blank.
    value: String,
    variable: Option<String>,
}

impl HelpOption {
    /// The line with which the manual begins to describe the option.
    fn item(&self) -> String {
        format!(".It {}{}", self.names.join(" , "), self.value)
    }
}

fn options(args: &[&str]) -> Vec<HelpOption> {
    let output = Scene::new().remoteexe().args(args).arg("-h").output().unwrap();
    let mut options: Vec<HelpOption> = Vec::new();
    for line in str::from_utf8(&output.stdout).unwrap().lines() {
        if line.starts_with("  -") || line.starts_with("      --") {
            let spec = line.trim_start().split("  ").next().unwrap();
            let (names, value) = spec.split_once(" <").unwrap_or((spec, ""));
            let names = names.split(", ").map(|name| format!("Fl {}", &name[1..])).collect();
            let value = if value.is_empty() { String::new() } else { format!(" Ar {}", value.trim_end_matches('>')) };
            options.push(HelpOption { names, value, variable: None });
        }
        if let Some((_, variable)) = line.split_once("[env: ") {
            options.last_mut().unwrap().variable = variable.split(']').next().map(str::to_owned);
        }
    }
    options
}

/// The lines of a section of the manual that begin with `start`.
fn lines_of(heading: &str, start: &str) -> Names {
    let manual = manual();
    let (_, section) = manual.split_once(&format!("\n.Sh {heading}\n")).unwrap();
    let section = section.split("\n.Sh ").next().unwrap();
    names(section.lines().filter(|line| line.starts_with(start)))
}

#[test]
fn the_manual_has_each_option_of_each_command_line_and_no_other() {
    let [job, report, mut generate] = [&[][..], &["--report"], &["--generate"]].map(options);
    generate.retain(|option| option.names.len() == 1);
    for (heading, options) in [("DESCRIPTION", &job), ("THE REPORT", &report), ("MOVE TO AIRFLOW", &generate)] {
        let items: Names = options.iter().map(HelpOption::item).collect();
        assert_eq!(lines_of(heading, ".It Fl "), items, "{heading}");
    }
    let with_value = job.iter().filter(|option| !option.value.is_empty() && option.names[0] != "Fl -generate");
    let synopsis = with_value.chain(&generate).map(|option| format!(".Op {}{}", option.names[0], option.value));
    assert_eq!(lines_of("SYNOPSIS", ".Op Fl "), synopsis.collect());
}

#[test]
fn the_manual_has_each_variable_of_each_command_line_and_no_other() {
    let manual = manual();
    let mut variables = Names::new();
    for option in options(&[]).iter().chain(&options(&["--report"])) {
        let Some(variable) = &option.variable else { continue };
        let (_, text) = manual.split_once(&option.item()).unwrap();
        assert!(text.split("\n.It ").next().unwrap().contains(&format!(".Pq Ev {variable}")), "{variable}");
        variables.insert(format!(".It Ev {variable}"));
    }
    assert_eq!(lines_of("ENVIRONMENT", ".It Ev REMOTEEXE"), variables);
}

#[test]
fn the_manual_has_the_columns_of_the_joblog_and_no_other() {
    let joblog = report(LOG, &["--tsv"]).stdout;
    let titles = String::from_utf8(joblog).unwrap();
    let titles = titles.lines().next().unwrap().split('\t');
    assert_eq!(names(titles), items(".Ss Joblog", ".It Va "));
}

#[test]
fn the_manual_has_the_gauges_their_labels_and_their_states_and_no_other() {
    let mut text = String::from_utf8(report(LOG, &["--prometheus"]).stdout).unwrap();
    text += "remoteexe_problem{scheduler=\"two\"} 1\n";
    let gauges = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let gauges = gauges.map(|gauge| gauge.split_once(' ').unwrap().0);
    let samples = text.lines().filter_map(|line| line.split_once('{'));
    let labels = samples.flat_map(|(_, labels)| labels.split("=\"").filter_map(last_word));
    let found = names(gauges.chain(labels));
    assert_eq!(found, items(".Ss Metrics", ".It Va "));

    let states = text.lines().filter_map(|line| {
        let state = line.strip_prefix("remoteexe_problems{state=\"")?;
        state.split('"').next()
    });
    let mut words = items(".Ss Incidents", ".It Li ");
    words.remove("RECOVERED");
    let words = words.iter().map(|word| word.to_lowercase().replace(' ', "_"));
    assert_eq!(names(states), words.collect());
}

/// The name of a label, before its value.
fn last_word(text: &str) -> Option<&str> {
    let word = text.rsplit(['{', ',', '"']).next()?;
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    (!word.is_empty() && word.chars().all(is_name)).then_some(word)
}

#[test]
fn each_promise_names_tests_that_are_there() {
    let manual = manual();
    let (_, promises) = manual.split_once("\n.Sh PROMISES\n").unwrap();
    let promises = promises.split("\n.Sh ").next().unwrap();
    // A test is a Rust file or a folder of cases.
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract");
    let tests = ["", "/cases"].into_iter().flat_map(|folder| files(Path::new(&format!("{tests}{folder}"))));
    let tests: Names = tests.filter_map(|test| Some(test.file_stem()?.to_str()?.to_owned())).collect();
    let mut count = 0;
    for line in promises.lines().filter_map(|line| line.strip_prefix(".Pq ")) {
        let mut is_name = false;
        for word in line.split(' ') {
            match word {
                "Pa" => is_name = true,
                "No" => is_name = false,
                "," => {}
                name if is_name => {
                    assert!(tests.contains(name), "{name}");
                    count += 1;
                }
                _ => {}
            }
        }
    }
    assert!(count > 25, "{count}");
}

/// The lines of the manual's displays. A line that ends with a backslash goes on.
fn displayed() -> Vec<String> {
    let shown = shown().replace("\\\n", "");
    shown.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn each_question_of_the_manual_is_one_that_a_report_understands() {
    let scene = Scene::new();
    scene.run(scene.remoteexe_with_ssh("exit 3").args(["host_db01", "/srv/nightly.sh"]));
    let is_question = |line: &&String| line.starts_with("remoteexe --report") && !line.contains('[');
    let lines = displayed();
    let questions = lines.iter().filter(is_question);
    let mut count = 0;
    for question in questions {
        let mut sh = Command::new("sh");
        scene.equip(&mut sh);
        let bin = Path::new(REMOTEEXE).parent().unwrap().display();
        sh.env("PATH", format!("{bin}:/usr/bin:/bin"));
        sh.args(["-c", question]).current_dir(scene.path(""));
        let output = sh.output().unwrap();
        // 74: there is no run 913, and no /var/www.
        assert!([0, 1, 74].contains(&code(&output)), "{question}: {}", stderr(&output));
        count += 1;
    }
    assert!(count > 10, "{count}");
}

#[test]
fn each_line_of_a_crontab_in_the_manual_is_without_fault() {
    let scene = Scene::new();
    let bin = Path::new(REMOTEEXE).parent().unwrap().display();
    let mut count = 0;
    for line in displayed().iter().filter(|line| line.contains(" * * * root ")) {
        let crontab = format!("PATH={bin}:/usr/bin\nPING=https://hc-ping.com/UUID\n{line}\n");
        fs::write(scene.path("crontab"), crontab).unwrap();
        let mut command = scene.remoteexe();
        command.args(["--report", "--check", "--crontab", "crontab"]);
        let output = command.current_dir(scene.path("")).output().unwrap();
        let found = String::from_utf8(output.stdout.clone()).unwrap();
        assert_eq!(code(&output), 0, "{line}: {found}");
        count += 1;
    }
    assert!(count > 8, "{count}");
}

#[test]
fn a_text_that_cannot_be_written_is_no_success() {
    for args in [&["--generate", "man"][..], &["-h"], &["--report", "-h"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(REMOTEEXE);
        let output = command.args(args).stdout(full).output().unwrap();
        assert_eq!(code(&output), 74, "{args:?}");
        assert_eq!(stderr(&output), "remoteexe: standard output: No space left on device (os error 28)\n");
    }
}
