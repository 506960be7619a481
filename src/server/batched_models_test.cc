// The models `caption` and `itm`: their tensors, and what they share with `vqa` and each other behind one batcher.
#include <gtest/gtest.h>

#include <cstring>
#include <future>

#include "server/caption_model.h"
#include "server/fake_engine.h"
#include "server/itm_model.h"
#include "server/vqa_model.h"

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

class BatchedModels : public ::testing::Test {
 protected:
  BatchedModels() : batcher_(Batcher::Start({}, engine_, clock_).value()) {}
  ~BatchedModels() override { batcher_->Drain(Nanos(1'000'000'000)); }

  using Response = Result<protocol::InferResponse>;
  static std::future<Response> Start(Model& model, std::vector<InputTensor> inputs,
                                     const RequestContext& context = {}) {
    auto request = std::make_shared<InferRequest>();
    request->inputs = std::move(inputs);
    EXPECT_TRUE(protocol::CheckAgainst(*request, model.Metadata()).ok());
    const auto promise = std::make_shared<std::promise<Response>>();
    model.Infer(std::move(request), context, [promise](Response r) { promise->set_value(std::move(r)); });
    return promise->get_future();
  }
  static Response Infer(Model& model, std::vector<InputTensor> inputs) { return Start(model, std::move(inputs)).get(); }

  ManualClock clock_;
  std::shared_ptr<FakeEngine> engine_ = std::make_shared<FakeEngine>();
  std::unique_ptr<Batcher> batcher_;
  VqaModel vqa_{"1", *batcher_, [] { return true; }};
  CaptionModel caption_{"1", *batcher_, [] { return true; }};
  ItmModel itm_{"1", *batcher_, [] { return true; }};
};

TEST_F(BatchedModels, ACaptionNeedsNoPromptAndTakesOneForAllOrOneAnImage) {
  const auto captions = [&](std::vector<InputTensor> inputs) {
    const Response response = Infer(caption_, std::move(inputs));
    EXPECT_TRUE(response.ok()) << response.status().ToString();
    EXPECT_EQ(response->outputs[0].shape, (std::vector<int64_t>{2}));
    EXPECT_EQ(response->outputs[1].name, "score");
    return response->outputs[0].elements;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(captions({Bytes("image", {2}, {"a", "b"})}), (Texts{"a: a picture of", "b: a picture of"}));
  EXPECT_EQ(captions({Bytes("image", {2}, {"a", "b"}), Bytes("prompt", {1}, {""})}), (Texts{"a: ", "b: "}));
  EXPECT_EQ(captions({Bytes("image", {2}, {"a", "b"}), Bytes("prompt", {2}, {"x", "y"})}), (Texts{"a: x", "b: y"}));
  EXPECT_EQ(Infer(caption_, {Bytes("image", {1}, {"a"}), Bytes("prompt", {2}, {"x", "y"})}).status().message(),
            "input 'prompt': shape: want [1], or [N] with N images");
}

TEST_F(BatchedModels, MatchingTakesAListForAllOrAListAnImage) {
  const Response shared = Infer(itm_, {Bytes("image", {2}, {"a", "b"}), Bytes("text", {3}, {"x", "y", "z"})});
  ASSERT_TRUE(shared.ok()) << shared.status().ToString();
  EXPECT_EQ(shared->outputs[0].name, "p_match");
  EXPECT_EQ(shared->outputs[0].shape, (std::vector<int64_t>{2, 3}));
  float cosine = 0;
  std::memcpy(&cosine, shared->outputs[1].data.data(), sizeof cosine);
  EXPECT_EQ(cosine, 0.25F);
  const Response own = Infer(itm_, {Bytes("image", {2}, {"a", "b"}), Bytes("text", {2, 1}, {"x", "y"})});
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(own->outputs[1].shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(Infer(itm_, {Bytes("image", {1}, {"a"}), Bytes("text", {1}, {""})}).status().reason(), "question_empty");
  EXPECT_EQ(Infer(itm_, {Bytes("image", {1}, {"a"}), Bytes("text", {2, 1}, {"x", "y"})}).status().message(),
            "input 'text': shape: want [Q], asked of every image, or [N,Q] with N images");
}

TEST_F(BatchedModels, AFrameThatSeveralModelsAreAskedAboutIsLookedAtOnce) {
  engine_->look.Close();
  auto busy = Start(vqa_, {Bytes("image", {1}, {"busy"}), Bytes("question", {1}, {"q"})});
  engine_->look.Await(1);
  auto asked = Start(vqa_, {Bytes("image", {1}, {"same"}), Bytes("question", {1}, {"q"})});
  auto compared = Start(itm_, {Bytes("image", {1}, {"same"}), Bytes("text", {1}, {"q"})});
  engine_->look.Open();
  EXPECT_TRUE(busy.get().ok() && asked.get().ok() && compared.get().ok());
  EXPECT_EQ(engine_->num_looked, 2) << "busy, same";
  EXPECT_EQ(engine_->num_asked, 3) << "a question is no text to compare, though it has the same words";
}

TEST_F(BatchedModels, StatisticsAreEachModelsOwn) {
  EXPECT_TRUE(Infer(vqa_, {Bytes("image", {2}, {"a", "b"}), Bytes("question", {1}, {"q"})}).ok());
  EXPECT_TRUE(Infer(itm_, {Bytes("image", {1}, {"a"}), Bytes("text", {1}, {"q"})}).ok());
  EXPECT_FALSE(Infer(itm_, {Bytes("image", {1}, {"garbage"}), Bytes("text", {1}, {"q"})}).ok());
  batcher_->Drain(Nanos(1'000'000'000));  // until the batches are in the books
  EXPECT_EQ(vqa_.Statistics().success.count, 1U);
  EXPECT_EQ(vqa_.Statistics().inference_count, 2U);
  EXPECT_EQ(vqa_.Statistics().fail.count, 0U);
  EXPECT_EQ(vqa_.Statistics().name, "vqa");
  EXPECT_EQ(itm_.Statistics().success.count, 1U);
  EXPECT_EQ(itm_.Statistics().fail.count, 1U);
  EXPECT_EQ(itm_.Statistics().execution_count, 1U);
  EXPECT_EQ(caption_.Statistics().success.count, 0U);
  EXPECT_EQ(caption_.Statistics().execution_count, 0U);
}

TEST_F(BatchedModels, LimitsAndDeadlinesAreThoseOfTheOneQueue) {
  clock_.Advance(std::chrono::seconds(1));
  const Response late =
      Start(caption_, {Bytes("image", {1}, {"a"})}, {.arrival = Nanos(1), .deadline = Nanos(1)}).get();
  EXPECT_EQ(late.status().code(), StatusCode::kDeadlineExceeded);
  const std::vector<std::string_view> many(kMaxImages + 1, "a");
  EXPECT_EQ(Infer(caption_, {Bytes("image", {kMaxImages + 1}, many)}).status().reason(), "shape_invalid");
  batcher_->Drain(Nanos(1'000'000'000));
  EXPECT_EQ(Infer(itm_, {Bytes("image", {1}, {"a"}), Bytes("text", {1}, {"q"})}).status().code(),
            StatusCode::kUnavailable);
}

}  // namespace
}  // namespace pawsight::server::testing
