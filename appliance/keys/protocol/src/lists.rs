//! Lists of foreign length: each bound is checked before anything is copied.

/// `Vec<Vec<u8>>` as an array of byte strings, with bounds checked before anything is copied.
pub(crate) mod der_list {
    use minicbor::decode::{self, Decoder};
    use minicbor::encode::{self, Encoder, Write};

    use crate::message::{CERTIFICATE_BYTES_MAX, CHAIN_LEN_MAX};

    pub(crate) fn encode<C, W: Write>(
        list: &[Vec<u8>],
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(list.len() as u64)?;
        for der in list {
            e.bytes(der)?;
        }
        Ok(())
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Vec<Vec<u8>>, decode::Error> {
        let len = d.array()?.ok_or_else(|| decode::Error::message("indefinite array"))?;
        if len > CHAIN_LEN_MAX as u64 {
            return Err(decode::Error::message("too many certificates"));
        }
        (0..len)
            .map(|_| match d.bytes()? {
                der if der.len() > CERTIFICATE_BYTES_MAX => {
                    Err(decode::Error::message("certificate too long"))
                }
                der => Ok(der.to_vec()),
            })
            .collect()
    }
}

/// IP addresses as an array of 4- or 16-byte strings.
pub(crate) mod ip_list {
    use std::net::IpAddr;

    use minicbor::decode::{self, Decoder};
    use minicbor::encode::{self, Encoder, Write};

    use crate::message::IP_ADDRS_MAX;

    pub(crate) fn encode<C, W: Write>(
        list: &[IpAddr],
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(list.len() as u64)?;
        for ip in list {
            match ip {
                IpAddr::V4(ip) => e.bytes(&ip.octets())?,
                IpAddr::V6(ip) => e.bytes(&ip.octets())?,
            };
        }
        Ok(())
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Vec<IpAddr>, decode::Error> {
        let len = d.array()?.ok_or_else(|| decode::Error::message("indefinite array"))?;
        if len > IP_ADDRS_MAX as u64 {
            return Err(decode::Error::message("too many addresses"));
        }
        (0..len)
            .map(|_| {
                let bytes = d.bytes()?;
                if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
                    Ok(IpAddr::from(v4))
                } else if let Ok(v6) = <[u8; 16]>::try_from(bytes) {
                    Ok(IpAddr::from(v6))
                } else {
                    Err(decode::Error::message("not an IP address"))
                }
            })
            .collect()
    }
}
