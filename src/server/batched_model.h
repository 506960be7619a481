// server/batched_model.h: what the served models have in common: requests become work for one batcher, which shares the
// looks at equal frames among them, and answers become tensors; statistics are what the batcher counted of the model.
// Not here: what the tensors of each mean (server/vqa_model.h, caption_model.h, itm_model.h), scheduling
// (server/batcher.h). Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/batcher.h"
#include "server/model.h"

namespace pawsight::server {

/// Of one request; more is kInvalidArgument.
struct RequestLimits {
  int max_images = kMaxImages;               // 1..kMaxImages
  int max_questions = kMaxQuestionsAnImage;  // an image, 1..kMaxQuestionsAnImage; texts to compare are questions too
};

class BatchedModel : public Model {
 public:
  const protocol::ModelMetadata& Metadata() const override { return metadata_; }
  const protocol::ModelConfig& Config() const override { return config_; }
  protocol::ModelStatistics Statistics() const override;
  bool Ready() const override { return ready_(); }
  /// Errors: kInvalidArgument, naming the tensor; then those of WorkResult.
  void Infer(std::shared_ptr<const protocol::InferRequest> request, const RequestContext& context, Done done) override;

 protected:
  /// `batcher` outlives it. `ready` is asked by Ready(): the health that the worker's canaries found.
  BatchedModel(protocol::ModelMetadata metadata, engine::Head head, Batcher& batcher, std::function<bool()> ready,
               const RequestLimits& limits);

  const RequestLimits& limits() const { return limits_; }

  /// Fills in questions and options; images, priority and times are there. Errors: kInvalidArgument.
  virtual Status ReadWork(const protocol::InferRequest& request, VqaWork* work) const = 0;
  /// The outputs of work that ended ok.
  virtual std::vector<protocol::OutputTensor> Outputs(const WorkResult& result) const = 0;

 private:
  const protocol::ModelMetadata metadata_;
  const protocol::ModelConfig config_;
  const engine::Head head_;
  Batcher& batcher_;
  const std::function<bool()> ready_;
  const RequestLimits limits_;
};

/// The part of a request that all models share: `image` BYTES [N]; the work views into the request and keeps it.
/// Errors: kInvalidArgument, naming the tensor.
Result<VqaWork> ImagesAsWork(std::shared_ptr<const protocol::InferRequest> request, const RequestContext& context,
                             const RequestLimits& limits = {});

/// A list for every image, [Q], or a list an image, [N,Q]. Errors: kInvalidArgument, naming the tensor; more than the
/// limit: too_many_questions.
Status ReadTextLists(const protocol::InputTensor& input, size_t num_images, const RequestLimits& limits,
                     std::vector<std::vector<std::string>>* lists);

/// The input has another shape than `want`: kInvalidArgument.
Status BadShape(const std::string& name, const std::string& want);

}  // namespace pawsight::server
