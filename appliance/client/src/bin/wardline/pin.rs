//! PINs: asked for on the terminal without echo, or read from a file. Never an argument, never printed.

use std::io::{BufRead as _, IsTerminal as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use wardline_client::error::Refused;
use wardline_client::link::Code;
use wardline_client::{Client, Error, Pin};
use wardline_core::limits;
use wardline_core::wire::proto::RefusalCode;
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::{Common, say};

const RULES: &str = "A PIN has at least 6 characters. Refused are the ones a thief tries first: 123456, 000000, \
                     121212, runs up or down, dates, keyboard rows, common passwords.";

/// The first line of a file or of standard input.
fn first_line(from: impl std::io::Read) -> std::io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    std::io::BufReader::new(from.take(4 * limits::PIN_BYTES_MAX as u64)).read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

fn from_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let failed = |error: std::io::Error| Failure::Machine(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    // A pipe or a terminal is nobody else's to read.
    if meta.is_file() && meta.mode() & 0o077 != 0 {
        let shown = path.display();
        let how = format!("{shown} can be read or changed by others on this machine. Run: chmod 600 {shown}");
        return Err(Failure::Machine(how));
    }
    first_line(file).map_err(failed)
}

async fn ask(prompt: String) -> Result<Zeroizing<String>, Failure> {
    let asked = tokio::task::spawn_blocking(move || rpassword::prompt_password(prompt)).await;
    match asked {
        Ok(Ok(pin)) => Ok(Zeroizing::new(pin)),
        Ok(Err(error)) => Err(Failure::Locked(format!("No PIN could be read: {error}"))),
        Err(_) => Err(Failure::Locked("No PIN could be read.".to_owned())),
    }
}

pub(crate) fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A code that somebody was given for this device. Not shown as it is typed, as a PIN is not.
pub(crate) async fn code() -> Result<Code, Failure> {
    if !has_terminal() {
        let how = "There is no terminal to ask for the code on: wardline new-pin ABCDE-FGHJK";
        return Err(Failure::Usage(how.to_owned()));
    }
    let typed = ask("The code that your charge nurse gave you: ".to_owned()).await?;
    Ok(Code::parse(&typed)?)
}

/// A new PIN, for joining.
pub(crate) async fn choose(common: &Common) -> Result<Pin, Failure> {
    let refused = |why: wardline_client::Refusal| Failure::Usage(format!("{why} {RULES}"));
    if let Some(path) = &common.pin_file {
        return Pin::choose(from_file(path)?.to_string()).map_err(refused);
    }
    if !has_terminal() {
        let line = first_line(std::io::stdin()).map_err(|error| Failure::Machine(error.to_string()))?;
        if line.is_empty() {
            let how = "There is no terminal to ask for a PIN on: give it with --pin-file FILE, or as the first line \
                       of standard input.";
            return Err(Failure::Locked(how.to_owned()));
        }
        return Pin::choose(line.to_string()).map_err(refused);
    }
    say::note(&format!("Choose the PIN that opens Wardline on this device. {RULES}"));
    loop {
        let first = ask("PIN: ".to_owned()).await?;
        let pin = match Pin::choose(first.to_string()) {
            Ok(pin) => pin,
            Err(why) => {
                say::note(&why.to_string());
                continue;
            }
        };
        if ask("The same PIN again: ".to_owned()).await?.as_str() == first.as_str() {
            return Ok(pin);
        }
        say::note("The two were different. Again:");
    }
}

/// The PIN of a session that wants it. `Locked` when nobody can be asked.
async fn offer(common: &Common, client: &Client, tries_left: Option<u32>) -> Result<Pin, Failure> {
    let text = match &common.pin_file {
        Some(path) => from_file(path)?,
        None if has_terminal() => {
            if let Some(tries_left) = tries_left.filter(|left| *left < limits::PIN_TRIES_MAX) {
                say::note(&format!("Tries left: {tries_left}."));
            }
            let identity = client.identity();
            let whose = format!("PIN of {} on “{}”: ", identity.name, identity.device_name);
            ask(say::clean_line(&whose)).await?
        }
        None => {
            let how = "The session is locked. Run this on a terminal, or give --pin-file FILE.";
            return Err(Failure::Locked(how.to_owned()));
        }
    };
    Pin::offer(text.to_string()).map_err(|why| Failure::Locked(why.to_string()))
}

/// Opens a locked session. A wrong PIN is asked for again on a terminal, and fails from a file: trying it again would
/// lock the device.
pub(crate) async fn unlock(common: &Common, client: &Client, tries_left: u32) -> Result<(), Failure> {
    let mut untold = Some(tries_left);
    loop {
        match client.unlock(offer(common, client, untold).await?).await {
            Ok(_) => return Ok(()),
            Err(Error::Refused(Refused { code: RefusalCode::PinWrong, advice, .. }))
                if common.pin_file.is_none() =>
            {
                // It says how many tries are left.
                say::note(&advice);
                untold = None;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits for an open session, asking for the PIN when it is wanted.
pub(crate) async fn contact(common: &Common, client: &Client) -> Result<(), Failure> {
    let address = &client.identity().address;
    loop {
        match say::patiently(&format!("Connecting to {address} …"), client.contact()).await {
            Ok(_) => return Ok(()),
            Err(Error::Locked { tries_left }) => unlock(common, client, tries_left).await?,
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_pin_that_others_can_read_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("pin");
        std::fs::write(&path, "739154\r\nmore\n").unwrap();
        for (mode, fine) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match from_file(&path) {
                Ok(pin) => assert!(fine && pin.as_str() == "739154", "{mode:o}"),
                Err(failure) => {
                    assert!(!fine && failure.to_string().contains("chmod 600"), "{mode:o}: {failure}");
                    assert_eq!(failure.code(), 1);
                }
            }
        }
    }
}
