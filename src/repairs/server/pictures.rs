//! From the bytes that somebody sent to a picture that is safe to show: looked at, decoded within bounds, turned the
//! right way up, made smaller, written anew without what the camera had noted, and on disk before its row.

use crate::{
    error::AppError,
    repairs::photos::{Fault, KEPT_SIDE, Kind, measure, sniff},
    server::internal,
};
use bytes::Bytes;
use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder, metadata::Orientation,
};
use sha2::{Digest, Sha256};
use std::{
    io::{Cursor, Write},
    path::{Path, PathBuf},
};
use tokio::sync::Semaphore;

/// How many pictures are decoded at once; the others wait, so that memory stays bounded.
static DECODERS: Semaphore = Semaphore::const_new(2);
/// Most memory that one decoded picture may take.
const MEMORY: u64 = 256 * 1024 * 1024;
const QUALITY: u8 = 82;

/// A picture that is ready to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub jpeg: Vec<u8>,
    pub width: u32,
    pub height: u32,
    pub sha256: String,
}

/// A file that was refused, or could not be worked on.
#[derive(Debug)]
pub enum Failed {
    Refused(Fault),
    Ours(AppError),
}

/// Decodes and re-encodes in the bounded pool.
///
/// # Errors
/// The fault of the file.
pub async fn develop(bytes: Bytes) -> Result<Picture, Failed> {
    let _place = DECODERS.acquire().await.map_err(|e| Failed::Ours(internal("the picture pool is closed", &e)))?;
    tokio::task::spawn_blocking(move || redraw(&bytes))
        .await
        .map_err(|e| Failed::Ours(internal("decoding a picture panicked", &e)))?
        .map_err(Failed::Refused)
}

/// The same picture, new: nothing of the file but its pixels is left.
fn redraw(bytes: &[u8]) -> Result<Picture, Fault> {
    let format = match sniff(bytes)? {
        Kind::Jpeg => ImageFormat::Jpeg,
        Kind::Png => ImageFormat::Png,
        Kind::WebP => ImageFormat::WebP,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(65_535);
    limits.max_image_height = Some(65_535);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(fault)?;
    let (width, height) = decoder.dimensions();
    measure(width, height)?;
    if decoder.total_bytes() > MEMORY {
        return Err(Fault::TooManyPixels);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(fault)?;
    if width.max(height) > KEPT_SIDE {
        picture = picture.thumbnail(KEPT_SIDE, KEPT_SIDE);
    }
    picture.apply_orientation(orientation);
    let pixels = on_white(&picture);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&pixels).map_err(|_| Fault::NotAPicture)?;
    let sha256 = Sha256::digest(&jpeg).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Picture { width: pixels.width(), height: pixels.height(), jpeg, sha256 })
}

fn fault(error: image::ImageError) -> Fault {
    match error {
        image::ImageError::Limits(_) => Fault::TooManyPixels,
        _ => Fault::NotAPicture,
    }
}

/// What was transparent becomes white, as on paper.
fn on_white(picture: &DynamicImage) -> image::RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let rgba = picture.to_rgba8();
    let blend = |colour: u8, alpha: u8| {
        let (colour, alpha) = (u16::from(colour), u16::from(alpha));
        u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(255)
    };
    image::RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0;
        image::Rgb([blend(r, a), blend(g, a), blend(b, a)])
    })
}

/// A new name that nobody can guess.
pub fn file_name() -> String {
    let chance: [u8; 16] = rand::random();
    let hex: String = chance.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.jpg")
}

/// Where the pictures are.
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("photos")
}

/// Where a picture is; nothing for a name that is not one of ours.
pub fn path(data_dir: &Path, file: &str) -> Option<PathBuf> {
    let stem = file.strip_suffix(".jpg")?;
    let ours = stem.len() == 32 && stem.bytes().all(|b| b.is_ascii_hexdigit());
    ours.then(|| folder(data_dir).join(&stem[..2]).join(file))
}

/// Puts a picture on disk: whole, or not at all.
///
/// # Errors
/// The disk's.
pub async fn keep(data_dir: &Path, file: &str, jpeg: Vec<u8>) -> Result<(), AppError> {
    let path = path(data_dir, file).ok_or_else(|| internal("a picture without a name", &file))?;
    tokio::task::spawn_blocking(move || write(&path, &jpeg))
        .await
        .map_err(|e| internal("writing a picture panicked", &e))?
        .map_err(|e| internal("a picture could not be written", &e))
}

/// Whole, or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let part = path.with_extension("part");
    let mut file = std::fs::File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&part, path)?;
    std::fs::File::open(folder)?.sync_all()
}

/// Forgets a picture; one that is gone already is fine.
pub async fn remove(data_dir: &Path, file: &str) {
    if let Some(path) = path(data_dir, file) {
        let _ = tokio::fs::remove_file(path).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let picture = DynamicImage::new_rgba8(width, height);
        picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        bytes
    }

    /// A PNG whose header claims a size that its data has not.
    fn claiming(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = png(1, 1);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xEDB8_8320 } else { c >> 1 })
        })
    }

    /// A JPEG with an Exif block that turns it by a quarter and names a place.
    fn turned() -> Vec<u8> {
        let mut jpeg = Vec::new();
        let picture = DynamicImage::new_rgb8(40, 20);
        picture.write_to(&mut Cursor::new(&mut jpeg), ImageFormat::Jpeg).unwrap();
        let mut exif = b"Exif\0\0MM\0*\0\0\0\x08".to_vec();
        exif.extend([0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]);
        exif.extend(b"GPSSECRETPLACE");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1, length[0], length[1]];
        bytes.extend(exif);
        bytes.extend(&jpeg[2..]);
        bytes
    }

    #[test]
    fn a_picture_is_turned_and_loses_what_the_camera_noted() {
        let picture = redraw(&turned()).unwrap();
        assert_eq!((picture.width, picture.height), (20, 40));
        let has = |needle: &[u8]| picture.jpeg.windows(needle.len()).any(|w| w == needle);
        assert!(!has(b"Exif") && !has(b"GPS"));
        assert_eq!(sniff(&picture.jpeg), Ok(Kind::Jpeg));
    }

    #[test]
    fn a_good_picture_of_each_kind_becomes_a_jpeg_on_white() {
        let clear_red = image::RgbaImage::from_pixel(24, 16, image::Rgba([200, 0, 0, 0]));
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let clear = format != ImageFormat::Jpeg;
            let picture = DynamicImage::from(clear_red.clone());
            let picture = if clear { picture } else { picture.to_rgb8().into() };
            let mut bytes = Vec::new();
            picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
            let drawn = redraw(&bytes).unwrap();
            assert_eq!((drawn.width, drawn.height, sniff(&drawn.jpeg)), (24, 16, Ok(Kind::Jpeg)), "{format:?}");
            let pixels = image::load_from_memory(&drawn.jpeg).unwrap().to_rgb8();
            assert_eq!(pixels.get_pixel(12, 8).0[1] > 250, clear, "{format:?}");
        }
    }

    #[test]
    fn a_large_picture_is_made_smaller() {
        let picture = redraw(&png(3000, 1500)).unwrap();
        assert_eq!((picture.width, picture.height), (2048, 1024));
    }

    #[test]
    fn a_decompression_bomb_is_refused_before_it_is_decoded() {
        for (width, height) in [(100_000, 100_000), (60_000, 60_000), (16_000, 16_000)] {
            assert_eq!(redraw(&claiming(width, height)), Err(Fault::TooManyPixels), "{width}×{height}");
        }
    }

    #[test]
    fn what_is_cut_off_or_no_picture_is_refused() {
        let whole = png(64, 64);
        assert!(redraw(&whole).is_ok());
        for bytes in [&whole[..40], b"\xFF\xD8\xFF", b"<svg/>", b"", b"RIFF....WEBPjunk"] {
            assert!(redraw(bytes).is_err());
        }
    }

    #[test]
    fn only_our_own_names_lead_to_files() {
        let data = Path::new("/data");
        let name = file_name();
        assert!(path(data, &name).unwrap().starts_with("/data/photos"));
        for name in ["../../etc/passwd.jpg", "x.jpg", "", "..", "0123456789abcdef0123456789abcdef.png"] {
            assert!(path(data, name).is_none(), "{name}");
        }
    }
}
