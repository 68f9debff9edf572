//! A file, read record by record.

use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
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
        let digest = Self::fingerprint(path)?;
        let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
        let mut first = Vec::new();
        file.by_ref().take(1 << 16).read_until(b'\n', &mut first)?;
        let count = |wanted: u8| first.iter().filter(|byte| **byte == wanted).count();
        let delimiter = if count(b';') > count(b',') { b';' } else { b',' };
        let mut table = Self { path: path.to_owned(), delimiter, header: csv::ByteRecord::new(), digest };
        table.header = table.reader()?.byte_headers()?.clone();
        Ok(table)
    }

    /// The fingerprint of a file, in base 16.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn fingerprint(path: &Path) -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
        }
        Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Reads it from the first record on.
    ///
    /// # Errors
    /// Where it cannot be opened again.
    pub fn records(&self) -> std::io::Result<impl Iterator<Item = Result<Record, csv::Error>> + use<>> {
        let mut reader = self.reader()?;
        reader.byte_headers()?;
        let mut lines = Lines::open(&self.path)?;
        Ok(reader.into_byte_records().map(move |cells| {
            let cells = cells?;
            let byte = cells.position().map_or(0, csv::Position::byte);
            Ok(Record { line: lines.at(byte)?, cells })
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

/// Counts the lines of a file up to a place. The reader of records counts too, but it says where the record before
/// ended: with line ends of two characters, and with empty lines, that is not where this one begins.
struct Lines {
    file: BufReader<File>,
    byte: u64,
    line: u64,
    /// The byte before: `\r\n` ends one line, as each of them alone does.
    last: u8,
}

impl Lines {
    fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: BufReader::with_capacity(1 << 16, File::open(path)?), byte: 0, line: 1, last: 0 })
    }

    /// The line on which the first character after `byte` stands that ends no line.
    fn at(&mut self, byte: u64) -> std::io::Result<u64> {
        loop {
            let ahead = usize::try_from(byte.saturating_sub(self.byte)).unwrap_or(usize::MAX);
            let buffer = self.file.fill_buf()?;
            let take = match ahead {
                0 => buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count(),
                ahead => ahead.min(buffer.len()),
            };
            if take == 0 {
                return Ok(self.line);
            }
            for byte in &buffer[..take] {
                self.line += u64::from(*byte == b'\r' || (*byte == b'\n' && self.last != b'\r'));
                self.last = *byte;
            }
            self.byte += take as u64;
            self.file.consume(take);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_on_the_line_on_which_it_begins_whatever_ends_lines() {
        let path = std::env::temp_dir().join(format!("aftercare-lines-{}.csv", std::process::id()));
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a,b", "1,2", "\"x", "y\",3", "4,5", "", "6,7", ""].join(end);
            std::fs::write(&path, text).unwrap();
            let table = Table::open(&path).unwrap();
            let lines: Vec<u64> = table.records().unwrap().map(|record| record.unwrap().line).collect();
            assert_eq!(lines, [2, 3, 5, 7], "{end:?}");
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn semicolons_are_noticed() {
        let path = std::env::temp_dir().join(format!("aftercare-semicolons-{}.csv", std::process::id()));
        std::fs::write(&path, "a;b;c\n1,5;2;3\n").unwrap();
        let table = Table::open(&path).unwrap();
        assert_eq!(table.header.len(), 3);
        assert_eq!(table.records().unwrap().next().unwrap().unwrap().cells.len(), 3);
        std::fs::remove_file(&path).unwrap();
    }
}
