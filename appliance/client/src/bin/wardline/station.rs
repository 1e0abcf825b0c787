//! `wardline station`: a unit's screen. Shows that something rings and for whom it may be, never what it says.

use std::time::Duration;

use wardline_client::{Client, Error, Event};
use wardline_core::limits;

use crate::exit::Failure;
use crate::{Common, access, json, say, stat};

pub(crate) async fn station(common: &Common, as_json: bool) -> Result<(), Failure> {
    let client = access::hold(common).await?;
    let ended = tokio::select! {
        ended = follow(&client, as_json) => ended,
        () = here(&client) => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    client.close().await;
    ended
}

/// The program is open in front of whoever looks at it.
pub(crate) async fn here(client: &Client) {
    loop {
        tokio::time::sleep(Duration::from_millis(limits::HERE_MS)).await;
        if client.here().await.is_err() {
            return;
        }
    }
}

async fn follow(client: &Client, as_json: bool) -> Result<(), Failure> {
    let Some(mut events) = client.events() else { return Ok(()) };
    while let Some(event) = events.next().await {
        if as_json {
            if let Some(value) = json::event(&event, client.identity().person, &[]) {
                json::print(&value)?;
            }
            if let Event::Ended(end) = event {
                return Err(Error::from(end).into());
            }
            continue;
        }
        match event {
            Event::Connected(signed_in) if signed_in.station.is_some() => {
                say::note("This screen is watching. It shows what rings, and no names.");
            }
            Event::Connected(_) => {
                let advice = "This device is somebody's, not a screen. Join a device with a code for a station: wardline \
                              admin add-station";
                return Err(Failure::Usage(advice.to_owned()));
            }
            Event::Ring(ring) => say::told(&stat::ring_line(&ring))?,
            Event::Silence(silent, _) => say::told(&format!("-- STAT {} was answered", stat::name(silent)))?,
            Event::UrgentWaits(waits) => {
                let call = if waits.dial.is_empty() {
                    String::new()
                } else {
                    format!(" Call {}.", say::clean_line(&waits.dial))
                };
                let name = stat::name(waits.message);
                say::told(&format!(
                    "!! URGENT {name} waits, and nobody has seen it. Look into Wardline.{call}"
                ))?
            }
            Event::UrgentOver(over) => say::told(&format!("-- URGENT {} waits no more", stat::name(over)))?,
            Event::Reconnecting { why, .. } => say::note(&why),
            Event::Ended(end) => return Err(Error::from(end).into()),
            _ => {}
        }
    }
    Ok(())
}
