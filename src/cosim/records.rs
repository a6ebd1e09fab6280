//! What a simulator reports, whichever it is.

use std::io::{BufRead, Read};

use super::bus::BusAnswer;

/// One report of the harness, see `sim/harness.cpp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Tap {
        tap: usize,
        image: usize,
        cycle: u64,
        firing: usize,
        data: Payload,
    },
    Output {
        image: usize,
        cycle: u64,
        data: Payload,
    },
    Reset {
        cycle: u64,
        first_dropped: usize,
        started: usize,
    },
    Fault {
        cycle: u64,
        what: u8,
    },
    Bus(BusAnswer),
    End {
        cycles: u64,
        first_beat: u64,
        stuck: bool,
    },
    /// An access on the register bus waited in vain: nothing was run.
    BusStuck,
}

/// Bits of a port, least significant byte first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    pub bytes: Vec<u8>,
    /// The hexadecimal text where it holds X or Z.
    pub unknown: Option<String>,
}

/// Reads the next binary record; `Ok(None)` at the end of the stream.
pub(super) fn read_binary(input: &mut impl Read, tap_bytes: &[usize]) -> std::io::Result<Option<Record>> {
    let mut kind = [0];
    if input.read(&mut kind)? == 0 {
        return Ok(None);
    }
    let bad = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_string());
    Ok(Some(match kind[0] {
        b'T' => {
            let tap = number::<2>(input)? as usize;
            let (image, cycle, firing) =
                (number::<4>(input)? as usize, number::<8>(input)?, number::<4>(input)? as usize);
            let size = *tap_bytes.get(tap).ok_or_else(|| bad("a tap that the plan does not know"))?;
            Record::Tap { tap, image, cycle, firing, data: payload(input, size)? }
        }
        b'O' => {
            let (image, cycle, size) =
                (number::<4>(input)? as usize, number::<8>(input)?, number::<4>(input)? as usize);
            Record::Output { image, cycle, data: payload(input, size)? }
        }
        b'R' => Record::Reset {
            cycle: number::<8>(input)?,
            first_dropped: number::<4>(input)? as usize,
            started: number::<4>(input)? as usize,
        },
        b'P' => Record::Fault { cycle: number::<8>(input)?, what: number::<1>(input)? as u8 },
        b'B' => Record::Bus(BusAnswer {
            step: number::<4>(input)? as usize,
            cycles: number::<8>(input)?,
            busy: number::<8>(input)?,
            refused: number::<1>(input)? != 0,
            value: number::<4>(input)? as u32,
        }),
        b'W' => Record::BusStuck,
        b'E' => Record::End {
            cycles: number::<8>(input)?,
            first_beat: number::<8>(input)?,
            stuck: number::<1>(input)? != 0,
        },
        _ => return Err(bad("an unknown record")),
    }))
}

fn number<const N: usize>(input: &mut impl Read) -> std::io::Result<u64> {
    let mut bytes = [0; 8];
    input.read_exact(&mut bytes[..N])?;
    Ok(u64::from_le_bytes(bytes))
}

fn payload(input: &mut impl Read, size: usize) -> std::io::Result<Payload> {
    let mut bytes = vec![0; size];
    input.read_exact(&mut bytes)?;
    Ok(Payload { bytes, unknown: None })
}

/// Reads the next line of the Icarus test bench; `Ok(None)` at the end.
pub(super) fn read_text(input: &mut impl BufRead) -> std::io::Result<Option<Record>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    parse(line.trim_end())
        .map(Some)
        .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, format!("an unknown record: {line}")))
}

fn parse(line: &str) -> Option<Record> {
    let mut words = line.split(' ');
    let kind = words.next()?;
    let rest: Vec<&str> = words.collect();
    let at = |i: usize| rest.get(i)?.parse::<u64>().ok();
    Some(match kind {
        "T" => Record::Tap {
            tap: at(0)? as usize,
            image: at(1)? as usize,
            cycle: at(2)?,
            firing: at(3)? as usize,
            data: from_hex(rest.get(4)?),
        },
        "O" => Record::Output { image: at(0)? as usize, cycle: at(1)?, data: from_hex(rest.get(2)?) },
        "R" => Record::Reset { cycle: at(0)?, first_dropped: at(1)? as usize, started: at(2)? as usize },
        "P" => Record::Fault { cycle: at(0)?, what: at(1)? as u8 },
        "B" => Record::Bus(BusAnswer {
            step: at(0)? as usize,
            cycles: at(1)?,
            busy: at(2)?,
            refused: at(3)? != 0,
            value: at(4)? as u32,
        }),
        "W" => Record::BusStuck,
        "E" => Record::End { cycles: at(0)?, first_beat: at(1).unwrap_or(0), stuck: at(2)? != 0 },
        _ => return None,
    })
}

fn from_hex(text: &str) -> Payload {
    let digits: Vec<char> = text.chars().collect();
    let value = |c: &char| c.to_digit(16).unwrap_or(0) as u8;
    let byte = |pair: &[char]| pair.iter().fold(0, |b, c| b << 4 | value(c));
    let bytes = digits.rchunks(2).map(byte).collect();
    let unknown = digits.iter().any(|c| !c.is_ascii_hexdigit()).then(|| text.to_string());
    Payload { bytes, unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_records() {
        let data = Payload { bytes: vec![0x23, 0x01], unknown: None };
        assert_eq!(parse("T 1 2 30 0 123").unwrap(), Record::Tap { tap: 1, image: 2, cycle: 30, firing: 0, data });
        assert_eq!(parse("E 9 0 1").unwrap(), Record::End { cycles: 9, first_beat: 0, stuck: true });
        assert_eq!(from_hex("1x").unknown, Some("1x".into()));
        assert_eq!(parse("Z 1"), None);
    }

    #[test]
    fn binary_records() {
        let mut bytes = vec![b'T', 0, 0, 7, 0, 0, 0];
        bytes.extend(9u64.to_le_bytes());
        bytes.extend([0, 0, 0, 0, 0xab, 0xcd]);
        let mut input = &bytes[..];
        let record = read_binary(&mut input, &[2]).unwrap().unwrap();
        let data = Payload { bytes: vec![0xab, 0xcd], unknown: None };
        assert_eq!(record, Record::Tap { tap: 0, image: 7, cycle: 9, firing: 0, data });
        assert!(read_binary(&mut input, &[2]).unwrap().is_none());
        assert!(read_binary(&mut &b"T\0\0"[..], &[2]).is_err());
    }
}
