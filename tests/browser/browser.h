// tests/browser/browser.h: a real Chromium without a screen, driven as W3C WebDriver says, through Debian's
// chromedriver on loopback. It reaches nothing but this machine, and all it writes is in a folder that goes away. Not
// here: what a test wants of our page (page_fixture.h). For tests only; used by one thread. What fails fails the
// running test.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "integration/program.h"
#include "net/child_process.h"

namespace pawsight::browser {

/// Which of the programs it takes are not in PATH, "" when none is missing.
std::string MissingPrograms();

class Browser {
 public:
  /// Starts both; within two minutes (CHECK).
  Browser();
  /// Kills both, and whatever they started.
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  /// One command of the session: POST /session/.../`path`. Errors: kUnavailable, no answer; kAborted, the driver's
  /// error, "stale element reference: ...".
  Result<Json> Post(const std::string& path, const Json& body);
  Result<Json> Get(const std::string& path) { return Command("GET", path, nullptr); }
  /// A command of Chromium's own, for what WebDriver has no word: DevTools' `method`.
  void DevTools(const std::string& method, const Json& parameters);

  /// What stands on the console since the last time: errors and warnings of scripts and of loading, a line each.
  std::vector<std::string> TakeComplaints();
  /// The address of everything that pages asked for since the last time.
  std::vector<std::string> TakeRequests();

 private:
  friend class Tab;
  Result<Json> Command(const std::string& method, const std::string& path, const Json* body);
  Result<Json> Exchange(const std::string& method, const std::string& target, const Json* body) const;
  void Select(const std::string& window);
  Json Log(const std::string& type);

  integration::TempFolder folder_;
  std::unique_ptr<net::ChildProcess> driver_;
  int port_ = 0;
  std::string session_;
  std::string first_;    // a window that stays, so that there is always one
  std::string current_;  // the window that commands are for
};

/// A window of its own, as wide as a desk's screen and light; closed when this goes. Its scripts have these words:
/// one(CSS, in), all(CSS, in), shown(element), button(NAME) and text(element), the latter as it is seen.
class Tab {
 public:
  /// `browser` must outlive it.
  explicit Tab(Browser& browser);
  ~Tab();
  Tab(const Tab&) = delete;
  Tab& operator=(const Tab&) = delete;

  void Open(const std::string& url);
  /// A script that each page opened from now on runs before its own.
  void RunBeforeEachPage(const std::string& script);
  void SetWidth(int pixels);
  void SetDark(bool dark);

  /// The value of a JavaScript expression; null, and the test fails, when it throws.
  Json Ask(const std::string& expression);
  /// Ask as text; anything that is none is written as JSON.
  std::string AskText(const std::string& expression);
  /// Waits until the expression is true in the page, which looks itself, every 20 ms; one that throws is not true yet.
  /// False, and the test fails with what the page shows, after a minute and a half.
  bool Await(const std::string& expression);

  /// Clicks, as a mouse does, on the element of that expression, once it is there.
  void Click(const std::string& element);
  /// Replaces what stands in a field, as a keyboard does.
  void Type(const std::string& element, std::string_view text);
  /// Keys to an element as it is: the first letters of what is chosen of a list.
  void Send(const std::string& element, std::string_view keys);
  /// What is pasted where the focus is.
  void Paste(std::string_view text);
  /// One key, pressed and let go where the focus is.
  void Press(std::string_view key);
  static constexpr std::string_view kTabKey = "\uE004";
  static constexpr std::string_view kEnterKey = "\uE007";
  static constexpr std::string_view kEscapeKey = "\uE00C";

  /// What a screen reader is told of it.
  std::string NameOf(const std::string& element) { return Computed(element, "computedlabel"); }
  std::string RoleOf(const std::string& element) { return Computed(element, "computedrole"); }

  /// Writes a picture of the window to $PAWSIGHT_PAGE_PICTURES/`name`.png, where that is set.
  void Show(const std::string& name);

 private:
  void Select();
  Result<Json> Run(const std::string& how, const std::string& body);
  /// The driver's name of the element; "": there is none now.
  std::string Find(const std::string& element);
  std::string Computed(const std::string& element, const std::string& what);
  /// `action` of the element, again while the page replaces it.
  void Act(const std::string& element, const std::string& action, const Json& body);

  Browser& browser_;
  std::string window_;
};

}  // namespace pawsight::browser
