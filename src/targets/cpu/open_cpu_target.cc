// targets/cpu/open_cpu_target.cc: where a target's components come from: a directory of artifacts, or a checkpoint
// packed in memory.
#include "base/files.h"
#include "engine/compile/artifact_writer.h"
#include "engine/memory_check.h"
#include "engine/parts.h"
#include "targets/cpu/cpu_target.h"

namespace pawsight::targets {

std::string ArtifactPath(const std::string& dir, engine::Component component) {
  return dir + "/" + std::string(engine::ComponentName(component)) + ".artifact";
}

Result<Artifacts> OpenArtifacts(const std::string& artifact_dir) {
  if (!IsDirectory(artifact_dir))
    return NotFound(artifact_dir + ": no such directory of artifacts; pawsight compile makes one");
  Artifacts artifacts;
  for (const engine::Component component : engine::kComponents) {
    const std::string path = ArtifactPath(artifact_dir, component);
    if (!FileExists(path)) continue;
    PAWSIGHT_ASSIGN_OR_RETURN(engine::Artifact artifact, engine::Artifact::Open(path));
    if (artifact.info().component != component) {
      return FailedPrecondition(path + ": is " + std::string(engine::ComponentName(artifact.info().component)),
                                "artifact_mismatch");
    }
    artifacts.push_back(std::make_shared<const engine::Artifact>(std::move(artifact)));
  }
  return artifacts;
}

Result<std::unique_ptr<engine::Target>> OpenCpuArtifacts(const std::string& artifact_dir, const CpuOptions& options) {
  PAWSIGHT_ASSIGN_OR_RETURN(Artifacts artifacts, OpenArtifacts(artifact_dir));
  for (const auto& artifact : artifacts) {
    if (!options.verify) break;
    const std::string path = ArtifactPath(artifact_dir, artifact->info().component);
    PAWSIGHT_RETURN_IF_ERROR(Annotate(artifact->Verify(), path));
  }
  auto target = MakeCpuTarget(std::move(artifacts), options);
  if (!target.ok()) return Annotate(target.status(), artifact_dir);
  return target;
}

Result<Artifacts> PackInMemory(const engine::Checkpoint& checkpoint, engine::Precision precision,
                               const std::string& source_hash) {
  PAWSIGHT_RETURN_IF_ERROR(engine::CheckMemory(checkpoint.weights.float_bytes(), engine::AvailableMemory()));
  Artifacts artifacts;
  for (const engine::Component component : engine::kComponents) {
    if (!engine::Parts::Wants(checkpoint.heads, component)) continue;
    PAWSIGHT_ASSIGN_OR_RETURN(engine::ArtifactWriter writer, engine::ArtifactWriter::InMemory());
    PAWSIGHT_ASSIGN_OR_RETURN(engine::Artifact artifact,
                              engine::PackComponent(checkpoint, component, precision, source_hash, writer));
    artifacts.push_back(std::make_shared<const engine::Artifact>(std::move(artifact)));
  }
  return artifacts;
}

Result<std::unique_ptr<engine::Target>> OpenCpuTarget(const std::string& model_dir, const CpuOptions& options) {
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::Checkpoint checkpoint, engine::Checkpoint::Open(model_dir, options.weights));
  auto artifacts = PackInMemory(checkpoint, options.precision);
  if (!artifacts.ok()) return Annotate(artifacts.status(), model_dir);
  return MakeCpuTarget(*std::move(artifacts), options);
}

}  // namespace pawsight::targets
