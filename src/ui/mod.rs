//! The design system: what every screen is built of, without a word of the domain in it.
//!
//! One file holds one family of components. They are rendered on the server only, carry no prose (words come in as
//! arguments, already in the reader's language) and no `style` attribute (the security policy forbids it): how they
//! look is `style/*.css`, where a component owns its look and its parent owns its place. States are attributes.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `document` | the HTML document, the top bar, the bar of the demo, notices, the skip link |
//! | `nav` | the customer's bar (bottom on phones), the staff's rail, tabs, pager, the language menu |
//! | `page` | a page's head, cards, sections, empty states |
//! | `form` | fields, choices, stars, files, the summary of faults |
//! | `button` | buttons and links that look like them |
//! | `status` | badges, alerts, meters, periods, timelines |
//! | `data` | definition lists and tables |
//! | `icon` | the icons, drawn for us |

pub mod button;
pub mod data;
pub mod document;
pub mod form;
pub mod icon;
pub mod nav;
pub mod page;
pub mod status;

pub use button::*;
pub use data::*;
pub use document::*;
pub use form::*;
pub use icon::*;
pub use nav::*;
pub use page::*;
pub use status::*;
