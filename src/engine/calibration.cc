#include "engine/calibration.h"

#include <algorithm>
#include <utility>

#include "base/files.h"

namespace pawsight::engine {
namespace {

constexpr size_t kMaxBytes = 1U << 20U;
constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxNoteBytes = 4096;

Status Invalid(const std::string& what) { return InvalidArgument(what, "calibration_invalid"); }

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool OneStandsIn(const std::vector<std::string>& wanted, const WordSet& words) {
  return std::ranges::any_of(wanted, [&](const std::string& word) { return words.contains(word); });
}

Result<double> ReadTemperature(const Json& json) {
  PAWSIGHT_ASSIGN_OR_RETURN(const double temperature, json.GetNumber("temperature"));
  if (!(temperature >= kMinTemperature && temperature <= kMaxTemperature)) {
    return Invalid("temperature: " + Json(temperature).Dump() + ", want 0.05..20");
  }
  return temperature;
}

Result<std::vector<std::string>> ReadWords(const Json& json, std::string_view key) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* array, json.GetArray(key));
  const std::string name(key);
  if (array->empty() || array->size() > kMaxCalibrationWords) {
    return Invalid(name + ": " + std::to_string(array->size()) + " words, want 1.." +
                   std::to_string(kMaxCalibrationWords));
  }
  std::vector<std::string> words;
  for (const Json& word : *array) {
    if (!word.is_string()) return Invalid(name + ": want an array of strings");
    const std::string& text = word.as_string();
    if (text.empty() || text.size() > kMaxNameBytes || !std::ranges::all_of(text, IsWordByte)) {
      return Invalid(name + ": " + JsonQuote(text.substr(0, kMaxNameBytes)) +
                     ", want single words of lower-case letters and digits, at most 64 bytes");
    }
    words.push_back(text);
  }
  return words;
}

Result<CalibrationFamily> ReadFamily(const Json& json) {
  if (!json.is_object()) return Invalid("want an object");
  CalibrationFamily family;
  PAWSIGHT_ASSIGN_OR_RETURN(family.name, json.GetString("name"));
  if (family.name.empty() || family.name.size() > kMaxNameBytes) return Invalid("name: want 1..64 bytes");
  PAWSIGHT_ASSIGN_OR_RETURN(family.words.any, ReadWords(json, "any"));
  if (json.Find("with") != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(family.words.with, ReadWords(json, "with"));
  }
  PAWSIGHT_ASSIGN_OR_RETURN(family.temperature, ReadTemperature(json));
  return family;
}

Result<UnsureBand> ReadBand(const Json& json) {
  const Status wanted = Invalid("unsure: want [low, high] with 0 <= low <= 0.5 <= high <= 1");
  if (!json.is_array() || json.as_array().size() != 2) return wanted;
  const Json::Array& pair = json.as_array();
  if (!pair[0].is_number() || !pair[1].is_number()) return wanted;
  const UnsureBand band{pair[0].as_number(), pair[1].as_number()};
  if (!(band.low >= 0.0 && band.low <= 0.5 && band.high >= 0.5 && band.high <= 1.0)) return wanted;
  return band;
}

Result<Calibration> Read(const Json& json) {
  if (!json.is_object()) return Invalid("want a JSON object");
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t version, json.GetInteger("version"));
  if (version != 1) return Unimplemented("version: " + std::to_string(version) + ", this program reads 1");
  Calibration calibration;
  PAWSIGHT_ASSIGN_OR_RETURN(calibration.temperature, ReadTemperature(json));
  if (json.Find("families") != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* families, json.GetArray("families"));
    if (families->size() > kMaxCalibrationFamilies) {
      return Invalid("families: " + std::to_string(families->size()) + ", want at most 64");
    }
    for (const Json& one : *families) {
      Result<CalibrationFamily> family = ReadFamily(one);
      if (!family.ok()) {
        return Annotate(family.status(), "families[" + std::to_string(calibration.families.size()) + "]");
      }
      calibration.families.push_back(std::move(family).value());
    }
  }
  if (const Json* band = json.Find("unsure"); band != nullptr && !band->is_null()) {
    PAWSIGHT_ASSIGN_OR_RETURN(calibration.unsure, ReadBand(*band));
  }
  if (json.Find("fitted_on") != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(calibration.fitted_on, json.GetString("fitted_on"));
    if (calibration.fitted_on.size() > kMaxNoteBytes) return Invalid("fitted_on: more than 4096 bytes");
  }
  return calibration;
}

}  // namespace

WordSet WordsOf(std::string_view question) {
  WordSet words;
  std::string word;
  for (char c : question) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (IsWordByte(c)) {
      word += c;
    } else if (!word.empty()) {
      words.insert(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.insert(std::move(word));
  return words;
}

bool WordPattern::Holds(const WordSet& words) const {
  return OneStandsIn(any, words) && (with.empty() || OneStandsIn(with, words));
}

double Calibration::TemperatureOf(std::string_view question) const {
  if (families.empty()) return temperature;
  const WordSet words = WordsOf(question);
  for (const CalibrationFamily& family : families) {
    if (family.words.Holds(words)) return family.temperature;
  }
  return temperature;
}

Result<Calibration> Calibration::Parse(std::string_view json) {
  const Result<Json> parsed = Json::Parse(json, {.max_bytes = kMaxBytes, .max_depth = 16});
  Result<Calibration> calibration = parsed.ok() ? Read(*parsed) : Result<Calibration>(parsed.status());
  if (calibration.ok()) return calibration;
  const Status& problem = calibration.status();
  return Status(problem.code(),
                problem.message() + "; fit it again with `pawsight model calibrate`, or remove the file",
                "calibration_invalid");
}

Result<Calibration> Calibration::Open(const std::string& model_dir) {
  const std::string path = model_dir + "/calibration.json";
  const Result<std::string> text = ReadTextFile(path, kMaxBytes);
  if (text.status().code() == StatusCode::kNotFound) return Calibration{};
  if (!text.ok()) return text.status();
  Result<Calibration> calibration = Parse(*text);
  if (!calibration.ok()) return Annotate(calibration.status(), path);
  return calibration;
}

Json ToJson(const Calibration& calibration) {
  const auto words = [](const std::vector<std::string>& list) {
    Json array{Json::Array{}};
    for (const std::string& word : list) array.Append(word);
    return array;
  };
  Json families{Json::Array{}};
  for (const CalibrationFamily& family : calibration.families) {
    Json one(Json::Object{{"name", family.name}, {"any", words(family.words.any)}});
    if (!family.words.with.empty()) one.Set("with", words(family.words.with));
    one.Set("temperature", family.temperature);
    families.Append(std::move(one));
  }
  Json json(Json::Object{{"version", 1}, {"temperature", calibration.temperature}, {"families", std::move(families)}});
  if (calibration.unsure) json.Set("unsure", Json::Array{calibration.unsure->low, calibration.unsure->high});
  if (!calibration.fitted_on.empty()) json.Set("fitted_on", calibration.fitted_on);
  return json;
}

}  // namespace pawsight::engine
