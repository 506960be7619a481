// apps/scenes.cc: `pawsight scenes`: drawn frames for training (a binary stream) and for people to look at.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include "apps/commands.h"
#include "apps/scenes_gate.h"
#include "base/files.h"
#include "base/json.h"
#include "frames/encode.h"
#include "frames/resize.h"
#include "scenes/draw.h"
#include "scenes/picture.h"
#include "scenes/questions.h"

namespace pawsight {
namespace {

struct SceneOptions {
  uint64_t seed = 1;   // scenes of different seeds have nothing in common
  uint64_t first = 0;  // index of the first scene, to go on where a stream was cut
  int64_t count = 16;  // scenes; -1 for no end
  int size = 128;      // side of the square RGB frames of a stream, 32..1024
  int questions = 6;   // a scene, 0..64
  int width = 640;     // of drawn JPEG files; 4:3
  std::string out;
};

/// Scenes are painted at a camera's size drawn by lot and squashed, as a real frame is on its way into the model.
frames::Image SquareFrame(const scenes::Scene& scene, Rng& rng, int size) {
  static constexpr int kWidths[] = {208, 208, 240, 240, 256, 320};
  const int width = kWidths[rng.Below(6)] * (size > 192 ? 2 : 1);
  return frames::ResizeBicubic(scenes::Paint(scene, width, width * 3 / 4), size, size);
}

uint64_t SceneSeed(const SceneOptions& options, int64_t i) {
  return Rng(options.seed).Fork(options.first + static_cast<uint64_t>(i)).Next();
}

bool Write(const void* bytes, size_t size) { return std::fwrite(bytes, 1, size, stdout) == size; }

bool WriteNumber(uint32_t value) {
  const uint8_t bytes[4] = {static_cast<uint8_t>(value), static_cast<uint8_t>(value >> 8U),
                            static_cast<uint8_t>(value >> 16U), static_cast<uint8_t>(value >> 24U)};
  return Write(bytes, sizeof bytes);
}

bool WriteRecord(const SceneOptions& options, const scenes::Questioner& questioner, uint64_t seed) {
  Rng rng = Rng(seed).Fork(9);
  const scenes::Scene scene = scenes::RandomScene(seed);
  const scenes::Truth truth = scenes::Describe(scene);
  Json::Array questions;
  for (const scenes::Asked& asked : questioner.Ask(truth, rng, options.questions)) {
    questions.push_back(Json::Object{{"text", asked.text}, {"answer", asked.answer}, {"family", asked.family}});
  }
  const Json record(Json::Object{
      {"seed", std::to_string(seed)}, {"truth", scenes::ToJson(truth)}, {"questions", std::move(questions)}});
  const std::string json = record.Dump();
  const frames::Image image = SquareFrame(scene, rng, options.size);
  return WriteNumber(static_cast<uint32_t>(json.size())) && Write(json.data(), json.size()) &&
         Write(image.rgb.data(), image.rgb.size());
}

/// docs/formats/scene-stream.md.
int Stream(const SceneOptions& options) {
  const scenes::Questioner questioner;
  bool written = Write("PAWSCENE", 8) && WriteNumber(1) && WriteNumber(static_cast<uint32_t>(options.size));
  for (int64_t i = 0; written && (options.count < 0 || i < options.count); ++i) {
    written = WriteRecord(options, questioner, SceneSeed(options, i));
  }
  if (written && std::fflush(stdout) == 0) return kExitOk;
  if (errno == EPIPE) return kExitOk;  // the reader has gone: it has enough
  return ReportEnvironmentError(Unavailable(std::string("standard output: ") + std::strerror(errno)));
}

int DrawFiles(const SceneOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error) return ReportEnvironmentError(NotFound("--out: cannot make " + options.out + ": " + error.message()));
  for (int64_t i = 0; i < options.count; ++i) {
    const scenes::Frame frame = scenes::Draw(SceneSeed(options, i), options.width, options.width * 3 / 4);
    const auto jpeg = frames::EncodeJpeg(frame.image, 90);
    const std::string base = options.out + "/scene-" + std::to_string(options.first + static_cast<uint64_t>(i));
    Status status = jpeg.status();
    if (jpeg.ok()) {
      status = WriteFileAtomically(base + ".jpg", {reinterpret_cast<const char*>(jpeg->data()), jpeg->size()});
    }
    if (status.ok()) status = WriteFileAtomically(base + ".json", scenes::ToJson(frame.truth).Dump() + "\n");
    if (!status.ok()) {
      return ReportEnvironmentError(Annotate(status, base));
    }
  }
  return 0;
}

int PrintWords() {
  for (const std::string& word : scenes::QuestionWords()) std::printf("%s\n", word.c_str());
  return 0;
}

}  // namespace

void AddScenesCommand(CLI::App& program, int* exit_code) {
  auto* scenes = program.add_subcommand("scenes", "drawn rooms with pets, and the truth about them");
  scenes->require_subcommand(1);
  scenes->footer(
      "Examples:\n  pawsight scenes draw --out rooms --count 20\n"
      "  pawsight scenes stream --seed 7 --count 1000 --size 128 --questions 6 > scenes.bin");
  auto options = std::make_shared<SceneOptions>();
  auto* stream = scenes->add_subcommand("stream", "frames, truth and questions to standard output, for training");
  auto* draw = scenes->add_subcommand("draw", "frames as JPEG with their truth as JSON, to look at");
  auto* words = scenes->add_subcommand("words", "every word the questions and answers use");
  for (CLI::App* command : {stream, draw}) {
    command->add_option("--seed", options->seed, "which scenes")->capture_default_str();
    command->add_option("--first", options->first, "index of the first scene")->capture_default_str();
  }
  stream->add_option("--count", options->count, "how many; -1 for no end")
      ->check(CLI::Range(-1, 1 << 30))
      ->capture_default_str();
  draw->add_option("--count", options->count, "how many")->check(CLI::Range(1, 100000))->capture_default_str();
  stream->add_option("--size", options->size, "side in pixels")->check(CLI::Range(32, 1024))->capture_default_str();
  stream->add_option("--questions", options->questions, "a frame")->check(CLI::Range(0, 64))->capture_default_str();
  draw->add_option("--width", options->width, "in pixels; the height is 3/4 of it")
      ->check(CLI::Range(64, 4096))
      ->capture_default_str();
  draw->add_option("--out", options->out, "folder, made if missing")->required();
  stream->callback([options, exit_code] { *exit_code = Stream(*options); });
  AddScenesGateCommand(*scenes, exit_code);
  draw->callback([options, exit_code] { *exit_code = DrawFiles(*options); });
  words->callback([exit_code] { *exit_code = PrintWords(); });
}

}  // namespace pawsight
