// How the page looks and who can use it: on a telephone and a desk, light and dark, with texts that mean harm, by
// keyboard and by name, without motion.
#include <gmock/gmock.h>

#include <set>

#include "page_fixture.h"

namespace pawsight::browser {
namespace {

using integration::Text;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// In no state the page is wider than the window, hard to read, or moves.
void ExpectFits(Tab& tab, const std::string& state) {
  for (const int width : {390, 1280}) {
    tab.SetWidth(width);
    for (const bool dark : {false, true}) {
      tab.SetDark(dark);
      const std::string where = state + " " + std::to_string(width) + (dark ? " dark" : " light");
      EXPECT_EQ(dark ? "" : Overflow(tab), "") << where;  // as wide in every colour
      EXPECT_EQ(width == 390 ? LowContrast(tab) : "", "") << where;
      tab.Show(state + "-" + std::to_string(width) + (dark ? "-dark" : "-light"));
    }
  }
  tab.SetDark(false);
  EXPECT_EQ(tab.AskText(R"(all("body *").filter((e) => {
    const style = getComputedStyle(e);
    return style.animationName !== "none" || style.transitionDuration !== "0s" || style.scrollBehavior !== "auto";
  }).length)"),
            "0")
      << "who wants no motion has none: there is none";
}

std::string Times(std::string_view part, size_t times) {
  std::string all;
  while (times-- > 0) all += part;
  return all;
}

/// As long as the API takes them: markup, another direction, one word without an end, pictures.
const std::string& Hostile(size_t number) {
  static const auto* const texts = new std::vector<std::string>{
      "<img src=x onerror=harmed=1><script>harmed=1</script> there",
      "\u202Eright to left\u2066 \u05E9\u05DC\u05D5\u05DD &lt;b&gt; &amp; ${1} {{1}}",
      Times("W", 200),
      Times("\U0001F415\u200D\U0001F9BA", 15) + "a\u0301\u0323\u0323\u0323",
  };
  return texts->at(number % texts->size());
}

/// A page with many hostile texts: each is there as text.
void MakeHostile(const integration::RunningGateway& gateway, Household* home, const net::testing::Webhook& hook) {
  for (size_t i = 0; i < 4; ++i) {
    const std::string label = Hostile(i).substr(0, 20);  // an emoji is not cut: see above
    const Json camera =
        gateway.Post("/v1/cameras", home->token,
                     Json(Json::Object{{"gate", false},
                                       {"name", Hostile(i)},
                                       {"device", home->device},
                                       {"labels", Json::Object{{"room", i == 3 ? Json("den") : Json(label)}}}})
                         .Dump());
    home->camera = Text(camera, "id");
    Json receiver(Json::Object{{"name", Hostile(i + 1)}});
    receiver.Set("config", Json::Parse(hook.Config()).value());
    gateway.Post("/v1/receivers", home->token, receiver.Dump());
    for (const char* expect : {"yes", "no"}) {
      gateway.Post(
          "/v1/rules", home->token,
          Json(Json::Object{{"question", Hostile(i)}, {"expect", expect}, {"threshold", 0.01}, {"clear_s", 3600}})
              .Dump());
    }
  }
}

TEST_F(PageTest, InEachStateItFitsATelephoneAndADeskAndIsReadableLightAndDarkWithHostileTexts) {
  Household home = MakeHousehold("looks", "hall");
  Tab tab(browser());
  tab.Open(gateway().url());
  ASSERT_TRUE(tab.Await("shown(one('#door'))"));
  ExpectFits(tab, "door");
  ExpectOnConsole("status of 401");
  tab.Type("one('#token')", "paw_o" + Times("x", 300));
  tab.Click(Button("Open"));
  ASSERT_TRUE(tab.Await("text(one('#trouble')) !== ''"));
  ExpectFits(tab, "refused");
  SignIn(tab, home);
  ExpectFits(tab, "empty");

  const net::testing::Webhook hook;
  MakeHostile(gateway(), &home, hook);
  const Household camera = home;
  SignIn(tab, home);
  SendRoom(camera, 1);
  ASSERT_TRUE(tab.Await("all('.alert').length >= 4 && all('.receiver').length === 4 && all('.rule').length === 8"));
  ASSERT_TRUE(tab.Await("all('.delivery').length >= 4 && all('.camera img').some((i) => i.naturalWidth === 320)"));
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(tab.Await("shown(" + Card(Hostile(i)) + ")")) << "as text";
    EXPECT_TRUE(tab.Await("shown(" + RuleLine(Hostile(i) + "?") + ")")) << "as text";
  }
  for (const Json& rule : Items("/v1/rules", home.token)) {
    if (Text(rule, "question") != Hostile(0) + "?") continue;
    EXPECT_THAT(gateway().Call("DELETE", "/v1/rules/" + Text(rule, "id"), home.token).first, HasSubstr(" 204 "));
  }
  ASSERT_TRUE(tab.Await("all('.alert.over').length >= 1 && all('.rule').length === 6")) << "an alert that is over";
  ExpectFits(tab, "hostile");
  tab.Click("button(" + JsonQuote("Edit: " + Hostile(2) + "?") + ")");
  ASSERT_TRUE(tab.Await("one('#rule-dialog').open"));
  ExpectFits(tab, "rule");
  ExpectOnConsole("status of 400");
  tab.Type("one('#rule-question')", "   ");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("text(one('#rule-trouble')) !== ''"));
  ExpectFits(tab, "rule-refused");
  tab.Press(Tab::kEscapeKey);
  tab.Click("button(" + JsonQuote("Edit camera: " + Hostile(2)) + ")");
  ASSERT_TRUE(tab.Await("one('#camera-dialog').open"));
  ExpectFits(tab, "camera");
  tab.Click(Button("Delete"));
  ExpectFits(tab, "question");
  tab.Click("one('#question-no')");
  tab.Press(Tab::kEscapeKey);
  tab.Click("button(" + JsonQuote("Edit receiver: " + Hostile(1)) + ")");
  tab.Click("one('#receiver-fields summary')");
  ExpectFits(tab, "receiver");
  tab.Press(Tab::kEscapeKey);
  tab.Click("button(" + JsonQuote("Deliveries: " + Hostile(2)) + ")");
  ASSERT_TRUE(tab.Await("all('#deliveries tr').length >= 1"));
  ExpectFits(tab, "deliveries");
  tab.Press(Tab::kEscapeKey);
  tab.Click(Button("Edit device: hall"));
  ExpectFits(tab, "device");
  tab.Press(Tab::kEscapeKey);
  tab.Click(Button("New token: hall"));
  tab.Click("one('#question-yes')");
  ASSERT_TRUE(tab.Await("one('#secret-dialog').open"));
  ExpectFits(tab, "token");
  tab.Press(Tab::kEscapeKey);
  tab.Click("button(" + JsonQuote("Why? " + Hostile(1) + "?") + ")");
  ASSERT_TRUE(tab.Await("all('#why-newest tr').length === 1"));
  ExpectFits(tab, "hostile-why");
  EXPECT_EQ(tab.AskText("typeof harmed"), "undefined");
  EXPECT_EQ(tab.AskText("all('main script, main img:not([src^=blob]):not([hidden])').length"), "0");
}

/// Name and role of what has the focus; "" on the page itself.
std::string Focused(Tab& tab) {
  if (tab.AskText("document.activeElement === document.body") == "true") return "";
  return tab.RoleOf("document.activeElement") + " " + tab.NameOf("document.activeElement");
}

/// What the Tab key reaches, in order, until it comes back; each with a visible focus.
std::vector<std::string> Reached(Tab& tab) {
  std::vector<std::string> names;
  tab.Ask(
      "(document.body.tabIndex = -1, document.body.focus(), document.body.removeAttribute('tabindex'))");  // its top
  for (int i = 0; i < 60; ++i) {
    tab.Press(Tab::kTabKey);
    const std::string name = Focused(tab);
    if (name.empty() || (!names.empty() && name == names[0])) break;
    EXPECT_NE(tab.AskText("getComputedStyle(document.activeElement).outlineStyle"), "none") << name;
    names.push_back(name);
  }
  return names;
}

TEST_F(PageTest, EverythingIsReachedByKeyboardAndNamedAndTheFocusComesBackFromADialog) {
  const Household home = MakeHousehold("keys", "hall");
  MakeRule(home, "Is there a dog?");
  const net::testing::Webhook hook;
  gateway().Post("/v1/receivers", home.token, R"({"name":"radio","config":)" + hook.Config() + "}");
  Tab tab(browser());
  tab.Open(gateway().url());
  ASSERT_TRUE(tab.Await("shown(one('#door'))"));
  EXPECT_THAT(Reached(tab), ::testing::ElementsAre("textbox Token", "button Open"));
  SignIn(tab, home);
  ASSERT_TRUE(
      tab.Await("shown(" + RuleLine("Is there a dog?") + ") && shown(one('.receiver')) && shown(one('.device'))"));
  const std::vector<std::string> reached = Reached(tab);
  const std::set<std::string> all(reached.begin(), reached.end());
  for (const char* wanted :
       {"button Sign out", "button Add a rule", "button Add a camera", "button Edit camera: hall",
        "button Why? Is there a dog?", "button Edit: Is there a dog?", "button Add a receiver", "button Test: radio",
        "button Deliveries: radio", "button Edit receiver: radio", "button Add a device", "button New token: hall",
        "button Revoke: hall", "button Edit device: hall"}) {
    EXPECT_EQ(all.count(wanted), 1U) << wanted << " of " << ::testing::PrintToString(reached);
  }
  EXPECT_EQ(std::to_string(reached.size()),
            tab.AskText("all('a[href], button, input, select, textarea, [tabindex=\\'0\\']').filter(shown).length"));
  for (const std::string& name : reached) EXPECT_THAT(name.substr(name.find(' ') + 1), ::testing::Not(IsEmpty()));

  for (const std::string button :
       {"Edit: Is there a dog?", "Why? Is there a dog?", "Edit camera: hall", "Add a camera", "Add a receiver",
        "Deliveries: radio", "Edit receiver: radio", "Add a device", "Edit device: hall", "Revoke: hall"}) {
    tab.Ask(Button(button) + ".focus()");
    tab.Press(Tab::kEnterKey);
    ASSERT_TRUE(tab.Await("one('dialog[open]')?.contains(document.activeElement)"));
    const std::string controls =
        "all('dialog[open] :is(button, input, select, textarea, summary, [tabindex=\\'0\\'])').filter(shown)";
    const int count = static_cast<int>(tab.Ask(controls + ".length").as_number());
    ASSERT_GT(count, 0);
    for (int i = 0; i < count; ++i) {
      const std::string control = controls + "[" + std::to_string(i) + "]";
      EXPECT_THAT(tab.NameOf(control), ::testing::Not(IsEmpty())) << tab.AskText(control + ".outerHTML");
      EXPECT_EQ(tab.AskText(control + ".tabIndex"), "0");
    }
    tab.Press(Tab::kEscapeKey);
    ASSERT_TRUE(tab.Await("one('dialog[open]') === null"));
    EXPECT_EQ(Focused(tab), "button " + button);
  }
}

}  // namespace
}  // namespace pawsight::browser
