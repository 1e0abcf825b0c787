//! Whom and what the demo makes up. Nobody here is a person: the names were put together for this, and each says so.

use wardline_client::Rank;
use wardline_client::clinical::{Particulars, Sex};

/// The unit.
pub(super) const UNIT: &str = "Demo 4 West";
/// Its screen.
pub(super) const STATION: &str = "Corridor, Demo 4 West";
/// Behind the name of everybody made up, so that nobody takes them for a colleague, nor the demo a colleague for one of them.
pub(super) const MARK: &str = " (demo)";
/// How the record numbers begin by which the demo knows its own patients.
pub(super) const RECORDS: &str = "DEMO4W-";
/// Beds of the unit, "1" to "40".
pub(super) const BEDS: usize = 40;
/// The number that the sender of a STAT is shown in the end. Nobody's.
pub(super) const DIAL: &str = "555-0100";

/// Somebody of the staff.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Who {
    Ingrid,
    Priya,
    Tomasz,
    Leila,
    Victor,
    Noor,
    Caleb,
}

use Who::{Caleb, Ingrid, Leila, Noor, Priya, Tomasz, Victor};

/// One charge nurse and six others.
pub(super) const STAFF: [Who; 7] = [Ingrid, Priya, Tomasz, Leila, Victor, Noor, Caleb];

impl Who {
    /// Name and title, as in the directory but for [`MARK`].
    const fn entry(self) -> (&'static str, &'static str) {
        match self {
            Self::Ingrid => ("Ingrid Halvorsen", "RN, charge nurse"),
            Self::Priya => ("Priya Raman", "RN"),
            Self::Tomasz => ("Tomasz Wilk", "RN"),
            Self::Leila => ("Leila Haddad", "MD, backup"),
            Self::Victor => ("Victor Moreau", "MD, attending"),
            Self::Noor => ("Noor Aziz", "CNA"),
            Self::Caleb => ("Caleb Stone", "RT"),
        }
    }

    /// As the demo speaks of them.
    pub(super) const fn name(self) -> &'static str {
        self.entry().0
    }

    pub(super) const fn title(self) -> &'static str {
        self.entry().1
    }

    /// As the directory has them.
    pub(super) fn listed(self) -> String {
        format!("{}{MARK}", self.name())
    }

    pub(super) fn rank(self) -> Rank {
        if self == Ingrid { Rank::ChargeNurse } else { Rank::Staff }
    }
}

/// The roles, and who holds them by the rota: the first, then the backup.
pub(super) const ROLES: [(&str, &[Who]); 2] =
    [("Physician on call", &[Victor, Leila]), ("Respiratory therapy", &[Caleb])];

/// A patient whom the demo makes up.
pub(super) struct Made {
    pub(super) bed: String,
    pub(super) particulars: Particulars,
    pub(super) attending: Who,
}

/// Surname, given name, sex: thirty-eight, two beds are free.
const PATIENTS: [(&str, &str, char); 38] = [
    ("Abara", "Chinwe", 'F'),
    ("Bergstrom", "Lars", 'M'),
    ("Castellano", "Rosa", 'F'),
    ("Delgado", "Mateo", 'M'),
    ("Eriksen", "Solveig", 'F'),
    ("Fontaine", "Luc", 'M'),
    ("Greenfield", "Ada", 'F'),
    ("Hashimoto", "Kenji", 'M'),
    ("Ivanova", "Daria", 'F'),
    ("Jansen", "Piet", 'M'),
    ("Kowalczyk", "Ewa", 'F'),
    ("Lindqvist", "Oskar", 'M'),
    ("Mbeki", "Thandi", 'F'),
    ("Novak", "Jiri", 'M'),
    ("Oyelaran", "Bisi", 'F'),
    ("Pereira", "Tiago", 'M'),
    ("Quigley", "Maeve", 'F'),
    ("Rosenthal", "Amos", 'M'),
    ("Sorensen", "Birgit", 'F'),
    ("Takahashi", "Hiro", 'M'),
    ("Umarov", "Aziza", 'F'),
    ("Vasquez", "Hector", 'M'),
    ("Whitlock", "June", 'F'),
    ("Xu", "Meilin", 'F'),
    ("Yilmaz", "Emre", 'M'),
    ("Zielinska", "Hanna", 'F'),
    ("Adeyemi", "Kola", 'M'),
    ("Brandt", "Greta", 'F'),
    ("Chaudhry", "Imran", 'M'),
    ("Dimitrov", "Vera", 'F'),
    ("Ekberg", "Nils", 'M'),
    ("Farouk", "Salma", 'F'),
    ("Galvez", "Inez", 'F'),
    ("Holloway", "Ernest", 'M'),
    ("Ishikawa", "Yumi", 'F'),
    ("Joubert", "Andre", 'M'),
    ("Kaplan", "Ruth", 'F'),
    ("Lombardi", "Carlo", 'M'),
];

/// Who lies where when a shift begins.
pub(super) fn patients() -> Vec<Made> {
    let made = |(at, (surname, given, sex)): (usize, &(&str, &str, char))| {
        let bed = at + 1;
        // Spread over years and days that every calendar has.
        let (year, month, day) = (1932 + at * 7 % 58, 1 + at * 5 % 12, 1 + at * 11 % 28);
        Made {
            bed: bed.to_string(),
            particulars: Particulars {
                record_number: format!("{RECORDS}{bed:03}"),
                name: format!("{given} {surname}"),
                birth_date: format!("{year}-{month:02}-{day:02}"),
                sex: Sex::from_letter(*sex).unwrap_or(Sex::Unknown),
            },
            attending: if bed <= BEDS / 2 { Victor } else { Leila },
        }
    };
    PATIENTS.iter().enumerate().map(made).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everybody_is_one_alone_and_marked() {
        let all = patients();
        let of = |what: fn(&Made) -> &str| all.iter().map(what).collect::<BTreeSet<_>>().len();
        assert_eq!((of(|made| &made.bed), of(|made| &made.particulars.name)), (38, 38));
        assert_eq!(of(|made| &made.particulars.record_number), 38);
        assert!(all.iter().all(|made| made.particulars.record_number.starts_with(RECORDS)));
        assert!(all.len() < BEDS && STAFF.iter().all(|who| who.listed().ends_with(MARK)));
        assert_eq!(STAFF.iter().filter(|who| who.rank() == Rank::ChargeNurse).count(), 1);
    }
}
