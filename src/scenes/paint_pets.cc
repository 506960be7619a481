#include <cmath>

#include "scenes/paint.h"

namespace pawsight::scenes {
namespace {

/// The places of a body's parts in a pose, in the pet's own units: x forward, y up is negative, feet at y = 0.
struct Pose {
  Point hip, shoulder;  // ends of the trunk
  double thick = 16;    // half its thickness at the shoulder
  Point head;
  double head_turn = 0;  // radians, positive looks down
  Point feet[4];         // near front, far front, near back, far back
  Point tail_mid, tail_end;
  bool mouth_open = false;
  bool eyes_closed = false;
};

Pose DogStanding(double phase, bool walking) {
  const double swing = walking ? 13 : 0;
  const double s = std::sin(phase * 7);
  const double wag = std::sin(phase * 9) * 5;
  return {{-34, -44}, {30, -46},
          16,         {49, -71},
          0,          {{30 + swing * s, 0}, {24 - swing * s, -1}, {-32 - swing * s, 0}, {-26 + swing * s, -1}},
          {-52, -62}, {-60 + wag, -80},
          false,      false};
}

Pose CatStanding(double phase, bool walking) {
  const double swing = walking ? 11 : 0;
  const double s = std::sin(phase * 7);
  const double sway = std::sin(phase * 2) * 6;
  return {{-28, -34}, {24, -34},
          12,         {39, -53},
          0,          {{24 + swing * s, 0}, {19 - swing * s, -1}, {-26 - swing * s, 0}, {-20 + swing * s, -1}},
          {-50, -52}, {-46 + sway, -86},
          false,      false};
}

Pose MakePose(const Pet& pet) {
  const bool dog = pet.species == Species::kDog;
  Pose pose = dog ? DogStanding(pet.phase, pet.activity == Activity::kWalking)
                  : CatStanding(pet.phase, pet.activity == Activity::kWalking);
  switch (pet.activity) {
    case Activity::kEating: {
      const double nod = std::sin(pet.phase * 5) * 2;
      pose.shoulder.y += 7;
      pose.head = dog ? Point{57, -24 + nod} : Point{44, -20 + nod};
      pose.head_turn = 0.95;
      break;
    }
    case Activity::kChewing: {  // braced against the pull: chest low, legs forward, tail straight up
      const double tug = std::sin(pet.phase * 8) * 3;
      pose.shoulder.y += dog ? 9 : 6;
      pose.hip.y -= 2;
      pose.head = dog ? Point{52 + tug, -54} : Point{41 + tug, -42};
      pose.head_turn = 0.2 + std::sin(pet.phase * 8) * 0.12;
      pose.feet[0].x += 12;
      pose.feet[1].x += 10;
      pose.mouth_open = true;
      pose.tail_mid = {pose.hip.x - 8, pose.hip.y - 20};
      pose.tail_end = {pose.hip.x - 12, pose.hip.y - 42};
      break;
    }
    case Activity::kPlaying: {  // a bow: elbows on the floor, hind quarters and tail up
      const double hop = std::abs(std::sin(pet.phase * 4)) * 3;
      pose.shoulder = {pose.shoulder.x - 2, dog ? -21.0 : -15.0};
      pose.hip.y -= 4 + hop;
      pose.head = dog ? Point{46, -36 + hop} : Point{38, -28 + hop};
      pose.feet[0] = {pose.shoulder.x + (dog ? 26 : 20), 0};
      pose.feet[1] = {pose.shoulder.x + (dog ? 21 : 15), -2};
      pose.tail_mid = {pose.hip.x - 8, pose.hip.y - 22};
      pose.tail_end = {pose.hip.x - 4 + std::sin(pet.phase * 11) * 9, pose.hip.y - (dog ? 36.0 : 46.0)};
      pose.mouth_open = dog;
      break;
    }
    case Activity::kSitting:
    case Activity::kSleeping:
    case Activity::kWalking:
      break;
  }
  return pose;
}

class PetPainter {
 public:
  PetPainter(Canvas& canvas, const Pet& pet, bool night)
      : c_(canvas), pet_(pet), coat_(pet.coat), dog_(pet.species == Species::kDog), night_(night) {}

  void Paint() {
    switch (pet_.activity) {
      case Activity::kSleeping:
        Curled();
        break;
      case Activity::kSitting:
        Sitting();
        break;
      case Activity::kWalking:
      case Activity::kPlaying:
      case Activity::kChewing:
      case Activity::kEating:
        OnFourLegs(MakePose(pet_));
        break;
    }
  }

 private:
  void Tail(Point from, Point mid, Point end, double width) {
    c_.MoveTo(from.x, from.y);
    c_.CurveTo({mid.x, from.y}, mid, end);
    c_.Stroke(coat_.fur.Shade(0.88), width);
    if (!coat_.patches || dog_) return;
    c_.Ellipse(end.x, end.y, width * 0.55, width * 0.6);
    c_.Fill(coat_.patch);
  }

  void Leg(Point top, Point foot, bool far, double bend) {
    const Color fur = coat_.fur.Shade(far ? 0.62 : 0.95);
    const double width = (dog_ ? 10.5 : 8.0) * coat_.fluff;
    const Point knee{(top.x + foot.x) / 2 + bend, (top.y + foot.y) / 2};
    c_.MoveTo(top.x, top.y);
    c_.CurveTo(knee, {knee.x, (knee.y + foot.y) / 2}, {foot.x, foot.y - 4});
    c_.Stroke(fur, width);
    c_.Ellipse(foot.x + 2.5, foot.y - 3.5, width * 0.72, 4);
    c_.Fill(far ? fur : coat_.belly.Shade(0.95));
  }

  /// Spots of a dog, stripes of a tabby, clipped to the trunk by being smaller than it.
  void Markings(Point hip, Point shoulder, double thick) {
    if (!coat_.patches) return;
    if (dog_) {
      c_.Ellipse(hip.x + 12, hip.y - 2, 13, thick * 0.6, 0.2);
      c_.Ellipse(shoulder.x - 8, shoulder.y - thick * 0.2, 8, thick * 0.5, -0.2);
      c_.Fill(coat_.patch);
      return;
    }
    for (int i = 1; i <= 5; ++i) {
      const double t = i / 6.0;
      const double x = hip.x + (shoulder.x - hip.x) * t, y = hip.y + (shoulder.y - hip.y) * t;
      c_.MoveTo(x, y - thick * 0.95);
      c_.CurveTo({x - 3, y - thick * 0.5}, {x - 2, y}, {x + 1, y + thick * 0.2});
    }
    c_.Stroke(coat_.patch, 2.8);
  }

  void Trunk(const Pose& pose) {
    const double t = pose.thick * coat_.fluff, hip = t * 0.92;
    const Point a = pose.hip, b = pose.shoulder;
    c_.MoveTo(a.x - hip * 0.7, a.y);
    c_.CurveTo({a.x - hip * 0.8, a.y - hip * 1.25}, {(a.x + b.x) / 2, (a.y + b.y) / 2 - t * 0.92},
               {b.x + t * 0.1, b.y - t * 0.95});
    c_.CurveTo({b.x + t * 1.1, b.y - t * 0.8}, {b.x + t * 1.1, b.y + t * 0.9}, {b.x - t * 0.1, b.y + t});
    c_.CurveTo({(a.x + b.x) / 2, (a.y + b.y) / 2 + t * 0.75}, {a.x, a.y + hip * 1.15}, {a.x - hip * 0.7, a.y});
    c_.ClosePath();
    const double top = std::min(a.y, b.y) - t, bottom = std::max(a.y, b.y) + t;
    c_.FillVertical(coat_.fur.Shade(1.12), coat_.fur.Shade(0.8), top, bottom);
    c_.Ellipse(b.x + t * 0.35, b.y + t * 0.35, t * 0.5, t * 0.62, -0.4);
    c_.Fill(coat_.belly.Alpha(0.8));
    Markings(a, b, t * 0.85);
  }

  void OnFourLegs(const Pose& pose) {
    const double t = pose.thick;
    Tail({pose.hip.x - t * 0.5, pose.hip.y - t * 0.3}, pose.tail_mid, pose.tail_end,
         dog_ ? 7.5 * coat_.fluff : 6 * coat_.fluff);
    Leg({pose.hip.x + 3, pose.hip.y + 4}, pose.feet[3], true, -5);
    Leg({pose.shoulder.x - 2, pose.shoulder.y + 4}, pose.feet[1], true, 2);
    Trunk(pose);
    c_.Ellipse(pose.hip.x, pose.hip.y + t * 0.3, t * 0.85, t * 0.95);
    c_.FillVertical(coat_.fur, coat_.fur.Shade(0.88), pose.hip.y - t, pose.hip.y + t);
    Leg({pose.hip.x - 2, pose.hip.y + t * 0.5}, pose.feet[2], false, -6);
    Leg({pose.shoulder.x + 3, pose.shoulder.y + t * 0.4}, pose.feet[0], false, 2);
    Neck(pose.shoulder, pose.head, t);
    Head(pose.head, pose.head_turn, pose.mouth_open, pose.eyes_closed);
  }

  void Neck(Point shoulder, Point head, double thick) {
    c_.MoveTo(shoulder.x + 3, shoulder.y - thick * 0.25);
    c_.LineTo(head.x - 3, head.y + 3);
    c_.Stroke(coat_.fur, thick * (dog_ ? 1.2 : 1.25));
    if (!coat_.has_collar) return;
    const double mx = shoulder.x * 0.45 + head.x * 0.55, my = shoulder.y * 0.45 + head.y * 0.55;
    const double angle = std::atan2(head.y - shoulder.y, head.x - shoulder.x) + M_PI / 2;
    const double r = thick * 0.62;
    c_.MoveTo(mx + std::cos(angle) * r, my + std::sin(angle) * r);
    c_.LineTo(mx - std::cos(angle) * r, my - std::sin(angle) * r);
    c_.Stroke(coat_.collar, 4);
  }

  void Eye(double x, double y, bool closed) {
    if (closed) {
      c_.MoveTo(x - 3, y);
      c_.CurveTo({x - 1, y + 2.2}, {x + 1, y + 2.2}, {x + 3, y});
      c_.Stroke({0.08, 0.06, 0.05}, 1.7);
      return;
    }
    if (night_) {
      c_.Ellipse(x, y, 3, 3);
      c_.Fill({1, 1, 1});
      return;
    }
    if (!dog_) {
      c_.Ellipse(x, y, 2.8, 2.6);
      c_.Fill({0.7, 0.82, 0.25});
      c_.Ellipse(x, y, 1, 2.4);
    } else {
      c_.Ellipse(x, y, 2.3, 2.4);
    }
    c_.Fill({0.06, 0.05, 0.05});
  }

  void Head(Point at, double turn, bool open, bool closed) {
    c_.Save();
    c_.Translate(at.x, at.y);
    c_.Rotate(turn);
    dog_ ? DogHead(open, closed) : CatHead(closed);
    c_.Restore();
  }

  void DogHead(bool open, bool closed) {
    const Color fur = coat_.fur, ear = coat_.patches ? coat_.patch : fur.Shade(0.68);
    if (coat_.pointed_ears) {
      c_.Polygon({{-9, -8}, {-9, -27}, {2, -12}});
      c_.Fill(ear);
    }
    if (open) {
      c_.Polygon({{6, 5}, {27, 11}, {24, 15}, {4, 12}});  // lower jaw, mouth, teeth
      c_.Fill(fur.Shade(0.8));
      c_.Polygon({{8, 5}, {28, 5}, {26, 10}, {8, 8}});
      c_.Fill({0.75, 0.25, 0.28});
      c_.Polygon({{22, 5}, {25, 5}, {23.5, 9}});
      c_.Fill({1, 1, 1});
    }
    c_.Ellipse(0, 0, 16, 14);
    c_.FillVertical(fur.Shade(1.15), fur.Shade(0.9), -14, 14);
    c_.RoundRectangle(6, -5, 24, 12, 6);  // muzzle
    c_.FillVertical(coat_.belly.Mix(fur, 0.3), coat_.belly.Mix(fur, 0.4).Shade(0.85), -5, 7);
    c_.Ellipse(29, -3, 3.8, 3.3);
    c_.Fill({0.07, 0.06, 0.06});
    Eye(6, -6, closed);
    if (coat_.pointed_ears) {
      c_.Polygon({{-3, -9}, {1, -28}, {9, -10}});
      c_.Fill(ear.Shade(1.1));
    } else {
      c_.Ellipse(-8, 4, 7, 15.5, 0.25);
      c_.Fill(ear);
    }
  }

  void CatHead(bool closed) {
    const Color fur = coat_.fur;
    c_.Polygon({{-13, -4}, {-13, -25}, {0, -11}});
    c_.Polygon({{0, -11}, {13, -25}, {13, -4}});
    c_.Fill(fur.Shade(0.85));
    c_.Polygon({{-11, -8}, {-11, -20}, {-4, -11}});
    c_.Polygon({{4, -11}, {11, -20}, {11, -8}});
    c_.Fill({0.92, 0.65, 0.62});
    c_.Ellipse(0, 0, 15.5, 13);
    c_.FillVertical(fur.Shade(1.15), fur.Shade(0.92), -13, 13);
    c_.Ellipse(4, 5, 7, 5);
    c_.Fill(coat_.belly);
    c_.Polygon({{2, 2}, {7, 2}, {4.5, 5}});
    c_.Fill({0.85, 0.45, 0.45});
    Eye(-3.5, -2, closed);
    Eye(8, -2, closed);
    if (coat_.patches) {
      c_.MoveTo(-2, -12);
      c_.LineTo(-1, -7);
      c_.MoveTo(3, -12);
      c_.LineTo(3, -7);
      c_.Stroke(coat_.patch, 2);
    }
    for (const double y : {4.0, 6.5}) {
      c_.MoveTo(10, y);
      c_.LineTo(20, y + (y - 5) * 1.2);
      c_.MoveTo(-3, y);
      c_.LineTo(-13, y + (y - 5) * 1.2);
    }
    c_.Stroke({1, 1, 1, 0.75}, 0.9);
  }

  /// The face towards the camera; the same colours and ears.
  void FrontHead(Point at) {
    if (!dog_) {
      Head({at.x, at.y}, 0, false, false);
      return;
    }
    c_.Save();
    c_.Translate(at.x, at.y);
    const Color ear = coat_.patches ? coat_.patch : coat_.fur.Shade(0.68);
    if (coat_.pointed_ears) {
      c_.Polygon({{-14, -6}, {-13, -27}, {-2, -12}});
      c_.Polygon({{14, -6}, {13, -27}, {2, -12}});
      c_.Fill(ear);
    }
    c_.Ellipse(0, 0, 16, 15);
    c_.FillVertical(coat_.fur.Shade(1.15), coat_.fur.Shade(0.9), -15, 15);
    c_.Ellipse(0, 8, 9.5, 9);
    c_.Fill(coat_.belly.Mix(coat_.fur, 0.25));
    c_.Ellipse(0, 4, 4.4, 3.4);
    c_.Fill({0.07, 0.06, 0.06});
    c_.Ellipse(0, 13.5, 3.2, 4);
    c_.Fill({0.88, 0.42, 0.45});
    Eye(-6.5, -4, false);
    Eye(6.5, -4, false);
    if (!coat_.pointed_ears) {
      c_.Ellipse(-15, 1, 5.5, 13, 0.2);
      c_.Ellipse(15, 1, 5.5, 13, -0.2);
      c_.Fill(ear);
    }
    c_.Restore();
  }

  void Sitting() {
    const double k = dog_ ? 1 : 0.8, f = coat_.fluff;
    const double sway = std::sin(pet_.phase * (dog_ ? 8 : 2)) * 4;
    if (dog_) {
      Tail({-26, -10}, {-40, -6}, {-50, -18 + sway}, 7.5 * f);
    } else {
      Tail({-20, -8}, {-38, -4}, {-44, -26 + sway}, 6 * f);
    }
    c_.Ellipse(-13 * k, -19 * k, 21 * k * f, 19 * k);  // haunch
    c_.Fill(coat_.fur.Shade(0.85));
    Leg({10 * k, -34 * k}, {13 * k, -1}, true, 0);
    c_.Ellipse(-1 * k, -36 * k, 17 * k * f, 32 * k, 0.42);
    c_.FillVertical(coat_.fur.Shade(1.12), coat_.fur.Shade(0.85), -66 * k, -4);
    Markings({-14 * k, -22 * k}, {8 * k, -50 * k}, 13 * k);
    c_.Ellipse(11 * k, -38 * k, 7 * k, 15 * k, 0.2);
    c_.Fill(coat_.belly.Alpha(0.85));
    Leg({16 * k, -34 * k}, {19 * k, 0}, false, 0);
    c_.Ellipse(-14 * k, -14 * k, 15 * k, 13 * k);
    c_.Fill(coat_.fur.Shade(0.97));
    c_.Ellipse(-4 * k, -4, 12 * k, 4.4);
    c_.Fill(coat_.belly.Shade(0.95));
    Neck({8 * k, -54 * k}, {17 * k, -76 * k}, 15 * k);
    if (pet_.front) {
      FrontHead({17 * k, -80 * k});
    } else {
      Head({19 * k, -79 * k}, 0.05, false, false);
    }
  }

  /// Asleep: a ring of fur on the floor, the head on the paws, the tail around, eyes shut.
  void Curled() {
    const double k = dog_ ? 1 : 0.84;
    const double breath = 1 + 0.03 * std::sin(pet_.phase * 1.8);
    c_.Ellipse(-4 * k, -17 * k, 45 * k, 18 * k * breath);
    c_.FillVertical(coat_.fur.Shade(1.15), coat_.fur.Shade(0.72), -36 * k, 0);
    Markings({-32 * k, -21 * k}, {24 * k, -21 * k}, 13 * k);
    c_.Ellipse(-26 * k, -14 * k, 19 * k, 14 * k);  // thigh
    c_.FillVertical(coat_.fur.Shade(1.05), coat_.fur.Shade(0.8), -28 * k, 0);
    c_.MoveTo(-46 * k, -10 * k);
    c_.CurveTo({-44 * k, 3}, {-14 * k, 3}, {6 * k, -4});
    c_.Stroke(coat_.fur.Shade(0.82), (dog_ ? 8 : 7) * coat_.fluff);
    c_.Ellipse(34 * k, -4, 14 * k, 4.5);  // paws under the chin
    c_.Fill(coat_.belly.Shade(0.95));
    if (coat_.has_collar) {
      c_.MoveTo(17 * k, -25 * k);
      c_.CurveTo({13 * k, -17 * k}, {14 * k, -10 * k}, {17 * k, -5 * k});
      c_.Stroke(coat_.collar, 4);
    }
    Head({30 * k, -15 * k}, dog_ ? 0.22 : 0.12, false, true);
  }

  Canvas& c_;
  const Pet& pet_;
  const Coat& coat_;
  const bool dog_;
  const bool night_;
};

}  // namespace

void PaintPet(Canvas& canvas, const Pet& pet, bool night) {
  canvas.Save();
  canvas.Translate(pet.x, pet.y);
  canvas.Scale(pet.faces_left ? -pet.scale : pet.scale, pet.scale);
  canvas.Shadow(0, -1, 52, 7, 0.42);
  PetPainter(canvas, pet, night).Paint();
  canvas.Restore();
}

}  // namespace pawsight::scenes
