//! Signing in, PINs, and the ends of a device.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::{self, RefusalCode};

use super::client::{ClientUnderTest, Ending, Reason, Seen, Trouble};
use super::ours::Ours;
use super::ward::{Device, PIN, Stage, Ward};

/// Which device it signed in as; nobody may be asked for a PIN before.
async fn connected<C: ClientUnderTest>(device: &mut Device<C>) -> Result<u64> {
    let connected = device.until("connected", |seen| match seen {
        Seen::Connected { device } => Some(Some(*device)),
        Seen::PinNeeded { .. } => Some(None),
        _ => None,
    });
    connected.await?.context("the PIN was asked for")
}

async fn ended<C: ClientUnderTest>(device: &mut Device<C>) -> Result<Ending> {
    let ended = device.until("an end", |seen| match seen {
        Seen::Ended(why) => Some(*why),
        _ => None,
    });
    ended.await
}

async fn ends<C: ClientUnderTest>(device: &mut Device<C>, wanted: Ending) -> Result<()> {
    let why = ended(device).await?;
    ensure!(why == wanted, "ended as {why:?}, not as {wanted:?}");
    Ok(())
}

/// A device that the box asks for the PIN: its person was suspended, and restored.
async fn asked<C: ClientUnderTest>(ward: &Ward) -> Result<Device<C>> {
    let mut device = ward.device::<C>().await?.leaves().await?;
    ward.suspend(device.person, true)?;
    ward.suspend(device.person, false)?;
    device.client.open().await?;
    device.sees(&Seen::PinNeeded { tries_left: 10, locked: false }).await?;
    Ok(device)
}

pub(crate) async fn again<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let device = ward.device::<C>().await?;
    let id = ward.devices(device.person)?[0].device;
    let mut device = device.leaves().await?;
    device.client.open().await?;
    ensure!(connected(&mut device).await? == id, "signed in as another device");
    device.caught_up().await
}

pub(crate) async fn pin<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let mut device = asked::<C>(&stage.ward).await?;
    for tries_left in [9, 8] {
        let wrong = device.client.unlock("000001").await.err().context("a wrong PIN")?;
        ensure!(wrong == Trouble::Refused { code: Reason(RefusalCode::PinWrong), tries_left }, "{wrong}");
    }
    device.client.unlock(PIN).await?;
    device.caught_up().await?;
    // Right once, and all tries are there again.
    stage.ward.suspend(device.person, true)?;
    ends(&mut device, Ending::Revoked).await?;
    stage.ward.suspend(device.person, false)?;
    let mut device = device.dies().await?;
    device.client.open().await?;
    device.sees(&Seen::PinNeeded { tries_left: 10, locked: false }).await
}

/// A wrong PIN. The box looks at ten at once, and then takes its time: that try does not count.
async fn wrong_pin<C: ClientUnderTest>(device: &Device<C>) -> Result<Trouble> {
    loop {
        let trouble = device.client.unlock("000001").await.err().context("a wrong PIN")?;
        if !trouble.is(RefusalCode::Unavailable) {
            return Ok(trouble);
        }
        // As long as the box asks for.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

pub(crate) async fn locked_out<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let mut device = asked::<C>(&stage.ward).await?;
    for tries_left in (1..10).rev() {
        let wrong = wrong_pin(&device).await?;
        ensure!(wrong == Trouble::Refused { code: Reason(RefusalCode::PinWrong), tries_left }, "{wrong}");
    }
    let last = wrong_pin(&device).await?;
    ensure!(last.is(RefusalCode::PinLockedOut), "{last}");
    ends(&mut device, Ending::Refused(Reason(RefusalCode::PinLockedOut))).await?;
    let mut device = device.dies().await?;
    device.client.open().await?;
    ends(&mut device, Ending::Refused(Reason(RefusalCode::PinLockedOut))).await
}

/// On the box that locks: what comes meanwhile waits, and so does what is written.
pub(crate) async fn locks<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut device, mut colleague, conversation) = stage.strict.pair::<C>().await?;
    let act = async {
        // The colleague is at work, so theirs does not lock.
        let mut often = tokio::time::interval(Duration::from_secs(2));
        loop {
            often.tick().await;
            if let Err(trouble) = colleague.client.people().await {
                break trouble;
            }
        }
    };
    tokio::select! {
        locked = device.sees(&Seen::PinNeeded { tries_left: 10, locked: true }) => locked?,
        trouble = act => bail!("the colleague: {trouble}"),
    }
    let refused = device.client.people().await;
    ensure!(refused.is_err(), "a locked session answered");
    colleague.says(conversation, "said to a locked session").await?;
    let name = device.client.send(conversation, "written in a locked session").await?;
    device.client.unlock(PIN).await?;
    // In whichever order they come.
    let other = colleague.person;
    let (mut heard, mut place) = (None, None);
    let both = device.until("what waited", |seen| {
        match seen {
            // Its own may be delivered too when it catches up.
            Seen::Message(message) if message.sender == other => heard = Some(message.text.clone()),
            Seen::Accepted { name: accepted, sequence } if *accepted == name => place = Some(*sequence),
            _ => {}
        }
        (heard.is_some() && place.is_some()).then_some(())
    });
    both.await?;
    ensure!(heard.as_deref() == Some("said to a locked session"), "another message was heard");
    ensure!(place == Some(2), "accepted in place {place:?}");
    colleague.hears("written in a locked session").await.map(drop)
}

/// Two copies of one profile: the first gives way and stays away.
pub(crate) async fn superseded<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let mut first = ward.device::<C>().await?.leaves().await?;
    let profile = first.profile.with_extension("copy");
    copy(&first.profile, &profile)?;
    // The copy goes by the address in it, along the first one's road.
    let (client, road) = (C::start(&profile)?, ward.road().await?);
    let mut second = Device { client, road, person: first.person, profile };
    first.client.open().await?;
    first.caught_up().await?;
    second.client.open().await?;
    second.caught_up().await?;
    ends(&mut first, Ending::Superseded).await
}

pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

pub(crate) async fn revoked<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let mut device = ward.device::<C>().await?;
    let id = ward.devices(device.person)?[0].device;
    ward.console(Ask::RevokeDevice(proto::RevokeDevice { device: id }))?;
    ends(&mut device, Ending::Revoked).await?;
    let mut device = device.dies().await?;
    device.client.open().await?;
    ends(&mut device, Ending::Refused(Reason(RefusalCode::DeviceUnknown))).await
}

pub(crate) async fn suspended<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let mut device = ward.device::<C>().await?;
    ward.suspend(device.person, true)?;
    ends(&mut device, Ending::Revoked).await?;
    let mut device = device.dies().await?;
    device.client.open().await?;
    ends(&mut device, Ending::Refused(Reason(RefusalCode::PersonSuspended))).await?;
    ward.suspend(device.person, false)?;
    let mut device = device.dies().await?;
    device.client.open().await?;
    device.sees(&Seen::PinNeeded { tries_left: 10, locked: false }).await?;
    device.client.unlock(PIN).await?;
    device.caught_up().await
}

/// Whoever else may read as this person is told of, once: at once, or at the next signing in.
pub(crate) async fn other_devices<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let mut device = ward.device::<C>().await?;
    let own = ward.devices(device.person)?[0].device;
    let _second = ward.device_of::<Ours>(device.person).await?;
    let told = device.until("the second device", |seen| match seen {
        Seen::DeviceJoined { device } => Some(*device),
        _ => None,
    });
    let second = told.await?;
    ensure!(second != own && ward.devices(device.person)?.iter().any(|d| d.device == second), "another one");
    let mut device = device.leaves().await?;
    let _third = ward.device_of::<Ours>(device.person).await?;
    device.client.open().await?;
    let told = |all: Vec<Seen>| -> Vec<u64> {
        all.into_iter()
            .filter_map(|seen| if let Seen::DeviceJoined { device } = seen { Some(device) } else { None })
            .collect()
    };
    let third = told(device.catching_up().await?);
    ensure!(third.len() == 1 && third[0] != own && third[0] != second, "told of {third:?}");
    let mut device = device.leaves().await?;
    device.client.open().await?;
    let fourth = told(device.catching_up().await?);
    ensure!(fourth.is_empty(), "told again of {fourth:?}");
    Ok(())
}
