#include <cmath>

#include "scenes/paint.h"

namespace pawsight::scenes {
namespace {

void Limb(Canvas& canvas, Point from, Point via, Point to, Color color, double width) {
  canvas.MoveTo(from.x, from.y);
  canvas.CurveTo(via, via, to);
  canvas.Stroke(color, width);
}

void PaintHead(Canvas& canvas, const Person& person, Point at) {
  const double x = at.x, y = at.y;
  if (person.long_hair) {
    canvas.RoundRectangle(x - 17, y - 14, 19, 36, 9);
    canvas.Fill(person.hair.Shade(0.85));
  }
  canvas.Ellipse(x, y, 11.5, 14);
  canvas.FillHorizontal(person.skin.Shade(0.88), person.skin.Shade(1.05), x - 11, x + 11);
  canvas.MoveTo(x - 12.5, y + 2);
  canvas.CurveTo({x - 15, y - 20}, {x + 13, y - 22}, {x + 12.5, y - 4});
  canvas.CurveTo({x + 5, y - 9}, {x - 3, y - 9}, {x - 7, y - 5});
  canvas.CurveTo({x - 9, y - 3}, {x - 10, y}, {x - 12.5, y + 2});
  canvas.Fill(person.hair);
  canvas.Ellipse(x + 2, y, 1.5, 1.7);
  canvas.Ellipse(x + 8.5, y, 1.4, 1.7);
  canvas.Fill({0.1, 0.08, 0.08});
  canvas.MoveTo(x + 2, y + 7);
  canvas.CurveTo({x + 4, y + 9}, {x + 7, y + 9}, {x + 8, y + 7});
  canvas.Stroke({0.65, 0.3, 0.28}, 1.4);
}

void PaintTorso(Canvas& canvas, const Person& person, double hip_y) {
  const double top = hip_y - 66;
  canvas.Rectangle(-4.5, top - 10, 9, 14);
  canvas.Fill(person.skin.Shade(0.85));
  canvas.MoveTo(-8, top);
  canvas.CurveTo({-24, top + 2}, {-23, top + 14}, {-18, top + 34});
  canvas.LineTo(-17, hip_y + 5);
  canvas.LineTo(17, hip_y + 5);
  canvas.LineTo(18, top + 34);
  canvas.CurveTo({23, top + 14}, {24, top + 2}, {8, top});
  canvas.ClosePath();
  canvas.FillHorizontal(person.shirt.Shade(0.8), person.shirt.Shade(1.1), -22, 22);
}

void PaintSitting(Canvas& canvas, const Person& person) {
  PaintTorso(canvas, person, -46);
  Limb(canvas, {-9, -44}, {16, -48}, {24, -40}, person.trousers.Shade(0.8), 17);
  Limb(canvas, {9, -44}, {26, -46}, {33, -40}, person.trousers, 17);
  Limb(canvas, {23, -38}, {25, -20}, {22, -4}, person.trousers.Shade(0.75), 14);
  Limb(canvas, {34, -38}, {35, -20}, {33, -3}, person.trousers.Shade(0.95), 14);
  canvas.Ellipse(28, -2, 10, 4.5);
  canvas.Ellipse(39, -1, 10, 4.5);
  canvas.Fill({0.15, 0.13, 0.13});
  Limb(canvas, {-17, -100}, {-24, -70}, {2, -56}, person.shirt.Shade(0.75), 11);
  canvas.Ellipse(5, -55, 6, 5.5);
  canvas.Fill(person.skin);
  PaintHead(canvas, person, {0, -132});
}

void PaintStanding(Canvas& canvas, const Person& person) {
  const double swing = person.walks ? std::sin(person.phase * 5) * 16 : 0;
  const double hip = -92;
  Limb(canvas, {6, hip}, {8 - swing * 0.3, -45}, {8 - swing, -5}, person.trousers.Shade(0.78), 15);
  Limb(canvas, {-6, hip}, {-7 + swing * 0.3, -45}, {-7 + swing, -4}, person.trousers, 16);
  canvas.Ellipse(11 - swing, -3, 9.5, 4.5);
  canvas.Ellipse(-3 + swing, -2, 9.5, 4.5);
  canvas.Fill({0.15, 0.13, 0.13});
  Limb(canvas, {17, hip - 52}, {25, hip - 25}, {24 + swing * 0.6, hip + 2}, person.shirt.Shade(0.7), 10);
  canvas.Ellipse(24 + swing * 0.6, hip + 6, 5, 6);
  canvas.Fill(person.skin.Shade(0.9));
  PaintTorso(canvas, person, hip);
  Limb(canvas, {-17, hip - 52}, {-27, hip - 25}, {-24 - swing * 0.6, hip + 2}, person.shirt.Shade(0.9), 10.5);
  canvas.Ellipse(-24 - swing * 0.6, hip + 6, 5, 6);
  canvas.Fill(person.skin);
  PaintHead(canvas, person, {0, hip - 86});
}

}  // namespace

void PaintPerson(Canvas& canvas, const Person& person) {
  canvas.Save();
  canvas.Translate(person.x, person.y);
  canvas.Scale(person.faces_left ? -person.scale : person.scale, person.scale);
  canvas.Shadow(6, -1, 34, 7, 0.42);
  if (person.sits) {
    PaintSitting(canvas, person);
  } else {
    PaintStanding(canvas, person);
  }
  canvas.Restore();
}

}  // namespace pawsight::scenes
