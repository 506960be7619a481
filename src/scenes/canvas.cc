#include "scenes/canvas.h"

#include <cairo/cairo.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "scenes/room.h"

namespace pawsight::scenes {

Color Color::Shade(double factor) const {
  return {std::min(1.0, r * factor), std::min(1.0, g * factor), std::min(1.0, b * factor), a};
}

Color Color::Mix(const Color& other, double t) const {
  return {r + (other.r - r) * t, g + (other.g - g) * t, b + (other.b - b) * t, a + (other.a - a) * t};
}

Color Color::Hsv(double hue, double saturation, double value) {
  const auto channel = [&](double offset) {
    const double k = std::fmod(offset + (hue - std::floor(hue)) * 6.0, 6.0);
    return value - value * saturation * std::clamp(std::min(k, 4.0 - k), 0.0, 1.0);
  };
  return {channel(5), channel(3), channel(1), 1};
}

Canvas::Canvas(int width, int height)
    : width_(width),
      height_(height),
      surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height)),
      cairo_(cairo_create(surface_)) {
  CHECK(cairo_status(cairo_) == CAIRO_STATUS_SUCCESS);
  cairo_scale(cairo_, width / kWorldWidth, height / kWorldHeight);
  cairo_set_line_cap(cairo_, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join(cairo_, CAIRO_LINE_JOIN_ROUND);
}

Canvas::~Canvas() {
  cairo_destroy(cairo_);
  cairo_surface_destroy(surface_);
}

void Canvas::Save() { cairo_save(cairo_); }
void Canvas::Restore() { cairo_restore(cairo_); }
void Canvas::Translate(double x, double y) { cairo_translate(cairo_, x, y); }
void Canvas::Scale(double x, double y) { cairo_scale(cairo_, x, y); }
void Canvas::Rotate(double radians) { cairo_rotate(cairo_, radians); }

void Canvas::MoveTo(double x, double y) { cairo_move_to(cairo_, x, y); }
void Canvas::LineTo(double x, double y) { cairo_line_to(cairo_, x, y); }
void Canvas::CurveTo(Point a, Point b, Point end) { cairo_curve_to(cairo_, a.x, a.y, b.x, b.y, end.x, end.y); }
void Canvas::ClosePath() { cairo_close_path(cairo_); }
void Canvas::Rectangle(double x, double y, double w, double h) { cairo_rectangle(cairo_, x, y, w, h); }

void Canvas::Ellipse(double x, double y, double rx, double ry, double radians) {
  cairo_new_sub_path(cairo_);
  cairo_save(cairo_);
  cairo_translate(cairo_, x, y);
  cairo_rotate(cairo_, radians);
  cairo_scale(cairo_, rx, ry);
  cairo_arc(cairo_, 0, 0, 1, 0, 2 * M_PI);
  cairo_restore(cairo_);
}

void Canvas::RoundRectangle(double x, double y, double w, double h, double radius) {
  const double r = std::min({radius, w / 2, h / 2});
  cairo_new_sub_path(cairo_);
  cairo_arc(cairo_, x + w - r, y + r, r, -M_PI / 2, 0);
  cairo_arc(cairo_, x + w - r, y + h - r, r, 0, M_PI / 2);
  cairo_arc(cairo_, x + r, y + h - r, r, M_PI / 2, M_PI);
  cairo_arc(cairo_, x + r, y + r, r, M_PI, 3 * M_PI / 2);
  cairo_close_path(cairo_);
}

void Canvas::Polygon(std::initializer_list<Point> points) {
  cairo_new_sub_path(cairo_);
  for (const Point& p : points) cairo_line_to(cairo_, p.x, p.y);
  cairo_close_path(cairo_);
}

void Canvas::Fill(Color color) {
  cairo_set_source_rgba(cairo_, color.r, color.g, color.b, color.a);
  cairo_fill(cairo_);
}

void Canvas::FillWith(void* pattern) {
  auto* source = static_cast<cairo_pattern_t*>(pattern);
  cairo_set_source(cairo_, source);
  cairo_fill(cairo_);
  cairo_pattern_destroy(source);
}

namespace {

cairo_pattern_t* WithStops(cairo_pattern_t* pattern, const Color& from, const Color& to) {
  cairo_pattern_add_color_stop_rgba(pattern, 0, from.r, from.g, from.b, from.a);
  cairo_pattern_add_color_stop_rgba(pattern, 1, to.r, to.g, to.b, to.a);
  return pattern;
}

}  // namespace

void Canvas::FillVertical(Color top, Color bottom, double y0, double y1) {
  FillWith(WithStops(cairo_pattern_create_linear(0, y0, 0, y1), top, bottom));
}

void Canvas::FillHorizontal(Color left, Color right, double x0, double x1) {
  FillWith(WithStops(cairo_pattern_create_linear(x0, 0, x1, 0), left, right));
}

void Canvas::FillRadial(Color inner, Color outer, double x, double y, double radius) {
  FillWith(WithStops(cairo_pattern_create_radial(x, y, 0, x, y, radius), inner, outer));
}

void Canvas::Stroke(Color color, double width) {
  cairo_set_source_rgba(cairo_, color.r, color.g, color.b, color.a);
  cairo_set_line_width(cairo_, width);
  cairo_stroke(cairo_);
}

void Canvas::Clip() { cairo_clip(cairo_); }

void Canvas::Shadow(double x, double y, double rx, double ry, double strength) {
  Save();
  Translate(x, y);
  Scale(rx, ry);
  Ellipse(0, 0, 1, 1);
  FillRadial({0, 0, 0, strength}, {0, 0, 0, 0}, 0, 0, 1);
  Restore();
}

frames::Image Canvas::Snapshot() const {
  cairo_surface_flush(surface_);
  frames::Image image(width_, height_);
  const unsigned char* rows = cairo_image_surface_get_data(surface_);
  const int stride = cairo_image_surface_get_stride(surface_);
  uint8_t* out = image.rgb.data();
  for (int y = 0; y < height_; ++y) {
    const unsigned char* p = rows + static_cast<ptrdiff_t>(y) * stride;
    for (int x = 0; x < width_; ++x, p += 4, out += 3) {
      out[0] = p[2];  // little-endian xRGB
      out[1] = p[1];
      out[2] = p[0];
    }
  }
  return image;
}

}  // namespace pawsight::scenes
