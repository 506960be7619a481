// server/request_notes.h: what the access log says of an infer request: which model, what became of it, how much was
// asked, how long it waited. Values; thread-compatible.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "base/log.h"
#include "net/access_log.h"
#include "server/work.h"

namespace pawsight::server {

struct RequestNotes : net::AccessNotes {
  std::string model;         // one that there is
  std::string_view outcome;  // of OutcomeName; "": it came to no outcome
  size_t images = 0;
  size_t questions = 0;  // of all images together
  Nanos queue{0};

  void AppendTo(std::string* line) const override {
    AppendLogField(line, "model", model);
    if (!outcome.empty()) AppendLogField(line, "outcome", outcome);
    AppendLogField(line, "images", std::to_string(images));
    AppendLogField(line, "questions", std::to_string(questions));
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", std::chrono::duration<double, std::milli>(queue).count());
    AppendLogField(line, "queue_ms", text);
  }
};

}  // namespace pawsight::server
