// server/caption_model.h: model `caption`: images described in words, each by itself, greedily.
//
// | tensor | | |
// | --- | --- | --- |
// | image | BYTES [N] | JPEG or PNG, 1..16 |
// | prompt | BYTES [1] or [N], may be left out | the words that the caption goes on with |
// | caption | BYTES [N] | without the prompt |
// | score | FP32 [N] | probability of these words |
//
// One prompt is every image's, or each has its own. Left out it is "a picture of", with which the published model was
// trained; an empty one is none.
// At most 20 tokens, the prompt's among them. Not here: scheduling (server/batcher.h). Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "server/batched_model.h"

namespace pawsight::server {

inline constexpr std::string_view kDefaultPrompt = "a picture of";

class CaptionModel : public BatchedModel {
 public:
  /// As BatchedModel's.
  CaptionModel(std::string version, Batcher& batcher, std::function<bool()> ready, const RequestLimits& limits = {});

 private:
  Status ReadWork(const protocol::InferRequest& request, VqaWork* work) const override;
  std::vector<protocol::OutputTensor> Outputs(const WorkResult& result) const override;
};

}  // namespace pawsight::server
