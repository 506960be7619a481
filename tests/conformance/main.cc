// conformance, grpc_conformance [--address HOST:PORT] [--model NAME] [GoogleTest's flags]

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "target.h"

int main(int argc, char** argv) {
  using pawsight::conformance::TheTarget;
  testing::InitGoogleTest(&argc, argv);
  bool given = false;
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    const size_t colon = value.rfind(':');
    if (flag == "--model" && !value.empty()) {
      TheTarget().model = value;
    } else if (flag == "--address" && colon != std::string::npos) {
      TheTarget().host = value.substr(0, colon);
      TheTarget().port = std::atoi(value.c_str() + colon + 1);
      given = true;
    } else {
      std::fprintf(stderr, "usage: %s [--address HOST:PORT] [--model NAME]\n", argv[0]);
      return 2;
    }
  }
  if (!given && !testing::GTEST_FLAG(list_tests)) pawsight::conformance::ServeInProcess();
  return RUN_ALL_TESTS();
}
