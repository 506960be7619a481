// scenes/walk.h: how a pet gets from one place to the next: down from the furniture, over the floor, up again.
// Pure functions.
#pragma once

#include <optional>

#include "scenes/scene.h"

namespace pawsight::scenes {

/// The pet part of the way (0..1, of a walk of `seconds`) from `from` to `to`; without `from` it comes in from the
/// nearer side of the picture, without `to` it leaves. At 0 and 1 it stands where the acts have it.
Pet Underway(const Room& room, const std::optional<Pet>& from, const std::optional<Pet>& to, double part,
             double seconds);

/// A person the same way; it stands at `at` when part = 1.
Person Arriving(const Person& at, double part, double seconds);

}  // namespace pawsight::scenes
