//! What the files of a company may contain, and what is wrong with a row: pure, one row at a time.

mod cells;
mod fault;
mod products;
mod purchases;

pub use cells::{Header, Layout, MissingColumn, cell};
pub use fault::{Conflict, Fault, RowFault};
pub use products::{PlanRow, ProductRow, plan_columns, product_columns, read_plan, read_product};
pub use purchases::{PurchaseRow, purchase_columns, read_purchase, serial_key};

#[cfg(test)]
mod file_test;
