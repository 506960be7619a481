#include "scenes/picture.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "scenes/paint.h"
#include "scenes/sensor.h"
#include "scenes/staging.h"

namespace pawsight::scenes {
namespace {

/// What is painted, sorted by how near it stands.
class Layers {
 public:
  template <typename Painter>
  void Add(double depth, Painter painter) {
    layers_.emplace_back(depth, std::move(painter));
  }
  void Paint() {
    std::stable_sort(layers_.begin(), layers_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [depth, painter] : layers_) painter();
  }

 private:
  std::vector<std::pair<double, std::function<void()>>> layers_;
};

void AddFurniture(Layers& layers, Canvas& canvas, const Scene& scene) {
  const Room& room = scene.room;
  if (room.kitchenette) layers.Add(room.kitchenette->y, [&] { PaintKitchenette(canvas, *room.kitchenette); });
  if (room.walls.plant) layers.Add(room.walls.plant_spot.y, [&] { PaintPlant(canvas, room.walls.plant_spot); });
  if (room.couch) layers.Add(room.couch->y, [&] { PaintCouch(canvas, *room.couch); });
  if (room.bed) layers.Add(room.bed->y, [&] { PaintBed(canvas, *room.bed); });
  if (room.table) layers.Add(room.table->y, [&] { PaintTable(canvas, *room.table); });
  if (room.chair) layers.Add(room.chair->y, [&] { PaintChair(canvas, *room.chair); });
  if (room.tv) layers.Add(room.tv->on_wall ? 1 : room.tv->y, [&] { PaintTv(canvas, *room.tv, scene.seconds); });
  if (room.lamp) layers.Add(room.lamp->y, [&] { PaintLamp(canvas, *room.lamp); });
  if (room.bowl) layers.Add(room.bowl->y, [&] { PaintBowl(canvas, *room.bowl); });
  if (room.ball) layers.Add(room.ball->y, [&] { PaintBall(canvas, *room.ball); });
  if (room.basket) {
    layers.Add(room.basket->y - 8, [&] { PaintBasketBack(canvas, *room.basket); });
    layers.Add(room.basket->y, [&] { PaintBasketFront(canvas, *room.basket); });
  }
}

void PaintBackground(Canvas& canvas, const Scene& scene) {
  const Room& room = scene.room;
  PaintWallsAndFloor(canvas, room);
  for (const Picture& picture : room.pictures) PaintPicture(canvas, picture);
  if (room.window) PaintWindow(canvas, *room.window, scene.night);
  if (room.door) PaintDoor(canvas, *room.door, room.walls);
  PaintRug(canvas, room.walls);
}

}  // namespace

frames::Image Paint(const Scene& scene, int width, int height) {
  Canvas canvas(width, height);
  const View& view = scene.view;
  canvas.Translate(kWorldWidth / 2, kWorldHeight / 2);
  canvas.Rotate(view.roll);
  canvas.Scale(view.mirrored ? -view.zoom : view.zoom, view.zoom);
  canvas.Translate(view.shift_x - kWorldWidth / 2, view.shift_y - kWorldHeight / 2);
  PaintBackground(canvas, scene);
  Layers layers;
  AddFurniture(layers, canvas, scene);
  for (const Pet& pet : scene.pets) {
    layers.Add(Depth(scene.room, pet), [&] {
      PaintPet(canvas, pet, scene.night);
      if (pet.activity == Activity::kChewing) PaintFluff(canvas, MouthOf(pet), pet.y + 2, pet.phase);
    });
  }
  for (const Person& person : scene.people) {
    layers.Add(Depth(scene.room, person), [&] { PaintPerson(canvas, person); });
  }
  layers.Paint();
  frames::Image image = canvas.Snapshot();
  Expose(image, scene);
  return image;
}

}  // namespace pawsight::scenes
