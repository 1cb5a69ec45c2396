//! A headless Chromium, driven through its pipe (its protocol for debuggers).

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::PATIENCE;

/// A browser with one page.
pub struct Browser {
    chromium: Child,
    commands: Option<ChildStdin>,
    answers: Receiver<Value>,
    session: Option<String>,
    number: u64,
    /// What has been written on its console, and the errors.
    pub messages: Vec<String>,
    /// The addresses that it has asked for.
    pub requests: Vec<String>,
    loads: usize,
    _profile: TempDir,
}

impl Browser {
    pub fn start() -> Self {
        let profile = TempDir::new().expect("a directory");
        // Chromium reads commands from descriptor 3 and writes answers to 4.
        let script = "exec chromium \"$@\" 3<&0 4>&1 0</dev/null 1>&2";
        let mut chromium = Command::new("sh");
        chromium.args(["-c", script, "sh", "--headless", "--remote-debugging-pipe"]);
        chromium.args(["--disable-gpu", "--disable-quic", "--no-first-run"]);
        chromium.args(["--disable-background-networking", "--disable-component-update"]);
        chromium.args(["--disable-sync", "--disable-dev-shm-usage"]);
        chromium.arg(format!("--user-data-dir={}", profile.path().display()));
        if rustix::process::geteuid().is_root() {
            // Chromium refuses to run as root with its sandbox.
            chromium.arg("--no-sandbox");
        }
        chromium.env("HOME", profile.path());
        chromium.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut chromium = chromium.stderr(Stdio::null()).spawn().expect("sh");
        let stdout = BufReader::new(chromium.stdout.take().expect("a pipe"));
        let (sender, answers) = channel();
        thread::spawn(move || {
            for answer in stdout.split(0).map_while(Result::ok) {
                let answer = serde_json::from_slice(&answer).expect("JSON");
                if sender.send(answer).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self {
            commands: chromium.stdin.take(),
            chromium,
            answers,
            session: None,
            number: 0,
            messages: Vec::new(),
            requests: Vec::new(),
            loads: 0,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &target);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for part in ["Page", "Runtime", "Log", "Network", "Accessibility"] {
            browser.call(&format!("{part}.enable"), &json!({}));
        }
        browser
    }

    /// Shows the file `path`, and waits until it is loaded.
    pub fn open(&mut self, path: &Path) {
        let loads = self.loads;
        let url = format!("file://{}", path.display());
        self.call("Page.navigate", &json!({ "url": url }));
        while self.loads == loads {
            self.take_answer();
        }
    }

    /// The value of a JavaScript expression in the page.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let how = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", &how);
        let exception = &answer["exceptionDetails"];
        assert!(exception.is_null(), "{expression}: {exception}");
        answer["result"]["value"].clone()
    }

    /// Sends a command, and returns its result.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.number += 1;
        let mut command = json!({ "id": self.number, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let commands = self.commands.as_mut().expect("it is open until the end");
        write!(commands, "{command}\0").expect("a browser that reads");
        loop {
            let answer = self.take_answer();
            if answer["id"] == self.number {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    fn take_answer(&mut self) -> Value {
        let answer = self.answers.recv_timeout(PATIENCE);
        let answer = answer.expect("a chromium that answers");
        let params = &answer["params"];
        match answer["method"].as_str().unwrap_or_default() {
            "Page.loadEventFired" => self.loads += 1,
            "Network.requestWillBeSent" => {
                let url = params["request"]["url"].as_str();
                self.requests.extend(url.map(str::to_owned));
            }
            "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded" => {
                self.messages.push(params.to_string());
            }
            _ => {}
        }
        answer
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends with its pipe.
        drop(self.commands.take());
        let _ = self.chromium.wait();
    }
}
