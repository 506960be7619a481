#include <cmath>

#include "scenes/paint.h"

namespace pawsight::scenes {
namespace {

void PaintWallPattern(Canvas& canvas, const Walls& walls) {
  const Color line = walls.wall_low.Shade(0.92).Alpha(0.55);
  switch (walls.wall_pattern) {
    case 1:
      for (double x = 6; x < kWorldWidth; x += 26) canvas.Rectangle(x, -60, 11, walls.floor_y + 60);
      canvas.Fill(line.Alpha(0.35));
      break;
    case 2:
      canvas.Rectangle(-80, walls.floor_y - 50, kWorldWidth + 160, 50);
      canvas.Fill(walls.skirting.Shade(0.95).Alpha(0.8));
      for (double x = 0; x < kWorldWidth; x += 32) canvas.Rectangle(x, walls.floor_y - 44, 24, 34);
      canvas.Stroke(line, 1.2);
      break;
    case 3:
      for (double y = 12; y < walls.floor_y - 8; y += 24) {
        for (double x = 10 + std::fmod(y, 48) / 2; x < kWorldWidth; x += 28) canvas.Ellipse(x, y, 2.2, 2.2);
      }
      canvas.Fill(line);
      break;
    default:
      break;
  }
}

void PaintFloorPattern(Canvas& canvas, const Walls& walls) {
  const double y0 = walls.floor_y;
  const Color line = walls.floor.Shade(0.78).Alpha(0.6);
  if (walls.floor_pattern == 2) return;
  const double step = walls.floor_pattern == 0 ? 30 : 44;
  for (double x = -400; x < 800; x += step) {  // lines run to a vanishing point above the wall's foot
    canvas.MoveTo(200 + (x - 200) * 0.62, y0);
    canvas.LineTo(200 + (x - 200) * 1.25, 360);
  }
  if (walls.floor_pattern == 1) {
    double y = y0;
    for (double gap = 9; y < 360; gap *= 1.28, y += gap) {
      canvas.MoveTo(-80, y);
      canvas.LineTo(480, y);
    }
  }
  canvas.Stroke(line, 1.1);
}

}  // namespace

void PaintWallsAndFloor(Canvas& canvas, const Room& room) {
  const Walls& walls = room.walls;
  canvas.Rectangle(-80, -80, kWorldWidth + 160, walls.floor_y + 80);
  canvas.FillVertical(walls.wall, walls.wall_low, 0, walls.floor_y);
  PaintWallPattern(canvas, walls);
  canvas.Rectangle(-80, walls.floor_y, kWorldWidth + 160, 220);
  canvas.FillVertical(walls.floor.Shade(0.82), walls.floor.Shade(1.08), walls.floor_y, kWorldHeight);
  PaintFloorPattern(canvas, walls);
  canvas.Rectangle(-80, walls.floor_y - 5, kWorldWidth + 160, 5);
  canvas.FillVertical(walls.skirting, walls.skirting.Shade(0.8), walls.floor_y - 5, walls.floor_y);
  const auto side = [&](double edge, double width, double direction) {
    if (width <= 0) return;
    canvas.Polygon({{edge, -60},
                    {edge + direction * width, -60},
                    {edge + direction * width, walls.floor_y},
                    {edge, walls.floor_y + width * 0.9},
                    {edge - direction * 80, walls.floor_y + width * 3},
                    {edge - direction * 80, -60}});
    canvas.FillHorizontal(walls.wall.Shade(0.72), walls.wall_low.Shade(0.9), edge, edge + direction * width);
  };
  side(0, walls.side_left, 1);
  side(kWorldWidth, walls.side_right, -1);
}

void PaintRug(Canvas& canvas, const Walls& walls) {
  if (!walls.rug) return;
  const Spot& r = walls.rug_spot;
  canvas.Ellipse(r.x, r.y, r.w / 2, r.h / 2);
  canvas.Fill(walls.rug_edge);
  canvas.Ellipse(r.x, r.y, r.w / 2 - 9, r.h / 2 - 4);
  canvas.Fill(walls.rug_color);
  canvas.Ellipse(r.x, r.y, r.w / 2 - 26, r.h / 2 - 10);
  canvas.Stroke(walls.rug_edge.Alpha(0.8), 2.5);
}

void PaintWindow(Canvas& canvas, const Window& window, bool night) {
  const double x = window.left(), y = window.top(), w = window.w, h = window.h;
  canvas.RoundRectangle(x - 4, y - 4, w + 8, h + 8, 2);
  canvas.Fill({0.95, 0.95, 0.93});
  canvas.Save();
  canvas.Rectangle(x, y, w, h);
  canvas.Clip();
  canvas.Rectangle(x, y, w, h);
  if (night) {
    canvas.FillVertical({0.03, 0.04, 0.1}, {0.08, 0.1, 0.18}, y, y + h);
    canvas.Ellipse(x + w * 0.7, y + h * 0.25, 5, 5);
    canvas.Fill({0.9, 0.9, 0.8});
  } else {
    canvas.FillVertical({0.5, 0.75, 0.97}, {0.86, 0.94, 1.0}, y, y + h);
    const Color leaf = window.view == 0 ? Color{0.35, 0.6, 0.3} : Color{0.45, 0.65, 0.4};
    canvas.Ellipse(x + w * 0.2, y + h, w * 0.42, h * (window.view == 1 ? 0.25 : 0.45));
    canvas.Ellipse(x + w * 0.85, y + h * 1.05, w * 0.4, h * 0.4);
    canvas.Fill(leaf);
    if (window.view == 2) {
      canvas.Ellipse(x + w * 0.35, y + h * 0.25, 12, 5);
      canvas.Ellipse(x + w * 0.48, y + h * 0.22, 10, 6);
      canvas.Fill({1, 1, 1, 0.85});
    }
  }
  canvas.Restore();
  canvas.MoveTo(x + w / 2, y);
  canvas.LineTo(x + w / 2, y + h);
  canvas.MoveTo(x, y + h / 2);
  canvas.LineTo(x + w, y + h / 2);
  canvas.Stroke({0.95, 0.95, 0.93}, 3);
  canvas.Rectangle(x - 8, y + h + 3, w + 16, 5);
  canvas.Fill({0.88, 0.87, 0.85});
  if (!window.curtains) return;
  for (const double side : {-1.0, 1.0}) {
    const double outer = x + w / 2 + side * (w / 2 + 12), inner = x + w / 2 + side * (w / 2 - 12);
    canvas.MoveTo(outer, y - 10);
    canvas.LineTo(inner, y - 10);
    canvas.CurveTo({inner, y + h * 0.5}, {outer - side * 10, y + h * 0.7}, {outer - side * 8, y + h + 10});
    canvas.LineTo(outer, y + h + 10);
    canvas.ClosePath();
    canvas.FillHorizontal(window.curtain.Shade(0.75), window.curtain, outer, inner);
  }
  canvas.MoveTo(x - 16, y - 10);
  canvas.LineTo(x + w + 16, y - 10);
  canvas.Stroke({0.3, 0.25, 0.2}, 2.5);
}

void PaintPicture(Canvas& canvas, const Picture& picture) {
  canvas.Rectangle(picture.left() + 2, picture.top() + 2, picture.w, picture.h);
  canvas.Fill({0, 0, 0, 0.18});
  canvas.Rectangle(picture.left(), picture.top(), picture.w, picture.h);
  canvas.Fill(picture.frame);
  canvas.Save();
  canvas.Rectangle(picture.left() + 3, picture.top() + 3, picture.w - 6, picture.h - 6);
  canvas.Clip();
  canvas.Rectangle(picture.left(), picture.top(), picture.w, picture.h);
  canvas.FillVertical(picture.paint.Mix({1, 1, 1}, 0.7), picture.paint, picture.top(), picture.y);
  switch (picture.motif) {
    case 0:
      canvas.Polygon({{picture.left(), picture.y}, {picture.x, picture.top() + 8}, {picture.right(), picture.y}});
      canvas.Fill(picture.paint.Shade(0.55));
      break;
    case 1:
      canvas.Ellipse(picture.x, picture.y - picture.h / 2, picture.w / 5, picture.w / 5);
      canvas.Fill(picture.paint.Shade(0.6));
      break;
    default:
      break;
  }
  canvas.Restore();
}

void PaintDoor(Canvas& canvas, const Door& door, const Walls& walls) {
  const double x = door.left(), y = door.top(), w = door.w, h = door.h;
  canvas.Rectangle(x - 5, y - 5, w + 10, h + 5);
  canvas.Fill(walls.skirting.Shade(0.9));
  if (!door.open) {
    canvas.Rectangle(x, y, w, h);
    canvas.FillHorizontal(door.color, door.color.Shade(0.88), x, x + w);
    const double gap = 8, panel = (h - gap * (door.panels + 1)) / door.panels;
    for (int i = 0; i < door.panels; ++i) canvas.Rectangle(x + 9, y + gap + i * (panel + gap), w - 18, panel);
    canvas.Stroke(door.color.Shade(0.68), 1.8);
    canvas.Ellipse(door.hinge_left ? x + w - 7 : x + 7, y + h * 0.53, 3, 3);
    canvas.Fill({0.75, 0.65, 0.3});
    return;
  }
  canvas.Rectangle(x, y, w, h);  // the dark hall behind, its floor lit
  canvas.FillVertical({0.10, 0.09, 0.12}, {0.2, 0.18, 0.18}, y, y + h);
  canvas.Polygon({{x, y + h}, {x + w, y + h}, {x + w * 0.78, y + h * 0.84}, {x + w * 0.22, y + h * 0.84}});
  canvas.Fill(walls.floor.Shade(0.5));
  const double hinge = door.hinge_left ? x : x + w;
  const double swing = door.hinge_left ? -1 : 1;  // the leaf stands out into the room beside the frame
  canvas.Polygon({{hinge, y}, {hinge + swing * 24, y - 7}, {hinge + swing * 24, y + h + 20}, {hinge, y + h}});
  canvas.FillHorizontal(door.color.Shade(0.75), door.color, hinge, hinge + swing * 24);
  canvas.Ellipse(hinge + swing * 20, y + h * 0.56, 2.5, 3);
  canvas.Fill({0.75, 0.65, 0.3});
}

void PaintPlant(Canvas& canvas, const Spot& spot) {
  canvas.Shadow(spot.x, spot.y, 20, 5, 0.4);
  for (int i = 0; i < 7; ++i) {
    const double turn = (i - 3) * 0.36;
    canvas.Save();
    canvas.Translate(spot.x, spot.y - 20);
    canvas.Rotate(turn);
    canvas.MoveTo(0, 0);
    canvas.CurveTo({-9, -spot.h * 0.3}, {-5, -spot.h * 0.6}, {0, -spot.h + 24});
    canvas.CurveTo({5, -spot.h * 0.6}, {9, -spot.h * 0.3}, {0, 0});
    canvas.Fill(Color{0.2, 0.5, 0.25}.Shade(0.8 + 0.09 * (i % 4)));
    canvas.Restore();
  }
  canvas.Polygon({{spot.x - 13, spot.y - 24}, {spot.x + 13, spot.y - 24}, {spot.x + 9, spot.y}, {spot.x - 9, spot.y}});
  canvas.FillHorizontal({0.75, 0.42, 0.3}, {0.5, 0.28, 0.2}, spot.x - 13, spot.x + 13);
}

}  // namespace pawsight::scenes
