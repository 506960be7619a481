// server/itm_model.h: model `itm` (image-text matching): whether a text fits an image.
//
// | tensor | | |
// | --- | --- | --- |
// | image | BYTES [N] | JPEG or PNG, 1..16 |
// | text | BYTES [Q] or [N,Q] | one list for every image, or a list an image |
// | p_match | FP32 [N,Q] | probability that the text fits: reads image and text together |
// | cosine | FP32 [N,Q] | how alike image and text are, each read by itself, -1..1 |
//
// Not here: scheduling (server/batcher.h). Thread-safe.
#pragma once

#include <functional>
#include <string>

#include "server/batched_model.h"

namespace pawsight::server {

class ItmModel : public BatchedModel {
 public:
  /// As BatchedModel's.
  ItmModel(std::string version, Batcher& batcher, std::function<bool()> ready, const RequestLimits& limits = {});

 private:
  Status ReadWork(const protocol::InferRequest& request, VqaWork* work) const override;
  std::vector<protocol::OutputTensor> Outputs(const WorkResult& result) const override;
};

}  // namespace pawsight::server
