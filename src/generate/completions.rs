//! Completions for shells: a template for each shell, into which the options go.

use clap::{Arg, ArgAction, Command};

const BASH: &str = include_str!("remoteexe.bash");
const FISH: &str = include_str!("remoteexe.fish");
const ZSH: &str = include_str!("remoteexe.zsh");
/// The completion of a value in bash, fish and zsh, by the name of the value.
const KINDS: [(&str, [&str; 3]); 4] = [
    ("FILE", ["value='file'", " -r -F", "_files"]),
    ("DIR", ["value='directory'", " -x -a '(__fish_complete_directories)'", "_files -/"]),
    // The hosts in `ssh_config` and `known_hosts`.
    ("HOST", ["value='host'", " -x -a '(__fish_print_hostnames)'", "_ssh_hosts"]),
    ("USER", ["value='user'", " -x -a '(__fish_complete_users)'", "_users"]),
];

/// The completion of any other value: zsh shows only its name.
const UNKNOWN: [&str; 3] = ["value='unknown'", " -x", " "];

pub struct Grammars {
    /// The command lines, by name: `job`, `report` and `generate`.
    pub lines: [(&'static str, Command); 3],
    /// The possible words of values, by the name of the value.
    pub values: Vec<(&'static str, Vec<&'static str>)>,
}

impl Grammars {
    fn words(&self, value: &str) -> &[&'static str] {
        self.values.iter().find(|(name, _)| *name == value).map_or(&[], |(_, words)| words)
    }
}

struct Completed {
    /// The command line, as in [`Grammars`].
    line: &'static str,
    /// The names with their hyphens.
    names: Vec<String>,
    help: String,
    value: Option<CompletedValue>,
    is_repeatable: bool,
    /// Begins another command line, and is an option only as the first word.
    is_first: bool,
}

struct CompletedValue {
    name: String,
    bash: String,
    fish: String,
    zsh: String,
}

pub fn bash(grammars: &Grammars) -> String {
    let options = options(grammars);
    let arms = options.iter().filter_map(|option| {
        let names: Vec<_> = option.names.iter().map(|name| format!("{},{name}", option.line)).collect();
        Some(format!("        {}) {} ;;", names.join(" | "), option.value.as_ref()?.bash))
    });
    let template = BASH.replace("@VALUES@", &arms.collect::<Vec<_>>().join("\n"));
    filled(&template, &options, " ", |option| option.names.clone())
}

pub fn fish(grammars: &Grammars) -> String {
    let options = options(grammars);
    let valued = options.iter().filter(|it| it.line == "job" && it.value.is_some() && !it.is_first);
    let valued: Vec<&str> = valued.flat_map(|option| &option.names).map(String::as_str).collect();
    let lines: Vec<_> = options.iter().map(fish_line).collect();
    FISH.replace("@VALUED@", &valued.join(" "))
        .replace("@WHAT@", &grammars.words("WHAT").join(" "))
        .replace("@OPTIONS@", &lines.join("\n"))
}

pub fn zsh(grammars: &Grammars) -> String {
    let template = ZSH.replace("@WHAT@", &grammars.words("WHAT").join(" "));
    filled(&template, &options(grammars), "\n", zsh_specs)
}

/// Fills a template with the options of each command line.
fn filled(template: &str, options: &[Completed], between: &str, shown: fn(&Completed) -> Vec<String>) -> String {
    let part = |line, is_first| {
        let options = options.iter().filter(|option| option.line == line && option.is_first == is_first);
        options.flat_map(shown).collect::<Vec<_>>().join(between)
    };
    template
        .replace("@FIRST@", &part("job", true))
        .replace("@JOB@", &part("job", false))
        .replace("@REPORT@", &part("report", false))
        .replace("@GENERATE@", &part("generate", false))
}

fn fish_line(option: &Completed) -> String {
    let part = match option.line {
        _ if option.is_first => "first",
        "generate" => "airflow",
        line => line,
    };
    let names = option.names.iter().map(|name| match name.strip_prefix("--") {
        Some(long) => format!(" -l {long}"),
        None => name.replace('-', " -s "),
    });
    let names: String = names.collect();
    let value = option.value.as_ref().map_or("", |value| &value.fish);
    // The text is in single quotes.
    let help = option.help.replace('\\', r"\\").replace('\'', r"\'");
    format!("complete -c remoteexe -n '__remoteexe_is {part}'{names}{value} -d '{help}'")
}

/// The option in the notation of `_arguments`, a line for each name.
fn zsh_specs(option: &Completed) -> Vec<String> {
    let again = if option.is_repeatable { "*".to_owned() } else { format!("({})", option.names.join(" ")) };
    let help = zsh_escaped(&option.help);
    let value = option.value.as_ref().map(|value| format!(":{}:{}", zsh_escaped(&value.name), value.zsh));
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
    option.names.iter().map(spec).collect()
}

/// Escapes a text for brackets within single quotes.
fn zsh_escaped(text: &str) -> String {
    let escaped = text.chars().map(|character| match character {
        '\'' => r"'\''".to_owned(),
        '[' | ']' | ':' | '\\' => format!("\\{character}"),
        _ => character.to_string(),
    });
    escaped.collect()
}

fn options(grammars: &Grammars) -> Vec<Completed> {
    let lines = grammars.lines.iter().flat_map(|(line, grammar)| {
        grammar.get_arguments().filter(|arg| !arg.is_positional()).map(|arg| Completed {
            line,
            names: names(arg),
            help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
            value: value(arg, grammars),
            is_repeatable: matches!(arg.get_action(), ArgAction::Append),
            is_first: matches!(arg.get_long(), Some("report" | "generate")),
        })
    });
    lines.collect()
}

fn names(arg: &Arg) -> Vec<String> {
    let short = arg.get_short().map(|name| format!("-{name}"));
    let long = arg.get_long().map(|name| format!("--{name}"));
    short.into_iter().chain(long).collect()
}

fn value(arg: &Arg, grammars: &Grammars) -> Option<CompletedValue> {
    let name = arg.get_value_names().filter(|_| arg.get_action().takes_values())?.first()?.to_string();
    let words = grammars.words(&name).join(" ");
    let kind = KINDS.iter().find(|(known, _)| *known == name).map_or(UNKNOWN, |(_, kind)| *kind);
    let [bash, fish, zsh] = match &*words {
        "" => kind.map(str::to_owned),
        _ => [format!("value='words' words='{words}'"), format!(" -x -a '{words}'"), format!("({words})")],
    };
    Some(CompletedValue { name, bash, fish, zsh })
}
