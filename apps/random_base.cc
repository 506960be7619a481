#include "apps/random_base.h"

#include "apps/artifact_cache.h"
#include "targets/random_model.h"

namespace pawsight {

Result<std::string> RandomBaseModel(const std::function<bool(double part)>& on_part) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string cache, CacheDir());
  std::string dir = cache + "/random-base";
  PAWSIGHT_RETURN_IF_ERROR(targets::WriteRandomModel(dir, targets::kBlipBaseConfig, on_part));
  return dir;
}

}  // namespace pawsight
