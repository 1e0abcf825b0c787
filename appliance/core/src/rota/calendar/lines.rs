//! Content lines: RFC 5545, 3.1. Ends of CRLF or LF.

use std::borrow::Cow;

use crate::limits;
use crate::rota::calendar::refused::{CalendarFault, CalendarRefusal};

/// A line, put together again. What is beyond [`limits::CALENDAR_LINE_MAX`] is left out.
pub(super) struct Line<'a> {
    pub(super) number: u32,
    bytes: Cow<'a, [u8]>,
    is_whole: bool,
}

/// The lines of a calendar; empty ones, as some programs write them at the end, are passed over.
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    /// The line that comes next.
    number: u32,
}

/// A property: name, parameters, value.
pub(super) struct Property<'a> {
    pub(super) line: u32,
    parameters: Vec<(&'a str, &'a str)>,
    pub(super) value: &'a str,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        // A mark of UTF-8, as programs on Windows write it.
        Self { rest: bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes), number: 1 }
    }

    fn physical(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        self.number += 1;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let (mut number, mut first) = (self.number, self.physical()?);
        while first.is_empty() && !matches!(self.rest.first(), Some(b' ' | b'\t')) {
            (number, first) = (self.number, self.physical()?);
        }
        let mut bytes = Cow::Borrowed(&first[..first.len().min(limits::CALENDAR_LINE_MAX)]);
        let mut is_whole = bytes.len() == first.len();
        while let Some(b' ' | b'\t') = self.rest.first() {
            let more = self.physical()?.get(1..).unwrap_or_default();
            let room = limits::CALENDAR_LINE_MAX - bytes.len();
            is_whole &= more.len() <= room;
            bytes.to_mut().extend_from_slice(&more[..more.len().min(room)]);
        }
        Some(Line { number, bytes, is_whole })
    }
}

impl Line<'_> {
    /// The property's name: letters, digits and hyphens.
    pub(super) fn name(&self) -> Result<&str, CalendarRefusal> {
        let end = self.bytes.iter().position(|byte| !is_name(byte)).unwrap_or(self.bytes.len());
        match (std::str::from_utf8(&self.bytes[..end]), self.bytes.get(end)) {
            (Ok(name), Some(b';' | b':')) if !name.is_empty() => Ok(name),
            _ => Err(CalendarFault::NotALine.at(self.number)),
        }
    }

    /// The whole of it, as the property that it is by its name.
    pub(super) fn property(&self, name: &'static str) -> Result<Property<'_>, CalendarRefusal> {
        if !self.is_whole {
            return Err(CalendarFault::TooLong(name).at(self.number));
        }
        let text = std::str::from_utf8(&self.bytes).ok();
        let text = text.filter(|text| !text.chars().any(|letter| letter.is_control() && letter != '\t'));
        let text = text.ok_or_else(|| CalendarFault::NotText(name).at(self.number))?;
        let not_a_line = || CalendarFault::NotALine.at(self.number);
        let mut rest = text.get(name.len()..).ok_or_else(not_a_line)?;
        let mut parameters = Vec::new();
        while let Some(parameter) = rest.strip_prefix(';') {
            let (name, values) = parameter.split_once('=').ok_or_else(not_a_line)?;
            if !name.bytes().all(|byte| is_name(&byte)) {
                return Err(not_a_line());
            }
            let (first, mut behind) = parameter_value(values).ok_or_else(not_a_line)?;
            while let Some(more) = behind.strip_prefix(',') {
                behind = parameter_value(more).ok_or_else(not_a_line)?.1;
            }
            parameters.push((name, first));
            rest = behind;
        }
        let value = rest.strip_prefix(':').ok_or_else(not_a_line)?;
        Ok(Property { line: self.number, parameters, value })
    }
}

/// What names of properties and parameters are made of.
fn is_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'-'
}

/// One value of a parameter, in quotes or not, and what stands behind it.
fn parameter_value(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"'),
        None => Some(text.split_at(text.find([';', ':', ',']).unwrap_or(text.len()))),
    }
}

impl<'a> Property<'a> {
    /// A parameter's first value.
    pub(super) fn parameter(&self, wanted: &str) -> Option<&'a str> {
        let found = self.parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| *value)
    }

    /// Whether a parameter has this value.
    pub(super) fn has(&self, parameter: &str, value: &str) -> bool {
        self.parameter(parameter).is_some_and(|found| found.eq_ignore_ascii_case(value))
    }
}
