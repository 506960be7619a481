// scenes/picture.h: a scene becomes a frame. Pure: the same scene and size give the same bytes from the same
// program; another compiler's arithmetic may move single pixels by one level.
#pragma once

#include "frames/image.h"
#include "scenes/scene.h"

namespace pawsight::scenes {

/// Paints back to front, then exposes (sensor.h). width, height: 32..4096, 4:3 unless you want it squashed.
/// Cost: about 3 ms for 256x192.
frames::Image Paint(const Scene& scene, int width, int height);

}  // namespace pawsight::scenes
