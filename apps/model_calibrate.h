// apps/model_calibrate.h: `pawsight model calibrate`: fits how sure a model may say it is, and writes calibration.json.
#pragma once

namespace CLI {
class App;
}

namespace pawsight {

/// Adds `calibrate` to `pawsight model`.
void AddModelCalibrate(CLI::App& model, int* exit_code);

}  // namespace pawsight
