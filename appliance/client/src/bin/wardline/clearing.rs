//! `wardline unit clear-pin`, `wardline admin clear-pin` and `wardline new-pin`: a device that ten wrong PINs have locked is opened again
//! face to face.

use wardline_client::link::Code;
use wardline_client::profile::Profile;
use wardline_client::{Calls, Client, Error};

use crate::exit::Failure;
use crate::{Common, find, pin, say};

/// The side of whoever gives the code.
pub(crate) async fn give(door: &impl Calls, wanted: &str) -> Result<(), Failure> {
    let people = door.people().await?;
    let person = find::person(&people, wanted)?;
    let code = door.clear_pin(person).await?;
    let read = Code::parse(&code.code)?;
    let (left, right) = read.reveal().split_at(read.reveal().len() / 2);
    say::line(&format!("{left}-{right}  until {}", say::time(code.expires)))?;
    let name = find::name(&people, person);
    say::note(&format!(
        "For {name}, whom you see before you. On the locked device: wardline new-pin {left}-{right}"
    ));
    Ok(())
}

/// The side of whoever is locked out.
pub(crate) async fn choose(common: &Common, code: Option<String>) -> Result<(), Failure> {
    let directory = common.profile()?;
    // Before anybody is asked for anything.
    let identity = Profile::identity(&directory).map_err(Error::from)?;
    let code = match code {
        Some(code) => Code::parse(&code)?,
        None => pin::code().await?,
    };
    let pin = pin::choose(common).await?;
    let waiting = format!("Connecting to {} …", identity.address);
    let (client, _) = say::patiently(&waiting, Client::choose_pin(&code, &pin, &directory)).await?;
    let told = say::line(&format!(
        "“{}” is open again for {}, with the new PIN.",
        say::clean_line(&identity.device_name),
        say::clean_line(&identity.name),
    ));
    client.close().await;
    told
}
