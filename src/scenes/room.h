// scenes/room.h: one room as data: which furniture stands where, in which colours. Made from a seed, drawn by
// paint_room.cc. Values.
#pragma once

#include <optional>
#include <vector>

#include "base/rng.h"
#include "scenes/canvas.h"
#include "scenes/truth.h"

namespace pawsight::scenes {

/// The world a camera sees, in units; x to the right, y down.
inline constexpr double kWorldWidth = 400;
inline constexpr double kWorldHeight = 300;

/// Where a thing stands: the middle of its foot, its width and height. Things with a larger y stand nearer.
struct Spot {
  double x = 0, y = 0, w = 0, h = 0;

  double left() const { return x - w / 2; }
  double right() const { return x + w / 2; }
  double top() const { return y - h; }
};

struct Couch : Spot {
  Color color;
  int cushions = 2;
  double arm = 20;  // width of an arm
  double roundness = 10;
  bool torn = false;  // stuffing shows where somebody chewed the left or right arm
  bool torn_left = true;
  Color pillow;
};

struct Bed : Spot {
  Color frame, blanket, sheet;
  bool head_left = true;
  int pattern = 0;
};

struct Table : Spot {
  Color wood;
  int thing = 0;  // what lies on it: nothing, a vase, a cup, fruit
};

struct Chair : Spot {
  Color wood;
  bool faces_left = false;
};

struct Tv : Spot {
  bool on_wall = false;
  bool on = false;
  Color picture;
  int program = 0;
};

struct Door : Spot {
  Color color;
  bool open = false;
  bool hinge_left = true;
  int panels = 2;
};

struct Window : Spot {
  Color curtain;
  bool curtains = true;
  int view = 0;
};

struct Lamp : Spot {
  Color shade;
  bool on = false;
};

struct Bowl : Spot {
  Color color;
};

struct Ball : Spot {
  Color color;
  int pattern = 0;
};

struct Basket : Spot {
  Color rim, cushion;
};

struct Picture : Spot {
  Color frame, paint;
  int motif = 0;
};

/// Kitchen wall: cabinets, a worktop, a fridge.
struct Kitchenette : Spot {
  Color cabinet, worktop;
  bool fridge_left = true;
};

struct Walls {
  double floor_y = 165;  // where wall meets floor
  Color wall, wall_low, floor, skirting;
  int wall_pattern = 0;   // plain, stripes, panels, dots
  int floor_pattern = 0;  // planks, tiles, carpet
  bool rug = false;
  Spot rug_spot;
  Color rug_color, rug_edge;
  bool plant = false;
  Spot plant_spot;
  double side_left = 0, side_right = 0;  // width of the side walls that show, 0 for none
};

struct Room {
  RoomKind kind = RoomKind::kLivingRoom;
  Walls walls;
  std::optional<Couch> couch;
  std::optional<Bed> bed;
  std::optional<Table> table;
  std::optional<Chair> chair;
  std::optional<Tv> tv;
  std::optional<Door> door;
  std::optional<Window> window;
  std::optional<Lamp> lamp;
  std::optional<Bowl> bowl;
  std::optional<Ball> ball;
  std::optional<Basket> basket;
  std::optional<Kitchenette> kitchenette;
  std::vector<Picture> pictures;
};

/// What a room must have; everything else is drawn by lot.
struct RoomWishes {
  bool couch = false, bed = false, table = false, door = false, bowl = false, ball = false, basket = false, tv = false;
};

/// A random room; the wishes are met whatever the lot says (at most one of couch and bed may be wished together with
/// table and door, or the wall is full).
Room FurnishRoom(Rng& rng, const RoomWishes& wishes = {});

}  // namespace pawsight::scenes
