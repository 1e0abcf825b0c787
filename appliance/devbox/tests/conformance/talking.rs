//! Messages, receipts, history, the directory.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};

use super::client::{ClientUnderTest, Seen, Trouble};
use super::ward::Stage;

pub(crate) async fn both_ways<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    ensure!(subject.says(conversation, "Bed 4 needs a second look").await? == 1, "not the first");
    let heard = colleague.hears("Bed 4 needs a second look").await?;
    ensure!((heard.sequence, heard.sender) == (1, subject.person), "{heard:?}");
    ensure!(colleague.says(conversation, "On my way 🏃 – 5 Min.\n").await? == 2, "not the second");
    let heard = subject.hears("On my way 🏃 – 5 Min.\n").await?;
    ensure!((heard.sequence, heard.sender) == (2, colleague.person), "{heard:?}");
    ensure!(heard.conversation == conversation, "{heard:?}");
    Ok(())
}

/// Written faster than the box answers.
pub(crate) async fn order<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    let mut names = Vec::new();
    for number in 1..=20 {
        names.push(subject.client.send(conversation, &format!("line {number}")).await?);
    }
    for (sequence, name) in (1..).zip(names) {
        ensure!(subject.accepted(name).await? == sequence, "line {sequence} took another place");
        let heard = colleague.hears(&format!("line {sequence}")).await?;
        ensure!((heard.sequence, heard.name) == (sequence, name), "{heard:?}");
    }
    Ok(())
}

pub(crate) async fn receipts<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    let mark = |person, delivered, read| Seen::Watermark { conversation, person, delivered, read };
    colleague.says(conversation, "one").await?;
    colleague.says(conversation, "two").await?;
    subject.hears("one").await?;
    subject.hears("two").await?;
    // Nobody has seen them yet.
    colleague.sees(&mark(subject.person, 2, 0)).await?;
    subject.client.read(conversation, 1).await?;
    colleague.sees(&mark(subject.person, 2, 1)).await?;
    subject.client.read(conversation, 2).await?;
    colleague.sees(&mark(subject.person, 2, 2)).await?;
    subject.says(conversation, "three").await?;
    colleague.hears("three").await?;
    colleague.client.read(conversation, 3).await?;
    subject.sees(&mark(colleague.person, 3, 3)).await
}

/// The last receipt goes before the farewell, however soon it comes after another.
pub(crate) async fn last_receipt<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    for sequence in 1..=5 {
        colleague.says(conversation, "a line").await?;
        subject.hears("a line").await?;
        subject.client.read(conversation, sequence).await?;
    }
    let person = subject.person;
    subject.client.leave().await?;
    colleague.sees(&Seen::Watermark { conversation, person, delivered: 5, read: 5 }).await
}

pub(crate) async fn history<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    for number in 1..=3 {
        colleague.says(conversation, &format!("line {number}")).await?;
    }
    ensure!(subject.says(conversation, "line 4").await? == 4, "not the fourth");
    let texts = |page: &[super::client::Message]| -> Vec<(u64, String)> {
        page.iter().map(|message| (message.sequence, message.text.clone())).collect()
    };
    let line = |number: u64| (number, format!("line {number}"));
    let (page, end) = subject.client.history(conversation, 0, 2).await?;
    ensure!(texts(&page) == [line(4), line(3)] && !end, "the newest page: {page:?}, {end}");
    ensure!(page[0].sender == subject.person && page[1].sender == colleague.person, "{page:?}");
    let (page, end) = subject.client.history(conversation, 3, 100).await?;
    ensure!(texts(&page) == [line(2), line(1)] && end, "the oldest page: {page:?}, {end}");
    Ok(())
}

/// More than fit a page.
pub(crate) async fn people<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let device = stage.ward.device::<C>().await?;
    let all = loop {
        let all = stage.ward.fixture().devbox.console()?.people()?;
        if all.len() > 210 {
            break all;
        }
        stage.ward.newcomer()?;
    };
    let people = device.client.people().await?;
    // Others come while this goes on.
    ensure!(all.iter().all(|person| people.contains(person)), "{} of {}", people.len(), all.len());
    ensure!(people.is_sorted() && people.windows(2).all(|two| two[0].0 < two[1].0), "not in order");
    Ok(())
}

pub(crate) async fn shown<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    let hostile = "a\u{1b}[2Jb\u{202e}c\u{2066}d\u{7}e\u{9b}f\u{200f}g\u{61c}h\r\n12:00 Chief: go home\u{85}i\u{2028}j\0k";
    colleague.says(conversation, hostile).await?;
    // What was sent is what is heard: only showing it takes things out.
    subject.hears(hostile).await?;
    let shown = subject.client.shown(conversation).await?;
    let shown = shown.trim_end_matches('\n');
    let bad = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    };
    ensure!(!shown.contains(bad), "shown as {shown:?}");
    ensure!(shown.contains("12:00 Chief: go home") && shown.contains('k'), "not all of it: {shown:?}");
    let passes = shown.lines().any(|line| line.starts_with("12:00"));
    ensure!(!passes, "a line of it passes for another person's message");
    Ok(())
}

pub(crate) async fn large<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    let text = "ä🐢\u{0}x".repeat(1024);
    ensure!(text.len() == 8192, "{} bytes", text.len());
    subject.says(conversation, &text).await?;
    colleague.hears(&text).await?;
    colleague.says(conversation, &text).await?;
    subject.hears(&text).await.map(drop)
}

pub(crate) async fn too_large<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    for text in ["", &"ä".repeat(4096), &"x".repeat(16384)]
        .map(|text| if text.is_empty() { String::new() } else { format!("{text}x") })
    {
        let kept = subject.client.send(conversation, &text).await.err().context("it was kept")?;
        ensure!(kept == Trouble::Text, "{} bytes: {kept}", text.len());
    }
    ensure!(subject.says(conversation, "short enough").await? == 1, "something else was sent");
    colleague.hears("short enough").await.map(drop)
}
