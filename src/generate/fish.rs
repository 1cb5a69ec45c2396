use super::options::{CommandKind, Completed, Value};

const TEMPLATE: &str = include_str!("remoteexe.fish");

/// `documents` are the words for `--generate`.
pub fn script(options: &[Completed], documents: &[&str]) -> String {
    let of_job = options.iter().filter(|it| it.line == CommandKind::Job);
    let valued = of_job.filter(|option| option.value.is_some() && !option.is_first);
    let valued: Vec<_> = valued.flat_map(Completed::names).collect();
    let lines: Vec<_> = options.iter().map(line).collect();
    TEMPLATE
        .replace("@VALUED@", &valued.join(" "))
        .replace("@WHAT@", &documents.join(" "))
        .replace("@OPTIONS@", &lines.join("\n"))
}

fn line(option: &Completed) -> String {
    let part = match option.line {
        _ if option.is_first => "first",
        CommandKind::Job => "job",
        CommandKind::Report => "report",
        CommandKind::Generate => "airflow",
    };
    let short = option.short.map(|name| format!(" -s {name}"));
    let long = option.long.as_ref().map(|name| format!(" -l {name}"));
    let value = match option.value.as_ref().map(|(_, value)| value) {
        None => String::new(),
        Some(Value::File) => " -r -F".to_owned(),
        Some(Value::Directory) => " -x -a '(__fish_complete_directories)'".to_owned(),
        Some(Value::Host) => " -x -a '(__fish_print_hostnames)'".to_owned(),
        Some(Value::User) => " -x -a '(__fish_complete_users)'".to_owned(),
        Some(Value::Words(words)) => format!(" -x -a '{}'", words.join(" ")),
        Some(Value::Unknown) => " -x".to_owned(),
    };
    let names = short.unwrap_or_default() + &long.unwrap_or_default();
    let help = escape(&option.help);
    format!("complete -c remoteexe -n '__remoteexe_is {part}'{names}{value} -d '{help}'")
}

/// For a text in single quotes.
fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace('\'', r"\'")
}
