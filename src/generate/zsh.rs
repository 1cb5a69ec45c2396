use super::options::{CommandKind, Completed, Value};

const TEMPLATE: &str = include_str!("remoteexe.zsh");

/// `documents` are the words for `--generate`.
pub fn script(options: &[Completed], documents: &[&str]) -> String {
    let specs = |line, is_first| {
        let options = options.iter();
        let options = options.filter(|option| option.line == line && option.is_first == is_first);
        options.flat_map(specs).collect::<Vec<_>>().join("\n")
    };
    TEMPLATE
        .replace("@FIRST@", &specs(CommandKind::Job, true))
        .replace("@JOB@", &specs(CommandKind::Job, false))
        .replace("@REPORT@", &specs(CommandKind::Report, false))
        .replace("@GENERATE@", &specs(CommandKind::Generate, false))
        .replace("@WHAT@", &documents.join(" "))
}

/// The option in the notation of `_arguments`, a line for each name.
fn specs(option: &Completed) -> Vec<String> {
    let names: Vec<_> = option.names().collect();
    let again = if option.is_repeatable { "*".to_owned() } else { format!("({})", names.join(" ")) };
    let help = escape(&option.help);
    let value = option.value.as_ref().map(|(name, value)| {
        let action = match value {
            Value::File => "_files".to_owned(),
            Value::Directory => "_files -/".to_owned(),
            Value::Host => "_ssh_hosts".to_owned(),
            Value::User => "_users".to_owned(),
            Value::Words(words) => format!("({})", words.join(" ")),
            // Only the name is shown.
            Value::Unknown => " ".to_owned(),
        };
        format!(":{}:{action}", escape(name))
    });
    let spec = |name: &String| {
        // The value may be in the same word: -iFILE, --identity=FILE.
        let attached = match (&value, name.starts_with("--")) {
            (None, _) => "",
            (Some(_), true) => "=",
            (Some(_), false) => "+",
        };
        let value = value.as_deref().unwrap_or_default();
        format!("        '{again}{name}{attached}[{help}]{value}'")
    };
    names.iter().map(spec).collect()
}

/// For a text in brackets and single quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\'' => escaped.push_str(r"'\''"),
            '[' | ']' | ':' | '\\' => escaped.extend(['\\', character]),
            _ => escaped.push(character),
        }
    }
    escaped
}
