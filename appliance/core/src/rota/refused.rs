//! Why a rota is not taken.

use thiserror::Error;

use crate::limits;
use crate::refusal::LogSafe;
use crate::rota::local::{Date, Local};

/// A rota cannot be as it was given. Nothing changed. Dates and times alone: it may be logged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Error)]
pub enum RotaRefusal {
    /// A date outside of [`limits::ROTA_FIRST_YEAR`] to [`limits::ROTA_LAST_YEAR`].
    #[error(
        "A date is not in the years {} to {}. Correct it.",
        limits::ROTA_FIRST_YEAR,
        limits::ROTA_LAST_YEAR
    )]
    NotInCalendar,
    /// More than [`limits::ROTA_PATTERNS_MAX`].
    #[error(
        "There are more than {} weekly patterns. Take out those that have ended.",
        limits::ROTA_PATTERNS_MAX
    )]
    TooManyPatterns,
    /// More than [`limits::ROTA_SHIFTS_MAX`].
    #[error(
        "The weekly patterns have more than {} shifts. Use a shorter turn, or take out patterns that have ended.",
        limits::ROTA_SHIFTS_MAX
    )]
    TooManyShifts,
    /// More than [`limits::ROTA_EXCEPTIONS_MAX`].
    #[error("There are more than {} exceptions. Take out those that are over.", limits::ROTA_EXCEPTIONS_MAX)]
    TooManyExceptions,
    /// More than [`limits::ROTA_BY_HAND_MAX`].
    #[error(
        "There are more than {} hand-overs by hand. Take out those that are over.",
        limits::ROTA_BY_HAND_MAX
    )]
    TooManyByHand,
    /// More than [`limits::ROTA_IMPORTED_MAX`].
    #[error("The calendar holds more than {} shifts. Import fewer months.", limits::ROTA_IMPORTED_MAX)]
    TooManyImported,
    /// `until` is not behind `from`.
    #[error("The weekly pattern from {from} ends before it begins. Correct one of its dates.")]
    PatternEndsFirst {
        /// Which.
        from: Date,
    },
    /// None, or more than [`limits::ROTA_WEEKS_MAX`].
    #[error("The weekly pattern from {from} must begin anew after 1 to {} weeks.", limits::ROTA_WEEKS_MAX)]
    Weeks {
        /// Which.
        from: Date,
    },
    /// No shifts.
    #[error("The weekly pattern from {from} has no shifts. Add one, or take the pattern out.")]
    PatternEmpty {
        /// Which.
        from: Date,
    },
    /// Outside of the pattern's weeks, empty, or too long.
    #[error(
        "A shift of the weekly pattern from {from} does not begin within its weeks, or lasts no time, or longer than seven \
         days. Correct it, or make two of it."
    )]
    ShiftLength {
        /// Which.
        from: Date,
    },
    /// Nobody, or more than the place takes.
    #[error(
        "A shift of the weekly pattern from {from} has nobody, or several people for one place. Name one, or take the \
         shift out."
    )]
    ShiftTeam {
        /// Which.
        from: Date,
    },
    /// Two shifts at a time.
    #[error(
        "Two shifts of the weekly pattern from {from} overlap. End one where the next begins: the same time for both \
         leaves no gap."
    )]
    ShiftsOverlap {
        /// Which.
        from: Date,
    },
    /// Two patterns at a time.
    #[error("Two weekly patterns are in force on {date} for the same place. End the one before that day.")]
    TwoPatterns {
        /// The first such day.
        date: Date,
    },
    /// Empty or too long.
    #[error("The exception from {from} ends before it begins, or lasts longer than 31 days. Correct it.")]
    ExceptionLength {
        /// Which.
        from: Local,
    },
    /// Empty or too long.
    #[error("A hand-over by hand ends before it begins, or lasts longer than 31 days. Correct it.")]
    ByHandLength,
    /// Two for one place, or one of no time.
    #[error(
        "Two imported shifts overlap in one place, or one ends before it begins. Import the calendar again."
    )]
    ImportedOverlap,
}

impl LogSafe for RotaRefusal {}
