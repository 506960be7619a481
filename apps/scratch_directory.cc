#include "apps/scratch_directory.h"

#include <stdlib.h>

#include <filesystem>

namespace pawsight {

ScratchDirectory::ScratchDirectory() {
  std::error_code missing;
  std::string pattern = (std::filesystem::temp_directory_path(missing) / "pawsight-XXXXXX").string();
  if (!missing && mkdtemp(pattern.data()) != nullptr) path_ = pattern;
}

ScratchDirectory::~ScratchDirectory() { Remove(); }

void ScratchDirectory::Remove() {
  std::error_code ignored;  // a leftover in the temporary directory harms nobody
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace pawsight
