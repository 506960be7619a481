#include <cmath>

#include "scenes/paint.h"

namespace pawsight::scenes {
namespace {

void PaintTear(Canvas& canvas, const Couch& couch) {
  const double x = couch.torn_left ? couch.left() + couch.arm * 0.55 : couch.right() - couch.arm * 0.55;
  const double y = couch.y - couch.h * 0.42;
  canvas.Ellipse(x, y, 8, 10, 0.3);
  canvas.Fill(couch.color.Shade(0.45));
  canvas.Ellipse(x - 2, y + 1, 5, 6);
  canvas.Ellipse(x + 3, y - 3, 4, 4);
  canvas.Ellipse(x + 2, y + 5, 4, 4);
  canvas.Fill({0.97, 0.96, 0.92});
}

void PaintLegs(Canvas& canvas, const Spot& spot, double inset, double height, Color wood) {
  for (const double x : {spot.left() + inset, spot.right() - inset}) {
    canvas.Polygon({{x - 4, spot.y - height}, {x + 4, spot.y - height}, {x + 2.5, spot.y}, {x - 2.5, spot.y}});
  }
  canvas.Fill(wood);
}

}  // namespace

void PaintCouch(Canvas& canvas, const Couch& couch) {
  const double left = couch.left(), top = couch.top(), w = couch.w, h = couch.h, r = couch.roundness;
  canvas.Shadow(couch.x, couch.y, w * 0.56, 12, 0.5);
  PaintLegs(canvas, couch, 14, 10, {0.2, 0.13, 0.08});
  canvas.RoundRectangle(left + couch.arm * 0.5, top, w - couch.arm, h * 0.75, r);
  canvas.FillVertical(couch.color.Shade(1.05), couch.color.Shade(0.8), top, top + h * 0.7);
  const double inner = w - 2 * couch.arm, cushion = inner / couch.cushions;
  for (int i = 0; i < couch.cushions; ++i) {  // back cushions
    canvas.RoundRectangle(left + couch.arm + i * cushion + 1.5, top + 7, cushion - 3, h * 0.46, 7);
    canvas.FillVertical(couch.color.Shade(1.15), couch.color.Shade(0.88), top + 7, top + h * 0.5);
  }
  canvas.RoundRectangle(left + 4, couch.y - h * 0.32, w - 8, h * 0.24, 5);
  canvas.FillVertical(couch.color.Shade(0.72), couch.color.Shade(0.6), couch.y - h * 0.32, couch.y - 8);
  for (int i = 0; i < couch.cushions; ++i) {  // seat cushions
    canvas.RoundRectangle(left + couch.arm + i * cushion + 1, couch.y - h * 0.48, cushion - 2, h * 0.2, 5);
    canvas.FillVertical(couch.color.Shade(1.25), couch.color.Shade(0.98), couch.y - h * 0.48, couch.y - h * 0.28);
  }
  for (const double x : {left, left + w - couch.arm}) {
    canvas.RoundRectangle(x, couch.y - h * 0.66, couch.arm, h * 0.58, r);
    canvas.FillHorizontal(couch.color.Shade(1.12), couch.color.Shade(0.78), x, x + couch.arm);
  }
  canvas.Save();
  canvas.Translate(left + couch.arm + 15, couch.y - h * 0.56);
  canvas.Rotate(-0.2);
  canvas.RoundRectangle(-12, -13, 25, 24, 6);
  canvas.FillVertical(couch.pillow.Shade(1.1), couch.pillow.Shade(0.8), -12, 12);
  canvas.Restore();
  if (couch.torn) PaintTear(canvas, couch);
}

void PaintBed(Canvas& canvas, const Bed& bed) {
  canvas.Save();
  canvas.Translate(bed.x, bed.y);
  if (!bed.head_left) canvas.Scale(-1, 1);
  const double w = bed.w, h = bed.h, l = -w / 2;
  canvas.Shadow(0, 0, w * 0.55, 12, 0.5);
  canvas.RoundRectangle(l, -h, 14, h, 5);  // headboard
  canvas.FillVertical(bed.frame.Shade(1.1), bed.frame.Shade(0.7), -h, 0);
  canvas.RoundRectangle(w / 2 - 11, -h * 0.55, 11, h * 0.55, 4);
  canvas.FillVertical(bed.frame.Shade(1.1), bed.frame.Shade(0.7), -h * 0.55, 0);
  canvas.Rectangle(l + 6, -h * 0.3, w - 12, h * 0.18);
  canvas.FillVertical(bed.frame, bed.frame.Shade(0.65), -h * 0.3, -h * 0.12);
  canvas.RoundRectangle(l + 10, -h * 0.5, w - 20, h * 0.26, 6);  // mattress
  canvas.FillVertical(bed.sheet, bed.sheet.Shade(0.8), -h * 0.5, -h * 0.24);
  canvas.RoundRectangle(l + 14, -h * 0.66, w * 0.2, h * 0.2, 8);  // pillow
  canvas.FillVertical({0.99, 0.99, 0.98}, {0.8, 0.8, 0.84}, -h * 0.66, -h * 0.46);
  const double from = l + w * 0.27;
  canvas.MoveTo(from, -h * 0.53);
  canvas.CurveTo({from + 30, -h * 0.58}, {w / 2 - 40, -h * 0.54}, {w / 2 - 11, -h * 0.52});
  canvas.LineTo(w / 2 - 11, -h * 0.2);
  canvas.CurveTo({w / 4, -h * 0.16}, {0, -h * 0.22}, {from - 3, -h * 0.18});
  canvas.ClosePath();
  canvas.FillVertical(bed.blanket.Shade(1.15), bed.blanket.Shade(0.75), -h * 0.56, -h * 0.18);
  if (bed.pattern > 0) {
    for (double x = from + 8; x < w / 2 - 16; x += 17) {
      if (bed.pattern == 1) {
        canvas.MoveTo(x, -h * 0.52);
        canvas.LineTo(x - 2, -h * 0.2);
      } else {
        canvas.Ellipse(x, -h * 0.42, 2.5, 2);
        canvas.Ellipse(x + 8, -h * 0.3, 2.5, 2);
      }
    }
    if (bed.pattern == 1) canvas.Stroke(bed.blanket.Shade(0.7), 2.5);
    if (bed.pattern == 2) canvas.Fill(bed.sheet.Alpha(0.85));
  }
  canvas.Restore();
}

void PaintTable(Canvas& canvas, const Table& table) {
  const double top = table.top();
  canvas.Shadow(table.x, table.y, table.w * 0.5, 9, 0.4);
  for (const double x : {table.left() + 20, table.right() - 20}) {  // far legs
    canvas.Rectangle(x - 2, top + 8, 4, table.h - 16);
  }
  canvas.Fill(table.wood.Shade(0.5));
  for (const double x : {table.left() + 7, table.right() - 7}) {
    canvas.Polygon({{x - 3.5, top + 8}, {x + 3.5, top + 8}, {x + 2.5, table.y}, {x - 2.5, table.y}});
  }
  canvas.Fill(table.wood.Shade(0.7));
  canvas.Polygon(
      {{table.left() + 10, top - 8}, {table.right() - 10, top - 8}, {table.right(), top + 3}, {table.left(), top + 3}});
  canvas.FillVertical(table.wood.Shade(1.05), table.wood.Shade(1.28), top - 8, top + 3);
  canvas.Rectangle(table.left(), top + 3, table.w, 8);
  canvas.FillVertical(table.wood.Shade(0.9), table.wood.Shade(0.65), top + 3, top + 11);
  const double x = table.left() + table.w * 0.2;
  switch (table.thing) {
    case 1:  // a vase with flowers
      for (int i = -1; i <= 1; ++i) {
        canvas.MoveTo(x, top - 12);
        canvas.LineTo(x + i * 7, top - 26);
      }
      canvas.Stroke({0.25, 0.5, 0.25}, 1.5);
      for (int i = -1; i <= 1; ++i) canvas.Ellipse(x + i * 7, top - 27, 4, 4);
      canvas.Fill({0.95, 0.5, 0.55});
      canvas.RoundRectangle(x - 5, top - 16, 10, 14, 4);
      canvas.FillHorizontal({0.5, 0.7, 0.85}, {0.3, 0.45, 0.6}, x - 5, x + 5);
      break;
    case 2:
      canvas.RoundRectangle(x - 5, top - 11, 10, 10, 2);
      canvas.FillHorizontal({0.98, 0.98, 0.98}, {0.7, 0.7, 0.72}, x - 5, x + 5);
      break;
    case 3:
      canvas.Ellipse(x - 5, top - 5, 5, 5);
      canvas.Fill({0.85, 0.25, 0.2});
      canvas.Ellipse(x + 5, top - 5, 5, 5);
      canvas.Fill({0.95, 0.7, 0.2});
      break;
    default:
      break;
  }
}

void PaintChair(Canvas& canvas, const Chair& chair) {
  canvas.Save();
  canvas.Translate(chair.x, chair.y);
  if (!chair.faces_left) canvas.Scale(-1, 1);  // drawn facing left: the back is on the right
  const double h = chair.h, seat = -h * 0.46;
  canvas.Shadow(0, 0, 24, 5, 0.35);
  canvas.Rectangle(-17, seat, 4, -seat);
  canvas.Rectangle(-8, seat, 3, -seat - 6);
  canvas.Rectangle(13, -h, 5, h);
  canvas.Rectangle(7, seat, 3, -seat - 6);
  canvas.Fill(chair.wood.Shade(0.72));
  canvas.Polygon({{-19, seat}, {18, seat}, {13, seat - 7}, {-13, seat - 7}});
  canvas.FillVertical(chair.wood.Shade(1.25), chair.wood, seat - 7, seat);
  canvas.Rectangle(-19, seat, 37, 4);
  canvas.Fill(chair.wood.Shade(0.85));
  for (double y = -h + 6; y < seat - 14; y += 11) canvas.RoundRectangle(6, y, 9, 5, 2);
  canvas.Fill(chair.wood);
  canvas.Restore();
}

void PaintKitchenette(Canvas& canvas, const Kitchenette& kitchen) {
  const double fridge_w = 50, x0 = kitchen.left(), floor = kitchen.y, top = kitchen.top();
  const double fx = kitchen.fridge_left ? x0 : kitchen.right() - fridge_w;
  const double cx = kitchen.fridge_left ? x0 + fridge_w + 2 : x0, cw = kitchen.w - fridge_w - 2;
  canvas.Shadow(kitchen.x, floor, kitchen.w * 0.52, 8, 0.35);
  canvas.Rectangle(cx, floor - 58, cw, 58);
  canvas.FillVertical(kitchen.cabinet, kitchen.cabinet.Shade(0.8), floor - 58, floor);
  for (int i = 0; i < 3; ++i) canvas.Rectangle(cx + 3 + i * cw / 3, floor - 50, cw / 3 - 6, 44);
  canvas.Stroke(kitchen.cabinet.Shade(0.65), 1.4);
  canvas.Rectangle(cx - 2, floor - 64, cw + 4, 7);
  canvas.FillVertical(kitchen.worktop.Shade(1.2), kitchen.worktop.Shade(0.8), floor - 64, floor - 57);
  canvas.Rectangle(cx, top - 8, cw, 36);  // hanging cupboards
  canvas.FillVertical(kitchen.cabinet, kitchen.cabinet.Shade(0.85), top - 8, top + 28);
  for (int i = 0; i < 3; ++i) canvas.Rectangle(cx + 3 + i * cw / 3, top - 4, cw / 3 - 6, 28);
  canvas.Stroke(kitchen.cabinet.Shade(0.65), 1.4);
  canvas.RoundRectangle(cx + cw * 0.55, floor - 76, 16, 12, 3);  // a pot
  canvas.FillHorizontal({0.7, 0.7, 0.72}, {0.35, 0.35, 0.38}, cx + cw * 0.55, cx + cw * 0.55 + 16);
  canvas.MoveTo(cx + cw * 0.2, floor - 64);
  canvas.CurveTo({cx + cw * 0.2, floor - 84}, {cx + cw * 0.3, floor - 84}, {cx + cw * 0.3, floor - 76});
  canvas.Stroke({0.7, 0.72, 0.75}, 2.5);  // the tap
  canvas.RoundRectangle(fx, top, fridge_w, kitchen.h, 5);
  canvas.FillHorizontal({0.93, 0.94, 0.95}, {0.72, 0.74, 0.77}, fx, fx + fridge_w);
  canvas.MoveTo(fx, top + kitchen.h * 0.36);
  canvas.LineTo(fx + fridge_w, top + kitchen.h * 0.36);
  canvas.MoveTo(fx + 7, top + kitchen.h * 0.15);
  canvas.LineTo(fx + 7, top + kitchen.h * 0.3);
  canvas.MoveTo(fx + 7, top + kitchen.h * 0.42);
  canvas.LineTo(fx + 7, top + kitchen.h * 0.6);
  canvas.Stroke({0.45, 0.46, 0.5}, 2);
}

void PaintTv(Canvas& canvas, const Tv& tv, double seconds) {
  const double w = tv.w, h = w * 0.6, x = tv.left(), y = tv.top();
  if (!tv.on_wall) {
    canvas.Shadow(tv.x, tv.y, w * 0.58, 7, 0.4);
    canvas.RoundRectangle(x - 6, tv.y - 32, w + 12, 32, 2);
    canvas.FillVertical({0.5, 0.36, 0.25}, {0.35, 0.24, 0.16}, tv.y - 32, tv.y);
    canvas.Rectangle(x, tv.y - 27, w / 2 - 3, 21);
    canvas.Rectangle(x + w / 2 + 3, tv.y - 27, w / 2 - 3, 21);
    canvas.Stroke({0.25, 0.17, 0.1}, 1.3);
  }
  canvas.RoundRectangle(x, y, w, h, 3);
  canvas.Fill({0.05, 0.05, 0.06});
  const double ix = x + 4, iy = y + 4, iw = w - 8, ih = h - 9;
  canvas.Rectangle(ix, iy, iw, ih);
  if (!tv.on) {
    canvas.FillVertical({0.14, 0.15, 0.17}, {0.07, 0.07, 0.08}, iy, iy + ih);
    canvas.Polygon({{ix + iw * 0.55, iy}, {ix + iw * 0.8, iy}, {ix + iw * 0.5, iy + ih}, {ix + iw * 0.25, iy + ih}});
    canvas.Fill({1, 1, 1, 0.06});
    return;
  }
  const Color c = tv.picture;
  canvas.FillVertical(c.Mix({1, 1, 1}, 0.65), c, iy, iy + ih);
  canvas.Save();
  canvas.Rectangle(ix, iy, iw, ih);
  canvas.Clip();
  const double move = std::sin(seconds * 0.9) * iw * 0.2;
  switch (tv.program) {
    case 0:  // hills and a sun
      canvas.Ellipse(ix + iw * 0.3 + move, iy + ih, iw * 0.5, ih * 0.5);
      canvas.Fill(c.Shade(0.5));
      canvas.Ellipse(ix + iw * 0.75, iy + ih * 0.25, 6, 6);
      canvas.Fill({1, 0.95, 0.6});
      break;
    case 1:  // a newsreader
      canvas.Ellipse(ix + iw * 0.5, iy + ih * 0.4, 7, 8);
      canvas.Fill({0.9, 0.7, 0.55});
      canvas.RoundRectangle(ix + iw * 0.3, iy + ih * 0.65, iw * 0.4, ih * 0.4, 6);
      canvas.Fill({0.15, 0.2, 0.45});
      break;
    case 2:
      for (int i = 0; i < 5; ++i) {
        canvas.Rectangle(ix + i * iw / 5, iy, iw / 5, ih);
        canvas.Fill(Color::Hsv(0.2 * i, 0.7, 0.95));
      }
      break;
    default:  // a match on green
      canvas.Rectangle(ix, iy + ih * 0.3, iw, ih);
      canvas.Fill({0.25, 0.7, 0.3});
      for (int i = 0; i < 4; ++i)
        canvas.Ellipse(ix + iw * (0.2 + 0.2 * i) + move, iy + ih * (0.5 + 0.1 * (i % 3)), 2.5, 4);
      canvas.Fill({0.95, 0.2, 0.2});
      break;
  }
  canvas.Restore();
}

void PaintLamp(Canvas& canvas, const Lamp& lamp) {
  const double top = lamp.top();
  canvas.Shadow(lamp.x, lamp.y, 15, 4, 0.4);
  canvas.Ellipse(lamp.x, lamp.y - 2, 12, 4);
  canvas.MoveTo(lamp.x, lamp.y - 3);
  canvas.Fill({0.2, 0.18, 0.17});
  canvas.MoveTo(lamp.x, lamp.y - 3);
  canvas.LineTo(lamp.x, top + 30);
  canvas.Stroke({0.25, 0.22, 0.2}, 3);
  if (lamp.on) {
    canvas.Ellipse(lamp.x, top + 22, 58, 58);
    canvas.FillRadial({1, 0.93, 0.65, 0.75}, {1, 0.9, 0.6, 0}, lamp.x, top + 22, 58);
  }
  canvas.Polygon({{lamp.x - 10, top}, {lamp.x + 10, top}, {lamp.x + 18, top + 32}, {lamp.x - 18, top + 32}});
  if (lamp.on) {
    canvas.FillVertical({1, 0.97, 0.8}, {1, 0.88, 0.55}, top, top + 32);
  } else {
    canvas.FillHorizontal(lamp.shade.Shade(0.75), lamp.shade.Shade(0.5), lamp.x - 18, lamp.x + 18);
  }
}

}  // namespace pawsight::scenes
