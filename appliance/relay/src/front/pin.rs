//! From a PIN to its MAC: stretched here, then MACed by the keeper.

use std::sync::Arc;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};
use wardline_core::ids::{DeviceId, PersonId};
use wardline_core::pin::{Pin, PinMac};
use zeroize::Zeroizing;

use super::connection::Context;

/// How long a person may be kept waiting for the keeper.
const KEEPER_TIME_MAX: Duration = Duration::from_secs(10);

/// `None` when the keeper cannot or will not now.
pub(super) async fn pin_mac(
    context: &Context,
    person: PersonId,
    device: DeviceId,
    salt: [u8; 16],
    pin: Pin,
) -> Option<PinMac> {
    let permit = Arc::clone(&context.stretches).acquire_owned().await.ok()?;
    let stretched = tokio::task::spawn_blocking(move || {
        // Ends with the stretching: neither with a connection that does not wait for it, nor with the keeper's answer,
        // which others' PINs need not wait for.
        let _permit = permit;
        stretch(&pin, &salt)
    });
    let stretched = stretched.await.ok()??;
    let asked = context.keeper.pin_mac(person, device, stretched);
    tokio::time::timeout(KEEPER_TIME_MAX, asked).await.ok()?
}

/// Argon2id (RFC 9106) with 19 MiB, two passes, one lane. The TPM's pepper is what stops offline guessing; this
/// slows down whoever has the escrowed pepper too.
fn stretch(pin: &Pin, salt: &[u8; 16]) -> Option<Zeroizing<[u8; 32]>> {
    let params = Params::new(19 * 1024, 2, 1, Some(32)).ok()?;
    let mut stretched = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.reveal().as_bytes(), salt, stretched.as_mut())
        .ok()?;
    Some(stretched)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::front::connection::STRETCHES_MAX;
    use crate::testing::Bench;

    /// A thief of memory and cores connects, offers a PIN, leaves, and comes again.
    #[tokio::test]
    async fn a_connection_that_leaves_does_not_give_its_place_back_before_the_stretching_ends() {
        let bench = Bench::new().await;
        let (person, device) = (PersonId::new(1).unwrap(), DeviceId::new(1).unwrap());
        let mut left = Vec::new();
        for _ in 0..STRETCHES_MAX {
            let pin = Pin::offer("739154".to_owned()).unwrap();
            let mut asked = Box::pin(pin_mac(&bench.context, person, device, [0; 16], pin));
            assert!((&mut asked).now_or_never().is_none());
            left.push(asked);
        }
        assert_eq!(bench.context.stretches.available_permits(), 0);
        drop(left);
        // Stretching takes tens of milliseconds, this nanoseconds.
        assert_eq!(bench.context.stretches.available_permits(), 0, "more than so many at a time");
        let all = u32::try_from(STRETCHES_MAX).unwrap();
        assert!(bench.context.stretches.acquire_many(all).await.is_ok());
    }
}
