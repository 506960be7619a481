// scenes/paint.h: one painter for each kind of thing. Used by picture.cc only, which decides the order.
#pragma once

#include "scenes/canvas.h"
#include "scenes/scene.h"

namespace pawsight::scenes {

// paint_room.cc
void PaintWallsAndFloor(Canvas& canvas, const Room& room);
void PaintRug(Canvas& canvas, const Walls& walls);
void PaintWindow(Canvas& canvas, const Window& window, bool night);
void PaintPicture(Canvas& canvas, const Picture& picture);
void PaintDoor(Canvas& canvas, const Door& door, const Walls& walls);
void PaintPlant(Canvas& canvas, const Spot& spot);

// paint_furniture.cc
void PaintCouch(Canvas& canvas, const Couch& couch);
void PaintBed(Canvas& canvas, const Bed& bed);
void PaintTable(Canvas& canvas, const Table& table);
void PaintChair(Canvas& canvas, const Chair& chair);
void PaintKitchenette(Canvas& canvas, const Kitchenette& kitchen);
void PaintTv(Canvas& canvas, const Tv& tv, double seconds);
void PaintLamp(Canvas& canvas, const Lamp& lamp);

// paint_things.cc
void PaintBowl(Canvas& canvas, const Bowl& bowl);
void PaintBall(Canvas& canvas, const Ball& ball);
/// The basket's back and cushion; its front rim goes over a pet that lies in it.
void PaintBasketBack(Canvas& canvas, const Basket& basket);
void PaintBasketFront(Canvas& canvas, const Basket& basket);
/// White stuffing that flies from the couch at `at` while it is chewed and lies on the floor below.
void PaintFluff(Canvas& canvas, Point at, double floor_y, double seconds);

// paint_pets.cc
void PaintPet(Canvas& canvas, const Pet& pet, bool night);

// paint_people.cc
void PaintPerson(Canvas& canvas, const Person& person);

}  // namespace pawsight::scenes
