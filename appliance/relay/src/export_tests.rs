//! What goes out of what was signed, where a name is hidden in it.

use std::collections::BTreeSet;

use wardline_core::veil::Veil;
use wardline_core::wire::proto::{self, signed_answer::Said};

use super::hide;

fn note(name: &str) -> proto::CallNote {
    let (name, role) = (name.to_owned(), "Cardiologist on call".to_owned());
    proto::CallNote { name, role, read_back: true, ..proto::CallNote::default() }
}

fn answer(said: Said) -> proto::SignedAnswer {
    proto::SignedAnswer { said: Some(said), signature: vec![7; 64], ..proto::SignedAnswer::default() }
}

fn deed(said: u64) -> proto::SignedOrder {
    let text_sha256 = if said == 0 { Vec::new() } else { vec![9; 32] };
    proto::SignedOrder { said, text_sha256, signature: vec![7; 64], ..proto::SignedOrder::default() }
}

#[test]
fn neither_a_signature_nor_a_hash_goes_out_over_a_name_that_is_hidden() {
    let mut veil = Veil::default();
    veil.hide("Maria Lopez");
    let mut count = 0;
    let mut over = |text: &mut String| {
        let (read, hidden) = veil.over(text);
        (*text, count) = (read, count + hidden);
    };
    let mut acts = proto::ExportActs {
        stat: Some(proto::Escalation { note: Some(note("Lopez, Maria")), ..proto::Escalation::default() }),
        signed: vec![
            answer(Said::CallNote(note("Lopez, Maria"))),
            answer(Said::CallNote(note("Keiko Tanaka"))),
            answer(Said::Accept(proto::Accept {})),
        ],
        // Of the order itself, of a read-back with a name, of one whose message is gone, and of an answer, which has no words.
        order_signed: [3, 4, 5, 0].map(deed).to_vec(),
        ..proto::ExportActs::default()
    };
    hide(&mut acts, &BTreeSet::from([3]), &mut over);
    assert!(acts.hidden);
    assert_eq!(acts.stat.unwrap().note.unwrap().name, "[#]");
    assert!(acts.signed[0].said == Some(Said::CallNote(note("[#]"))), "the name is hidden");
    let is_signed = |signature: &[u8]| signature.len() == 64;
    let answers: Vec<bool> = acts.signed.iter().map(|answer| is_signed(&answer.signature)).collect();
    assert_eq!(answers, [false, true, true]);
    let deeds: Vec<_> = acts
        .order_signed
        .iter()
        .map(|deed| (is_signed(&deed.signature), deed.text_sha256.is_empty()))
        .collect();
    assert_eq!(deeds, [(true, false), (false, true), (false, true), (true, true)]);
    assert_eq!(count, 2, "how it stands, and what was signed");
}

#[test]
fn without_a_name_everything_goes_out_as_it_was_signed() {
    let mut acts = proto::ExportActs {
        signed: vec![answer(Said::CallNote(note("Keiko Tanaka")))],
        order_signed: vec![deed(3)],
        ..proto::ExportActs::default()
    };
    let whole = acts.clone();
    hide(&mut acts, &BTreeSet::from([3]), &mut |_| ());
    assert!(acts == whole && !acts.hidden);
}
