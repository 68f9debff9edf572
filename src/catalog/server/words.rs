//! What the catalogue says.

use crate::{catalog::domain::ProductKind, server::Cx, w};

/// The name of a kind.
pub fn kind(cx: &Cx, kind: ProductKind) -> String {
    match kind {
        ProductKind::Goods => w!(cx, catalog.kind_goods),
        ProductKind::Software => w!(cx, catalog.kind_software),
        ProductKind::Journey => w!(cx, catalog.kind_journey),
        ProductKind::Installation => w!(cx, catalog.kind_installation),
    }
}
