// scenes/sensor.h: what lies between the room and the bytes: light, lens, sensor noise, JPEG. Pure functions.
#pragma once

#include <cstdint>

#include "frames/image.h"
#include "scenes/scene.h"

namespace pawsight::scenes {

/// Changes `image` into what the camera of `scene.view` would give: infrared grey at night, brightness, contrast,
/// vignette, blur, noise seeded by scene.noise_seed, and the blocks of its JPEG quality. Cost: about 1.5 ms for
/// 256x192.
void Expose(frames::Image& image, const Scene& scene);

/// The loss of a baseline JPEG at `quality` (1..100), 4:2:0, without the bytes: 8x8 cosine transforms, quantised with
/// the tables of ITU T.81 annex K and back. Nothing is entropy-coded, so no codec is needed here.
void JpegLoss(frames::Image& image, int quality);

}  // namespace pawsight::scenes
