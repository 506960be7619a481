// targets/cpu/open_cpu_target.cc: where a target's components come from: a directory of artifacts, or a checkpoint packed
// in memory.
#include "base/files.h"
#include "engine/compile/pack.h"
#include "engine/memory_check.h"
#include "engine/parts.h"
#include "targets/cpu/cpu_target.h"

namespace pawsight::targets {

std::string ArtifactPath(const std::string& dir, engine::Component component) {
  return dir + "/" + std::string(engine::ComponentName(component)) + ".artifact";
}

Result<std::unique_ptr<engine::Target>> OpenCpuArtifacts(const std::string& artifact_dir, const CpuOptions& options) {
  if (!IsDirectory(artifact_dir)) return NotFound(artifact_dir + ": no such directory of artifacts");
  Artifacts artifacts;
  for (const engine::Component component : engine::kComponents) {
    const std::string path = ArtifactPath(artifact_dir, component);
    if (!FileExists(path)) continue;
    PAWSIGHT_ASSIGN_OR_RETURN(engine::Artifact artifact, engine::Artifact::Open(path));
    artifacts.push_back(std::move(artifact));
  }
  auto target = MakeCpuTarget(std::move(artifacts), options);
  if (!target.ok()) return Annotate(target.status(), artifact_dir);
  return target;
}

Result<std::unique_ptr<engine::Target>> OpenCpuTarget(const std::string& model_dir, const CpuOptions& options) {
  constexpr size_t kMaxConfig = 1U << 20U;
  engine::ArtifactInfo info{.precision = options.precision, .source = "memory", .compiler = "pawsight " PAWSIGHT_VERSION};
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::BlipConfig config, engine::BlipConfig::Open(model_dir));
  PAWSIGHT_ASSIGN_OR_RETURN(info.config, ReadTextFile(model_dir + "/config.json", kMaxConfig));
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::Weights weights,
                            options.weights.empty() ? engine::Weights::Open(model_dir) : engine::Weights::OpenFile(options.weights));
  PAWSIGHT_ASSIGN_OR_RETURN(info.heads, engine::CheckWeights(weights, config));
  PAWSIGHT_RETURN_IF_ERROR(Annotate(engine::CheckMemory(weights.float_bytes(), engine::AvailableMemory()), model_dir));
  Artifacts artifacts;
  for (const engine::Component component : engine::kComponents) {
    if (!engine::Parts::Wants(info.heads, component)) continue;
    info.component = component;
    PAWSIGHT_ASSIGN_OR_RETURN(engine::ArtifactWriter writer, engine::ArtifactWriter::InMemory());
    PAWSIGHT_ASSIGN_OR_RETURN(engine::Artifact artifact, engine::PackComponent(weights, info, std::move(writer)));
    artifacts.push_back(std::move(artifact));
  }
  return MakeCpuTarget(std::move(artifacts), options);
}

}  // namespace pawsight::targets
