//! The demo facility: a dozen made-up people of a made-up nursing home.

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

/// Puts whoever is missing into the directory.
pub fn seed(console: &mut Console) -> Result<Vec<(u64, String)>, ConsoleError> {
    let mut known = console.people()?;
    for (name, title, administrator) in PEOPLE {
        if !known.iter().any(|(_, known)| known == name) {
            known.push((console.add_person(name, title, administrator)?, name.to_owned()));
        }
    }
    Ok(known)
}
