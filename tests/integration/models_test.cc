// The models `caption` and `itm` from outside: a worker over a checkpoint of their class says what the engine says
// alone in fp32, in company too, and has no model that the checkpoint lacks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "engine/vqa.h"
#include "running_worker.h"
#include "server/vqa_engine.h"
#include "targets/cpu/cpu_target.h"
#include "targets/testing.h"

namespace pawsight::integration {
namespace {

using ::testing::HasSubstr;

/// A tiny checkpoint of one class with the reference's weights where those are here, else noise.
class Models : public ::testing::Test {
 protected:
  void Make(const std::string& architecture, const std::string& golden) {
    targets::WriteTinyModel(folder_.Path("model"), architecture);
    const std::string weights = SharedPath("goldens/tiny-a/" + golden);
    if (!std::filesystem::exists(weights)) return;
    std::filesystem::copy_file(weights, folder_.Path("model/model.safetensors"),
                               std::filesystem::copy_options::overwrite_existing);
  }

  /// What the engine says of one image and text in fp32, with nobody beside it.
  engine::Answer Alone(const std::string& jpeg, const std::string& text, engine::Mode mode) const {
    auto target = targets::OpenCpuTarget(folder_.Path("model"), {.threads = 1});
    auto vqa = engine::Vqa::Open(folder_.Path("model"), std::move(target).value());
    const auto engine = server::MakeVqaEngine(std::move(vqa).value());
    const auto pixels = engine->Preprocess({reinterpret_cast<const uint8_t*>(jpeg.data()), jpeg.size()}).value();
    const std::span<const float> frame = pixels;
    const server::FrameQuestion question{engine->Look({&frame, 1})->front(), text};
    return engine->Ask({&question, 1}, {.mode = mode})->front();
  }

  std::vector<std::string> Arguments() const {
    return {"--model", folder_.Path("model"), "--precision", "fp32", "--threads", "1"};
  }

  const TempFolder folder_;
};

TEST_F(Models, ACaptionerSaysItsCaptionsOverHttp) {
  Make("BlipForConditionalGeneration", "caption.safetensors");
  RunningWorker worker(Arguments());
  EXPECT_EQ(worker.Get("/v2/health/ready").status, 200);
  EXPECT_EQ(worker.Get("/v2/models/vqa").status, 404);
  EXPECT_THAT(worker.Get("/v2/models/caption").body,
              HasSubstr(R"({"name":"caption","datatype":"BYTES","shape":[-1]})"));
  EXPECT_EQ(worker.Get("/v2/models/caption/config").status, 200);
  const std::vector<std::string> rooms = {RoomJpeg(1), RoomJpeg(2)};
  const std::vector<std::string> prompts = {"w7 w8", ""};
  const HttpAnswer answer = worker.Infer("caption", {{"image", {2}, rooms}, {"prompt", {2}, prompts}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  for (size_t i = 0; i < 2; ++i) {
    const engine::Answer alone = Alone(rooms[i], prompts[i], engine::Mode::kCaption);
    EXPECT_EQ(answer.Output("caption")[i].as_string(), alone.text);
    EXPECT_EQ(static_cast<float>(answer.Output("score")[i].as_number()), alone.score);
  }
  // The image alone, as curl --data-binary sends it.
  const HttpAnswer raw =
      RunningWorker::Exchange(worker.http_port(),
                              "POST /v2/models/caption/infer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                              "Inference-Header-Content-Length: 0\r\nContent-Length: " +
                                  std::to_string(rooms[0].size()) + "\r\n\r\n" + rooms[0]);
  EXPECT_EQ(raw.status, 200) << raw.body;
  const Json stats = worker.Get("/v2/models/caption/stats").json();
  EXPECT_EQ(stats.Find("model_stats")->as_array().at(0).Find("inference_count")->as_number(), 3);
}

TEST_F(Models, MatchingSaysTheSameAloneAndInCompany) {
  Make("BlipForImageTextRetrieval", "itm.safetensors");
  RunningWorker worker(Arguments());
  EXPECT_EQ(worker.Get("/v2/models/caption").status, 404);
  const std::vector<std::string> texts = {"w5 w9", "w77 w6 w8 w12", "yes"};
  std::vector<HttpAnswer> answers(12);
  std::vector<std::thread> clients;
  for (size_t i = 0; i < answers.size(); ++i) {
    clients.emplace_back([&, i] {
      answers[i] = worker.Infer("itm", {{"image", {2}, {RoomJpeg(i % 4), RoomJpeg(9)}}, {"text", {3}, texts}});
    });
  }
  for (std::thread& client : clients) client.join();
  for (size_t i = 0; i < answers.size(); ++i) {
    ASSERT_EQ(answers[i].status, 200) << answers[i].body;
    ASSERT_EQ(answers[i].Output("p_match").size(), 6U);
    EXPECT_EQ(answers[i].body, answers[i % 4].body) << "whatever ran beside it";
  }
  for (size_t t = 0; t < texts.size(); ++t) {
    const engine::Answer alone = Alone(RoomJpeg(1), texts[t], engine::Mode::kMatch);
    EXPECT_EQ(static_cast<float>(answers[1].Output("p_match")[t].as_number()), *alone.p_yes);
    EXPECT_EQ(static_cast<float>(answers[1].Output("cosine")[t].as_number()), *alone.cosine);
  }
  EXPECT_EQ(worker.Infer("itm", {{"image", {1}, {RoomJpeg(1)}}, {"text", {1}, {" "}}}).status, 422);
}

TEST_F(Models, ArtifactsInInt8AreServedAsTheirCheckpointIs) {
  Make("BlipForImageTextRetrieval", "itm.safetensors");
  const Ended compiled =
      RunProgram({"compile", folder_.Path("model"), "--out", folder_.Path("int8"), "--precision", "int8"});
  ASSERT_EQ(compiled.code, 0) << compiled.err;
  EXPECT_THAT(compiled.out, HasSubstr("matches against fp32"));
  RunningWorker worker({"--artifacts", folder_.Path("int8"), "--threads", "1"});
  const HttpAnswer answer = worker.Infer("itm", {{"image", {1}, {RoomJpeg(1)}}, {"text", {1}, {"w5 w9"}}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const engine::Answer alone = Alone(RoomJpeg(1), "w5 w9", engine::Mode::kMatch);
  EXPECT_NEAR(answer.Output("cosine")[0].as_number(), *alone.cosine, 0.05);
  EXPECT_NEAR(answer.Output("p_match")[0].as_number(), *alone.p_yes, 0.1);
}

}  // namespace
}  // namespace pawsight::integration
