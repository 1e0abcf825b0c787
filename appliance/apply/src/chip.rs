//! What is asked of the keeper here: the one process that may use the chip.

use std::path::PathBuf;

use wardline_keys_protocol::approval::{Approval, RevocationTicket};
use wardline_keys_protocol::{
    ClientError, Credential, FacilityNames, Identity, KeeperClient, Provision, Quote, Status,
    WrappedCredential,
};

/// The keeper, as far as provisioning goes. Every call is safe to repeat.
pub trait Chip {
    /// Its state.
    fn status(&mut self) -> Result<Status, ClientError>;
    /// Makes the box's keys.
    fn provision(&mut self, of: Provision) -> Result<(), ClientError>;
    /// Which chip it is.
    fn identity(&mut self) -> Result<Identity, ClientError>;
    /// The request for a certificate of the issuing key, PKCS #10, DER.
    fn issuing_request(&mut self) -> Result<Vec<u8>, ClientError>;
    /// A quote with this qualifying data.
    fn quote(&mut self, qualifying: [u8; 32]) -> Result<Quote, ClientError>;
    /// Opens what was wrapped to this chip.
    fn activate(&mut self, wrapped: &WrappedCredential) -> Result<Credential, ClientError>;
    /// Names and certificate.
    fn install_issuing(&mut self, names: FacilityNames, chain: Vec<Vec<u8>>) -> Result<(), ClientError>;
    /// An approval of an image.
    fn install_approval(&mut self, approval: &Approval) -> Result<(), ClientError>;
    /// A revocation.
    fn revoke(&mut self, ticket: &RevocationTicket) -> Result<(), ClientError>;
    /// The epoch.
    fn epoch(&mut self) -> Result<u64, ClientError>;
}

/// The keeper at its socket; each call connects anew, so that one that was restarted meanwhile answers.
#[derive(Debug, Clone)]
pub struct Keeper(pub PathBuf);

impl Keeper {
    fn at(&self) -> Result<KeeperClient, ClientError> {
        KeeperClient::connect(&self.0)
    }
}

impl Chip for Keeper {
    fn status(&mut self) -> Result<Status, ClientError> {
        self.at()?.status()
    }

    fn provision(&mut self, of: Provision) -> Result<(), ClientError> {
        self.at()?.provision(of)
    }

    fn identity(&mut self) -> Result<Identity, ClientError> {
        self.at()?.identity()
    }

    fn issuing_request(&mut self) -> Result<Vec<u8>, ClientError> {
        self.at()?.issuing_request()
    }

    fn quote(&mut self, qualifying: [u8; 32]) -> Result<Quote, ClientError> {
        self.at()?.quote(qualifying)
    }

    fn activate(&mut self, wrapped: &WrappedCredential) -> Result<Credential, ClientError> {
        self.at()?.activate_credential(wrapped)
    }

    fn install_issuing(&mut self, names: FacilityNames, chain: Vec<Vec<u8>>) -> Result<(), ClientError> {
        self.at()?.install_issuing(names, chain)
    }

    fn install_approval(&mut self, approval: &Approval) -> Result<(), ClientError> {
        self.at()?.install_approval(approval)
    }

    fn revoke(&mut self, ticket: &RevocationTicket) -> Result<(), ClientError> {
        self.at()?.revoke(ticket)
    }

    fn epoch(&mut self) -> Result<u64, ClientError> {
        self.at()?.epoch()
    }
}
