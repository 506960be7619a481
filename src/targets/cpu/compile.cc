#include "targets/cpu/compile.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "engine/compile/artifact_writer.h"
#include "engine/parts.h"

namespace pawsight::targets {
namespace {

using engine::Artifact;
using engine::Component;
using engine::ComponentName;
using engine::Precision;
using engine::PrecisionName;

/// What a model needs beside its weights, in the hub's names.
constexpr const char* kModelFiles[] = {"config.json",     "preprocessor_config.json", "vocab.txt",
                                       "tokenizer.json",  "tokenizer_config.json",    "special_tokens_map.json",
                                       "calibration.json"};
constexpr size_t kMaxModelFile = 64U << 20U;

std::string SystemReason() { return std::system_category().message(errno); }

/// The directory to itself, from construction on; and what an interrupted compile left there swept out.
class OutDirectory {
 public:
  static Result<OutDirectory> Open(const std::string& dir) {
    if (FileExists(dir))
      return InvalidArgument(dir + ": is a file, want a directory for the artifacts", "not_a_directory");
    std::error_code error;
    std::filesystem::create_directories(dir, error);
    if (error) return Unavailable(dir + ": " + error.message());
    OutDirectory out;
    out.lock_ = ::open((dir + "/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (out.lock_ < 0) return Unavailable(dir + "/.lock: " + SystemReason());
    while (::flock(out.lock_, LOCK_EX) != 0) {
      if (errno != EINTR) return Unavailable(dir + "/.lock: " + SystemReason());
    }
    for (const auto& entry : std::filesystem::directory_iterator(dir, error)) {
      const std::string name = entry.path().filename().string();
      if (name.find(".artifact.") != std::string::npos) std::filesystem::remove(entry.path(), error);
    }
    return out;
  }
  OutDirectory(OutDirectory&& other) noexcept : lock_(std::exchange(other.lock_, -1)) {}
  OutDirectory& operator=(OutDirectory&&) = delete;
  ~OutDirectory() {
    if (lock_ >= 0) ::close(lock_);  // lets the lock go
  }

 private:
  OutDirectory() = default;
  int lock_ = -1;
};

/// Lines appended to compile.log; a log that cannot be written is no reason not to compile.
class CompileLog {
 public:
  explicit CompileLog(const std::string& dir) : file_(std::fopen((dir + "/compile.log").c_str(), "ae")) {}
  ~CompileLog() {
    if (file_ != nullptr) std::fclose(file_);
  }
  CompileLog(const CompileLog&) = delete;
  CompileLog& operator=(const CompileLog&) = delete;

  void Say(const std::string& line) {
    if (file_ == nullptr) return;
    std::fprintf(file_, "%s %s\n", FormatTime(clock_.Now()).c_str(), line.c_str());
    std::fflush(file_);
  }

 private:
  SystemClock clock_;
  std::FILE* file_;
};

Json ToJson(const Compiled& compiled) {
  Json json(Json::Object{{"component", ComponentName(compiled.component)},
                         {"file", std::filesystem::path(compiled.path).filename().string()},
                         {"precision", PrecisionName(compiled.precision)},
                         {"bytes", compiled.bytes}});
  if (compiled.check.stage.empty()) return json;
  json.Set("self_check", Json(Json::Object{{"stage", compiled.check.stage},
                                           {"least_cosine", compiled.check.cosine},
                                           {"relative_error", compiled.check.relative_error},
                                           {"limit", compiled.check.limit}}));
  return json;
}

/// The lengths asked for, or the usual ones that the model has positions for.
std::vector<int> LengthsOf(const CompileOptions& options, const engine::TextConfig& text) {
  if (!options.question_lengths.empty()) return options.question_lengths;
  std::vector<int> lengths;
  for (const int length : {8, 16, 35}) {
    if (length <= text.max_positions) lengths.push_back(length);
  }
  if (lengths.empty()) lengths.push_back(text.max_positions);
  return lengths;
}

/// One run over one checkpoint.
class Compiler {
 public:
  Compiler(std::string model_dir, std::string out_dir, const CompileOptions& options, const CompileProgress& progress,
           engine::Checkpoint checkpoint, std::string source)
      : model_dir_(std::move(model_dir)),
        out_dir_(std::move(out_dir)),
        options_(options),
        progress_(progress),
        checkpoint_(std::move(checkpoint)),
        source_(std::move(source)),
        question_lengths_(LengthsOf(options, checkpoint_.config.text)),
        log_(out_dir_) {}

  Result<std::vector<Compiled>> Run();

 private:
  Status CheckOptions() const;
  std::optional<Compiled> UpToDate(Component component, bool asked) const;
  Result<Compiled> Compile(Component component);
  Result<SelfCheck> Check(const std::shared_ptr<const Artifact>& artifact);
  Status CopyModelFiles() const;
  Status WriteManifest(const std::vector<Compiled>& compiled) const;
  void Tell(Component component, std::string_view what, double share) const {
    if (progress_) progress_(component, what, share);
  }

  const std::string model_dir_;
  const std::string out_dir_;
  const CompileOptions& options_;
  const CompileProgress& progress_;
  const engine::Checkpoint checkpoint_;
  const std::string source_;
  const std::vector<int> question_lengths_;
  CompileLog log_;
  std::optional<SelfChecker> checker_;  // made when the first component is to be checked
};

Status Compiler::CheckOptions() const {
  for (const Component component : options_.components) {
    if (engine::Parts::Wants(checkpoint_.heads, component)) continue;
    return InvalidArgument("component: this checkpoint has no " + std::string(ComponentName(component)), "option_invalid");
  }
  for (const int length : question_lengths_) {
    if (length >= 1 && length <= checkpoint_.config.text.max_positions) continue;
    return InvalidArgument("question_length: " + std::to_string(length) + ", want 1.." +
                           std::to_string(checkpoint_.config.text.max_positions), "option_invalid");
  }
  return Ok();
}

/// The artifact that is there, when nothing would change by making it anew; of one that is not asked for, whatever its
/// precision. Its manifest entry has the check.
std::optional<Compiled> Compiler::UpToDate(Component component, bool asked) const {
  const std::string path = ArtifactPath(out_dir_, component);
  const Result<Artifact> there = Artifact::Open(path);
  if (!there.ok() || there->info().source != source_ || there->info().config != checkpoint_.config_text ||
      (asked && there->info().precision != options_.PrecisionOf(component)) || !there->Verify().ok()) {
    return std::nullopt;
  }
  Compiled compiled{.component = component,
                    .precision = there->info().precision,
                    .path = path,
                    .bytes = there->bytes(),
                    .up_to_date = true};
  const auto text = ReadTextFile(out_dir_ + "/manifest.json", kMaxModelFile);
  const auto manifest = text.ok() ? Json::Parse(*text) : Result<Json>(text.status());
  const auto components =
      manifest.ok() ? manifest->GetArray("components") : Result<const Json::Array*>(manifest.status());
  if (!components.ok()) return compiled;
  for (const Json& one : **components) {
    const Json* name = one.Find("component");
    const Json* check = one.Find("self_check");
    if (name == nullptr || !name->is_string() || name->as_string() != ComponentName(component) || check == nullptr)
      continue;
    compiled.check = {check->GetString("stage").ok() ? *check->GetString("stage") : "",
                      check->GetNumber("least_cosine").ok() ? *check->GetNumber("least_cosine") : 0.0,
                      check->GetNumber("relative_error").ok() ? *check->GetNumber("relative_error") : 0.0,
                      LeastCosine(compiled.precision)};
  }
  return compiled;
}

Result<SelfCheck> Compiler::Check(const std::shared_ptr<const Artifact>& artifact) {
  if (!checker_) {
    PAWSIGHT_ASSIGN_OR_RETURN(Artifacts fp32, PackInMemory(checkpoint_, Precision::kFp32, source_));
    PAWSIGHT_ASSIGN_OR_RETURN(checker_, SelfChecker::Make(std::move(fp32), question_lengths_, options_.cpu));
  }
  return checker_->Check(artifact);
}

Result<Compiled> Compiler::Compile(Component component) {
  const auto start = std::chrono::steady_clock::now();
  const Precision precision = options_.PrecisionOf(component);
  Compiled compiled{.component = component, .precision = precision, .path = ArtifactPath(out_dir_, component)};
  const auto whole = static_cast<double>(checkpoint_.weights.float_bytes());
  const auto packing = [&](uint64_t bytes) { Tell(component, "packing", static_cast<double>(bytes) / whole); };
  PAWSIGHT_ASSIGN_OR_RETURN(engine::ArtifactWriter writer, engine::ArtifactWriter::Create(compiled.path));
  PAWSIGHT_ASSIGN_OR_RETURN(Artifact packed,
                            engine::PackComponent(checkpoint_, component, precision, source_, writer, packing));
  const auto artifact = std::make_shared<const Artifact>(std::move(packed));
  compiled.bytes = artifact->bytes();
  if (options_.check) {
    Tell(component, "checking", 1.0);
    PAWSIGHT_ASSIGN_OR_RETURN(compiled.check, Check(artifact));
    if (!compiled.check.ok()) {
      return FailedPrecondition(
          std::string(ComponentName(component)) + " in " + std::string(PrecisionName(precision)) + ": cosine " +
              std::to_string(compiled.check.cosine) + " of " + compiled.check.stage + " against fp32, want at least " +
              std::to_string(compiled.check.limit) + "; compile it in a finer precision: --precision " +
              std::string(ComponentName(component)) + (precision == Precision::kInt8 ? "=bf16" : "=fp32"),
          "self_check_failed");
    }
  }
  PAWSIGHT_RETURN_IF_ERROR(writer.Publish());
  compiled.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  Tell(component, "done", 1.0);
  return compiled;
}

Status Compiler::CopyModelFiles() const {
  for (const char* name : kModelFiles) {
    const std::string from = model_dir_ + "/" + name;
    const std::string to = out_dir_ + "/" + name;
    if (!FileExists(from)) {
      // A calibration that the model no longer has would bend its answers unseen; the other files are refused when they
      // do not fit.
      std::error_code error;
      if (std::string_view(name) == "calibration.json") std::filesystem::remove(to, error);
      continue;
    }
    PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(from, kMaxModelFile));
    const auto there = ReadTextFile(to, kMaxModelFile);
    if (there.ok() && *there == text) continue;
    PAWSIGHT_RETURN_IF_ERROR(WriteFileAtomically(to, text));
  }
  return Ok();
}

Status Compiler::WriteManifest(const std::vector<Compiled>& compiled) const {
  Json components{Json::Array{}};
  for (const Compiled& one : compiled) components.Append(ToJson(one));
  Json lengths{Json::Array{}};
  for (const int length : question_lengths_) lengths.Append(length);
  const engine::VisionConfig& vision = checkpoint_.config.vision;
  const engine::TextConfig& text = checkpoint_.config.text;
  const Json manifest(Json::Object{
      {"format", static_cast<int64_t>(engine::kArtifactVersion)},
      {"compiler", "pawsight " PAWSIGHT_VERSION},
      {"target", "cpu"},
      {"instruction_sets", Json::Array{"scalar", "avx2", "avx512", "amx"}},
      {"source", Json(Json::Object{{"hash", source_}, {"weights", std::string(checkpoint_.weights.format())}})},
      {"question_lengths", lengths},
      {"shapes", Json(Json::Object{{"pixels", Json::Array{1, 3, vision.image_size, vision.image_size}},
                                   {"image_embeds", Json::Array{1, vision.num_tokens(), vision.hidden_size}},
                                   {"vocabulary", text.vocab_size}})},
      {"components", components}});
  return WriteFileAtomically(out_dir_ + "/manifest.json", manifest.Dump() + "\n");
}

Result<std::vector<Compiled>> Compiler::Run() {
  PAWSIGHT_RETURN_IF_ERROR(CheckOptions());
  PAWSIGHT_RETURN_IF_ERROR(CopyModelFiles());
  log_.Say("compile of " + model_dir_ + ", source " + source_);
  std::vector<Compiled> all;  // for the manifest, also what was not asked for but is there
  std::vector<Compiled> answers;
  Status failed;
  for (const Component component : engine::kComponents) {
    if (!engine::Parts::Wants(checkpoint_.heads, component)) continue;
    const bool asked =
        options_.components.empty() || std::ranges::find(options_.components, component) != options_.components.end();
    std::optional<Compiled> one = UpToDate(component, asked);
    if (asked && failed.ok() && (!one || options_.force)) {
      Result<Compiled> made = Compile(component);
      if (made.ok()) {
        one = *std::move(made);
      } else {
        failed = made.status();
      }
    } else if (one && asked) {
      Tell(component, "up to date", 1.0);
    }
    if (!one) continue;
    log_.Say(ToJson(*one).Dump() +
             (one->up_to_date ? " up to date" : " made in " + std::to_string(one->took.count()) + " ms"));
    all.push_back(*one);
    if (asked) answers.push_back(*one);
  }
  PAWSIGHT_RETURN_IF_ERROR(WriteManifest(all));
  if (!failed.ok()) {
    log_.Say("failed: " + failed.message());
    return failed;
  }
  return answers;
}

}  // namespace

Precision CompileOptions::PrecisionOf(Component component) const {
  const auto own = component_precision.find(component);
  return own == component_precision.end() ? precision : own->second;
}

Result<std::vector<Compiled>> CompileForCpu(const std::string& model_dir, const std::string& out_dir,
                                            const CompileOptions& options, const CompileProgress& progress) {
  PAWSIGHT_ASSIGN_OR_RETURN(engine::Checkpoint checkpoint, engine::Checkpoint::Open(model_dir, options.weights));
  PAWSIGHT_ASSIGN_OR_RETURN(const OutDirectory out, OutDirectory::Open(out_dir));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string source, checkpoint.Hash());
  return Compiler(model_dir, out_dir, options, progress, std::move(checkpoint), source).Run();
}

}  // namespace pawsight::targets
