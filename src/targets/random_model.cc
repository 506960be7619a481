#include "targets/random_model.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "engine/expected_tensors.h"

namespace pawsight::targets {
namespace {

constexpr size_t kMaxConfig = 1U << 20U;

struct Close {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }  // what counts is checked before
};

Status Failed(const std::string& path) { return Unavailable(path + ": " + std::strerror(errno)); }

/// What a checkpoint of that class can be asked.
engine::Head HeadOf(const engine::BlipConfig& config) {
  if (config.architecture == "BlipForConditionalGeneration") return engine::Head::kCaption;
  if (config.architecture == "BlipForImageTextRetrieval") return engine::Head::kItm;
  return engine::Head::kVqa;
}

/// The header of a safetensors file with every tensor that the config wants, padded to 8 bytes, and the tensors' bytes.
struct Layout {
  std::string header;
  int64_t bytes = 0;
};

Layout LayOut(const engine::BlipConfig& config) {
  Json header;
  Layout layout;
  for (const engine::ExpectedTensor& tensor : engine::ExpectedTensors(config, HeadOf(config))) {
    if (tensor.optional) continue;
    Json shape{Json::Array{}};
    int64_t count = 1;
    for (const int64_t dim : tensor.shape) {
      shape.Append(dim);
      count *= dim;
    }
    Json entry;
    entry.Set("dtype", "BF16");
    entry.Set("shape", std::move(shape));
    entry.Set("data_offsets", Json::Array{Json(layout.bytes), Json(layout.bytes + 2 * count)});
    header.Set(tensor.name, std::move(entry));
    layout.bytes += 2 * count;
  }
  layout.header = header.Dump();
  layout.header.resize((layout.header.size() + 7) / 8 * 8, ' ');
  return layout;
}

Status WriteNoise(const std::string& path, const Layout& layout, const WriteProgress& progress) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "wb"));
  if (file == nullptr) return Failed(path);
  const uint64_t length = layout.header.size();
  if (std::fwrite(&length, sizeof length, 1, file.get()) != 1) return Failed(path);
  if (std::fwrite(layout.header.data(), 1, length, file.get()) != length) return Failed(path);
  Rng rng(1);
  std::vector<uint16_t> block(1U << 20U);
  const auto values = static_cast<size_t>(layout.bytes / 2);
  for (size_t done = 0; done < values;) {
    for (uint16_t& value : block) {  // sign, exponent of 2^-6 or 2^-5, seven random bits of mantissa
      const uint64_t bits = rng.Next();
      value = static_cast<uint16_t>((bits & 0x807F) | ((121 + (bits >> 20 & 1)) << 7));
    }
    const size_t count = std::min(block.size(), values - done);
    if (std::fwrite(block.data(), sizeof(uint16_t), count, file.get()) != count) return Failed(path);
    done += count;
    if (progress && !progress(static_cast<double>(done) / static_cast<double>(values))) {
      return Cancelled(path + ": interrupted");
    }
  }
  if (std::fflush(file.get()) != 0) return Failed(path);
  return Ok();
}

/// The special tokens where the config wants them, the words of a few questions, letters, and fillers.
std::string Vocabulary(const engine::TextConfig& text) {
  std::vector<std::string> tokens(static_cast<size_t>(text.vocab_size));
  const auto put = [&](int id, const char* token) { tokens[static_cast<size_t>(id)] = token; };
  put(text.pad_id, "[PAD]");
  put(text.sep_id, "[SEP]");
  put(text.bos_id, "[DEC]");
  if (text.bos_id + 1 < text.vocab_size && tokens[static_cast<size_t>(text.bos_id) + 1].empty())
    put(text.bos_id + 1, "[ENC]");
  std::vector<std::string> words = {"[UNK]", "[CLS]", "[MASK]", "yes", "no",    "?",  "is", "there",
                                    "a",     "the",   "dog",    "cat", "couch", "on", "in", "room"};
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    if (letter != 'a') words.emplace_back(1, letter);
    words.push_back(std::string("##") + letter);
  }
  size_t next = 0;
  std::string lines;
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].empty()) tokens[id] = next < words.size() ? words[next++] : "filler" + std::to_string(id);
    lines += tokens[id] + "\n";
  }
  return lines;
}

std::string Preprocessor(const engine::VisionConfig& vision) {
  Json size;
  size.Set("height", vision.image_size);
  size.Set("width", vision.image_size);
  Json json;
  json.Set("size", std::move(size));
  return json.Dump();
}

bool IsWhole(const std::string& dir, std::string_view config_json) {
  const Result<std::string> config = ReadTextFile(dir + "/config.json", kMaxConfig);
  return config.ok() && *config == config_json && FileExists(dir + "/model.safetensors") &&
         FileExists(dir + "/vocab.txt");
}

/// Puts `beside` in the place of `dir`. Another process may have done so meanwhile: its model is as good.
Status MoveIntoPlace(const std::string& beside, const std::string& dir, std::string_view config_json) {
  std::error_code error;
  std::filesystem::rename(beside, dir, error);
  if (!error || IsWhole(dir, config_json)) return Ok();
  std::filesystem::remove_all(dir, error);
  std::filesystem::rename(beside, dir, error);
  return error ? Unavailable(dir + ": " + error.message()) : Ok();
}

}  // namespace

Status WriteRandomModel(const std::string& dir, std::string_view config_json, const WriteProgress& progress) {
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::BlipConfig config, engine::BlipConfig::Parse(config_json));
  if (IsWhole(dir, config_json)) return Ok();
  const std::filesystem::path parent = std::filesystem::path(dir).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  std::string beside = dir + ".XXXXXX";
  if (error) return Unavailable(parent.string() + ": " + error.message());
  if (::mkdtemp(beside.data()) == nullptr) return Failed(dir);
  Status status = WriteNoise(beside + "/model.safetensors", LayOut(config), progress);
  if (status.ok()) status = WriteFileAtomically(beside + "/vocab.txt", Vocabulary(config.text));
  if (status.ok()) {
    status = WriteFileAtomically(beside + "/preprocessor_config.json", Preprocessor(config.vision));
  }
  if (status.ok()) status = WriteFileAtomically(beside + "/config.json", config_json);
  if (status.ok()) status = MoveIntoPlace(beside, dir, config_json);
  std::filesystem::remove_all(beside, error);  // nothing is left of it when it was moved
  return status;
}

}  // namespace pawsight::targets
