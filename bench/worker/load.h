// bench/worker/load.h: infer requests for a worker over HTTP, none of whose images are the same. For benchmarks.
#pragma once

#include <cstdint>
#include <string>

namespace pawsight::bench {

/// A request about a drawn room, 640 by 480; `number` makes its bytes, not its pixels, different from all others, so
/// that no two share an encoding.
std::string InferRequest(int64_t number);

/// `connections` at once for `seconds`, each with one request under way, after a second to warm up. Answers a second;
/// who is refused as too much comes back 5 ms later, any other status than 200 ends the benchmark.
double ClosedLoop(int port, int connections, double seconds);

}  // namespace pawsight::bench
