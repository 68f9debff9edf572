//! What the files of a company may contain, and what is wrong with a row: pure, one row at a time.

mod cells;
mod fault;
mod products;
mod purchases;
mod shop;
mod shopify;
mod woocommerce;

pub use cells::{Header, Layout, MissingColumn, cell};
pub use fault::{Conflict, Fault, RowFault};
pub use products::{PlanRow, ProductRow, plan_columns, product_columns, read_plan, read_product};
pub use purchases::{PurchaseRow, purchase_columns, read_purchase, serial_key};
pub use shop::{LeftOut, SHOP_COLUMNS, ShopCell, ShopLine};
pub use shopify::{ShopifyRows, shopify_columns};
pub use woocommerce::{NoOrder, WooOrder};

#[cfg(test)]
mod file_test;
