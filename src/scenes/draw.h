// scenes/draw.h: independent random scenes, for training and measuring. Pure functions of the seed.
#pragma once

#include <cstdint>

#include "frames/image.h"
#include "scenes/scene.h"

namespace pawsight::scenes {

struct Frame {
  frames::Image image;
  Truth truth;
};

/// A room with nobody to three pets and sometimes people, day or night. The lot is loaded so that each activity,
/// place and thing of questions.h comes often enough both ways.
Scene RandomScene(uint64_t seed);

/// RandomScene(seed), painted.
Frame Draw(uint64_t seed, int width, int height);

}  // namespace pawsight::scenes
