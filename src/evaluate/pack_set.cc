#include <algorithm>
#include <map>
#include <span>

#include "base/check.h"
#include "base/files.h"
#include "base/json.h"
#include "evaluate/families.h"
#include "evaluate/question_set.h"
#include "frames/decode.h"

namespace pawsight::evaluate {
namespace {

constexpr size_t kMaxLinesBytes = 64U << 20U;
constexpr size_t kMaxLines = 100'000;
constexpr size_t kMaxBinBytes = 1U << 30U;
constexpr size_t kMaxBins = 16;

Status Invalid(const std::string& what) { return InvalidArgument(what, "pack_invalid"); }

struct Row {
  std::string id;
  std::string kind;
  std::string bin;
  size_t offset = 0;
  size_t length = 0;
  std::vector<Pair> pairs;
};

bool IsPlainName(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Result<Row> ReadRow(const Json& json) {
  Row row;
  PAWSIGHT_ASSIGN_OR_RETURN(row.id, json.GetString("id"));
  PAWSIGHT_ASSIGN_OR_RETURN(row.kind, json.GetString("kind"));
  PAWSIGHT_ASSIGN_OR_RETURN(row.bin, json.GetString("bin"));
  if (!IsPlainName(row.bin)) return Invalid("bin: want a plain name of letters, digits, - and _");
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* at, json.GetArray("at"));
  const auto natural = [](const Json& value) { return value.is_integer() && value.as_integer() >= 0; };
  if (at->size() != 2 || !natural((*at)[0]) || !natural((*at)[1])) return Invalid("at: want [offset, length]");
  row.offset = static_cast<size_t>((*at)[0].as_integer());
  row.length = static_cast<size_t>((*at)[1].as_integer());
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* pairs, json.GetArray("qa"));
  for (const Json& pair : *pairs) {
    if (!pair.is_array() || pair.as_array().size() != 2 || !pair.as_array()[0].is_string() ||
        !pair.as_array()[1].is_string()) {
      return Invalid("qa: want [[question, answer], ...]");
    }
    const std::string& question = pair.as_array()[0].as_string();
    row.pairs.push_back({question, pair.as_array()[1].as_string(), FamilyOf(question)});
  }
  return row;
}

class Pack : public QuestionSet {
 public:
  Pack(std::vector<Row> rows, std::map<std::string, std::vector<uint8_t>> bins)
      : rows_(std::move(rows)), bins_(std::move(bins)) {}
  std::string_view name() const override { return "pack"; }
  bool private_pictures() const override { return true; }
  int size() const override { return static_cast<int>(rows_.size()); }

  Result<Shown> Get(int index) const override {
    CHECK(index >= 0 && index < size());
    const Row& row = rows_[static_cast<size_t>(index)];
    const std::vector<uint8_t>& bin = bins_.at(row.bin);
    Result<frames::Decoded> decoded = frames::Decode(std::span(bin).subspan(row.offset, row.length));
    if (!decoded.ok()) return Annotate(decoded.status(), "picture " + row.id);
    return Shown{std::move(decoded->image), row.id, row.kind, row.pairs};
  }

 private:
  std::vector<Row> rows_;
  std::map<std::string, std::vector<uint8_t>> bins_;  // every row lies within its own
};

}  // namespace

Result<std::unique_ptr<QuestionSet>> OpenPackSet(const std::string& dir) {
  const std::string path = dir + "/val.jsonl";
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxLinesBytes));
  std::vector<Row> rows;
  std::map<std::string, std::vector<uint8_t>> bins;
  size_t line_number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    ++line_number;
    if (line.empty()) continue;
    const std::string place = path + " line " + std::to_string(line_number);
    if (rows.size() == kMaxLines) return Invalid(place + ": more than 100000 pictures");
    const Result<Json> json = Json::Parse(line);
    Result<Row> row = json.ok() ? ReadRow(*json) : Result<Row>(json.status());
    if (!row.ok()) return Annotate(row.status(), place);
    if (!bins.contains(row->bin)) {
      if (bins.size() == kMaxBins) return Invalid(place + ": bin: more than 16 different ones");
      PAWSIGHT_ASSIGN_OR_RETURN(bins[row->bin], ReadFile(dir + "/" + row->bin + ".bin", kMaxBinBytes));
    }
    const size_t bytes = bins[row->bin].size();
    if (row->offset > bytes || row->length > bytes - row->offset) {
      return Invalid(place + ": at: reaches beyond " + row->bin + ".bin of " + std::to_string(bytes) + " bytes");
    }
    rows.push_back(std::move(row).value());
  }
  if (rows.empty()) return Invalid(path + ": no picture in it");
  return std::unique_ptr<QuestionSet>(std::make_unique<Pack>(std::move(rows), std::move(bins)));
}

}  // namespace pawsight::evaluate
