// The model in the gateway's own process, asked through the pools like any other endpoint, and beside a real worker.
#include "apps/embedded_worker.h"

#include <gtest/gtest.h>

#include "fleet.h"
#include "frames/encode.h"
#include "scenes/draw.h"
#include "server/http_endpoint.h"
#include "workers.h"

namespace pawsight::house {
namespace {

std::string Photo(uint64_t seed) {
  const std::vector<uint8_t> jpeg = frames::EncodeJpeg(scenes::Draw(seed, 320, 240).image, 85).value();
  return {jpeg.begin(), jpeg.end()};
}

TEST(EmbeddedWorker, IsAPoolLikeAnyOtherAndAnswersAsAWorkerDoes) {
  const SystemClock clock;
  ModelOptions model;
  model.model = PAWSIGHT_SOURCE_DIR "/models/pawsight-mini";
  model.precision = "int8";
  auto started = EmbeddedWorker::Start(model, {}, clock);
  ASSERT_TRUE(started.ok()) << started.status().ToString();
  EmbeddedWorker& worker = **started;
  {
    Fleet fleet({}, [&](const std::string&) { return worker.MakeClient(); });
    fleet.Set({PoolOf("here", {{"embedded", "", ""}})}, {{{"here", 1}}, {}, {}});
    fleet.AwaitAll("healthy");
    const std::vector<std::string> questions = {"Is there a dog?", "Is there a cat?", "Is the room dark?"};
    std::vector<std::future<Result<gateway::Reply>>> replies;
    for (uint64_t n = 0; n < 24; ++n) replies.push_back(fleet.Begin(Asking(Photo(n % 4), questions)));
    std::vector<double> first;
    for (size_t n = 0; n < replies.size(); ++n) {
      const Result<gateway::Reply> reply = replies[n].get();
      ASSERT_TRUE(reply.ok()) << reply.status().ToString();
      EXPECT_EQ(reply->pool, "here");
      for (size_t q = 0; q < questions.size(); ++q) {
        EXPECT_EQ(reply->answers[q].question, questions[q]);
        if (n < 4) first.push_back(reply->answers[q].p_yes);
        EXPECT_EQ(reply->answers[q].p_yes, first[n % 4 * questions.size() + q]);  // of the same photo, to the bit
      }
    }
    EXPECT_EQ(fleet.Ask("no photo").status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(fleet.Ask(Photo(1), std::chrono::milliseconds(0)).status().code(), StatusCode::kDeadlineExceeded);
  }
  EXPECT_TRUE(worker.Drain(std::chrono::seconds(20)));
}

}  // namespace
}  // namespace pawsight::house
