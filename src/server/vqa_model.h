// server/vqa_model.h: model `vqa`: the protocol's tensors to work for the batcher, and answers back to tensors.
//
//   image     BYTES [N]           JPEG or PNG, 1..16
//   question  BYTES [Q] or [N,Q]  one list for every image, or a list an image
//   mode      BYTES [1]           may be left out: "yesno" (the default), "generate", "rank"
//   choices   BYTES [C]           rank alone: what to choose among
//
//   answer    BYTES [N,Q]
//   p_yes     FP32 [N,Q]          "yes" against "no" as the first word; NaN when the model has no such words
//   score     FP32 [N,Q]          engine::Answer::score
//
// Not here: scheduling (server/batcher.h). Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "server/batcher.h"
#include "server/model.h"

namespace pawsight::server {

/// Of one request; more is kInvalidArgument.
struct VqaLimits {
  int max_images = kMaxImages;               // 1..kMaxImages
  int max_questions = kMaxQuestionsAnImage;  // an image, 1..kMaxQuestionsAnImage
};

class VqaModel : public Model {
 public:
  /// `batcher` outlives it. `ready` is asked by Ready(): the health that the worker's canaries found.
  VqaModel(std::string version, Batcher& batcher, std::function<bool()> ready, const VqaLimits& limits = {});

  const protocol::ModelMetadata& Metadata() const override { return metadata_; }
  const protocol::ModelConfig& Config() const override { return config_; }
  protocol::ModelStatistics Statistics() const override;
  bool Ready() const override { return ready_(); }
  /// Errors: kInvalidArgument, naming the tensor: its shape, an unknown mode, choices without rank; then those of
  /// WorkResult.
  void Infer(std::shared_ptr<const protocol::InferRequest> request, const RequestContext& context, Done done) override;

 private:
  Batcher& batcher_;
  const std::function<bool()> ready_;
  const VqaLimits limits_;
  const protocol::ModelMetadata metadata_;
  const protocol::ModelConfig config_;
};

/// The request's tensors as work, whose images view into the request and keep it. Errors: as VqaModel::Infer's first.
Result<VqaWork> ToWork(std::shared_ptr<const protocol::InferRequest> request, const RequestContext& context,
                       const VqaLimits& limits = {});

}  // namespace pawsight::server
