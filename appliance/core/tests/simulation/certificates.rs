//! The certificate for the names that people type: who asks, what a doorway makes of a file, and the reference's rules.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::PersonId;
use wardline_core::refusal::Refusal;
use wardline_core::web_certificate::{CheckedChain, WebCertificateRefusal};
use wardline_core::wire::proto::{self, RefusalCode as Code, client_frame::Body};

use crate::coverage::Situation;
use crate::reference::{Answer, Expected, Reference};
use crate::world::World;

/// What stands for a chain that is good.
const GOOD: &str = "good";

/// As the doorway would say: what is in files is the relay's to read.
pub(crate) fn checked(pem: &str) -> Result<CheckedChain, Refusal> {
    if pem == GOOD {
        Ok(CheckedChain::checked(vec![vec![0x30]]))
    } else {
        Err(Refusal::WebCertificate(WebCertificateRefusal::Unreadable))
    }
}

pub(crate) fn situation(body: &Body, refused: Option<Code>) -> Option<Situation> {
    match (body, refused) {
        (Body::RequestWebCertificate(_), None) => Some(Situation::CertificateRequested),
        (Body::ImportWebCertificate(_), None) => Some(Situation::CertificateImported),
        (Body::ImportWebCertificate(_), Some(Code::CertificateUnreadable)) => {
            Some(Situation::CertificateNotImported)
        }
        (
            Body::AskWebCertificate(_)
            | Body::RequestWebCertificate(_)
            | Body::ImportWebCertificate(_)
            | Body::DropWebCertificate(_),
            Some(Code::NotAdministrator),
        ) => Some(Situation::CertificateRefused),
        _ => None,
    }
}

fn import(pem: &str, only_look: bool) -> Body {
    Body::ImportWebCertificate(proto::ImportWebCertificate { pem: pem.to_owned(), only_look })
}

impl World {
    /// Now and then, by the clock: where chance is asked once more, every history is another one. `None`: something else is asked.
    pub(crate) fn some_certificate_ask(&self) -> Option<Body> {
        Some(match self.now.mono.0 % 10 {
            0 => Body::AskWebCertificate(proto::AskWebCertificate {}),
            1 => {
                let names = vec!["wardline.hospital.example".to_owned()];
                Body::RequestWebCertificate(proto::RequestWebCertificate { names })
            }
            2 => import(GOOD, false),
            3 => import(GOOD, true),
            4 => import("bad", false),
            5 => Body::DropWebCertificate(proto::DropWebCertificate {}),
            _ => return None,
        })
    }
}

impl Reference {
    pub(crate) fn web_certificate(&self, by: Actor, me: PersonId, admin_zone: bool, body: &Body) -> Expected {
        if !admin_zone || !self.ward.person(me).is_some_and(|person| person.administrator) {
            return Expected::refused(Code::NotAdministrator);
        }
        let act = match body {
            Body::ImportWebCertificate(import) if import.pem != GOOD => {
                return Expected::refused(Code::CertificateUnreadable);
            }
            Body::ImportWebCertificate(import) if import.only_look => None,
            Body::ImportWebCertificate(_) => Some(Act::WebCertificateImported),
            Body::RequestWebCertificate(_) => Some(Act::WebCertificateRequested),
            Body::DropWebCertificate(_) => Some(Act::WebCertificateDropped),
            _ => None,
        };
        let mut expected = Expected::answered(Answer::WebCertificate);
        expected.audits.extend(act.map(|act| (by, act)));
        expected
    }
}
