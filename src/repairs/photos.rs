//! What a picture may be before anybody decodes it. Pure: the server does the decoding.

use serde::{Deserialize, Serialize};

/// Largest file, in megabytes and in bytes.
pub const FILE_MEGABYTES: u32 = 15;
pub const FILE_BYTES: usize = FILE_MEGABYTES as usize * 1024 * 1024;
/// How many pictures one repair takes.
pub const FILES: u32 = 10;
/// Largest post of pictures and words together.
pub const POST_MEGABYTES: u32 = 40;
pub const POST_BYTES: usize = POST_MEGABYTES as usize * 1024 * 1024;
/// Largest picture, as its header says before it is decoded.
pub const PIXELS: u64 = 50_000_000;
/// Longest side of what is kept.
pub const KEPT_SIDE: u32 = 2048;
/// How long a picture waits for its repair.
pub const DRAFT_HOURS: i64 = 24;

/// A kind of picture that is taken in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Kind {
    Jpeg,
    Png,
    WebP,
}

/// Why a picture is not taken in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Fault {
    /// An iPhone's own format, which we explain how to avoid.
    Heic,
    /// Neither JPEG, PNG nor WebP, or cut off.
    NotAPicture,
    /// More than [`FILE_MEGABYTES`].
    TooHeavy,
    /// More than [`PIXELS`].
    TooManyPixels,
}

/// Tells what the first bytes are; names and declared types are never believed.
///
/// # Errors
/// [`Fault::Heic`] or [`Fault::NotAPicture`].
pub fn sniff(bytes: &[u8]) -> Result<Kind, Fault> {
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Ok(Kind::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Ok(Kind::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Kind::WebP),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4) {
            Some(b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" | b"heim" | b"heis" | b"avif") => Err(Fault::Heic),
            _ => Err(Fault::NotAPicture),
        },
        _ => Err(Fault::NotAPicture),
    }
}

/// Refuses what would cost too much to decode, from the size that the header gives.
///
/// # Errors
/// [`Fault::TooManyPixels`], or [`Fault::NotAPicture`] for a picture without area.
pub fn measure(width: u32, height: u32) -> Result<(), Fault> {
    match u64::from(width) * u64::from(height) {
        0 => Err(Fault::NotAPicture),
        pixels if pixels > PIXELS => Err(Fault::TooManyPixels),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_what_a_picture_is() {
        assert_eq!(sniff(&[0xFF, 0xD8, 0xFF, 0xE0]), Ok(Kind::Jpeg));
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\nrest"), Ok(Kind::Png));
        assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 "), Ok(Kind::WebP));
        assert_eq!(sniff(b"\0\0\0\x18ftypheic"), Err(Fault::Heic));
        for other in [&b"<svg xmlns"[..], b"GIF89a", b"", b"%PDF-1.7", b"\0\0\0\x18ftypmp42"] {
            assert_eq!(sniff(other), Err(Fault::NotAPicture));
        }
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        assert_eq!(measure(100_000, 100_000), Err(Fault::TooManyPixels));
        assert_eq!(measure(u32::MAX, u32::MAX), Err(Fault::TooManyPixels));
        assert_eq!(measure(0, 10), Err(Fault::NotAPicture));
        assert_eq!(measure(8_000, 6_000), Ok(()));
    }
}
