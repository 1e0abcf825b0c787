//! Between the process that reads sticks and the one that takes configurations: one question, one answer, on a Unix socket.
//!
//! The question is the file that the stick had, or nothing. The answer is what the box leaves on the stick. Neither believes
//! the other's lengths.

use std::io::{self, Read, Write};

use crate::stick::FILE_BYTES_MAX;

/// What a stick brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brought {
    /// A configuration, or what calls itself one.
    Configuration(Vec<u8>),
    /// No such file.
    Nothing,
    /// The stick was no good; the number that says why.
    Unreadable(u8),
}

/// What the box leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// For `REQUEST.WLB`; empty for none.
    pub request: Vec<u8>,
    /// For `RECEIPT.WLB`; empty for none.
    pub receipt: Vec<u8>,
}

const NOTHING: u8 = 0;
const CONFIGURATION: u8 = 1;
const UNREADABLE: u8 = 2;
const DONE: u8 = 3;

/// Asks.
///
/// # Errors
/// The connection's, and `InvalidData` for a length out of bounds.
pub fn ask(mut line: impl Read + Write, brought: &Brought) -> io::Result<Left> {
    match brought {
        Brought::Nothing => line.write_all(&[NOTHING])?,
        Brought::Unreadable(code) => line.write_all(&[UNREADABLE, *code])?,
        Brought::Configuration(bytes) => {
            line.write_all(&[CONFIGURATION])?;
            put(&mut line, bytes)?;
        }
    }
    line.flush()?;
    Ok(Left { request: take(&mut line)?, receipt: take(&mut line)? })
}

/// Says that the stick has what was left, and may be taken out.
///
/// # Errors
/// The connection's.
pub fn done(mut line: impl Write) -> io::Result<()> {
    line.write_all(&[DONE])
}

/// Waits until the stick has what was left.
///
/// # Errors
/// The connection's: the reader of sticks ended without saying so.
pub fn await_done(mut line: impl Read) -> io::Result<()> {
    let mut byte = [0];
    line.read_exact(&mut byte)?;
    if byte[0] == DONE { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// Reads the question.
///
/// # Errors
/// As [`ask`].
pub fn hear(mut line: impl Read) -> io::Result<Brought> {
    let mut byte = [0];
    line.read_exact(&mut byte)?;
    match byte[0] {
        NOTHING => Ok(Brought::Nothing),
        CONFIGURATION => Ok(Brought::Configuration(take(&mut line)?)),
        UNREADABLE => {
            line.read_exact(&mut byte)?;
            Ok(Brought::Unreadable(byte[0]))
        }
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Gives the answer.
///
/// # Errors
/// As [`ask`].
pub fn answer(mut line: impl Write, left: &Left) -> io::Result<()> {
    put(&mut line, &left.request)?;
    put(&mut line, &left.receipt)?;
    line.flush()
}

fn put(mut line: impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= FILE_BYTES_MAX);
    line.write_all(&length.ok_or(io::ErrorKind::InvalidData)?.to_be_bytes())?;
    line.write_all(bytes)
}

fn take(mut line: impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    line.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > FILE_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length as usize];
    line.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_is_asked_is_heard_and_what_is_answered_comes_back() {
        for brought in [Brought::Nothing, Brought::Unreadable(34), Brought::Configuration(vec![7; 70_000])] {
            let (one, other) = UnixStream::pair().unwrap();
            let left = Left { request: vec![1; 3_000], receipt: Vec::new() };
            let (wanted, given) = (brought.clone(), left.clone());
            let box_side = std::thread::spawn(move || {
                assert_eq!(hear(&other).unwrap(), wanted);
                answer(&other, &given).unwrap();
                await_done(&other).unwrap();
            });
            assert_eq!(ask(&one, &brought).unwrap(), left);
            done(&one).unwrap();
            box_side.join().unwrap();
        }
    }

    #[test]
    fn a_length_out_of_bounds_is_not_believed() {
        let mut question = vec![CONFIGURATION];
        question.extend((FILE_BYTES_MAX + 1).to_be_bytes());
        assert_eq!(hear(question.as_slice()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(hear([9].as_slice()).is_err());
    }
}
