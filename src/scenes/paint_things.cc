#include <cmath>

#include "scenes/paint.h"

namespace pawsight::scenes {

void PaintBowl(Canvas& canvas, const Bowl& bowl) {
  const double top = bowl.top(), w = bowl.w;
  canvas.Shadow(bowl.x, bowl.y, w * 0.62, 5, 0.45);
  canvas.MoveTo(bowl.left() + 4, top + 3);
  canvas.LineTo(bowl.left(), bowl.y);
  canvas.LineTo(bowl.right(), bowl.y);
  canvas.LineTo(bowl.right() - 4, top + 3);
  canvas.ClosePath();
  canvas.FillHorizontal(bowl.color.Shade(1.15), bowl.color.Shade(0.65), bowl.left(), bowl.right());
  canvas.Ellipse(bowl.x, top + 3, w / 2 - 4, 5);
  canvas.Fill(bowl.color.Shade(0.6));
  canvas.Ellipse(bowl.x, top + 3, w / 2 - 7, 3.5);
  canvas.Fill({0.45, 0.28, 0.16});
  canvas.Ellipse(bowl.x - 2, top + 13, 2.4, 2);  // a paw
  canvas.Ellipse(bowl.x + 4, top + 10, 1.3, 1.3);
  canvas.Ellipse(bowl.x, top + 9, 1.3, 1.3);
  canvas.Fill({1, 1, 1, 0.7});
}

void PaintBall(Canvas& canvas, const Ball& ball) {
  const double r = ball.w / 2, y = ball.y - r;
  canvas.Shadow(ball.x, ball.y, r * 1.15, 4, 0.45);
  canvas.Ellipse(ball.x, y, r, r);
  canvas.FillRadial(ball.color.Mix({1, 1, 1}, 0.55), ball.color.Shade(0.75), ball.x - r * 0.35, y - r * 0.4, r * 1.5);
  switch (ball.pattern) {
    case 0:
      canvas.MoveTo(ball.x - r * 0.8, y - r * 0.55);
      canvas.CurveTo({ball.x - r * 0.1, y - r * 0.3}, {ball.x - r * 0.1, y + r * 0.4},
                     {ball.x - r * 0.75, y + r * 0.6});
      canvas.MoveTo(ball.x + r * 0.8, y - r * 0.55);
      canvas.CurveTo({ball.x + r * 0.1, y - r * 0.3}, {ball.x + r * 0.1, y + r * 0.4},
                     {ball.x + r * 0.75, y + r * 0.6});
      canvas.Stroke({1, 1, 1, 0.9}, 1.8);
      break;
    case 1:
      canvas.Save();
      canvas.Ellipse(ball.x, y, r, r);
      canvas.Clip();
      canvas.Rectangle(ball.x - r, y - r * 0.28, 2 * r, r * 0.56);
      canvas.Fill({1, 1, 1, 0.85});
      canvas.Restore();
      break;
    default:
      break;
  }
}

void PaintBasketBack(Canvas& canvas, const Basket& basket) {
  const double rx = basket.w / 2, ry = basket.h / 2, cy = basket.y - ry * 0.95;
  canvas.Shadow(basket.x, basket.y - 3, rx * 1.08, ry * 0.8, 0.45);
  canvas.Ellipse(basket.x, cy, rx, ry);
  canvas.FillVertical(basket.rim.Shade(1.05), basket.rim.Shade(0.6), cy - ry, cy + ry);
  canvas.Ellipse(basket.x, cy, rx - 10, ry - 6);
  canvas.FillVertical(basket.cushion.Shade(0.75), basket.cushion.Shade(1.1), cy - ry, cy + ry);
}

void PaintBasketFront(Canvas& canvas, const Basket& basket) {
  const double rx = basket.w / 2, ry = basket.h / 2, cy = basket.y - ry * 0.95;
  canvas.MoveTo(basket.x - rx, cy);
  canvas.CurveTo({basket.x - rx, cy + ry * 1.38}, {basket.x + rx, cy + ry * 1.38}, {basket.x + rx, cy});
  canvas.LineTo(basket.x + rx - 9, cy + 1);
  canvas.CurveTo({basket.x + rx - 12, cy + ry * 0.82}, {basket.x - rx + 12, cy + ry * 0.82},
                 {basket.x - rx + 9, cy + 1});
  canvas.ClosePath();
  canvas.FillVertical(basket.rim.Shade(1.1), basket.rim.Shade(0.65), cy, cy + ry);
  for (int i = -4; i <= 4; ++i) {
    const double x = basket.x + i * rx * 0.2;
    const double drop = std::sqrt(1 - 0.04 * i * i);
    canvas.MoveTo(x - 3, cy + ry * 0.66 * drop);
    canvas.LineTo(x + 3, cy + ry * 0.98 * drop);
  }
  canvas.Stroke(basket.rim.Shade(0.5).Alpha(0.6), 1.3);
}

void PaintFluff(Canvas& canvas, Point at, double floor_y, double seconds) {
  constexpr int kPuffs = 15;
  for (int i = 0; i < kPuffs; ++i) {  // each puff flies a small arc again and again
    const double life = std::fmod(seconds * 0.9 + i * 0.37, 1.0);
    const double angle = 2.4 * i + 0.7;
    const double reach = 10 + 36 * life;
    const double x = at.x + std::cos(angle) * reach;
    const double y = at.y - 8 + std::sin(angle) * reach * 0.8 + 22 * life * life;
    canvas.Ellipse(x, y, 7.0 - 1.8 * life, 5.8 - 1.4 * life, angle);
  }
  for (int i = 0; i < 6; ++i) {  // and some lies on the floor
    canvas.Ellipse(at.x + 9 * (i - 2.6), floor_y + 3 * std::sin(2.1 * i), 5.5, 3.6);
  }
  canvas.Fill({0.98, 0.97, 0.94, 0.95});
}

}  // namespace pawsight::scenes
