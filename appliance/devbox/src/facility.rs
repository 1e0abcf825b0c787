//! The demo facility: a dozen made-up people of a made-up nursing home.

use wardline_core::wire::proto::Rank;

use crate::console::{Console, ConsoleError};

/// Its name.
pub const NAME: &str = "Lindenhof Care Home (demo)";

/// Name, title, administrator.
pub const PEOPLE: [(&str, &str, bool); 12] = [
    ("Ana Flores", "RN, charge nurse", true),
    ("Ben Okafor", "MD, attending", false),
    ("Chidi Eze", "RN", false),
    ("Dana Petrov", "LPN", false),
    ("Emil Sand", "CNA", false),
    ("Fatima Rahal", "CNA", false),
    ("Grace Lin", "Physiotherapy", false),
    ("Hugo Marek", "Pharmacy", false),
    ("Ines Duarte", "Social work", false),
    ("Jonas Weber", "IT", true),
    ("Keiko Mori", "RN, night", false),
    ("Luis Ortega", "Privacy officer", false),
];

/// Its units, and who works there: the first leads.
pub const UNITS: [(&str, &[&str]); 2] = [
    ("Hall A", &["Ana Flores", "Chidi Eze", "Emil Sand", "Grace Lin"]),
    ("Hall B", &["Keiko Mori", "Dana Petrov", "Fatima Rahal", "Grace Lin"]),
];

/// Who reviews who read what.
const PRIVACY_OFFICER: &str = "Luis Ortega";

/// Puts whoever is missing into the directory, and gives new units their staff.
pub fn seed(console: &mut Console) -> Result<Vec<(u64, String)>, ConsoleError> {
    let mut known = console.people()?;
    for (name, title, administrator) in PEOPLE {
        if !known.iter().any(|(_, known)| known == name) {
            known.push((console.add_person(name, title, administrator)?, name.to_owned()));
            if name == PRIVACY_OFFICER
                && let Some((person, _)) = known.last()
            {
                console.name_privacy_officer(*person)?;
            }
        }
    }
    let units = console.units()?;
    for (name, staff) in UNITS.iter().filter(|(name, _)| !units.iter().any(|(_, known)| known == name)) {
        let unit = console.add_unit(name)?;
        for (at, member) in staff.iter().enumerate() {
            let rank = if at == 0 { Rank::ChargeNurse } else { Rank::Staff };
            if let Some((person, _)) = known.iter().find(|(_, known)| known == member) {
                console.set_post(*person, unit, rank)?;
            }
        }
    }
    Ok(known)
}
