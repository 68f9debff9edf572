//! In the browser: pictures are redrawn to at most 2048 pixels and sent as JPEG instead of what the camera made.

use super::photos::KEPT_SIDE;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Blob, CanvasRenderingContext2d, DataTransfer, File, FilePropertyBag, HtmlCanvasElement, HtmlInputElement,
    ImageBitmap, Url, window,
};

/// How good the JPEG is.
const QUALITY: f64 = 0.85;

/// Redraws whatever is chosen in the input from now on.
pub fn watch(input: &str, working: RwSignal<bool>, pictures: RwSignal<Vec<String>>) {
    let found = window().and_then(|w| w.document()).and_then(|d| d.get_element_by_id(input));
    let Some(input) = found.and_then(|element| element.dyn_into::<HtmlInputElement>().ok()) else { return };
    let own = input.clone();
    let changed = move || {
        let input = own.clone();
        spawn_local(async move {
            working.set(true);
            let shown = replace(&input).await;
            working.set(false);
            pictures.update(|old| {
                for address in old.drain(..) {
                    let _ = Url::revoke_object_url(&address);
                }
                *old = shown;
            });
        });
    };
    // A quick hand may have chosen before this came over a slow line.
    if input.files().is_some_and(|files| files.length() > 0) {
        changed();
    }
    let changed = Closure::<dyn Fn()>::new(changed);
    let _ = input.add_event_listener_with_callback("change", changed.as_ref().unchecked_ref());
    // It lives as long as the page.
    changed.forget();
}

/// Puts smaller pictures in the place of the chosen ones; a file that cannot be redrawn stays as it is, the server
/// says what is wrong with it. Gives addresses to show them by.
async fn replace(input: &HtmlInputElement) -> Vec<String> {
    let (Some(files), Ok(basket)) = (input.files(), DataTransfer::new()) else { return Vec::new() };
    let mut shown = Vec::new();
    for file in (0..files.length()).filter_map(|place| files.get(place)) {
        let file = redraw(&file).await.unwrap_or(file);
        if let Ok(address) = Url::create_object_url_with_blob(&file) {
            shown.push(address);
        }
        let _ = basket.items().add_with_file(&file);
    }
    input.set_files(basket.files().as_ref());
    shown
}

async fn redraw(file: &File) -> Option<File> {
    let bitmap = window()?.create_image_bitmap_with_blob(file).ok()?;
    let bitmap: ImageBitmap = JsFuture::from(bitmap).await.ok()?.dyn_into().ok()?;
    let longest = bitmap.width().max(bitmap.height()).max(1);
    let scale = (f64::from(KEPT_SIDE) / f64::from(longest)).min(1.0);
    let side = |length: u32| (f64::from(length) * scale).round().max(1.0);
    let (width, height) = (side(bitmap.width()), side(bitmap.height()));
    let canvas: HtmlCanvasElement = window()?.document()?.create_element("canvas").ok()?.dyn_into().ok()?;
    canvas.set_width(width as u32);
    canvas.set_height(height as u32);
    let pen: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    pen.draw_image_with_image_bitmap_and_dw_and_dh(&bitmap, 0.0, 0.0, width, height).ok()?;
    bitmap.close();
    let blob = encode(&canvas).await?;
    if blob.size() >= file.size() {
        return None;
    }
    let kind = FilePropertyBag::new();
    kind.set_type("image/jpeg");
    let parts = js_sys::Array::of1(&blob);
    File::new_with_blob_sequence_and_options(&parts, "photo.jpg", &kind).ok()
}

async fn encode(canvas: &HtmlCanvasElement) -> Option<Blob> {
    let promise = js_sys::Promise::new(&mut |done, _| {
        let _ = canvas.to_blob_with_type_and_encoder_options(&done, "image/jpeg", &JsValue::from_f64(QUALITY));
    });
    JsFuture::from(promise).await.ok()?.dyn_into().ok()
}
