#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http_peer.h"

namespace pawsight::conformance {
namespace {

using ::testing::AnyOf;

/// The output of that name, or null.
Json Output(const Json& json, std::string_view name) {
  for (const Json& output : ArrayOf(json, "outputs")) {
    if (StringOf(output, "name") == name) return output;
  }
  return {};
}

void ExpectRefused(const Answer& answer, const std::string& what) {
  EXPECT_THAT(answer.status, AnyOf(400, 404, 413, 415, 422, 429)) << what;
  EXPECT_TRUE(answer.json().GetString("error").ok()) << what << ": " << answer.body.substr(0, 200);
}

/// A JSON request with the image's member `input` and further members `more`.
std::string WithImage(const std::string& input, const std::string& more = "") {
  return R"({"inputs":[{"name":"image","datatype":"BYTES",)" + input +
         R"(},{"name":"question","datatype":"BYTES","shape":[1],"data":["a cat?"]}])" + (more.empty() ? "" : ",") +
         more + "}";
}

TEST(HttpInfer, JsonInJsonOutEachQuestionHasItsAnswerAndTheIdComesBack) {
  const Answer answer = Infer(Request({"is there a cat?", "is there a dog?"}, R"("id":"a \"7\"",)"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = answer.json();
  EXPECT_EQ(StringOf(json, "model_name"), TheTarget().model);
  EXPECT_TRUE(json.GetString("model_version").ok());
  EXPECT_EQ(StringOf(json, "id"), "a \"7\"");
  const Json p_yes = Output(json, "p_yes");
  EXPECT_EQ(StringOf(p_yes, "datatype"), "FP32");
  EXPECT_EQ(Member(p_yes, "shape").Dump(), "[1,2]");
  ASSERT_EQ(ArrayOf(p_yes, "data").size(), 2U);
  for (const Json& p : ArrayOf(p_yes, "data")) {
    EXPECT_TRUE(p.is_number() && p.as_number() >= 0 && p.as_number() <= 1) << p.Dump();
  }
  EXPECT_EQ(StringOf(Output(json, "answer"), "datatype"), "BYTES");
  EXPECT_EQ(ArrayOf(Output(json, "answer"), "data").size(), 2U);
}

TEST(HttpInfer, WithoutAnIdNoneComesBack) { EXPECT_EQ(Infer(Request({"a cat?"})).json().Find("id"), nullptr); }

TEST(HttpInfer, OnlyTheOutputsAskedForCome) {
  const Json json = Infer(Request({"a cat?"}, R"("outputs":[{"name":"p_yes"}],)")).json();
  ASSERT_TRUE(json.GetArray("outputs").ok());
  EXPECT_EQ(ArrayOf(json, "outputs").size(), 1U);
  EXPECT_FALSE(Output(json, "p_yes").is_null());
}

TEST(HttpInfer, BinaryTensorsInAndOut) {
  const std::string image = Element(Image());
  const std::string questions = Element("a cat?") + Element("a dog?");
  const std::string json =
      R"({"id":"9","parameters":{"binary_data_output":true},"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":)" +
      std::to_string(image.size()) +
      R"(}},{"name":"question","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":)" +
      std::to_string(questions.size()) + "}}]}";
  const Answer answer = InferBinary(json, image + questions);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json head = answer.binary_head();
  EXPECT_EQ(StringOf(head, "id"), "9");
  const Json p_yes = Output(head, "p_yes");
  EXPECT_EQ(p_yes.Find("data"), nullptr);
  EXPECT_EQ(IntegerOf(Member(p_yes, "parameters"), "binary_data_size"), 8);
  int64_t all = 0;
  for (const Json& output : ArrayOf(head, "outputs"))
    all += IntegerOf(Member(output, "parameters"), "binary_data_size");
  EXPECT_EQ(static_cast<int64_t>(answer.binary_tail().size()), all);
}

TEST(HttpInfer, AnOutputSaysForItselfWhetherItIsBinary) {
  const Answer answer = Infer(Request({"a cat?"}, R"("outputs":[{"name":"p_yes","parameters":{"binary_data":true}},
                                                               {"name":"answer","parameters":{"binary_data":false}}],)"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.binary_tail().size(), 4U);
  EXPECT_NE(Output(answer.binary_head(), "answer").Find("data"), nullptr);
}

TEST(HttpInfer, JsonAndBinaryInputsMix) {
  const std::string image = Element(Image());
  const Answer answer = InferBinary(
      WithImage(R"("shape":[1],"parameters":{"binary_data_size":)" + std::to_string(image.size()) + "}"), image);
  EXPECT_EQ(answer.status, 200) << answer.body;
}

TEST(HttpInfer, EveryImageIsAskedEveryQuestionOrItsOwn) {
  const std::string images =
      R"({"inputs":[{"name":"image","datatype":"BYTES","shape":[2],"parameters":{"content_type":"base64"},"data":[")" +
      ImageBase64() + "\",\"" + ImageBase64() + R"("]},{"name":"question","datatype":"BYTES",)";
  const Answer shared = Infer(images + R"("shape":[3],"data":["a?","b?","c?"]}]})");
  ASSERT_EQ(shared.status, 200) << shared.body;
  EXPECT_EQ(Member(Output(shared.json(), "p_yes"), "shape").Dump(), "[2,3]");
  const Answer own = Infer(images + R"("shape":[2,1],"data":[["a?"],["b?"]]}]})");
  ASSERT_EQ(own.status, 200) << own.body;
  EXPECT_EQ(Member(Output(own.json(), "p_yes"), "shape").Dump(), "[2,1]");
}

TEST(HttpInfer, APathMayNameTheVersion) {
  const Json metadata = Ask("GET", ModelPath("")).json();
  ASSERT_FALSE(ArrayOf(metadata, "versions").empty());
  const std::string version = ArrayOf(metadata, "versions")[0].as_string();
  EXPECT_EQ(Ask("POST", ModelPath("/versions/" + version + "/infer"), Request({"a cat?"})).status, 200);
  ExpectRefused(Ask("POST", ModelPath("/versions/999999/infer"), Request({"a cat?"})), "an unknown version");
  ExpectRefused(Ask("POST", "/v2/models/no-such-model/infer", Request({"a cat?"})), "an unknown model");
}

TEST(HttpInfer, TimeoutAndPriorityAreTaken) {
  EXPECT_EQ(Infer(Request({"a cat?"}, R"("parameters":{"timeout":60000000,"priority":1},)")).status, 200);
  ExpectRefused(Infer(Request({"a cat?"}, R"("parameters":{"timeout":-1},)")), "a timeout below 0");
}

TEST(HttpInfer, B18AndB19BodiesThatAreNotPlainJsonAreRefused) {
  const std::string good = Request({"a cat?"});
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), "\xef\xbb\xbf" + good, good + "x",
        std::string(250000, '['), Request({"a?"}, R"("x":NaN,)"), Request({"a?"}, R"("x":1e999,)"),
        Request({"a?"}, R"("id":"1","id":"1",)"), WithImage(R"("shape":[1],"data":["x",])"),
        WithImage("\"shape\":[1],\"data\":[\"\xff\"]"), WithImage(R"("shape":[1],"data":["\ud800"])"),
        WithImage("\"shape\":[1],\"data\":[\"\xc0\xaf\"]"), WithImage(R"("shape":[1],"data":["a\u0000b"])")}) {
    ExpectRefused(Infer(body), body.substr(0, 60));
  }
}

TEST(HttpInfer, B20ShapesThatDoNotFitAreRefused) {
  for (
      const char* input :
      {R"("shape":[16,1152921504606846978],"data":["x"])", R"("shape":[-1],"data":["x"])",
       R"("shape":[2],"data":["x"])", R"("shape":[0],"data":[])", R"("shape":[1],"data":["x","y"])", R"("shape":[1])",
       R"("data":["x"])", R"("shape":"1","data":["x"])", R"("shape":[1.5],"data":["x"])",
       R"("shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data":["x"])"}) {
    ExpectRefused(Infer(WithImage(input)), input);
  }
}

TEST(HttpInfer, B21HeaderLengthsThatAreNoneAreRefused) {
  const std::string body = Request({"a cat?"});
  for (const char* length : {"99999999999", "-1", "+5", "0x10", "1e3", "18446744073709551617", "4"}) {
    ExpectRefused(Infer(body, {{"Inference-Header-Content-Length", length}}), length);
  }
  ExpectRefused(Infer(Image(), {{"Inference-Header-Content-Length", "0"}}), "a raw request to a model of two inputs");
}

TEST(HttpInfer, B22ElementsThatEndBehindTheirTensorAreRefused) {
  const std::string huge(
      "\xff\xff\xff\xff"
      "abc",
      7);
  for (const std::string& tensor : {huge, Element("abcd").substr(0, 7), Element("ab") + "x", std::string("abc")}) {
    ExpectRefused(
        InferBinary(WithImage(R"("shape":[1],"parameters":{"binary_data_size":)" + std::to_string(tensor.size()) + "}"),
                    tensor),
        tensor);
  }
  for (const char* size : {"8", "-7", "9223372036854775807", "\"7\"", "7.5"}) {
    ExpectRefused(InferBinary(WithImage(std::string(R"("shape":[1],"parameters":{"binary_data_size":)") + size + "}"),
                              Element("abc")),
                  size);
  }
}

TEST(HttpInfer, B23NamesThatAreUnknownOrRepeatedAreRefused) {
  std::string many = "\"outputs\":[";
  for (int n = 0; n < 100000; ++n) many += R"({"name":"p_yes"},)";
  many.back() = ']';
  ExpectRefused(Infer(Request({"a?"}, many + ",")), "100,000 outputs");
  ExpectRefused(Infer(Request({"a?"}, R"("outputs":[{"name":"p_yes"},{"name":"p_yes"}],)")), "an output twice");
  ExpectRefused(Infer(Request({"a?"}, R"("outputs":[{"name":"mood"}],)")), "an unknown output");
  ExpectRefused(Infer(R"({"inputs":[{"name":"face","datatype":"BYTES","shape":[1],"data":["x"]}]})"),
                "an unknown input");
  ExpectRefused(Infer(R"({"inputs":[]})"), "no input");
  ExpectRefused(Infer(R"({"inputs":[{"name":"image","datatype":"FP32","shape":[1],"data":[1]}]})"), "another datatype");
}

}  // namespace
}  // namespace pawsight::conformance
