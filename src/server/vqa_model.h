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
#include <string>

#include "server/batched_model.h"

namespace pawsight::server {

class VqaModel : public BatchedModel {
 public:
  /// As BatchedModel's.
  VqaModel(std::string version, Batcher& batcher, std::function<bool()> ready, const RequestLimits& limits = {});

 private:
  /// Errors: kInvalidArgument, naming the tensor: its shape, an unknown mode, choices without rank.
  Status ReadWork(const protocol::InferRequest& request, VqaWork* work) const override;
  std::vector<protocol::OutputTensor> Outputs(const WorkResult& result) const override;
};

}  // namespace pawsight::server
