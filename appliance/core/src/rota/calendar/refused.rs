//! Why a calendar is not taken.

use std::fmt;

use thiserror::Error;

use crate::limits;

/// A calendar is not taken. Nothing changed. Says a line, what is wrong there and what to do; of the calendar's own text nothing
/// but names of properties and, where it is what is wrong, the name of a time zone: so it is for who imports, and for no log.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("Line {line} of the calendar: {fault}")]
pub struct CalendarRefusal {
    /// From 1, as an editor counts. Where a line is folded, its first.
    pub line: u32,
    /// What is wrong.
    pub fault: CalendarFault,
}

/// A zone's name that is none of the IANA database, shortened and without what a terminal would obey.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForeignZone(String);

impl ForeignZone {
    pub(super) fn new(name: &str) -> Self {
        let shown = |letter: char| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' };
        Self(name.chars().take(limits::ROTA_ZONE_NAME_MAX).map(shown).collect())
    }
}

impl fmt::Display for ForeignZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong with a calendar.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CalendarFault {
    /// [`limits::CALENDAR_BYTES_MAX`].
    #[error(
        "here begins the second megabyte; one is the most. Export fewer months, or without texts and attachments."
    )]
    TooLarge,
    /// [`limits::CALENDAR_EVENTS_MAX`].
    #[error("this is one event more than {}. Export fewer months.", limits::CALENDAR_EVENTS_MAX)]
    TooManyEvents,
    /// [`limits::CALENDAR_SHIFTS_MAX`], [`limits::ROTA_IMPORTED_MAX`].
    #[error("these are more than {} shifts. Export only this role's calendar.", limits::ROTA_IMPORTED_MAX)]
    TooManyShifts,
    /// [`limits::ROTA_PLACES_MAX`].
    #[error(
        "{} people hold the role already when this event begins. Export only this role's calendar.",
        limits::ROTA_PLACES_MAX
    )]
    TooManyAtOnce,
    /// [`limits::CALENDAR_LINE_MAX`].
    #[error("{0} is longer than {most} bytes. Shorten it and export again.", most = limits::CALENDAR_LINE_MAX)]
    TooLong(&'static str),
    /// [`limits::CALENDAR_DEPTH_MAX`].
    #[error(
        "components are within one another more than {} deep. Export the calendar again.",
        limits::CALENDAR_DEPTH_MAX
    )]
    TooDeep,
    /// 3.1.
    #[error(
        "this is no line of an iCalendar file. Export the calendar as iCalendar (.ics) and do not edit the file."
    )]
    NotALine,
    /// 3.1, 3.1.4.
    #[error("{0} holds bytes that are no text in UTF-8. Export the calendar again as UTF-8.")]
    NotText(&'static str),
    /// 3.4.
    #[error("the file ends or begins in the middle. Export or copy it again, all of it.")]
    CutOff,
    /// 3.6.
    #[error("BEGIN and END do not fit one another. Export the calendar again and do not edit the file.")]
    NotPaired,
    /// 3.7.4.
    #[error("this is not iCalendar 2.0. Export it as iCalendar (.ics), not as vCalendar (.vcs).")]
    Version,
    /// 3.7.1.
    #[error("only the Gregorian calendar is read. Export the calendar with it.")]
    Scale,
    /// 3.7.2.
    #[error("this is an answer or a cancellation, not a calendar. Export the whole calendar.")]
    Method,
    /// 3.6.1.
    #[error(
        "{0} stands here for the second time in one event. Export the calendar again and do not edit the file."
    )]
    Twice(&'static str),
    /// 3.6.1.
    #[error("this event has no {0}. Open it in the calendar, save it, and export again.")]
    Missing(&'static str),
    /// The value is not one of its property.
    #[error("{0} cannot be read. Open the event in the calendar, save it, and export again.")]
    Value(&'static str),
    /// 3.2.19.
    #[error(
        "the time zone \"{0}\" is none of the IANA database (they look like Europe/Berlin). Outlook and Exchange write names \
         of their own: import the calendar into another program, such as Thunderbird or Google Calendar, export it from \
         there, and import that file here."
    )]
    Zone(ForeignZone),
    /// It would mean other shifts.
    #[error("{0} is not supported. Make single events of it, or a rule by days or weeks, and export again.")]
    NotSupported(&'static str),
    /// 3.8.5.3.
    #[error(
        "the event does not begin on a day of its own rule. Let it begin on one of them, and export again."
    )]
    RuleFirst,
    /// A day with a time, or the other way round.
    #[error(
        "{0} and DTSTART must both have a time, or neither. Open the event in the calendar, save it, and export again."
    )]
    KindsDiffer(&'static str),
    /// No length.
    #[error("this event ends when it begins, or before. Correct its end and export again.")]
    EndsFirst,
    /// [`limits::ROTA_ENTRY_MINUTES_MAX`].
    #[error("this event lasts longer than 31 days. Make several of it and export again.")]
    TooLongEvent,
    /// 3.8.4.7.
    #[error("another event has the same UID. Take out one of them and export again.")]
    SameEvent,
    /// 3.8.4.4.
    #[error("another event stands for the same occurrence. Take out one of them and export again.")]
    SameOccurrence,
    /// 3.8.4.1.
    #[error(
        "an ATTENDEE has no e-mail address. Invite by e-mail address, or take attendees out and write the name as the title."
    )]
    Address,
    /// Nobody to hold the role.
    #[error(
        "this event says of nobody that they take part: no ATTENDEE, or all declined, and no SUMMARY. Name somebody and export again."
    )]
    Nobody,
    /// More people in one event than a role has places.
    #[error(
        "this event has more than {} people. Take out those who do not hold the role.",
        limits::ROTA_PLACES_MAX
    )]
    TooManyPeople,
    /// The caller does not know who is meant.
    #[error(
        "nobody in the directory is known by this {0}. Correct it in the calendar, or add it in the directory."
    )]
    Unknown(&'static str),
}

impl CalendarFault {
    pub(super) fn at(self, line: u32) -> CalendarRefusal {
        CalendarRefusal { line, fault: self }
    }
}
