//! A report becomes bytes: one file or folder for each format.

pub mod crontab;
pub mod html;
pub mod joblog;
pub mod json;
pub mod lint;
pub mod listing;
pub mod prometheus;
pub mod records;
pub mod text;
pub mod upcoming;
pub mod viewing;
pub mod words;
