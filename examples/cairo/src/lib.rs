//! cairo for Python: reference counted objects, error objects instead of NULL, sticky errors.

use std::ffi::c_int;

use leakproof::prelude::*;

#[allow(warnings, clippy::all, reason = "generated from cairo's headers")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/cairo.rs"));
}

/// An error that cairo reported.
#[exception]
pub struct CairoError {
    /// The message, in cairo's words.
    pub message: String,
    /// The status (cairo_status_t).
    pub status: u32,
}

/// Takes the status from the object that failed, where cairo keeps it.
#[derive(Debug, Default)]
pub struct CairoErrors;

impl CairoErrors {
    fn error(returned: Option<i64>, kept: Option<u32>) -> Error {
        let returned = returned.and_then(|status| u32::try_from(status).ok());
        let status = returned
            .filter(|status| *status != 0)
            .or(kept)
            .unwrap_or_default();
        let message = Surface::words(status).unwrap_or_else(|| "unknown error".into());
        CairoError { message, status }.into()
    }
}

macro_rules! ask_for_the_status {
    ($($handle:ident)+) => {$(
        impl ErrorSource<$handle> for CairoErrors {
            fn failed_silently(&self, call: &CallInfo<'_, $handle>) -> bool {
                call.handle().is_some_and(|handle| handle.status() != 0)
            }

            fn into_error(self, call: &CallInfo<'_, $handle>) -> Error {
                Self::error(call.status, call.handle().map($handle::status))
            }
        }
    )+};
}

ask_for_the_status! { Surface Context Pattern }

/// The pixel format of an image surface (cairo_format_t).
#[int_enum(ffi::cairo_format_t)]
pub enum Format {
    /// 32 bits: alpha, red, green, blue.
    ARGB32 = ffi::CAIRO_FORMAT_ARGB32,
    /// 32 bits: 8 unused, red, green, blue.
    RGB24 = ffi::CAIRO_FORMAT_RGB24,
    /// 8 bits of alpha.
    A8 = ffi::CAIRO_FORMAT_A8,
}

/// The shape of a line's ends (cairo_line_cap_t).
#[int_enum(ffi::cairo_line_cap_t)]
pub enum LineCap {
    /// Ended exactly at the end points.
    BUTT = ffi::CAIRO_LINE_CAP_BUTT,
    /// Ended in half circles around the end points.
    ROUND = ffi::CAIRO_LINE_CAP_ROUND,
    /// Ended in half squares around the end points.
    SQUARE = ffi::CAIRO_LINE_CAP_SQUARE,
}

/// An affine transformation: x becomes xx * x + xy * y + x0, y becomes yx * x + yy * y + y0 (cairo_matrix_t).
#[record(ffi::cairo_matrix_t)]
pub struct Matrix {
    /// The factor from x to x.
    pub xx: f64,
    /// The factor from x to y.
    pub yx: f64,
    /// The factor from y to x.
    pub xy: f64,
    /// The factor from y to y.
    pub yy: f64,
    /// The translation of x.
    pub x0: f64,
    /// The translation of y.
    pub y0: f64,
}

/// The extents of a text (cairo_text_extents_t).
#[record(ffi::cairo_text_extents_t)]
pub struct TextExtents {
    /// The distance from the origin to the left of the letters.
    #[field(x_bearing)]
    pub left: f64,
    /// The distance from the origin to the top of the letters; negative above the origin.
    #[field(y_bearing)]
    pub top: f64,
    /// The width of the letters.
    pub width: f64,
    /// The height of the letters.
    pub height: f64,
    /// The distance from the origin to the origin of the text that follows.
    #[field(x_advance)]
    pub advance: f64,
}

/// A surface to draw on.
#[handle(
    raw = ffi::cairo_surface_t,
    retain = ffi::cairo_surface_reference,
    borrowed_with = Surface,
    release = ffi::cairo_surface_destroy,
    errors(CairoErrors, asks_handle),
    fork_safe
)]
pub struct Surface;

#[methods(unsafe)]
impl Surface {
    #[rust_only]
    #[calls(ffi::cairo_surface_status)]
    fn status(&self) -> u32;

    #[rust_only]
    #[calls(ffi::cairo_status_to_string, utf8 = lossy)]
    fn words(status: u32) -> Option<String>;

    #[rust_only]
    #[calls(ffi::cairo_image_surface_create, fails = sticky)]
    fn create_image(format: Format, width: c_int, height: c_int) -> Result<Owned<Surface>>;

    /// Create a transparent image of `width` by `height` pixels (cairo_image_surface_create).
    #[staticmethod]
    #[pyo3(signature = (width, height, format = Format::ARGB32))]
    fn image(width: c_int, height: c_int, format: Format) -> Result<Owned<Surface>> {
        Surface::create_image(format, width, height)
    }

    /// The pixel format of an image; -1 for other surfaces (cairo_image_surface_get_format).
    #[getter]
    #[calls(ffi::cairo_image_surface_get_format)]
    fn format(&self) -> Format;

    /// Read the image in a PNG file (cairo_image_surface_create_from_png).
    #[staticmethod]
    #[calls(ffi::cairo_image_surface_create_from_png, fails = sticky)]
    fn png(path: &FsPath) -> Result<Owned<Surface>>;

    /// Create a surface of `width` by `height` points that is written to an SVG file (cairo_svg_surface_create). The
    /// file is complete after `finish()`.
    #[staticmethod]
    #[calls(ffi::cairo_svg_surface_create, fails = sticky)]
    fn svg(path: &FsPath, width: f64, height: f64) -> Result<Owned<Surface>>;

    /// The width of an image in pixels; 0 for other surfaces (cairo_image_surface_get_width).
    #[getter]
    #[calls(ffi::cairo_image_surface_get_width)]
    fn width(&self) -> c_int;

    /// The height of an image in pixels; 0 for other surfaces (cairo_image_surface_get_height).
    #[getter]
    #[calls(ffi::cairo_image_surface_get_height)]
    fn height(&self) -> c_int;

    /// The reference count: references from handles and from other objects of cairo
    /// (cairo_surface_get_reference_count).
    #[getter]
    #[calls(ffi::cairo_surface_get_reference_count)]
    fn owners(&self) -> u32;

    /// Write the image to a PNG file (cairo_surface_write_to_png).
    #[calls(ffi::cairo_surface_write_to_png, fails = nonzero)]
    fn write_png(&mut self, path: &FsPath) -> Result<()>;

    /// Write all pending output (cairo_surface_finish). The surface can't be drawn on afterwards.
    ///
    /// Raises CairoError if the file can't be written.
    #[calls(ffi::cairo_surface_finish, fails = sticky)]
    fn finish(&mut self) -> Result<()>;
}

/// A source of color: one color, a gradient or an image.
#[handle(
    raw = ffi::cairo_pattern_t,
    retain = ffi::cairo_pattern_reference,
    borrowed_with = Surface,
    release = ffi::cairo_pattern_destroy,
    errors(CairoErrors, asks_handle),
    fork_safe
)]
pub struct Pattern;

#[methods(unsafe)]
impl Pattern {
    #[rust_only]
    #[calls(ffi::cairo_pattern_status)]
    fn status(&self) -> u32;

    /// Create a gradient along the line between two points (cairo_pattern_create_linear).
    #[staticmethod]
    #[calls(ffi::cairo_pattern_create_linear, fails = sticky)]
    fn linear(x0: f64, y0: f64, x1: f64, y1: f64) -> Result<Owned<Pattern>>;

    /// Create a gradient between two circles (cairo_pattern_create_radial).
    #[staticmethod]
    #[calls(ffi::cairo_pattern_create_radial, fails = sticky)]
    fn radial(
        x0: f64,
        y0: f64,
        radius0: f64,
        x1: f64,
        y1: f64,
        radius1: f64,
    ) -> Result<Owned<Pattern>>;

    /// Create a pattern from a surface, which the pattern keeps alive (cairo_pattern_create_for_surface).
    #[staticmethod]
    #[calls(ffi::cairo_pattern_create_for_surface, fails = sticky)]
    fn of(surface: &Surface) -> Result<Owned<Pattern>>;

    /// Add the color at `offset`, from 0 to 1 (cairo_pattern_add_color_stop_rgba).
    #[pyo3(signature = (offset, red, green, blue, alpha = 1.0))]
    #[calls(ffi::cairo_pattern_add_color_stop_rgba, fails = sticky)]
    fn add_color(&mut self, offset: f64, red: f64, green: f64, blue: f64, alpha: f64)
    -> Result<()>;
}

/// A context that draws on a surface. After an error, every use raises the error again: cairo's errors are sticky.
#[handle(
    raw = ffi::cairo_t,
    retain = ffi::cairo_reference,
    borrowed_with = Surface,
    release = ffi::cairo_destroy,
    errors(CairoErrors, asks_handle),
    fork_safe
)]
pub struct Context;

#[methods(unsafe)]
impl Context {
    #[rust_only]
    #[calls(ffi::cairo_status)]
    fn status(&self) -> u32;

    /// Draw on `surface`, which the context keeps alive (cairo_create).
    #[new]
    #[calls(ffi::cairo_create, fails = sticky)]
    fn new(surface: &mut Surface) -> Result<Owned<Context>>;

    /// The surface that the context draws on (cairo_get_target).
    #[getter]
    #[calls(ffi::cairo_get_target, retain)]
    fn target(&self) -> Option<Owned<Surface>>;

    /// The pattern that the context draws with (cairo_get_source).
    #[getter]
    #[calls(ffi::cairo_get_source, retain)]
    fn source(&self) -> Option<Owned<Pattern>>;

    /// Set the pattern to draw with (cairo_set_source).
    #[setter]
    #[calls(ffi::cairo_set_source, fails = sticky)]
    fn set_source(&mut self, pattern: &Pattern) -> Result<()>;

    /// Draw with a color (cairo_set_source_rgba).
    #[pyo3(signature = (red, green, blue, alpha = 1.0))]
    #[calls(ffi::cairo_set_source_rgba, fails = sticky)]
    fn color(&mut self, red: f64, green: f64, blue: f64, alpha: f64) -> Result<()>;

    /// Set the width of lines (cairo_set_line_width).
    #[calls(ffi::cairo_set_line_width, fails = sticky)]
    fn line_width(&mut self, width: f64) -> Result<()>;

    /// Save the state for `restore()` (cairo_save).
    #[calls(ffi::cairo_save, fails = sticky)]
    fn save(&mut self) -> Result<()>;

    /// Restore the state of the last `save()` (cairo_restore).
    #[calls(ffi::cairo_restore, fails = sticky)]
    fn restore(&mut self) -> Result<()>;

    /// Move the origin (cairo_translate).
    #[calls(ffi::cairo_translate, fails = sticky)]
    fn translate(&mut self, x: f64, y: f64) -> Result<()>;

    /// Change the scale (cairo_scale).
    #[calls(ffi::cairo_scale, fails = sticky)]
    fn scale(&mut self, x: f64, y: f64) -> Result<()>;

    /// Rotate by an angle in radians (cairo_rotate).
    #[calls(ffi::cairo_rotate, fails = sticky)]
    fn rotate(&mut self, angle: f64) -> Result<()>;

    /// The shape of a line's ends (cairo_get_line_cap).
    #[getter]
    #[calls(ffi::cairo_get_line_cap)]
    fn line_cap(&self) -> LineCap;

    /// Set the shape of a line's ends (cairo_set_line_cap).
    #[setter]
    #[calls(ffi::cairo_set_line_cap, fails = sticky)]
    fn set_line_cap(&mut self, cap: LineCap) -> Result<()>;

    /// The transformation of points (cairo_get_matrix).
    #[getter]
    #[calls(ffi::cairo_get_matrix, args = (self, out))]
    fn matrix(&self) -> Matrix;

    /// Set the transformation of points (cairo_set_matrix).
    #[setter]
    #[calls(ffi::cairo_set_matrix, fails = sticky)]
    fn set_matrix(&mut self, matrix: &Matrix) -> Result<()>;

    /// Return the extents that a text would have (cairo_text_extents).
    #[calls(ffi::cairo_text_extents, args = (self, text, out))]
    fn extents(&self, text: &CStr) -> TextExtents;

    /// Begin a new sub-path (cairo_move_to).
    #[calls(ffi::cairo_move_to, fails = sticky)]
    fn move_to(&mut self, x: f64, y: f64) -> Result<()>;

    /// Add a line to the path (cairo_line_to).
    #[calls(ffi::cairo_line_to, fails = sticky)]
    fn line_to(&mut self, x: f64, y: f64) -> Result<()>;

    /// Add a Bézier curve to the path (cairo_curve_to).
    #[calls(ffi::cairo_curve_to, fails = sticky)]
    fn curve_to(&mut self, x1: f64, y1: f64, x2: f64, y2: f64, x3: f64, y3: f64) -> Result<()>;

    /// Add an arc of a circle to the path, between two angles in radians (cairo_arc).
    #[calls(ffi::cairo_arc, fails = sticky)]
    fn arc(&mut self, x: f64, y: f64, radius: f64, start: f64, end: f64) -> Result<()>;

    /// Add a rectangle to the path (cairo_rectangle).
    #[calls(ffi::cairo_rectangle, fails = sticky)]
    fn rectangle(&mut self, x: f64, y: f64, width: f64, height: f64) -> Result<()>;

    /// The current point of the path (cairo_get_current_point).
    #[getter]
    #[calls(ffi::cairo_get_current_point, args = (self, out, out))]
    fn point(&self) -> (f64, f64);

    /// Draw a line along the path (cairo_stroke).
    #[calls(ffi::cairo_stroke, fails = sticky)]
    fn stroke(&mut self) -> Result<()>;

    /// Fill the area inside the path (cairo_fill).
    #[calls(ffi::cairo_fill, fails = sticky)]
    fn fill(&mut self) -> Result<()>;

    /// Fill the whole surface (cairo_paint).
    #[calls(ffi::cairo_paint, fails = sticky)]
    fn paint(&mut self) -> Result<()>;

    /// Set the font size (cairo_set_font_size).
    #[calls(ffi::cairo_set_font_size, fails = sticky)]
    fn font_size(&mut self, size: f64) -> Result<()>;

    /// Draw a text with cairo's simple text API (cairo_show_text).
    #[calls(ffi::cairo_show_text, fails = sticky)]
    fn text(&mut self, text: &CStr) -> Result<()>;
}

/// cairo for Python: draw pictures as PNG and SVG.
#[leakproof::module]
mod cairo_safe {
    #[pymodule_export]
    use super::{CairoError, Context, Format, LineCap, Matrix, Pattern, Surface, TextExtents};
}
