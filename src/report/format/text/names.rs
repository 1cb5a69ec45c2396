//! Fits names of jobs and hosts into a narrow column: a host's name stays whole, and a script keeps its end. Texts are
//! measured in columns of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns that a script should have beside a host. Optional columns of a table are dropped for them.
const FAIR_SCRIPT: usize = 20;
/// The least columns of a script beside a host.
pub const MIN_SCRIPT: usize = 8;
/// A wider word is not the name of a host.
const LONGEST_HOST: usize = 64;

/// The name of a job or a host in `columns`: the host whole, and as much of the script as fits. Wider if there is
/// hardly any room beside the host.
pub fn job(name: &str, columns: usize) -> String {
    if fits(name, columns) {
        return name.to_owned();
    }
    match host_and_script(name) {
        Some((host, rest)) if is_host(host) => {
            let room = columns.saturating_sub(host.width() + 1).max(MIN_SCRIPT);
            format!("{host} {}", script(rest, room))
        }
        None if is_host(name) => name.to_owned(),
        _ => {
            let room = columns.saturating_sub(1);
            format!("{}…{}", prefix(name, room / 2), suffix(name, room - room / 2))
        }
    }
}

fn is_host(word: &str) -> bool {
    fits(word, LONGEST_HOST)
}

/// None if there is no script.
pub fn host_and_script(name: &str) -> Option<(&str, &str)> {
    name.split_once(' ')
}

/// A script with its parameters in at most this many columns. First its folders are dropped, then the beginning of its
/// parameters: `…/user_log.sh action`.
pub fn script(text: &str, columns: usize) -> String {
    if fits(text, columns) {
        return text.to_owned();
    }
    let path = text.split(' ').next().unwrap_or_default();
    let folders = path.match_indices('/').map(|(slash, _)| slash);
    let folders: Vec<usize> = folders.filter(|slash| *slash > 0).collect();
    let room = columns.saturating_sub(1);
    if let Some(slash) = folders.iter().find(|slash| fits(&text[**slash..], room)) {
        return format!("…{}", &text[*slash..]);
    }
    let file = match folders.last() {
        Some(slash) => format!("…{}", &path[*slash..]),
        None => path.to_owned(),
    };
    let parameters = &text[path.len()..];
    if !parameters.is_empty() && fits(&file, columns / 2) {
        let room = columns.saturating_sub(file.width() + 2);
        format!("{file} …{}", suffix(parameters, room))
    } else {
        format!("…{}", suffix(text, room))
    }
}

/// The columns that a name needs for its whole host, and for [`FAIR_SCRIPT`] columns of its script.
pub fn least_columns(name: &str) -> usize {
    match host_and_script(name) {
        Some((host, script)) if is_host(host) => host.width() + 1 + script.width().min(FAIR_SCRIPT),
        None if is_host(name) => name.width(),
        _ => 0,
    }
}

pub fn fits(text: &str, columns: usize) -> bool {
    // Measuring a longer text could take long.
    text.len() <= columns * 4 && text.width() <= columns
}

/// The longest end of `text` that fits.
pub fn suffix(text: &str, columns: usize) -> &str {
    text.rsplit(is_over(columns)).next().unwrap_or_default()
}

/// The longest beginning of `text` that fits.
pub fn prefix(text: &str, columns: usize) -> &str {
    text.split(is_over(columns)).next().unwrap_or_default()
}

/// Whether a character, after all before it, ends beyond `columns`.
fn is_over(columns: usize) -> impl FnMut(char) -> bool {
    let mut used = 0;
    move |character| {
        used += character.width().unwrap_or_default();
        used > columns
    }
}
