// gateway/backends/status.h: the books as people and scrapers read them. Functions without state.
#pragma once

#include <string>

#include "base/json.h"
#include "gateway/backends/books.h"

namespace pawsight::gateway {

/// How inquiries ended.
struct InquiryCounts {
  uint64_t answered = 0, unfit = 0, full = 0, late = 0, unavailable = 0;
};

/// Around the books, now.
struct BackendsNow {
  InquiryCounts counts;
  size_t in_flight = 0, in_flight_limit = 0;
  size_t bytes = 0, bytes_limit = 0;
};

/// `books` were accrued.
Json BooksToJson(const Books& books, const BackendsNow& now);
std::string BooksToMetrics(const Books& books, const BackendsNow& now);

/// Whether the two say yes to other questions; adds to `counts`. As many in both.
void CompareShadow(const std::vector<double>& given_p_yes, const std::vector<double>& shadow_p_yes,
                   double latency_difference_s, ShadowCounts* counts);

}  // namespace pawsight::gateway
