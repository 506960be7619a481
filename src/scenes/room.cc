#include "scenes/room.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

namespace pawsight::scenes {
namespace {

template <typename T>
T Pick(Rng& rng, std::initializer_list<T> choices) {
  return choices.begin()[rng.Below(static_cast<int>(choices.size()))];
}

Color Wood(Rng& rng) { return Color::Hsv(rng.Uniform(0.05, 0.10), rng.Uniform(0.3, 0.65), rng.Uniform(0.3, 0.8)); }
Color Cloth(Rng& rng) { return Color::Hsv(rng.Uniform(), rng.Uniform(0.1, 0.65), rng.Uniform(0.35, 0.85)); }

void PaintWalls(Rng& rng, Walls& walls) {
  walls.floor_y = rng.Uniform(150, 176);
  walls.wall = Color::Hsv(rng.Uniform(), rng.Uniform(0.03, 0.35), rng.Uniform(0.68, 0.95));
  walls.wall_low = walls.wall.Shade(rng.Uniform(0.8, 0.95));
  walls.skirting = rng.Chance(0.7) ? Color{0.94, 0.93, 0.9} : Wood(rng);
  walls.wall_pattern = rng.Below(5);
  walls.floor_pattern = rng.Below(3);
  walls.floor = walls.floor_pattern == 0   ? Wood(rng)
                : walls.floor_pattern == 1 ? Color::Hsv(rng.Uniform(), rng.Uniform(0, 0.2), rng.Uniform(0.55, 0.9))
                                           : Color::Hsv(rng.Uniform(), rng.Uniform(0.05, 0.3), rng.Uniform(0.4, 0.8));
  walls.rug = rng.Chance(0.5);
  walls.rug_spot = {rng.Uniform(150, 250), rng.Uniform(240, 265), rng.Uniform(170, 280), rng.Uniform(38, 60)};
  walls.rug_color = Cloth(rng);
  walls.rug_edge = Cloth(rng);
  if (rng.Chance(0.3)) walls.side_left = rng.Uniform(15, 40);
  if (rng.Chance(0.3)) walls.side_right = rng.Uniform(15, 40);
}

/// Which of the large things stand along the back wall.
struct BackRow {
  bool couch = false, bed = false, door = false, tv = false, kitchenette = false, plant = false;
};

BackRow ChooseBackRow(Rng& rng, RoomKind kind, const RoomWishes& wishes) {
  BackRow row;
  switch (kind) {
    case RoomKind::kLivingRoom:
      row.couch = rng.Chance(0.88);
      row.tv = rng.Chance(0.6);
      break;
    case RoomKind::kBedroom:
      row.bed = true;
      row.couch = rng.Chance(0.12);
      row.tv = rng.Chance(0.4);
      break;
    case RoomKind::kKitchen:
      row.kitchenette = true;
      row.couch = rng.Chance(0.1);
      row.tv = rng.Chance(0.15);
      break;
  }
  row.door = rng.Chance(0.62);
  row.plant = rng.Chance(0.25);
  row.couch |= wishes.couch;
  row.bed |= wishes.bed;
  row.door |= wishes.door;
  row.tv |= wishes.tv;
  return row;
}

enum class Item { kCouch, kBed, kDoor, kTv, kKitchen, kPlant };

/// Hands out stretches of the back wall from left to right; what does not fit is left out.
class WallSpace {
 public:
  WallSpace(Rng& rng, double from, double to) : rng_(rng), x_(from), end_(to) {}

  void Want(Item what, double width) { wants_.push_back({what, width}); }

  /// Calls place(what, x of the middle) in random order.
  template <typename Place>
  void Share(Place place) {
    for (size_t i = wants_.size(); i > 1; --i) {
      std::swap(wants_[i - 1], wants_[static_cast<size_t>(rng_.Below(static_cast<int>(i)))]);
    }
    double total = 0;
    for (const auto& [what, width] : wants_) total += width;
    double slack = std::max(0.0, end_ - x_ - total);
    for (const auto& [what, width] : wants_) {
      const double gap = slack * rng_.Uniform(0, 0.7);
      slack -= gap;
      x_ += gap;
      place(what, x_ + width / 2);
      x_ += width;
    }
  }

 private:
  Rng& rng_;
  double x_, end_;
  std::vector<std::pair<Item, double>> wants_;
};

void PlaceTv(Rng& rng, Room& room, double x) {
  Tv tv;
  tv.on_wall = rng.Chance(0.4);
  tv.w = rng.Uniform(70, 84);
  tv.h = tv.on_wall ? tv.w * 0.6 : tv.w * 0.6 + 34;
  tv.x = x;
  tv.y = tv.on_wall ? room.walls.floor_y - rng.Uniform(35, 50) : room.walls.floor_y + rng.Uniform(8, 16);
  tv.on = rng.Chance(0.5);
  tv.picture = Color::Hsv(rng.Uniform(), rng.Uniform(0.4, 0.9), 0.95);
  tv.program = rng.Below(4);
  room.tv = tv;
}

Couch MakeCouch(Rng& rng, const Spot& spot) {
  Couch couch;
  static_cast<Spot&>(couch) = {spot.x, spot.y + rng.Uniform(26, 38), spot.w, rng.Uniform(80, 92)};
  couch.color = Cloth(rng);
  couch.cushions = rng.Chance(0.6) ? 2 : 3;
  couch.arm = rng.Uniform(19, 25);
  couch.roundness = rng.Uniform(6, 14);
  couch.torn = rng.Chance(0.2);
  couch.torn_left = rng.Chance(0.5);
  couch.pillow = Cloth(rng);
  return couch;
}

Bed MakeBed(Rng& rng, const Spot& spot) {
  Bed bed;
  static_cast<Spot&>(bed) = {spot.x, spot.y + rng.Uniform(30, 42), spot.w, rng.Uniform(84, 96)};
  bed.frame = Wood(rng);
  bed.blanket = Cloth(rng);
  bed.sheet = Color::Hsv(rng.Uniform(), rng.Uniform(0, 0.12), rng.Uniform(0.88, 0.98));
  bed.head_left = rng.Chance(0.5);
  bed.pattern = rng.Below(3);
  return bed;
}

Door MakeDoor(Rng& rng, const Spot& spot) {
  Door door;
  static_cast<Spot&>(door) = {spot.x, spot.y, spot.w, rng.Uniform(122, 138)};
  door.color = rng.Chance(0.5) ? Wood(rng) : Color::Hsv(rng.Uniform(), rng.Uniform(0, 0.3), rng.Uniform(0.75, 0.95));
  door.open = rng.Chance(0.5);
  door.hinge_left = rng.Chance(0.5);
  door.panels = 1 + rng.Below(3);
  return door;
}

Kitchenette MakeKitchenette(Rng& rng, const Spot& spot) {
  Kitchenette kitchen;
  static_cast<Spot&>(kitchen) = {spot.x, spot.y + 14, spot.w, rng.Uniform(132, 145)};
  kitchen.cabinet = Color::Hsv(rng.Uniform(), rng.Uniform(0.05, 0.4), rng.Uniform(0.6, 0.92));
  kitchen.worktop = rng.Chance(0.5) ? Wood(rng) : Color{0.35, 0.35, 0.37};
  kitchen.fridge_left = rng.Chance(0.5);
  return kitchen;
}

void PlaceBackRow(Rng& rng, Room& room, const BackRow& row) {
  const double floor_y = room.walls.floor_y;
  const bool crowded = row.couch && row.bed;
  const double couch_w = crowded ? rng.Uniform(140, 150) : rng.Uniform(150, 185);
  const double bed_w = crowded ? rng.Uniform(150, 160) : rng.Uniform(165, 195);
  const double door_w = rng.Uniform(50, 62);
  constexpr double kKitchenWidth = 165;
  WallSpace space(rng, 8, kWorldWidth - 8);
  double used = 0;
  const auto want = [&](bool wanted, Item item, double width) {
    if (!wanted || used + width > kWorldWidth - 16) return;
    used += width;
    space.Want(item, width);
  };
  want(row.couch, Item::kCouch, couch_w);
  want(row.bed, Item::kBed, bed_w);
  want(row.door, Item::kDoor, door_w + 8);
  want(row.kitchenette, Item::kKitchen, kKitchenWidth);
  want(row.tv, Item::kTv, 92);
  want(row.plant, Item::kPlant, 40);
  space.Share([&](Item item, double x) {
    switch (item) {
      case Item::kCouch:
        room.couch = MakeCouch(rng, {x, floor_y, couch_w, 0});
        break;
      case Item::kBed:
        room.bed = MakeBed(rng, {x, floor_y, bed_w, 0});
        break;
      case Item::kDoor:
        room.door = MakeDoor(rng, {x, floor_y, door_w, 0});
        break;
      case Item::kTv:
        PlaceTv(rng, room, x);
        break;
      case Item::kKitchen:
        room.kitchenette = MakeKitchenette(rng, {x, floor_y, kKitchenWidth, 0});
        break;
      case Item::kPlant:
        room.walls.plant = true;
        room.walls.plant_spot = {x, floor_y + rng.Uniform(10, 18), 36, rng.Uniform(60, 85)};
        break;
    }
  });
}

/// True when [x - w/2, x + w/2] is free of tall things at the wall.
bool WallFree(const Room& room, double x, double w) {
  const auto clear = [&](const auto& thing) {
    return !thing || x + w / 2 < thing->left() || x - w / 2 > thing->right();
  };
  bool pictures_clear = true;
  for (const Picture& p : room.pictures) pictures_clear &= x + w / 2 < p.left() - 4 || x - w / 2 > p.right() + 4;
  const bool plant_clear = !room.walls.plant || std::abs(x - room.walls.plant_spot.x) > w / 2 + 18;
  return pictures_clear && plant_clear && clear(room.door) && clear(room.tv) && clear(room.kitchenette) &&
         clear(room.window) && x - w / 2 > room.walls.side_left + 4 &&
         x + w / 2 < kWorldWidth - room.walls.side_right - 4;
}

void HangOnWall(Rng& rng, Room& room) {
  if (rng.Chance(0.65)) {
    for (int tries = 0; tries < 8 && !room.window; ++tries) {
      const double w = rng.Uniform(60, 88);
      const double x = rng.Uniform(w / 2 + 12, kWorldWidth - w / 2 - 12);
      if (!WallFree(room, x, w + 16)) continue;
      Window window;
      static_cast<Spot&>(window) = {x, room.walls.floor_y - rng.Uniform(62, 78), w, rng.Uniform(56, 72)};
      window.curtain = Cloth(rng);
      window.curtains = rng.Chance(0.6);
      window.view = rng.Below(3);
      room.window = window;
    }
  }
  const int num_pictures = rng.Below(4);
  for (int tries = 0; tries < 10 && static_cast<int>(room.pictures.size()) < num_pictures; ++tries) {
    Picture picture;
    static_cast<Spot&>(picture) = {rng.Uniform(30, 370), room.walls.floor_y - rng.Uniform(75, 95), rng.Uniform(22, 46),
                                   rng.Uniform(22, 40)};
    picture.frame = Wood(rng);
    picture.paint = Cloth(rng);
    picture.motif = rng.Below(3);
    if (WallFree(room, picture.x, picture.w)) room.pictures.push_back(picture);
  }
}

void PlaceFrontRow(Rng& rng, Room& room, const RoomWishes& wishes) {
  const double floor_y = room.walls.floor_y;
  const double table_chance = room.kind == RoomKind::kKitchen ? 0.8 : 0.42;
  if (wishes.table || rng.Chance(table_chance)) {
    Table table;
    const double w = rng.Uniform(96, 125);
    const double x = rng.Chance(0.5) ? rng.Uniform(w / 2 + 6, 120) : rng.Uniform(280, kWorldWidth - w / 2 - 6);
    static_cast<Spot&>(table) = {x, floor_y + rng.Uniform(66, 84), w, rng.Uniform(54, 66)};
    table.wood = Wood(rng);
    table.thing = rng.Below(4);
    room.table = table;
  }
  if (rng.Chance(0.42)) {
    Chair chair;
    const double side = room.table ? (room.table->x < 200 ? 1 : -1) : (rng.Chance(0.5) ? 1 : -1);
    const double x = room.table ? room.table->x + side * (room.table->w / 2 + 16) : 200 + side * rng.Uniform(90, 160);
    static_cast<Spot&>(chair) = {x, room.table ? room.table->y + 4 : floor_y + rng.Uniform(55, 75), 40,
                                 rng.Uniform(82, 92)};
    chair.wood = Wood(rng);
    chair.faces_left = side > 0;
    room.chair = chair;
  }
  if (rng.Chance(0.45)) {
    for (int tries = 0; tries < 6 && !room.lamp; ++tries) {
      const double x = rng.Uniform(20, 380);
      if (!WallFree(room, x, 34)) continue;
      Lamp lamp;
      static_cast<Spot&>(lamp) = {x, floor_y + rng.Uniform(4, 10), 36, rng.Uniform(112, 132)};
      lamp.shade = Color::Hsv(rng.Uniform(0.02, 0.18), rng.Uniform(0.1, 0.5), rng.Uniform(0.6, 0.95));
      lamp.on = rng.Chance(0.5);
      room.lamp = lamp;
    }
  }
}

/// Bowl, ball and basket go to different thirds of the floor, so that they do not hide each other.
void PlaceOnFloor(Rng& rng, Room& room, const RoomWishes& wishes) {
  double thirds[3] = {75, 200, 325};
  for (int i = 2; i > 0; --i) std::swap(thirds[i], thirds[rng.Below(i + 1)]);
  if (wishes.bowl || rng.Chance(0.45)) {
    Bowl bowl;
    static_cast<Spot&>(bowl) = {thirds[0] + rng.Uniform(-25, 25), rng.Uniform(264, 284), rng.Uniform(44, 54), 0};
    bowl.h = bowl.w * 0.42;
    bowl.color = Color::Hsv(rng.Uniform(), rng.Uniform(0.3, 0.9), rng.Uniform(0.5, 0.95));
    room.bowl = bowl;
  }
  if (wishes.ball || rng.Chance(0.4)) {
    Ball ball;
    const double size = rng.Uniform(28, 36);
    static_cast<Spot&>(ball) = {thirds[1] + rng.Uniform(-30, 30), rng.Uniform(255, 288), size, size};
    ball.color = Color::Hsv(rng.Uniform(), rng.Uniform(0.65, 0.95), rng.Uniform(0.75, 0.98));
    ball.pattern = rng.Below(3);
    room.ball = ball;
  }
  if (wishes.basket || rng.Chance(0.3)) {
    Basket basket;
    static_cast<Spot&>(basket) = {thirds[2] + rng.Uniform(-10, 10), rng.Uniform(258, 280), rng.Uniform(112, 124), 0};
    basket.h = basket.w * 0.36;
    basket.rim = rng.Chance(0.5) ? Wood(rng) : Cloth(rng);
    basket.cushion = Cloth(rng).Mix({1, 1, 1}, 0.35);
    room.basket = basket;
  }
}

}  // namespace

Room FurnishRoom(Rng& rng, const RoomWishes& wishes) {
  Room room;
  const double lot = rng.Uniform();
  room.kind = wishes.bed     ? RoomKind::kBedroom
              : wishes.couch ? RoomKind::kLivingRoom
              : lot < 0.42   ? RoomKind::kLivingRoom
              : lot < 0.74   ? RoomKind::kBedroom
                             : RoomKind::kKitchen;
  PaintWalls(rng, room.walls);
  PlaceBackRow(rng, room, ChooseBackRow(rng, room.kind, wishes));
  HangOnWall(rng, room);
  PlaceFrontRow(rng, room, wishes);
  PlaceOnFloor(rng, room, wishes);
  return room;
}

}  // namespace pawsight::scenes
