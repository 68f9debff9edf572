//! The icons: 24 by 24, one stroke, drawn for us. They say nothing to a screen reader; the words beside them do.

use leptos::prelude::*;

macro_rules! icons {
    ($($name:ident $drawing:literal)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Icon { $($name),* }

        impl Icon {
            pub const ALL: &'static [Icon] = &[$(Icon::$name),*];

            fn drawing(self) -> &'static str {
                match self { $(Icon::$name => $drawing),* }
            }
        }
    };
}

icons! {
    Home r#"<path d="M4 11.2 12 4.5l8 6.7"/><path d="M6 9.8V19a1 1 0 0 0 1 1h10a1 1 0 0 0 1-1V9.8"/><path d="M10 20v-5h4v5"/>"#
    Box r#"<path d="m12 3.5 7.5 4v9l-7.5 4-7.5-4v-9z"/><path d="m4.5 7.5 7.5 4 7.5-4M12 11.5v9M8.2 5.5l7.6 4.1"/>"#
    Wrench r#"<path d="M14.6 6.2a4.4 4.4 0 0 1 5-1.4l-2.9 2.9.3 1.9 1.9.3 2.1-2.1a4.4 4.4 0 0 1-5.9 5.3l-6.6 6.6a1.9 1.9 0 0 1-2.7-2.7l6.6-6.6a4.4 4.4 0 0 1 2.2-4.2z"/>"#
    Cap r#"<path d="m2.5 9.2 9.5-4.4 9.5 4.4-9.5 4.4z"/><path d="M6.5 11.2v4.9c0 1.2 2.5 2.6 5.5 2.6s5.5-1.4 5.5-2.6v-4.9M21.5 9.2v5.3"/>"#
    Help r#"<circle cx="12" cy="12" r="8.5"/><path d="M9.6 9.6a2.5 2.5 0 1 1 3.7 2.2c-.8.5-1.3 1-1.3 1.9"/><path d="M12 16.6v.1"/>"#
    Inbox r#"<path d="M4 13.5 6.4 5.8a1 1 0 0 1 1-.8h9.2a1 1 0 0 1 1 .8L20 13.5V18a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1z"/><path d="M4 13.5h4.6a3.4 3.4 0 0 0 6.8 0H20"/>"#
    User r#"<circle cx="12" cy="8.2" r="3.7"/><path d="M4.8 19.6c.7-3.5 3.6-5.6 7.2-5.6s6.5 2.1 7.2 5.6"/>"#
    Users r#"<circle cx="9" cy="8.5" r="3.3"/><path d="M2.8 19c.600-3.1 3-5 6.2-5s5.6 1.9 6.2 5M15.5 5.500a3.3 3.3 0 0 1 0 6M17.5 14.300c2 .7 3.3 2.4 3.7 4.7"/>"#
    Calendar r#"<rect x="4" y="5.5" width="16" height="14.5" rx="2"/><path d="M4 10h16M8.5 3.500v4M15.5 3.500v4"/>"#
    Star r#"<path d="m12 3.8 2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z"/>"#
    Shield r#"<path d="M12 3.5 5 6v5.500c0 4.4 2.9 7.5 7 9 4.1-1.5 7-4.6 7-9V6z"/><path d="m9 11.8 2.2 2.2 4-4.3"/>"#
    Clock r#"<circle cx="12" cy="12" r="8.5"/><path d="M12 7.300V12l3.2 2"/>"#
    Check r#"<path d="m5 12.7 4.6 4.600L19.2 7"/>"#
    Cross r#"<path d="m6.5 6.5 11 11M17.5 6.500l-11 11"/>"#
    Alert r#"<path d="M12 4.3 3.3 19a.7.7 0 0 0 .6 1h16.200a.7.7 0 0 0 .6-1z"/><path d="M12 10v4.300M12 17.100v.1"/>"#
    Info r#"<circle cx="12" cy="12" r="8.5"/><path d="M12 11.300v4.900M12 7.900v.1"/>"#
    Chevron r#"<path d="m9.5 5.5 6.5 6.5-6.5 6.5"/>"#
    Back r#"<path d="M14.5 5.5 8 12l6.5 6.5"/>"#
    Camera r#"<path d="M4 8.500a1 1 0 0 1 1-1h2.700L9.5 5h5l1.8 2.500H19a1 1 0 0 1 1 1V18a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1z"/><circle cx="12" cy="13" r="3.4"/>"#
    Pin r#"<path d="M12 20.700c4.2-4.3 6.5-7.5 6.5-10.500a6.5 6.5 0 0 0-13 0c0 3 2.3 6.2 6.5 10.500z"/><circle cx="12" cy="10.2" r="2.4"/>"#
    Phone r#"<path d="M6 4h3l1.5 4-2 1.500a11.5 11.5 0 0 0 6 6l1.5-2 4 1.500v3a2 2 0 0 1-2.2 2A16 16 0 0 1 4 6.2 2 2 0 0 1 6 4z"/>"#
    Mail r#"<rect x="3.5" y="5.5" width="17" height="13" rx="2"/><path d="m4 7.5 8 5.8 8-5.8"/>"#
    Search r#"<circle cx="10.8" cy="10.8" r="6.3"/><path d="m15.5 15.5 4.7 4.7"/>"#
    Filter r#"<path d="M4 6.500h16M7 12h10M10 17.500h4"/>"#
    Plus r#"<path d="M12 5v14M5 12h14"/>"#
    Logout r#"<path d="M10 4.500H6a1 1 0 0 0-1 1v13a1 1 0 0 0 1 1h4M15.5 8l4 4-4 4M19.5 12H10"/>"#
    Globe r#"<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.500c2.3 2.5 3.5 5.3 3.5 8.500s-1.2 6-3.5 8.500c-2.3-2.5-3.5-5.3-3.5-8.500s1.2-6 3.5-8.500z"/>"#
    List r#"<path d="M9 6.500h11M9 12h11M9 17.500h11M4.5 6.500h.1M4.5 12h.1M4.5 17.500h.1"/>"#
    Chart r#"<path d="M4.5 4.500v15h15"/><path d="M9 15.500v-4M13 15.500v-8M17 15.500v-5.5"/>"#
    Gear r#"<circle cx="12" cy="12" r="3"/><path d="M12 3.500v2.300M12 18.200v2.300M3.5 12h2.300M18.2 12h2.300M6 6l1.6 1.600M16.4 16.4 18 18M18 6l-1.6 1.600M7.6 16.4 6 18"/><circle cx="12" cy="12" r="6.2"/>"#
    Menu r#"<path d="M4 7h16M4 12h16M4 17h16"/>"#
    Chat r#"<path d="M5 5h14a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-6.500L8 19.800V16H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1z"/><path d="M8 9h8M8 12h5"/>"#
    Document r#"<path d="M6 4.500a1 1 0 0 1 1-1h6.500L18 8v11.500a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1z"/><path d="M13.5 3.500V8H18M9 12.500h6M9 16h6"/>"#
    Truck r#"<path d="M3 6.500h11v10H3zM14 10h3.500l3.5 3.300v3.200h-7z"/><circle cx="7" cy="17" r="1.9"/><circle cx="17" cy="17" r="1.9"/>"#
    Heart r#"<path d="M12 19.800C6.5 15.8 3.8 12.7 3.8 9.300A4.3 4.3 0 0 1 12 7.500a4.3 4.3 0 0 1 8.2 1.800c0 3.4-2.7 6.5-8.2 10.500z"/>"#
    Coin r#"<circle cx="12" cy="12" r="8.5"/><path d="M14.8 9.200a3.6 3.6 0 1 0 0 5.600M8 11.200h4.500M8 13.200h4"/>"#
}

/// One drawing, as large as the text it stands in.
#[component]
pub fn Icon(name: Icon) -> impl IntoView {
    view! { <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" inner_html=name.drawing()></svg> }
}
