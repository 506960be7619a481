// gateway/backends/inquiry_codec.h: an inquiry as the protocol's tensors and what comes back as answers, checked, so
// that the stations after it may trust an Answer. Thread-safe: functions without state.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "gateway/backend.h"
#include "protocol/messages.h"

namespace pawsight::gateway {

inline constexpr size_t kMaxQuestions = 64;       // of an inquiry
inline constexpr size_t kMaxQuestionBytes = 512;  // of one question
inline constexpr size_t kMaxAnswerBytes = 1024;   // of one answer

/// Errors: kInvalidArgument, no frame, no question or too many, one that is empty or too long.
Status CheckInquiry(const Inquiry& inquiry);

/// Asks model `vqa`, or one that takes the same, for answers, p_yes and score. Views the inquiry and keeps it.
std::shared_ptr<const protocol::InferRequest> ToRequest(std::shared_ptr<const Inquiry> inquiry,
                                                        const std::string& model);

/// One answer a question, in their order. A p_yes that is no number, of a model without such words, becomes 0.5.
/// Errors: kDataLoss, an output is missing or not one a question, a p_yes outside 0..1, an answer too long.
Result<std::vector<Answer>> ToAnswers(const Inquiry& inquiry, const protocol::InferResponse& response);

}  // namespace pawsight::gateway
