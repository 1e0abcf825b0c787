//! Groups: who comes, who goes, what is destroyed.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::proto::{self, RefusalCode};

use super::client::{ClientUnderTest, Name, Reason, Seen};
use super::ours::Ours;
use super::ward::{Device, Stage};

/// Waits until the conversation has these members.
async fn has<C: ClientUnderTest>(device: &mut Device<C>, wanted: u64, people: &[u64]) -> Result<()> {
    let mut people = people.to_vec();
    people.sort_unstable();
    device
        .until("other members", |seen| match seen {
            Seen::Conversation { conversation, members, .. } if *conversation == wanted => {
                let mut members = members.clone();
                members.sort_unstable();
                (members == people).then_some(())
            }
            _ => None,
        })
        .await
}

async fn fails<C: ClientUnderTest>(device: &mut Device<C>, wanted: Name, reason: RefusalCode) -> Result<()> {
    let failed = device.until("failed", |seen| match seen {
        Seen::Failed { name, code } if *name == wanted => Some(*code),
        _ => None,
    });
    let code = failed.await?;
    ensure!(code == Reason(reason), "failed with {code:?}");
    Ok(())
}

pub(crate) async fn news<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let (mut subject, mut owner) = tokio::try_join!(ward.device::<C>(), ward.device::<Ours>())?;
    let (me, boss) = (subject.person, owner.person);
    let (third, fourth) = (ward.newcomer()?, ward.newcomer()?);
    let group = owner.client.open_group("Hall B, nights", &[subject.person]).await?;
    let title = subject.until("the group", |seen| match seen {
        Seen::Conversation { conversation, title, .. } if *conversation == group => Some(title.clone()),
        _ => None,
    });
    ensure!(title.await? == "Hall B, nights", "another title");
    owner.client.change_members(group, &[third], &[]).await?;
    has(&mut subject, group, &[boss, me, third]).await?;
    subject.client.change_members(group, &[fourth], &[]).await?;
    has(&mut owner, group, &[boss, me, third, fourth]).await?;
    owner.client.change_members(group, &[], &[third]).await?;
    has(&mut subject, group, &[boss, me, fourth]).await?;
    owner.says(group, "Handover at 23:00").await?;
    subject.hears("Handover at 23:00").await?;
    // Only the owner takes somebody else out.
    let refused = subject.client.change_members(group, &[], &[fourth]).await.err().context("taken out")?;
    ensure!(refused.is(RefusalCode::NotPermitted), "{refused}");
    // A group of the subject's own.
    let own = subject.client.open_group("Hall C", &[owner.person]).await?;
    has(&mut owner, own, &[boss, me]).await?;
    subject.says(own, "Mine").await?;
    owner.hears("Mine").await.map(drop)
}

pub(crate) async fn gone<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let (mut subject, mut owner) = tokio::try_join!(ward.device::<C>(), ward.device::<Ours>())?;
    let (me, boss) = (subject.person, owner.person);
    let group = owner.client.open_group("Hall B", &[subject.person]).await?;
    has(&mut subject, group, &[boss, me]).await?;
    owner.client.change_members(group, &[], &[subject.person]).await?;
    subject.sees(&Seen::Gone(group)).await?;
    let name = subject.client.send(group, "still there?").await?;
    fails(&mut subject, name, RefusalCode::NoSuchConversation).await?;
    let refused = subject.client.history(group, 0, 10).await.err().context("it was read")?;
    ensure!(refused.is(RefusalCode::NoSuchConversation), "{refused}");
    // And out of another one of their own will.
    let other = owner.client.open_group("Hall C", &[subject.person]).await?;
    has(&mut subject, other, &[boss, me]).await?;
    subject.client.change_members(other, &[], &[subject.person]).await?;
    subject.sees(&Seen::Gone(other)).await?;
    has(&mut owner, other, &[boss]).await
}

pub(crate) async fn channel<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let (mut subject, mut owner) = tokio::try_join!(ward.device::<C>(), ward.device::<Ours>())?;
    let (me, boss) = (subject.person, owner.person);
    let name = format!("Hall {me:x}");
    let Answer::UnitSet(set) = ward.console(Ask::SetUnit(proto::SetUnit { unit: 0, name }))? else {
        bail!("no unit")
    };
    for person in [me, boss] {
        let rank = proto::Rank::Staff.into();
        ward.console(Ask::SetPost(proto::SetPost { person, unit: set.unit, rank }))?;
    }
    let channel = owner.client.open_channel(set.unit, "Huddle").await?;
    owner.says(channel, "said before").await?;
    owner.client.change_members(channel, &[me], &[]).await?;
    has(&mut subject, channel, &[boss, me]).await?;
    let (before, end) = subject.client.history(channel, 0, 10).await?;
    let [only] = before.as_slice() else { bail!("{} messages in its history", before.len()) };
    ensure!(end && only.text == "said before", "another history");
    owner.says(channel, "said after").await?;
    subject.hears("said after").await?;
    owner.client.rename(channel, "Morning huddle").await?;
    subject
        .until("another title", |seen| match seen {
            Seen::Conversation { conversation, title, .. } if *conversation == channel => {
                (title == "Morning huddle").then_some(())
            }
            _ => None,
        })
        .await?;
    owner.client.archive(channel).await?;
    let name = subject.client.send(channel, "too late").await?;
    fails(&mut subject, name, RefusalCode::Archived).await
}

pub(crate) async fn purged<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let (mut subject, mut owner) = tokio::try_join!(ward.device::<C>(), ward.device::<Ours>())?;
    let group = owner.client.open_group("Hall B", &[subject.person]).await?;
    owner.says(group, "to be destroyed").await?;
    subject.hears("to be destroyed").await?;
    ward.console(Ask::PurgeConversation(proto::PurgeConversation { conversation: group }))?;
    let title = subject.until("purged", |seen| match seen {
        Seen::Conversation { conversation, title, purged: true, .. } if *conversation == group => {
            Some(title.clone())
        }
        _ => None,
    });
    ensure!(title.await?.is_empty(), "the title is still there");
    let name = subject.client.send(group, "hello?").await?;
    fails(&mut subject, name, RefusalCode::Purged).await?;
    let refused = subject.client.history(group, 0, 10).await.err().context("it was read")?;
    ensure!(refused.is(RefusalCode::Purged), "{refused}");
    Ok(())
}
