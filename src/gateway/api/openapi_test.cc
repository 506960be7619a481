// The API's description on its own: everything it names is there, everything it shows is right. Whether the program
// does what it says is gateway/api/api_test.cc.
#include "gateway/api/openapi.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "gateway/api/schema_testing.h"

namespace pawsight::gateway {
namespace {

using testing::Fault;
using testing::Follow;
using testing::Resolve;

const std::set<std::string> kMethods = {"get", "post", "put", "delete"};
/// Members of schemas that the validator knows or that say nothing to it.
const std::set<std::string> kKeywords = {"type",          "properties", "required",         "additionalProperties",
                                         "items",         "enum",       "minimum",          "maximum",
                                         "minLength",     "maxLength",  "minItems",         "maxItems",
                                         "maxProperties", "format",     "default",          "description",
                                         "examples",      "$ref",       "contentMediaType", "anyOf"};

class OpenApiTest : public ::testing::Test {
 protected:
  /// Calls `visit` with each operation and its name.
  template <typename Visit>
  void ForEachOperation(const Visit& visit) const {
    for (const auto& [path, item] : document_.Find("paths")->as_object()) {
      for (const auto& [method, operation] : item.as_object()) {
        ASSERT_EQ(kMethods.count(method), 1U) << path;
        visit(path, method, operation);
      }
    }
  }
  /// Calls `visit` with each schema that stands in `value`, however deep, and where.
  template <typename Visit>
  void ForEachSchema(const Json& schema, const std::string& where, const Visit& visit) const {
    visit(schema, where);
    if (const Json* items = schema.Find("items")) ForEachSchema(*items, where + "[]", visit);
    if (const Json* more = schema.Find("additionalProperties"); more != nullptr && more->is_object()) {
      ForEachSchema(*more, where + ".*", visit);
    }
    if (const Json* properties = schema.Find("properties")) {
      for (const auto& [name, property] : properties->as_object()) ForEachSchema(property, where + "." + name, visit);
    }
  }
  /// Every media type of a request or response has a schema, and that an example.
  void CheckContent(const Json& content, const std::string& where) const {
    for (const auto& [type, media] : content.as_object()) {
      const Json* schema = media.Find("schema");
      ASSERT_NE(schema, nullptr) << where << " " << type;
      const Json* examples = Follow(document_, *schema).Find("examples");
      ASSERT_NE(examples, nullptr) << where << " " << type << ": no example";
      EXPECT_FALSE(examples->as_array().empty()) << where << " " << type;
    }
  }
  const Json document_ = OpenApiDocument();
};

/// Every "$ref" anywhere.
void CollectRefs(const Json& value, std::vector<std::string>* refs) {
  if (value.is_array()) {
    for (const Json& item : value.as_array()) CollectRefs(item, refs);
  }
  if (!value.is_object()) return;
  for (const auto& [key, member] : value.as_object()) {
    if (key == "$ref") refs->push_back(member.as_string());
    CollectRefs(member, refs);
  }
}

TEST_F(OpenApiTest, EveryReferenceLeadsSomewhereAndEveryPartIsUsed) {
  EXPECT_EQ(document_.Find("openapi")->as_string(), "3.1.0");
  std::vector<std::string> refs;
  CollectRefs(document_, &refs);
  const std::set<std::string> used(refs.begin(), refs.end());
  for (const std::string& ref : used) EXPECT_NE(Resolve(document_, ref), nullptr) << ref;
  for (const char* kind : {"schemas", "parameters", "responses"}) {
    for (const auto& [name, part] : document_.Find("components")->Find(kind)->as_object()) {
      const std::string ref = std::string("#/components/") + kind + "/" + name;
      const bool of_stream = name == "AlertNotice" || name == "FrameResult";  // named in words
      EXPECT_TRUE(used.count(ref) != 0 || of_stream) << ref << " is not used";
    }
  }
}

TEST_F(OpenApiTest, EveryOperationHasAnIdErrorsAndExamples) {
  std::set<std::string> ids;
  ForEachOperation([&](const std::string& path, const std::string& method, const Json& operation) {
    const std::string where = method + " " + path;
    ASSERT_NE(operation.Find("operationId"), nullptr) << where;
    EXPECT_TRUE(ids.insert(operation.Find("operationId")->as_string()).second) << where << ": its id is another's";
    EXPECT_NE(operation.Find("summary"), nullptr) << where;
    const Json* responses = operation.Find("responses");
    ASSERT_NE(responses, nullptr) << where;
    EXPECT_NE(responses->Find("default"), nullptr) << where << ": errors";
    for (const auto& [status, given] : responses->as_object()) {
      const Json& response = Follow(document_, given);
      EXPECT_NE(response.Find("description"), nullptr) << where << " " << status;
      if (const Json* content = response.Find("content")) CheckContent(*content, where + " " + status);
      EXPECT_TRUE(status == "204" || response.Find("content") != nullptr) << where << " " << status;
    }
    if (const Json* body = operation.Find("requestBody")) CheckContent(*body->Find("content"), where + " body");
  });
  EXPECT_GT(ids.size(), 40U);
}

TEST_F(OpenApiTest, EveryPathParameterIsDescribed) {
  ForEachOperation([&](const std::string& path, const std::string& method, const Json& operation) {
    std::set<std::string> described;
    if (const Json* parameters = operation.Find("parameters")) {
      for (const Json& given : parameters->as_array()) {
        const Json& parameter = Follow(document_, given);
        if (parameter.Find("in")->as_string() == "path") described.insert(parameter.Find("name")->as_string());
      }
    }
    std::set<std::string> wanted;
    for (size_t open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1)) {
      wanted.insert(path.substr(open + 1, path.find('}', open) - open - 1));
    }
    EXPECT_EQ(described, wanted) << method << " " << path;
  });
}

TEST_F(OpenApiTest, EveryExampleIsAsItsSchemaSaysAndTheSchemasUseWhatTheValidatorKnows) {
  for (const auto& [name, schema] : document_.Find("components")->Find("schemas")->as_object()) {
    ForEachSchema(schema, name, [&](const Json& part, const std::string& where) {
      for (const auto& [keyword, value] : part.as_object())
        EXPECT_EQ(kKeywords.count(keyword), 1U) << where << " " << keyword;
      const Json* examples = part.Find("examples");
      if (examples == nullptr) return;
      for (const Json& example : examples->as_array()) EXPECT_EQ(Fault(document_, part, example, where), "");
    });
  }
}

TEST_F(OpenApiTest, TheValidatorFindsWhatIsWrong) {
  const Json schema = Json::Parse(R"({"type":"object","required":["a"],"additionalProperties":false,
      "properties":{"a":{"type":["integer","null"],"minimum":1},"b":{"type":"array","items":{"enum":["x"]}},
                    "c":{"type":"string","format":"date-time"}}})")
                          .value();
  const auto fault = [&](const char* value) { return Fault(document_, schema, Json::Parse(value).value(), "it"); };
  EXPECT_EQ(fault(R"({"a":1,"b":["x"],"c":"2026-01-31T08:15:30Z"})"), "");
  EXPECT_EQ(fault(R"({"a":null})"), "");
  for (const char* wrong :
       {"[]", "{}", R"({"a":"1"})", R"({"a":0})", R"({"a":1,"b":["y"]})", R"({"a":1,"d":1})", R"({"a":1,"c":"now"})"}) {
    EXPECT_NE(fault(wrong), "") << wrong;
  }
}

}  // namespace
}  // namespace pawsight::gateway
