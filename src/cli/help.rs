//! Formats a help text.

use clap::{Arg, Command};

/// Readable on any terminal.
const WIDTH: usize = 80;

/// The help of `grammar` by a template. A mark is before the examples, which are only for somebody who wants all.
pub fn render(grammar: Command, template: &str, is_long: bool) -> String {
    let (short, more) = template.split_once("@MORE@\n").unwrap_or((template, ""));
    let template = if is_long { [short, more].concat() } else { short.to_owned() };
    let command = grammar.mut_args(with_origin).max_term_width(WIDTH);
    let mut command = command.help_template(template);
    command.render_help().to_string()
}

/// Puts the variable and the default on their own line, because clap would break them anywhere.
fn with_origin(arg: Arg) -> Arg {
    let (Some(help), true) = (arg.get_help(), arg.get_action().takes_values()) else {
        return arg;
    };
    let variable = arg.get_env().map(|name| format!("[env: {}]", name.display()));
    let default = arg.get_default_values().first();
    let default = default.map(|value| format!("[default: {}]", value.display()));
    let origin: Vec<_> = variable.into_iter().chain(default).collect();
    if origin.is_empty() {
        return arg;
    }
    let help = format!("{help}\n{}", origin.join(" "));
    arg.help(help).hide_env(true).hide_default_value(true)
}
