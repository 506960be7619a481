// scenes/canvas.h: the few drawing words the painters need, over Cairo. Thread-compatible.
// Not here: what is drawn (paint_*.cc), what a camera does to it afterwards (sensor.h).
#pragma once

#include <initializer_list>

#include "frames/image.h"

typedef struct _cairo cairo_t;  // Cairo's own forward declarations; the library stays in canvas.cc
typedef struct _cairo_surface cairo_surface_t;

namespace pawsight::scenes {

struct Color {
  double r = 0, g = 0, b = 0, a = 1;

  /// Multiplied by `factor`, clipped at white: below 1 darker, above 1 lighter.
  Color Shade(double factor) const;
  Color Alpha(double alpha) const { return {r, g, b, alpha}; }
  /// From this colour (t = 0) to `other` (t = 1).
  Color Mix(const Color& other, double t) const;
  /// Hue in turns, saturation and value in [0, 1].
  static Color Hsv(double hue, double saturation, double value);
};

struct Point {
  double x = 0, y = 0;
};

/// Draws on an RGB surface in world units (kWorldWidth x kWorldHeight, room.h) whatever its size in pixels.
/// Path calls collect a path; a Fill or Stroke uses it up.
class Canvas {
 public:
  Canvas(int width, int height);
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  int width() const { return width_; }
  int height() const { return height_; }

  // Coordinates: Save and Restore nest.
  void Save();
  void Restore();
  void Translate(double x, double y);
  void Scale(double x, double y);
  void Rotate(double radians);

  // Path.
  void MoveTo(double x, double y);
  void LineTo(double x, double y);
  void CurveTo(Point a, Point b, Point end);
  void ClosePath();
  void Ellipse(double x, double y, double rx, double ry, double radians = 0);
  void Rectangle(double x, double y, double w, double h);
  void RoundRectangle(double x, double y, double w, double h, double radius);
  void Polygon(std::initializer_list<Point> points);

  // Paint.
  void Fill(Color color);
  /// From `top` at y0 to `bottom` at y1.
  void FillVertical(Color top, Color bottom, double y0, double y1);
  void FillHorizontal(Color left, Color right, double x0, double x1);
  void FillRadial(Color inner, Color outer, double x, double y, double radius);
  void Stroke(Color color, double width);
  /// Everything drawn until Restore() stays inside the path.
  void Clip();
  /// A soft dark ellipse: what stands here touches the floor.
  void Shadow(double x, double y, double rx, double ry, double strength);

  /// The pixels drawn so far.
  frames::Image Snapshot() const;

 private:
  void FillWith(void* pattern);

  int width_;
  int height_;
  cairo_surface_t* surface_;
  cairo_t* cairo_;
};

}  // namespace pawsight::scenes
