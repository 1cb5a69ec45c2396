//! A headless Chromium, driven through its pipe (its protocol for debuggers).

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use serde_json::{Value, json};

use super::PATIENCE;

/// The Chromium of all tests: its start takes more time than most pages do. It ends with this process, and so with its
/// pipe.
static CHROMIUM: LazyLock<Chromium> = LazyLock::new(Chromium::start);

struct Chromium {
    commands: Mutex<ChildStdin>,
    number: AtomicU64,
    /// Each gets all answers.
    browsers: Arc<Mutex<Vec<Sender<Arc<Value>>>>>,
}

impl Chromium {
    fn start() -> Self {
        // Chromium reads commands from descriptor 3 and writes answers to 4.
        let script = "HOME=$(mktemp -d); export HOME
            chromium-headless-shell \"$@\" --user-data-dir=\"$HOME\" 3<&0 4>&1 0</dev/null 1>&2; rm -r \"$HOME\"";
        let mut chromium = Command::new("sh");
        chromium.args(["-c", script, "sh", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage"]);
        if rustix::process::geteuid().is_root() {
            // Chromium refuses to run as root with its sandbox.
            chromium.arg("--no-sandbox");
        }
        chromium.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut chromium = chromium.stderr(Stdio::null()).spawn().expect("sh");
        let commands = Mutex::new(chromium.stdin.take().expect("a pipe"));
        let stdout = BufReader::new(chromium.stdout.take().expect("a pipe"));
        let browsers = Arc::<Mutex<Vec<Sender<Arc<Value>>>>>::default();
        let known = Arc::clone(&browsers);
        thread::spawn(move || {
            for answer in stdout.split(0).map_while(Result::ok) {
                let answer: Arc<Value> = Arc::new(serde_json::from_slice(&answer).expect("JSON"));
                known.lock().expect("a list").retain(|browser| browser.send(Arc::clone(&answer)).is_ok());
            }
            // Nobody waits for one that has ended.
            known.lock().expect("a list").clear();
            let _ = chromium.wait();
        });
        Self { commands, number: AtomicU64::new(1), browsers }
    }

    /// Sends a command, and returns its number.
    fn send(&self, session: Option<&str>, method: &str, params: &Value) -> u64 {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let mut command = json!({ "id": number, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        let mut commands = self.commands.lock().expect("a pipe");
        write!(commands, "{command}\0").expect("a browser that reads");
        number
    }
}

/// A browser with one page, which shares nothing with the others but their process.
pub struct Browser {
    context: Value,
    session: Option<String>,
    answers: Receiver<Arc<Value>>,
    /// What has been written on its console, and the errors.
    pub messages: Vec<String>,
    /// The addresses that it has asked for.
    pub requests: Vec<String>,
    loads: usize,
}

impl Browser {
    pub fn start() -> Self {
        let (sender, answers) = channel();
        CHROMIUM.browsers.lock().expect("a list").push(sender);
        let (messages, requests) = (Vec::new(), Vec::new());
        let mut browser = Self { context: Value::Null, session: None, answers, messages, requests, loads: 0 };
        browser.context = browser.call("Target.createBrowserContext", &json!({}));
        let context = &browser.context["browserContextId"];
        let page = json!({ "url": "about:blank", "browserContextId": context });
        let target = browser.call("Target.createTarget", &page);
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &target);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for part in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{part}.enable"), &json!({}));
        }
        // Of several windows one has the focus.
        browser.call("Emulation.setFocusEmulationEnabled", &json!({ "enabled": true }));
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
        let number = CHROMIUM.send(self.session.as_deref(), method, params);
        loop {
            let answer = self.take_answer();
            if answer["id"] == number {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    fn take_answer(&mut self) -> Arc<Value> {
        let answer = self.answers.recv_timeout(PATIENCE);
        let answer = answer.expect("a chromium that answers");
        if answer["sessionId"].as_str() != self.session.as_deref() {
            return answer;
        }
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
        // To panic here, while a test fails, would abort all the others.
        if !thread::panicking() {
            CHROMIUM.send(None, "Target.disposeBrowserContext", &self.context);
        }
    }
}
