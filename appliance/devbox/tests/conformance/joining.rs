//! Becoming a device.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use wardline_core::wire::proto::RefusalCode;

use super::client::{ClientUnderTest, Reason, Seen, Trouble};
use super::ours::Ours;
use super::support::until;
use super::ward::{PATIENCE, PIN, Stage};

const ROOT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Links are read as they stand in the page, and nothing is guessed at.
pub(crate) async fn links<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let device = stage.ward.unjoined::<C>(1).await?;
    let full = format!("wardline://box.example:443/join?code=ABCDE-FGHJK&root={ROOT}");
    let good = [
        (full.clone(), ("box.example", 443, "box.example", "ABCDEFGHJK")),
        (
            format!(" WardLine://192.0.2.7:1/join?root={ROOT}&x=&code=oil-23abcde\n"),
            ("192.0.2.7", 1, "192.0.2.7", "01123ABCDE"),
        ),
        (
            format!("wardline://[::1]:65535/join?code=ABC DE-FG-HJK&root={ROOT}&name=a.b"),
            ("::1", 65535, "a.b", "ABCDEFGHJK"),
        ),
        (format!("{full}&name=2001:db8::1&more=%41"), ("box.example", 443, "2001:db8::1", "ABCDEFGHJK")),
    ];
    for (link, (host, port, name, code)) in good {
        let read = device.client.read_link(&link).await.with_context(|| link.clone())?;
        let wanted = (host.to_owned(), port, name.to_owned(), code.to_owned());
        ensure!(read == wanted, "{link} was read as {read:?}");
    }
    let mut damaged: Vec<String> = (0..full.len()).map(|end| full[..end].to_owned()).collect();
    let swaps = [
        ("wardline", "https"),
        (":443", ""),
        (":443", ":0"),
        (":443", ":65536"),
        (":443", ":+443"),
        ("443", "4x3"),
        ("box.", "box_"),
        ("box.", "a@box."),
        ("box.example", ""),
        ("box.example", "[box]"),
        ("box.example", "::1"),
        ("/join?", "/leave?"),
        ("/join?", "/JOIN?"),
        ("/join?", "/?"),
        ("code=", "Code="),
        ("code=", "code"),
        ("ABCDE", "ABCDU"),
        ("ABCDE", "ABCD"),
        ("ABCDE", "ABCDEF"),
        ("ABCDE", "ABC%44E"),
        ("ABCDE", "ABCDÉ"),
        ("root=A", "root="),
        ("root=A", "root=AA"),
        ("root=A", "root=+"),
        ("Hh8", "Hh9"),
        ("Hh8", "Hh8="),
        ("&", "&&"),
        ("&", "&code=ABCDEFGHJK&"),
        ("&", "&name=a&name=a&"),
        ("&", "&name=a_b&"),
        ("&", "&name=&"),
        ("&", ";"),
    ];
    damaged.extend(swaps.iter().map(|(part, other)| full.replacen(part, other, 1)));
    damaged.push(format!("{full}&x={}", "y".repeat(1024)));
    for link in damaged {
        let read = device.client.read_link(&link).await;
        ensure!(read == Err(Trouble::Link), "{link} was read as {read:?}");
        // Nothing is there to answer, so whoever sent something would be in other trouble.
        let joined = device.client.join(&link, PIN, "a phone").await;
        ensure!(joined == Err(Trouble::Link), "{link} was joined with: {joined:?}");
    }
    Ok(())
}

pub(crate) async fn joins<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let mut device = ward.unjoined::<C>(ward.newcomer()?).await?;
    let link = ward.link(device.person, &device.road)?;
    device.client.join(&link, "Päßwort 7 🐢", "Newcomer's phone").await?;
    let connected = device.until("connected", |seen| match seen {
        Seen::Connected { device } => Some(*device),
        _ => None,
    });
    let id = connected.await?;
    let all = device.catching_up().await?;
    ensure!(all.contains(&Seen::Snapshot), "no snapshot at the beginning");
    let devices = ward.devices(device.person)?;
    ensure!(devices.len() == 1, "{} devices", devices.len());
    ensure!((devices[0].device, devices[0].name.as_str()) == (id, "Newcomer's phone"), "another device");
    Ok(())
}

/// The box enrols the device and its answer is lost, then the power goes.
pub(crate) async fn joins_again<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = Arc::clone(&stage.ward);
    let person = ward.newcomer()?;
    let device = ward.unjoined::<C>(person).await?;
    let link = ward.link(person, &device.road)?;
    let asked = Arc::clone(&ward);
    // A packet with the answer can only come when the box has enrolled the device.
    device.road.gate(move || asked.devices(person).is_ok_and(|devices| devices.is_empty()));
    let enrolled = until(PATIENCE, "the box enrols the device", || Ok(!ward.devices(person)?.is_empty()));
    tokio::select! {
        joined = device.client.join(&link, PIN, "a phone") => bail!("the join ended: {joined:?}"),
        enrolled = enrolled => enrolled?,
    }
    let device = device.dies().await?;
    device.road.clear();
    let wrong = device.client.join(&link, "another one", "a phone").await.err().context("a wrong PIN")?;
    ensure!(wrong == Trouble::Refused { code: Reason(RefusalCode::PinWrong), tries_left: 9 }, "{wrong}");
    let mut device = device.dies().await?;
    device.client.join(&link, PIN, "a phone").await?;
    device.caught_up().await?;
    ensure!(ward.devices(person)?.len() == 1, "joined twice");
    // And from then on it is a device as any other.
    let mut device = device.leaves().await?;
    device.client.open().await?;
    device.caught_up().await
}

/// Refused before the box is asked, so the code is still good for a better one.
pub(crate) async fn pins<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let device = ward.unjoined::<C>(ward.newcomer()?).await?;
    let link = ward.link(device.person, &device.road)?;
    let long = "ä7".repeat(22);
    let bad = [
        "",
        "12345",
        "äöüß7",
        "111111",
        "121212",
        "123123",
        "123456",
        "987654",
        "567890",
        "abcdef",
        "24121987",
        "12241987",
        "19871224",
        "qwerty",
        "password1",
        long.as_str(),
    ];
    for pin in bad {
        let joined = device.client.join(&link, pin, "a phone").await;
        ensure!(joined == Err(Trouble::Pin), "the PIN {pin} was answered with {joined:?}");
    }
    ensure!(ward.devices(device.person)?.is_empty(), "a device with a bad PIN");
    Ok(device.client.join(&link, PIN, "a phone").await?)
}

pub(crate) async fn spent_code<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let first = ward.unjoined::<Ours>(ward.newcomer()?).await?;
    let link = ward.link(first.person, &first.road)?;
    first.client.join(&link, PIN, "a phone").await?;
    let second = ward.unjoined::<C>(first.person).await?;
    let refused = second.client.join(&link, PIN, "a phone").await.err().context("joined")?;
    ensure!(refused.is(RefusalCode::JoinCodeInvalid), "{refused}");
    Ok(())
}

/// Another root than the box's is no box at all: it hears not even a code.
pub(crate) async fn other_root<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let device = ward.unjoined::<C>(ward.newcomer()?).await?;
    let link = ward.link(device.person, &device.road)?;
    let (head, _) = link.split_once("root=").context("no root")?;
    let joined = device.client.join(&format!("{head}root={ROOT}"), PIN, "a phone").await;
    ensure!(joined == Err(Trouble::Untrusted), "{joined:?}");
    // The code was kept from it.
    Ok(device.client.join(&link, PIN, "a phone").await?)
}

pub(crate) async fn other_name<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let device = ward.unjoined::<C>(ward.newcomer()?).await?;
    let link = ward.link(device.person, &device.road)?;
    for name in ["box.elsewhere.example", "127.0.0.2", "lindenhof.example"] {
        let joined = device.client.join(&format!("{link}&name={name}"), PIN, "a phone").await;
        ensure!(joined == Err(Trouble::Untrusted), "{name}: {joined:?}");
    }
    // One of the names that the certificate bears, and not where the link leads.
    Ok(device.client.join(&format!("{link}&name=box.lindenhof.example"), PIN, "a phone").await?)
}

/// At a later connection another box answers in the first one's place.
pub(crate) async fn impostor<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let device = stage.ward.device::<C>().await?;
    let mut device = device.leaves().await?;
    let (own, other) = (stage.ward.fixture().devbox.address(), stage.strict.fixture().devbox.address());
    device.road.lead_to(other);
    device.client.open().await?;
    let turned = device.until("turned away", |seen| match seen {
        Seen::Reconnecting { untrusted, .. } => Some(*untrusted),
        Seen::Connected { .. } | Seen::PinNeeded { .. } => Some(false),
        _ => None,
    });
    ensure!(turned.await?, "another facility's box was believed");
    device.road.lead_to(own);
    device.caught_up().await
}
