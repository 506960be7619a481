#include "browser.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/base64.h"
#include "base/check.h"
#include "net/testing.h"

namespace pawsight::browser {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kStartWithin{120};
constexpr std::chrono::seconds kAwaitWithin{90};  // for machines that do much else
constexpr std::chrono::seconds kAnswerWithin{150};
constexpr std::string_view kElementKey = "element-6066-11e4-a52e-4f735466cecf";  // W3C WebDriver, section 12
constexpr int kDeskWidth = 1280;

/// What scripts may say, see Tab.
constexpr std::string_view kWords = R"(
const one = (css, root = document) => root.querySelector(css);
const all = (css, root = document) => [...root.querySelectorAll(css)];
const shown = (element) => Boolean(element?.checkVisibility({ visibilityProperty: true }));
const still = (element) => {
  const was = window.wasAt, { x, y, width, height } = element.getBoundingClientRect();
  window.wasAt = [x, y, width, height].join();
  return was === window.wasAt;
};
const text = (element) => element.innerText.trim();
const button = (name) => all("button").find((b) => shown(b) && (b.getAttribute("aria-label") ?? text(b)) === name);
)";

std::string PathOf(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = folder + "/" + program;
    if (access(file.c_str(), X_OK) == 0 && !std::filesystem::is_directory(file)) return file;
  }
  return "";
}

/// The session that is asked for.
Json Capabilities(const std::string& profile) {
  Json::Array arguments;
  for (const char* argument : {
           "--headless=new", "--remote-debugging-pipe", "--no-sandbox",  // root in a container
           "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--no-proxy-server",
           "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost", "--window-size=1280,900",
           "--lang=en-US", "about:blank"  // Debian's own first page is on the Internet
       }) {
    arguments.emplace_back(argument);
  }
  arguments.emplace_back("--user-data-dir=" + profile);
  const Json chrome(Json::Object{{"binary", PathOf("chromium")}, {"args", std::move(arguments)}});
  const Json logs(Json::Object{{"browser", "ALL"}, {"performance", "ALL"}});
  const Json timeouts(Json::Object{{"script", int64_t{1000} * kAnswerWithin.count()}});
  return Json::Object{{"capabilities", Json::Object{{"alwaysMatch", Json::Object{{"browserName", "chrome"},
                                                                                 {"timeouts", timeouts},
                                                                                 {"goog:loggingPrefs", logs},
                                                                                 {"goog:chromeOptions", chrome}}}}}};
}

std::string TextOf(const Json& json, std::string_view key) {
  const Result<std::string> text = json.GetString(key);
  return text.ok() ? *text : std::string();
}

}  // namespace

std::string MissingPrograms() {
  std::string missing;
  for (const char* program : {"chromium", "chromedriver"}) {
    if (PathOf(program).empty()) missing += (missing.empty() ? "" : " and ") + std::string(program);
  }
  return missing;
}

Browser::Browser() {
  const std::string home = folder_.Path("home");
  std::filesystem::create_directory(home);
  // A test that is killed takes the driver with it, and a browser whose pipe to the driver ends goes too.
  driver_ = net::ChildProcess::Start({"env", "HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_CACHE_HOME=" + home,
                                      "TMPDIR=" + home, PathOf("chromedriver"), "--port=0"})
                .value();
  std::string said;
  constexpr std::string_view kStarted = "started successfully on port ";
  for (size_t at = std::string::npos; at == std::string::npos || said.find('\n', at) == std::string::npos;) {
    std::array<uint8_t, 1024> bytes{};
    const Result<size_t> got = driver_->Read(bytes, kStartWithin, {});
    CHECK(got.ok() && *got > 0);
    said.append(bytes.begin(), bytes.begin() + *got);
    at = said.find(kStarted);
    if (at != std::string::npos) port_ = std::atoi(said.c_str() + at + kStarted.size());
  }
  const Json wanted = Capabilities(folder_.Path("profile"));
  const Result<Json> session = Exchange("POST", "/session", &wanted);
  if (!session.ok()) ADD_FAILURE() << "no session: " << session.status().message();
  CHECK(session.ok());
  session_ = "/session/" + TextOf(*session, "sessionId");
  first_ = Get("window").value().as_string();
}

Browser::~Browser() {
  (void)Exchange("DELETE", session_,
                 nullptr);  // a profile that nobody writes to any more; else the kill is all there is
}

Result<Json> Browser::Exchange(const std::string& method, const std::string& target, const Json* body) const {
  const std::string text = body == nullptr ? "" : body->Dump();
  net::testing::RawClient client(port_, kAnswerWithin);
  client.Send(method + " " + target +
              " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json" +
              "\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
  // It need not close, whatever it was asked.
  const std::string head = client.ReadUntil("\r\n\r\n");
  constexpr std::string_view kLength = "Content-Length:";
  const size_t length = head.find(kLength);
  if (length == std::string::npos) return Unavailable(method + " " + target + ": no answer of the driver");
  const auto size = static_cast<size_t>(std::atoll(head.c_str() + length + kLength.size()));
  PAWSIGHT_ASSIGN_OR_RETURN(const Json json,
                            Json::Parse(client.ReadBytes(size), {.max_bytes = 256U << 20U, .max_depth = 200}));
  const Json* value = json.Find("value");
  if (value == nullptr) return Unavailable(target + ": the driver's answer has no value");
  if (const std::string error = TextOf(*value, "error"); !error.empty() && value->Find("stacktrace") != nullptr) {
    return Status(StatusCode::kAborted, error + ": " + TextOf(*value, "message").substr(0, 600));
  }
  return *value;
}

Result<Json> Browser::Command(const std::string& method, const std::string& path, const Json* body) {
  return Exchange(method, session_ + "/" + path, body);
}

Result<Json> Browser::Post(const std::string& path, const Json& body) { return Command("POST", path, &body); }

void Browser::Select(const std::string& window) {
  if (current_ == window) return;
  const Result<Json> done = Post("window", Json::Object{{"handle", window}});
  EXPECT_TRUE(done.ok()) << done.status().message();
  current_ = window;
}

void Browser::DevTools(const std::string& method, const Json& parameters) {
  const Result<Json> done = Post("goog/cdp/execute", Json::Object{{"cmd", method}, {"params", parameters}});
  EXPECT_TRUE(done.ok()) << method << ": " << done.status().message();
}

Json Browser::Log(const std::string& type) {
  const Result<Json> log = Post("se/log", Json::Object{{"type", type}});
  EXPECT_TRUE(log.ok()) << log.status().message();
  return log.ok() && log->is_array() ? *log : Json(Json::Array{});
}

std::vector<std::string> Browser::TakeComplaints() {
  std::vector<std::string> complaints;
  for (const Json& line : Log("browser").as_array()) {
    const std::string level = TextOf(line, "level");
    if (level == "SEVERE" || level == "WARNING") complaints.push_back(level + " " + TextOf(line, "message"));
  }
  return complaints;
}

std::vector<std::string> Browser::TakeRequests() {
  std::vector<std::string> requests;
  for (const Json& line : Log("performance").as_array()) {
    const Result<Json> told = Json::Parse(TextOf(line, "message"), {.max_depth = 200});
    const Json* message = told.ok() ? told->Find("message") : nullptr;
    if (message == nullptr || TextOf(*message, "method") != "Network.requestWillBeSent") continue;
    const Json* parameters = message->Find("params");
    const Json* request = parameters == nullptr ? nullptr : parameters->Find("request");
    if (request != nullptr) requests.push_back(TextOf(*request, "url"));
  }
  return requests;
}

Tab::Tab(Browser& browser) : browser_(browser) {
  const Result<Json> made = browser_.Post("window/new", Json::Object{{"type", "window"}});
  EXPECT_TRUE(made.ok()) << made.status().message();
  if (made.ok()) window_ = TextOf(*made, "handle");
  SetWidth(kDeskWidth);
  SetDark(false);
}

Tab::~Tab() {
  Select();
  (void)browser_.Command("DELETE", "window", nullptr);  // it goes with the browser otherwise
  browser_.Select(browser_.first_);
}

void Tab::Select() { browser_.Select(window_); }

void Tab::Open(const std::string& url) {
  Select();
  const Result<Json> done = browser_.Post("url", Json::Object{{"url", url}});
  EXPECT_TRUE(done.ok()) << url << ": " << done.status().message();
}

void Tab::RunBeforeEachPage(const std::string& script) {
  Select();
  browser_.DevTools("Page.addScriptToEvaluateOnNewDocument", Json::Object{{"source", script}});
}

void Tab::SetWidth(int pixels) {
  Select();
  browser_.DevTools(
      "Emulation.setDeviceMetricsOverride",
      Json::Object{{"width", pixels}, {"height", 900}, {"deviceScaleFactor", 1}, {"mobile", pixels < 600}});
}

void Tab::SetDark(bool dark) {
  Select();
  const Json scheme(Json::Object{{"name", "prefers-color-scheme"}, {"value", dark ? "dark" : "light"}});
  browser_.DevTools("Emulation.setEmulatedMedia", Json::Object{{"features", Json::Array{scheme}}});
}

Result<Json> Tab::Run(const std::string& how, const std::string& body) {
  Select();
  return browser_.Post("execute/" + how, Json::Object{{"script", std::string(kWords) + body}, {"args", Json::Array{}}});
}

Json Tab::Ask(const std::string& expression) {
  const Result<Json> value = Run("sync", "return (" + expression + ");");
  EXPECT_TRUE(value.ok()) << expression << ": " << value.status().message();
  return value.ok() ? *value : Json();
}

std::string Tab::AskText(const std::string& expression) {
  const Json value = Ask(expression);
  return value.is_string() ? value.as_string() : value.Dump();
}

bool Tab::Await(const std::string& expression) {
  const std::string look =
      "const done = arguments[0], until = performance.now() + " + std::to_string(1000 * kAwaitWithin.count()) + R"(;
    let why = "";
    const holds = () => { try { why = ""; return (EXPRESSION); } catch (error) { why = String(error); return false; } };
    const look = () => {
      if (holds()) done("");
      else if (performance.now() > until) done(`${why} The page says: ${document.body.innerText.slice(0, 1500)}`);
      else setTimeout(look, 20);
    };
    look();)";
  constexpr std::string_view kPlace = "EXPRESSION";
  const std::string script = std::string(look).replace(look.find(kPlace), kPlace.size(), expression);
  const auto until = steady_clock::now() + kAwaitWithin;
  Result<Json> said = Run("async", script);
  while (!said.ok() && said.status().message().find("document unloaded") != std::string::npos &&
         steady_clock::now() < until) {
    said = Run("async", script);  // the page was left while it was looked at
  }
  if (said.ok() && said->is_string() && said->as_string().empty()) return true;
  ADD_FAILURE() << "never true: " << expression << "\n"
                << (said.ok() ? said->Dump() : said.status().message()) << "\n"
                << ::testing::PrintToString(browser_.TakeComplaints());
  return false;
}

std::string Tab::Find(const std::string& element) {
  const Result<Json> found = Run("sync", "return (" + element + ");");
  return found.ok() ? TextOf(*found, kElementKey) : "";
}

void Tab::Act(const std::string& element, const std::string& action, const Json& body) {
  const auto until = steady_clock::now() + kAwaitWithin;
  // A click goes to where the element was: where the page moves meanwhile (a frame comes) it would be another's.
  if (!Await("shown(" + element + ") && still(" + element + ")")) return;
  for (;;) {
    const std::string id = Find(element);
    const Result<Json> done = browser_.Post("element/" + id + "/" + action, body);
    if (done.ok()) return;
    // The page may have put another element in its place meanwhile.
    const bool replaced = id.empty() || done.status().message().starts_with("stale element reference");
    if (replaced && steady_clock::now() < until) continue;
    ADD_FAILURE() << action << " of " << element << ": " << done.status().message();
    return;
  }
}

void Tab::Click(const std::string& element) { Act(element, "click", Json::Object{}); }

void Tab::Type(const std::string& element, std::string_view text) {
  Act(element, "clear", Json::Object{});
  Send(element, text);
}

void Tab::Send(const std::string& element, std::string_view keys) {
  Act(element, "value", Json::Object{{"text", keys}});
}

void Tab::Paste(std::string_view text) {
  Select();
  browser_.DevTools("Input.insertText", Json::Object{{"text", text}});
}

void Tab::Press(std::string_view key) {
  Select();
  Json::Array strokes;
  for (const char* stroke : {"keyDown", "keyUp"}) strokes.push_back(Json::Object{{"type", stroke}, {"value", key}});
  const Json keyboard(Json::Object{{"type", "key"}, {"id", "keyboard"}, {"actions", std::move(strokes)}});
  const Result<Json> done = browser_.Post("actions", Json::Object{{"actions", Json::Array{keyboard}}});
  EXPECT_TRUE(done.ok()) << done.status().message();
}

std::string Tab::Computed(const std::string& element, const std::string& what) {
  const Result<Json> told = browser_.Get("element/" + Find(element) + "/" + what);
  EXPECT_TRUE(told.ok()) << element << ": " << told.status().message();
  return told.ok() && told->is_string() ? told->as_string() : "";
}

void Tab::Show(const std::string& name) {
  const char* folder = std::getenv("PAWSIGHT_PAGE_PICTURES");
  if (folder == nullptr) return;
  Select();
  const Result<Json> picture = browser_.Get("screenshot");
  ASSERT_TRUE(picture.ok()) << picture.status().message();
  integration::WriteText(std::string(folder) + "/" + name + ".png", DecodeBase64(picture->as_string()).value());
}

}  // namespace pawsight::browser
