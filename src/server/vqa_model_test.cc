#include "server/vqa_model.h"

#include <gtest/gtest.h>

#include <cstring>
#include <future>

#include "server/fake_engine.h"

namespace pawsight::server::testing {
namespace {

using protocol::Datatype;
using protocol::InferRequest;
using protocol::InputTensor;

InputTensor Bytes(std::string name, std::vector<int64_t> shape, std::vector<std::string_view> elements) {
  InputTensor tensor;
  tensor.name = std::move(name);
  tensor.shape = std::move(shape);
  tensor.elements = std::move(elements);
  return tensor;
}

std::shared_ptr<InferRequest> Request(std::vector<InputTensor> inputs) {
  auto request = std::make_shared<InferRequest>();
  request->model = "vqa";
  request->inputs = std::move(inputs);
  return request;
}

class VqaModelTest : public ::testing::Test {
 protected:
  VqaModelTest() {
    auto batcher = Batcher::Start({}, engine_, clock_);
    batcher_ = std::move(batcher).value();
    model_ = std::make_unique<VqaModel>("3", *batcher_, [] { return true; });
  }
  ~VqaModelTest() override { batcher_->Drain(Nanos(1'000'000'000)); }

  std::future<Result<protocol::InferResponse>> Infer(std::shared_ptr<const InferRequest> request,
                                                     const RequestContext& context = {}) {
    const auto promise = std::make_shared<std::promise<Result<protocol::InferResponse>>>();
    model_->Infer(std::move(request), context,
                  [promise](Result<protocol::InferResponse> r) { promise->set_value(std::move(r)); });
    return promise->get_future();
  }
  Status Refused(std::vector<InputTensor> inputs) { return Infer(Request(std::move(inputs))).get().status(); }

  ManualClock clock_;
  std::shared_ptr<FakeEngine> engine_ = std::make_shared<FakeEngine>();
  std::unique_ptr<Batcher> batcher_;
  std::unique_ptr<VqaModel> model_;
};

TEST_F(VqaModelTest, OneListOfQuestionsIsAskedOfEveryImage) {
  const auto response = Infer(Request({Bytes("image", {2}, {"a", "b"}), Bytes("question", {2}, {"q1", "q2"})})).get();
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  ASSERT_EQ(response->outputs.size(), 3U);
  EXPECT_EQ(response->outputs[0].shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(response->outputs[0].elements, (std::vector<std::string>{"a: q1", "a: q2", "b: q1", "b: q2"}));
  float p_yes = 0;
  std::memcpy(&p_yes, response->outputs[1].data.data(), sizeof p_yes);
  EXPECT_EQ(p_yes, 0.5F);
  EXPECT_EQ(response->version, "3");
}

TEST_F(VqaModelTest, AListAnImageGivesEachItsOwnQuestions) {
  const auto response =
      Infer(Request({Bytes("image", {2}, {"a", "b"}), Bytes("question", {2, 1}, {"q1", "q2"})})).get();
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  EXPECT_EQ(response->outputs[0].elements, (std::vector<std::string>{"a: q1", "b: q2"}));
  EXPECT_EQ(model_->Statistics().inference_count, 2U);
  EXPECT_EQ(model_->Statistics().success.count, 1U);
}

TEST_F(VqaModelTest, WhatMakesNoSenseIsRefusedByTheTensorsName) {
  EXPECT_EQ(Refused({Bytes("image", {1, 1}, {"a"}), Bytes("question", {1}, {"q"})}).message(),
            "input 'image': shape: want [N] with N of 1..16");
  EXPECT_EQ(Refused({Bytes("image", {1}, {"a"}), Bytes("question", {2, 1}, {"q", "q"})}).message(),
            "input 'question': shape: want [Q], asked of every image, or [N,Q] with N images");
  EXPECT_EQ(
      Refused({Bytes("image", {1}, {"a"}), Bytes("question", {1}, {"q"}), Bytes("mode", {1}, {"guess"})}).message(),
      "input 'mode': want yesno, generate or rank");
  EXPECT_EQ(Refused({Bytes("image", {1}, {"a"}), Bytes("question", {1}, {"q"}), Bytes("mode", {1}, {"rank"})}).reason(),
            "choices_invalid");
  EXPECT_EQ(Refused({Bytes("image", {1}, {"a"}), Bytes("question", {1}, {"q"}), Bytes("choices", {1}, {"c"})}).reason(),
            "choices_invalid");
  EXPECT_EQ(Refused({Bytes("image", {1}, {"garbage"}), Bytes("question", {1}, {"q"})}).code(),
            StatusCode::kInvalidArgument);
}

TEST_F(VqaModelTest, AClientThatGoesAwayWhileItWaitsFreesItsPlaceAtOnce) {
  engine_->look.Close();
  auto busy = Infer(Request({Bytes("image", {1}, {"busy"}), Bytes("question", {1}, {"q"})}));
  engine_->look.Await(1);
  std::stop_source client;
  auto waiting =
      Infer(Request({Bytes("image", {1}, {"a"}), Bytes("question", {1}, {"q"})}), {.gone = client.get_token()});
  EXPECT_EQ(batcher_->health().queue_length, 1);
  client.request_stop();
  EXPECT_EQ(waiting.get().status().code(), StatusCode::kCancelled);
  EXPECT_EQ(batcher_->health().queue_length, 0);
  engine_->look.Open();
  EXPECT_TRUE(busy.get().ok());
}

TEST_F(VqaModelTest, PriorityOneGoesFirstAndWhatIsBeyondTwoLast) {
  const auto priority = [](uint64_t asked) {
    auto request = Request({Bytes("image", {1}, {"a"}), Bytes("question", {1}, {"q"})});
    request->priority = asked;
    return ImagesAsWork(request, {}).value().priority;
  };
  EXPECT_EQ(priority(0), Priority::kNormal);
  EXPECT_EQ(priority(1), Priority::kHigh);
  EXPECT_EQ(priority(2), Priority::kNormal);
  EXPECT_EQ(priority(9), Priority::kLow);
}

}  // namespace
}  // namespace pawsight::server::testing
