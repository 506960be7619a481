#include "gateway/api/frames.h"

#include <charconv>
#include <utility>

#include "events/ids.h"
#include "net/multipart.h"
#include "rules/question.h"

namespace pawsight::gateway {
namespace {

std::shared_ptr<const std::vector<uint8_t>> BytesOf(std::string_view text) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  return std::make_shared<const std::vector<uint8_t>>(bytes, bytes + text.size());
}

/// With the path's own idea of when to come back.
net::HttpResponse Refusal(const Submitted& submitted) {
  net::HttpResponse response = Problem(submitted.status);
  if (submitted.retry_after.count() <= 0) return response;
  std::erase_if(response.headers, [](const auto& header) { return header.first == "Retry-After"; });
  response.headers.emplace_back("Retry-After", std::to_string((submitted.retry_after.count() + 999) / 1000));
  return response;
}

net::HttpResponse ResultAnswer(const FrameResult& result) {
  return result.trouble.ok() ? JsonAnswer(200, ResultToJson(result)) : Problem(result.trouble);
}

Status CheckSize(size_t bytes, size_t most) {
  if (bytes <= most) return Ok();
  return InvalidArgument("a frame: want at most " + std::to_string(most) + " bytes", "frame_too_large");
}

/// One frame of several.
Json ItemOf(const Submitted& submitted) {
  if (submitted.status.ok()) return Json::Object{{"frame", submitted.frame}};
  return Json::Object{{"error", Json::Object{{"status", ProblemStatus(submitted.status)},
                                             {"code", ProblemCode(submitted.status)},
                                             {"detail", submitted.status.message()}}}};
}

/// What several frames came to, kept until the last of them has ended.
struct Gathering {
  explicit Gathering(Responder responder) : reply(std::move(responder)) {}
  ~Gathering() { reply.Send(JsonAnswer(200, Json::Object{{"frames", std::move(items)}})); }
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

  Responder reply;
  Mutex mu;
  Json::Array items;
};

Json AnswersJson(const Reply& answered) {
  Json::Array answers;
  for (const Answer& answer : answered.answers) {
    answers.push_back(Json::Object{{"question", answer.question}, {"answer", answer.text}, {"p_yes", answer.p_yes}});
  }
  return answers;
}

}  // namespace

Status ReadFrameHeaders(const std::function<std::string_view(std::string_view)>& header, Submission* submission) {
  for (const auto& [name, shown, time] :
       {std::tuple{"pawsight-captured-at", "Pawsight-Captured-At", &submission->captured},
        std::tuple{"pawsight-sent-at", "Pawsight-Sent-At", &submission->sent}}) {
    const std::string_view text = header(name);
    if (text.empty()) continue;
    const Result<Time> parsed = ParseTime(text);
    if (!parsed.ok()) return InvalidArgument(std::string(shown) + ": " + parsed.status().message(), "header");
    *time = *parsed;
  }
  const std::string_view text = header("pawsight-sequence");
  if (text.empty()) return Ok();
  uint64_t sequence = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sequence);
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidArgument("Pawsight-Sequence: want a whole number", "header");
  }
  submission->sequence = sequence;
  return Ok();
}

FramesApi::FramesApi(const ApiContext& context, const Registry& registry, FramePath& path, AsyncBackend& backend,
                     const FramesOptions& options)
    : context_(context), registry_(registry), path_(path), backend_(backend), options_(options) {
  ApiRouter& router = context.router;
  router.AddLater("POST", "/v1/cameras/{camera}/frames", Access::kFrames,
                  [this](std::shared_ptr<const Call> call, const Responder& reply) { Post(std::move(call), reply); });
  router.Add("GET", "/v1/cameras/{camera}/frame", Access::kRead, this, &FramesApi::Newest);
  router.AddLater("POST", "/v1/cameras/{camera}/ask", Access::kRead, this, &FramesApi::Ask);
}

Result<Registry::CameraEntry> FramesApi::CameraOf(const Call& call) const {
  const std::string& id = call.Parameter(0);
  std::optional<Registry::CameraEntry> camera = registry_.FindCamera(id);
  if (!camera) return NotFound("no such camera", "camera_unknown");
  if (camera->owner != call.owner) return NotFound("no such camera", "camera_unknown");
  if (call.who.role == events::Role::kDevice && camera->device != call.who.device) {
    context_.router.NoteViolation(call, id);
    return PermissionDenied("this camera is not this device's", "tenant_violation");
  }
  if (!camera->enabled) return Status(StatusCode::kAborted, "the camera is not enabled", "camera_disabled");
  return *std::move(camera);
}

void FramesApi::Post(std::shared_ptr<const Call> call, const Responder& reply) {
  const net::HttpRequest& request = *call->request;
  const std::string_view wanted = request.Query("wait");
  if (!wanted.empty() && wanted != "answers") return reply.Fail(InvalidArgument("wait: want answers", "wait"));
  if (const auto camera = CameraOf(*call); !camera.ok()) return reply.Fail(camera.status());
  Submission submission;
  submission.owner = call->owner;
  submission.camera = call->Parameter(0);
  submission.device = call->who.device;
  submission.must_ask = !wanted.empty();
  const Status read = ReadFrameHeaders([&](std::string_view name) { return request.Header(name); }, &submission);
  if (!read.ok()) return reply.Fail(read);
  const std::string_view type = request.Header("content-type");
  if (net::IsMultipart(type)) return PostParts(call, reply, submission, !wanted.empty());
  if (type.starts_with("application/json")) {
    return reply.Fail(InvalidArgument("Content-Type: want the bytes of a JPEG or PNG image", "content_type"));
  }
  if (const Status fits = CheckSize(request.body.size(), options_.max_frame_bytes); !fits.ok()) return reply.Fail(fits);
  submission.encoded = BytesOf(request.body);
  PostOne(*call, reply, std::move(submission), !wanted.empty());
}

void FramesApi::PostOne(const Call&, const Responder& reply, Submission submission, bool wait) {
  if (!wait) {
    const Submitted submitted = path_.Submit(std::move(submission));
    if (!submitted.status.ok()) return reply.Send(Refusal(submitted));
    return reply.Send(JsonAnswer(202, Json::Object{{"frame", submitted.frame}}));
  }
  const Submitted submitted =
      path_.Submit(std::move(submission),
                   [reply](const std::shared_ptr<const FrameResult>& result) { reply.Send(ResultAnswer(*result)); });
  if (submitted.status.ok()) return;
  reply.Send(submitted.result != nullptr && submitted.status.reason() == "duplicate_frame"
                 ? ResultAnswer(*submitted.result)  // what the first one was answered
                 : Refusal(submitted));
}

void FramesApi::PostParts(const std::shared_ptr<const Call>& call, const Responder& reply, const Submission& like,
                          bool wait) {
  const net::HttpRequest& request = *call->request;
  const Result<std::string> boundary = net::MultipartBoundary(request.Header("content-type"));
  if (!boundary.ok()) return reply.Fail(boundary.status());
  const auto parts = net::ReadMultipart(request.body, *boundary, {.max_parts = options_.max_parts});
  if (!parts.ok()) return reply.Fail(parts.status());
  std::vector<Submission> submissions;
  for (const net::MultipartPart& part : *parts) {
    Submission submission = like;
    const Status read = ReadFrameHeaders([&](std::string_view name) { return part.Header(name); }, &submission);
    const Status fits = read.ok() ? CheckSize(part.body.size(), options_.max_frame_bytes) : read;
    if (!fits.ok()) return reply.Fail(Annotate(fits, "part " + std::to_string(submissions.size())));
    submission.encoded = BytesOf(part.body);
    submissions.push_back(std::move(submission));
  }
  if (!wait) {
    Json::Array items;
    for (Submission& submission : submissions) items.push_back(ItemOf(path_.Submit(std::move(submission))));
    return reply.Send(JsonAnswer(202, Json::Object{{"frames", std::move(items)}}));
  }
  const auto gathering = std::make_shared<Gathering>(reply);
  gathering->items.resize(submissions.size());
  for (size_t i = 0; i < submissions.size(); ++i) {
    const Submitted submitted =
        path_.Submit(std::move(submissions[i]), [gathering, i](const std::shared_ptr<const FrameResult>& result) {
          MutexLock lock(gathering->mu);
          gathering->items[i] = ResultToJson(*result);
        });
    if (submitted.status.ok()) continue;
    MutexLock lock(gathering->mu);
    gathering->items[i] = ItemOf(submitted);
  }
}

Result<net::HttpResponse> FramesApi::Newest(const Call& call) const {
  PAWSIGHT_RETURN_IF_ERROR(CameraOf(call).status());
  const std::optional<NewestFrame> newest = path_.Newest(call.owner, call.Parameter(0));
  if (!newest) return NotFound("no frame of this camera is kept", "no_frame");
  const std::vector<uint8_t>& bytes = *newest->encoded;
  const bool png = bytes.size() > 4 && bytes[0] == 0x89 && bytes[1] == 'P';
  return net::HttpResponse{200,
                           png ? "image/png" : "image/jpeg",
                           std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
                           {{"Pawsight-Frame", newest->frame}, {"Pawsight-Captured-At", FormatTime(newest->time)}},
                           {},
                           nullptr};
}

void FramesApi::Ask(const Call& call, const Responder& reply) {
  if (const auto camera = CameraOf(call); !camera.ok()) return reply.Fail(camera.status());
  std::vector<std::string> wanted;
  const bool read = ApiRouter::ReadFields(call, reply, [&](Fields& fields) {
    wanted = fields.Texts("questions", kMaxOwnQuestions, rules::kMaxQuestionBytes);
  });
  if (!read) return;
  std::vector<rules::Question> questions;
  for (const std::string& text : wanted) {
    const Result<rules::Question> question = rules::Question::Parse(text);
    if (!question.ok()) return reply.Fail(question.status());
    questions.push_back(*question);
  }
  if (questions.empty()) return reply.Fail(InvalidArgument("questions: want one or more", "question_empty"));
  const std::optional<NewestFrame> newest = path_.Newest(call.owner, call.Parameter(0));
  if (!newest) return reply.Fail(Status(StatusCode::kAborted, "the camera has sent no frame yet", "no_frame_yet"));
  if (num_asks_->fetch_add(1) >= options_.max_asks) {
    num_asks_->fetch_sub(1);
    return reply.Fail(Unavailable("too many questions at once; come back", "shed"));
  }
  const rules::QuestionPlan plan = rules::PlanQuestions(questions);
  Inquiry inquiry{.frame_id = newest->frame,
                  .camera = call.Parameter(0),
                  .owner = call.owner,
                  .encoded = newest->encoded,
                  .questions = plan.questions,
                  .deadline = std::chrono::steady_clock::now() + options_.ask_within,
                  .priority = 1};
  backend_.Ask(std::move(inquiry), [reply, plan, frame = newest->frame, time = newest->time,
                                    num_asks = num_asks_](const Result<Reply>& answered) {
    num_asks->fetch_sub(1);
    if (!answered.ok()) return reply.Fail(answered.status());
    Reply in_order = *answered;
    in_order.answers.clear();
    for (const size_t idx : plan.question_idx) in_order.answers.push_back(answered->answers[idx]);
    reply.Send(JsonAnswer(200, Json::Object{{"frame", frame},
                                            {"time", FormatTime(time)},
                                            {"answers", AnswersJson(in_order)},
                                            {"pool", answered->pool},
                                            {"model_version", answered->model_version}}));
  });
}

}  // namespace pawsight::gateway
