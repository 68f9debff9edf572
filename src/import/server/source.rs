//! What is imported, whatever its format: rows in the columns of our own files.

use super::{
    orders::{Order, Orders},
    reader::Table,
    run::{Failed, Kind},
};
use crate::{
    import::domain::{
        Fault, Header, LeftOut, RowFault, SHOP_COLUMNS, ShopLine, ShopifyRows, WooOrder, shopify_columns,
    },
    values::Currency,
};
use std::{
    borrow::Cow,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How a file says what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// Our own columns.
    #[default]
    Aftercare,
    /// Shopify's export of orders.
    Shopify,
    /// WooCommerce's orders as its REST API gives them.
    WooCommerce,
}

impl Format {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aftercare => "aftercare",
            Self::Shopify => "shopify",
            Self::WooCommerce => "woocommerce",
        }
    }

    /// Whether a file of it can hold this.
    pub fn holds(self, kind: Kind) -> bool {
        self == Self::Aftercare || kind == Kind::Purchases
    }
}

impl std::str::FromStr for Format {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let formats = [Self::Aftercare, Self::Shopify, Self::WooCommerce];
        match formats.into_iter().find(|format| format.as_str() == text) {
            Some(format) => Ok(format),
            None if text == "ords" => {
                Err("ords holds repairs, which cannot be imported; purchases are aftercare, shopify or woocommerce"
                    .into())
            }
            None => Err(format!("{text:?} is none of aftercare, shopify, woocommerce")),
        }
    }
}

/// A file to import.
pub struct Source {
    path: PathBuf,
    /// Of the whole file, in base 16.
    pub digest: String,
    /// The columns of its rows, as they are named when rows are put aside.
    pub names: csv::ByteRecord,
    pub header: Header,
    content: Content,
}

enum Content {
    Own(Table),
    Shopify { table: Table, header: Header, currency: Currency },
    WooCommerce { currency: Currency },
}

/// One row in the columns of our own files.
pub struct Row {
    /// Its number, rising. In a file whose rows have lines of their own, the line on which it begins.
    pub line: i64,
    pub cells: csv::ByteRecord,
    pub shop: Option<FromShop>,
}

/// What is known of a row that a shop's file says in its own way.
pub struct FromShop {
    fields: Vec<Cow<'static, str>>,
    pub left_out: Option<LeftOut>,
    /// What is wrong with the row as a whole.
    pub fault: Option<Fault>,
    /// The order that it is a line of, where rows have no lines of their own.
    order: Option<Arc<Order>>,
}

/// Where a row stands that has no line of its own, and what its place in its order is called there.
pub type Place = (i64, String);

impl Row {
    /// Says what is wrong with it as the operator finds it in the file.
    pub fn in_file(&self, header: &Header, fault: RowFault) -> RowFault {
        let Some(shop) = &self.shop else { return fault };
        let field =
            header.place(&fault.column).and_then(|at| shop.fields.get(at)).map(|field| field.clone().into_owned());
        let line = shop.order.as_ref().zip(field.as_ref()).map(|(order, field)| signed(order.line_of(field)));
        RowFault { field, line, ..fault }
    }

    /// Where it stands, if that is not its line.
    pub fn place(&self, header: &Header) -> Option<Place> {
        let shop = self.shop.as_ref()?;
        let field = shop.fields.get(header.place("order_line")?)?;
        Some((signed(shop.order.as_ref()?.line_of(field)), field.clone().into_owned()))
    }
}

fn signed(line: u64) -> i64 {
    i64::try_from(line).unwrap_or(i64::MAX)
}

type Rows<'s> = Box<dyn Iterator<Item = Result<Row, Failed>> + Send + 's>;

impl Source {
    /// Looks at a file once: what its columns are, its fingerprint. `currency` is the company's.
    ///
    /// # Errors
    /// Where it cannot be read, or lacks a column that no row can do without.
    pub fn open(path: &Path, kind: Kind, format: Format, currency: Currency) -> Result<Self, Failed> {
        let unread = |error: std::io::Error| Failed::File(path.to_owned(), error.to_string());
        let (digest, names, content) = match format {
            Format::WooCommerce => {
                let digest = Table::fingerprint(path).map_err(unread)?;
                (digest, csv::ByteRecord::from(SHOP_COLUMNS.to_vec()), Content::WooCommerce { currency })
            }
            Format::Aftercare => {
                let table = Table::open(path).map_err(unread)?;
                (table.digest.clone(), table.header.clone(), Content::Own(table))
            }
            Format::Shopify => {
                let table = Table::open(path).map_err(unread)?;
                let header = header(path, &table.header, shopify_columns())?;
                let names = csv::ByteRecord::from(SHOP_COLUMNS.to_vec());
                (table.digest.clone(), names, Content::Shopify { table, header, currency })
            }
        };
        let header = header(path, &names, kind.layout())?;
        Ok(Self { path: path.to_owned(), digest, names, header, content })
    }

    /// Reads it from the first row on.
    ///
    /// # Errors
    /// Where it cannot be opened again.
    pub fn rows(&self) -> Result<Rows<'_>, Failed> {
        let unread = |error: std::io::Error| self.failed(&error);
        match &self.content {
            Content::Own(table) => Ok(Box::new(table.records().map_err(unread)?.map(|record| {
                let record = record.map_err(|error| self.failed(&error))?;
                Ok(Row { line: signed(record.line), cells: record.cells, shop: None })
            }))),
            Content::Shopify { table, header, currency } => {
                let mut rows = ShopifyRows::new(header, *currency);
                Ok(Box::new(table.records().map_err(unread)?.map(move |record| {
                    let record = record.map_err(|error| self.failed(&error))?;
                    let fault = whole(&record.cells, header.width());
                    let cells: Vec<Cow<str>> = record.cells.iter().map(String::from_utf8_lossy).collect();
                    let line = rows.read(&cells.iter().map(AsRef::as_ref).collect::<Vec<_>>());
                    Ok(row(signed(record.line), line, fault, None))
                })))
            }
            Content::WooCommerce { currency } => {
                let mut number = 0;
                let orders = Orders::open(&self.path).map_err(unread)?;
                let lines = orders.flat_map(move |order| match self.lines(order, *currency) {
                    Ok((order, lines)) => {
                        lines.into_iter().map(|line| Ok((line, Arc::clone(&order)))).collect::<Vec<_>>()
                    }
                    Err(failed) => vec![Err(failed)],
                });
                Ok(Box::new(lines.map(move |line| {
                    let (line, order) = line?;
                    number += 1;
                    Ok(row(number, line, None, Some(order)))
                })))
            }
        }
    }

    fn lines(&self, order: Result<Order, String>, currency: Currency) -> Result<(Arc<Order>, Vec<ShopLine>), Failed> {
        let order = order.map_err(|error| self.failed(&error))?;
        let read: WooOrder = order.read().map_err(|error| self.failed(&error))?;
        let lines = read.lines(currency).map_err(|none| self.failed(&format!("line {}: {none}", order.line)))?;
        Ok((Arc::new(order), lines))
    }

    /// A writer for rows that are put aside: like the file where that has our columns.
    pub fn writer(&self, path: &Path) -> Result<csv::Writer<File>, csv::Error> {
        match &self.content {
            Content::Own(table) => table.writer(path),
            Content::Shopify { .. } | Content::WooCommerce { .. } => csv::Writer::from_path(path),
        }
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> Failed {
        Failed::File(self.path.clone(), error.to_string())
    }
}

fn header(path: &Path, names: &csv::ByteRecord, layout: crate::import::domain::Layout) -> Result<Header, Failed> {
    let names: Vec<Cow<str>> = names.iter().map(String::from_utf8_lossy).collect();
    Header::read(names.iter().map(AsRef::as_ref), layout).map_err(|missing| Failed::Header(path.to_owned(), missing))
}

/// What can be wrong with a record before anybody looks at its cells.
pub fn whole(cells: &csv::ByteRecord, width: usize) -> Option<Fault> {
    if cells.iter().any(|cell| std::str::from_utf8(cell).is_err()) {
        return Some(Fault::NotUtf8);
    }
    (cells.len() != width).then(|| Fault::CellCount { found: cells.len(), expected: width })
}

fn row(line: i64, said: ShopLine, fault: Option<Fault>, order: Option<Arc<Order>>) -> Row {
    let left_out = said.left_out;
    let (cells, fields): (Vec<String>, Vec<Cow<'static, str>>) =
        said.cells.into_iter().map(|cell| (cell.value, cell.field)).unzip();
    Row { line, cells: csv::ByteRecord::from(cells), shop: Some(FromShop { fields, left_out, fault, order }) }
}
