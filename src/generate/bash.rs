use super::options::{CommandKind, Completed, Value};

const TEMPLATE: &str = include_str!("remoteexe.bash");

pub fn script(options: &[Completed]) -> String {
    let names = |line, is_first| {
        let options = options.iter();
        let options = options.filter(|option| option.line == line && option.is_first == is_first);
        let names: Vec<_> = options.flat_map(Completed::names).collect();
        names.join(" ")
    };
    let arms: Vec<_> = options.iter().filter_map(arm).collect();
    TEMPLATE
        .replace("@VALUES@", &arms.join("\n"))
        .replace("@JOB@", &names(CommandKind::Job, false))
        .replace("@FIRST@", &names(CommandKind::Job, true))
        .replace("@REPORT@", &names(CommandKind::Report, false))
        .replace("@GENERATE@", &names(CommandKind::Generate, false))
}

/// The value of the option, as an arm of `case`.
fn arm(option: &Completed) -> Option<String> {
    let line = match option.line {
        CommandKind::Job => "job",
        CommandKind::Report => "report",
        CommandKind::Generate => "generate",
    };
    let patterns: Vec<_> = option.names().map(|name| format!("{line},{name}")).collect();
    let value = match &option.value.as_ref()?.1 {
        Value::File => "value='file'".to_owned(),
        Value::Directory => "value='directory'".to_owned(),
        Value::Host => "value='host'".to_owned(),
        Value::User => "value='user'".to_owned(),
        Value::Words(words) => format!("value='words' words='{}'", words.join(" ")),
        Value::Unknown => "value='unknown'".to_owned(),
    };
    Some(format!("        {}) {value} ;;", patterns.join(" | ")))
}
