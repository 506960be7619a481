// server/empty_model.h: a model that answers at once without looking at a pixel: p_yes is 0.5 of every question. For
// measuring and testing the door: everything but the model. It takes and gives what model `vqa` does. Thread-safe.
#pragma once

#include <atomic>
#include <string>

#include "server/model.h"

namespace pawsight::server {

class EmptyModel : public Model {
 public:
  explicit EmptyModel(std::string name = "vqa");

  const protocol::ModelMetadata& Metadata() const override { return metadata_; }
  const protocol::ModelConfig& Config() const override { return config_; }
  protocol::ModelStatistics Statistics() const override;
  bool Ready() const override { return true; }
  /// Calls `done` before it returns. image BYTES[N], question BYTES[Q] or BYTES[N,Q] -> answer BYTES[N,Q], p_yes
  /// FP32[N,Q]. Errors: kInvalidArgument, other shapes, more than 4096 answers.
  void Infer(std::shared_ptr<const protocol::InferRequest> request, const RequestContext& context, Done done) override;

 private:
  protocol::ModelMetadata metadata_;
  protocol::ModelConfig config_;
  std::atomic<uint64_t> num_answered_{0};
  std::atomic<uint64_t> num_failed_{0};
};

}  // namespace pawsight::server
