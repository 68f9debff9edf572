//! A file, read record by record.

use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek},
    path::{Path, PathBuf},
};

/// A file of records, and what its first line says.
pub struct Table {
    path: PathBuf,
    delimiter: u8,
    pub header: csv::ByteRecord,
    /// Of the whole file, in base 16.
    pub digest: String,
}

/// One record and the line on which it begins; the header is line 1.
pub struct Record {
    pub line: u64,
    pub cells: csv::ByteRecord,
}

impl Table {
    /// Looks at a file once: what it is separated by, its header, its fingerprint.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
        }
        let digest = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        file.rewind()?;
        let mut first = Vec::new();
        file.by_ref().take(1 << 16).read_until(b'\n', &mut first)?;
        let count = |wanted: u8| first.iter().filter(|byte| **byte == wanted).count();
        let delimiter = if count(b';') > count(b',') { b';' } else { b',' };
        let mut table = Self { path: path.to_owned(), delimiter, header: csv::ByteRecord::new(), digest };
        table.header = table.reader()?.byte_headers()?.clone();
        Ok(table)
    }

    /// Reads it from the first record on.
    ///
    /// # Errors
    /// Where it cannot be opened again.
    pub fn records(&self) -> std::io::Result<impl Iterator<Item = Result<Record, csv::Error>> + use<>> {
        let mut reader = self.reader()?;
        reader.byte_headers()?;
        Ok(reader.into_byte_records().map(|cells| {
            let cells = cells?;
            Ok(Record { line: cells.position().map_or(0, csv::Position::line), cells })
        }))
    }

    /// A writer of the same shape.
    pub fn writer(&self, path: &Path) -> Result<csv::Writer<File>, csv::Error> {
        csv::WriterBuilder::new().delimiter(self.delimiter).flexible(true).from_path(path)
    }

    fn reader(&self) -> std::io::Result<csv::Reader<File>> {
        let file = File::open(&self.path)?;
        Ok(csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .flexible(true)
            .has_headers(true)
            .buffer_capacity(1 << 16)
            .from_reader(file))
    }
}
