//! The part of a job's operands that is the same in all its runs, without parameters such as `$(date +\%F)`.

use std::{ops::Range, rc::Rc};

use crate::report::runs::run::first_word;

/// A number of this many digits is a date, a time or a counter.
const LONG: usize = 8;

/// Which parts of the operands count as changing from run to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changing {
    /// Only dates. A job with another number may be for another customer.
    Dates,
    /// Also times with seconds and long numbers.
    DatesAndNumbers,
}

/// The name that a job keeps from day to day: the operands without dates.
pub fn lasting_name(job: &[u8]) -> Rc<[u8]> {
    let mut name = Vec::with_capacity(job.len());
    constant_name(job, Changing::Dates, &mut name);
    name.into()
}

/// Puts a job's operands into `name`, with `*` for each part that changes.
pub fn constant_name(job: &[u8], what: Changing, name: &mut Vec<u8>) {
    name.clear();
    let (host, mut rest) = job.split_at(first_word(job).len());
    name.extend_from_slice(host);
    while let Some(Range { start, end }) = changing(rest, what) {
        name.extend_from_slice(&rest[..start]);
        name.push(b'*');
        rest = &rest[end..];
    }
    name.extend_from_slice(rest);
}

/// The range of the first part of `text` that changes. A date includes the time after it.
fn changing(text: &[u8], what: Changing) -> Option<Range<usize>> {
    let mut at = 0;
    while let Some(next) = text[at..].iter().position(u8::is_ascii_digit) {
        at += next;
        let rest = &text[at..];
        let digits = digits(rest);
        let is_date = has_shape(rest, b"0000-00-00") || rest.starts_with(b"20") && matches!(digits, 8 | 12 | 14);
        let is_long = digits >= LONG || has_shape(rest, b"00:00:00");
        if is_date || is_long && what == Changing::DatesAndNumbers {
            let is_part = |byte: &u8| byte.is_ascii_digit() || b"-:.,+TZ_".contains(byte);
            let length = rest.iter().take_while(|byte| is_part(byte)).count();
            let end = rest[..length].iter().rposition(u8::is_ascii_digit);
            return Some(at..at + end.map_or(length, |end| end + 1));
        }
        at += digits;
    }
    None
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Whether `text` begins as `shape`, in which a 0 stands for any digit.
fn has_shape(text: &[u8], shape: &[u8]) -> bool {
    let is_like = |(byte, shape): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        shape => byte == shape,
    };
    text.len() >= shape.len() && text.iter().zip(shape).all(is_like)
}
