// Receivers from the page alone: made, tried, changed, deleted; whom a rule tells; what was given up is sent again.
#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <memory>

#include "events/store.h"
#include "net/http_server.h"
#include "page_fixture.h"

namespace pawsight::browser {
namespace {

using integration::RunningGateway;
using integration::Text;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string ReceiverLine(const std::string& name) {
  return "all('.receiver').find((r) => one('.question', r).textContent === " + JsonQuote(name) + ")";
}

/// Opens the form of a new one whose kind has a text that begins so.
void AddReceiver(Tab& tab, const std::string& kind, const std::string& name) {
  tab.Click(Button("Add a receiver"));
  tab.Send("one('#receiver-kind')", kind);
  tab.Type("one('#receiver-name')", name);
}

/// The secret that the page shows, once: when it is closed nothing has it.
std::string TakeSecret(Tab& tab) {
  EXPECT_TRUE(tab.Await("one('#secret-dialog').open"));
  const std::string secret = tab.AskText("text(one('#secret-value'))");
  tab.Click(Button("Copy the secret"));
  EXPECT_TRUE(tab.Await("text(one('#secret-copied')) !== ''"));
  tab.Click(Button("I have it"));
  EXPECT_TRUE(tab.Await("!one('#secret-dialog').open && !" + Has(secret)));
  return secret;
}

/// A webhook that is busy until it is mended.
class MoodyHook {
 public:
  MoodyHook() {
    router_.Add("POST", "/hook", [this](const net::HttpRequest&) {
      return net::HttpResponse{works_ ? 204 : 503, "text/plain", "", {}, {}, nullptr};
    });
    server_ = net::HttpServer::Start({}, router_).value();
  }
  std::string url() const { return server_->url() + "/hook"; }
  void Mend() { works_ = true; }

 private:
  std::atomic<bool> works_ = false;
  net::Router router_;
  std::unique_ptr<net::HttpServer> server_;
};

/// All messages to it are given up, in the store of a gateway that does not run; their ids.
std::vector<int64_t> GiveUpAll(const std::string& data, const std::string& owner, const std::string& receiver) {
  const auto store = events::Store::Open(data + "/gateway.sqlite").value();
  std::vector<int64_t> ids;
  const auto deliveries = store->ListDeliveries(owner, {receiver}, 0, 100).value();
  for (const events::Delivery& delivery : deliveries) {
    ids.push_back(delivery.id);
    EXPECT_TRUE(store->Write({events::DeliveryDead{owner, delivery.id, "HTTP status 503"}}).ok());
  }
  return ids;
}

TEST_F(PageTest, AWebhookIsMadeTriedChangedAndDeletedAndItsSecretIsShownOnce) {
  const Household home = MakeHousehold("told", "den");
  net::testing::Webhook hook;
  Tab tab(browser());
  SignIn(tab, home);
  ExpectOnConsole("status of 403");
  AddReceiver(tab, "a webhook", "radio");
  tab.Type("one('#receiver-url')", "https://10.1.2.3/hook");
  tab.Ask("(" + Button("Save") + ".click(), " + Button("Save") + ".click())");
  ASSERT_TRUE(tab.Await("text(one('#receiver-trouble')).includes('private')"));
  EXPECT_EQ(tab.AskText("document.activeElement.id"), "receiver-url");
  EXPECT_EQ(tab.AskText("one('#receiver-url').nextElementSibling.id"), "receiver-trouble");
  tab.Type("one('#receiver-url')", hook.url());
  tab.Ask("(" + Button("Save") + ".click(), " + Button("Save") + ".click())");  // makes one
  const std::string secret = TakeSecret(tab);
  EXPECT_THAT(secret, StartsWith("whsec_"));
  ASSERT_TRUE(tab.Await("shown(" + ReceiverLine("radio") + ")"));
  ASSERT_EQ(Items("/v1/receivers", home.token).size(), 1U);

  tab.Click(Button("Test: radio"));
  EXPECT_TRUE(tab.Await("text(" + ReceiverLine("radio") + ").includes('A test was delivered at ')"));
  EXPECT_EQ(Text(hook.Next(), "type"), "test");

  tab.Click(Button("Edit receiver: radio"));
  EXPECT_EQ(tab.AskText("one('#receiver-url').value"), hook.url());
  EXPECT_EQ(tab.AskText("one('#receiver-kind').disabled"), "true");
  tab.Type("one('#receiver-name')", "kitchen radio");
  tab.Click("one('#receiver-fields summary')");
  tab.Click("one('#receiver-pictures')");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("!one('#receiver-dialog').open && shown(" + ReceiverLine("kitchen radio") + ")"));
  const Json receiver = Items("/v1/receivers", home.token).at(0);
  EXPECT_EQ(receiver.Find("config")->GetBool("pictures").value(), true);
  tab.Click(Button("Test: kitchen radio"));
  EXPECT_EQ(Text(hook.Next(), "type"), "test") << "signed, with the secret that was not typed again";
  ASSERT_TRUE(tab.Await("text(" + ReceiverLine("kitchen radio") + ").includes('A test was delivered at ')"));

  tab.Ask("(window.before = " + ReceiverLine("kitchen radio") + ", true)");
  tab.Click(Button("New signing secret: kitchen radio"));
  tab.Click("one('#question-yes')");
  const std::string second = TakeSecret(tab);
  EXPECT_THAT(second, StartsWith("whsec_"));
  EXPECT_NE(second, secret);
  ASSERT_TRUE(tab.Await(ReceiverLine("kitchen radio") + " !== before")) << "what is deleted is what was read since";

  tab.Click(Button("Edit receiver: kitchen radio"));
  tab.Click(Button("Delete"));
  tab.Click("one('#question-yes')");
  ASSERT_TRUE(tab.Await("all('.receiver').length === 0 && shown(one('#no-receivers'))"));
  EXPECT_EQ(tab.AskText("document.activeElement.id"), "add-receiver");
  EXPECT_THAT(Items("/v1/receivers", home.token), IsEmpty());
}

TEST_F(PageTest, EachKindOfReceiverIsMadeWithItsFieldsAndAnErrorOpensWhereItsFieldIs) {
  const Household home = MakeHousehold("kinds", "den");
  Tab tab(browser());
  SignIn(tab, home);
  AddReceiver(tab, "by e-mail", "post");
  tab.Type("one('#receiver-to')", "a@example.org, b@example.org");
  tab.Type("one('#receiver-from')", "paws@example.org");
  tab.Type("one('#receiver-host')", "127.0.0.1");
  tab.Type("one('#receiver-username')", "home");
  tab.Type("one('#receiver-password')", "geheim");
  ExpectOnConsole("status of 400");
  tab.Click("one('#receiver-fields summary')");
  tab.Type("one('#receiver-port')", "70");
  tab.Click("one('#receiver-fields summary')");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("text(one('#receiver-trouble')).startsWith('want 25, 465')")) << "it was folded away";
  EXPECT_EQ(tab.AskText("document.activeElement.id"), "receiver-port");
  tab.Type("one('#receiver-port')", "2525");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("!one('#receiver-dialog').open && shown(" + ReceiverLine("post") + ")"));
  AddReceiver(tab, "home automation", "hub");
  tab.Type("one('#receiver-host')", "127.0.0.1");
  tab.Click("one('#receiver-fields summary')");
  tab.Send("one('#receiver-tls')", "off");
  tab.Type("one('#receiver-discovery_prefix')", "");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("!one('#receiver-dialog').open && shown(" + ReceiverLine("hub") + ")"));
  AddReceiver(tab, "on a phone", "phone");
  tab.Type("one('#receiver-topic')", "paws-7f3kq2m9x4");
  tab.Show("receiver-new");
  tab.Click("one('#receiver-fields summary')");
  const MoodyHook nowhere;
  const std::string server = nowhere.url().substr(0, nowhere.url().rfind('/'));
  tab.Type("one('#receiver-server')", server);
  tab.Type("one('#receiver-token')", "tk_geheim");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("!one('#receiver-dialog').open && shown(" + ReceiverLine("phone") + ")"));
  tab.Click(Button("Test: phone"));
  EXPECT_TRUE(tab.Await("text(" + ReceiverLine("phone") + ").includes('A test did not get through: ')"));

  tab.Show("receivers");
  const std::vector<Json> made = Items("/v1/receivers", home.token);
  ASSERT_EQ(made.size(), 3U);
  EXPECT_EQ(made[0].Find("config")->Dump(),
            R"({"kind":"email","to":["a@example.org","b@example.org"],"from":"paws@example.org","host":"127.0.0.1",)"
            R"("username":"home","port":2525,"pictures":false,"updates":false})");
  EXPECT_EQ(made[1].Find("config")->Dump(),
            R"({"kind":"mqtt","host":"127.0.0.1","tls":false,"discovery_prefix":"","pictures":false,"updates":true})");
  EXPECT_EQ(made[2].Find("config")->Dump(), R"({"kind":"ntfy","topic":"paws-7f3kq2m9x4","server":")" + server +
                                                R"(","pictures":false,"updates":false})");
  EXPECT_TRUE(tab.Await("!" + Has("geheim")));
  tab.Click(Button("Edit receiver: post"));
  EXPECT_EQ(tab.AskText("one('#receiver-to').value"), "a@example.org, b@example.org");
  EXPECT_EQ(tab.AskText("one('#receiver-password').value"), "");
  tab.Type("one('#receiver-password')", "neues");  // and what is kept is to be forgotten: the newer word stands
  tab.Click("all('#receiver-fields .tick').find((t) => text(t).startsWith('Password'))");
  tab.Ask(R"((window.fetch = ((real) => (path, how) => {
    if (how?.method === "PUT") window.put = how.body;
    return real(path, how);
  })(window.fetch), true))");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("!one('#receiver-dialog').open"));
  EXPECT_THAT(tab.AskText("put"), HasSubstr(R"("password":"neues")"));
}

TEST_F(PageTest, ARuleTellsEveryReceiverOrThoseThatAreTicked) {
  const Household home = MakeHousehold("whom", "den");
  const net::testing::Webhook hook;
  const Json phone = gateway().Post("/v1/receivers", home.token, R"({"name":"phone","config":)" + hook.Config() + "}");
  const Json radio = gateway().Post("/v1/receivers", home.token, R"({"name":"radio","config":)" + hook.Config() + "}");
  MakeRule(home, "Is there a dog?");
  Tab tab(browser());
  SignIn(tab, home);
  ASSERT_TRUE(tab.Await("all('.receiver').length === 2"));
  tab.Click(Button("Edit: Is there a dog?"));
  EXPECT_EQ(tab.AskText("one('#rule-told').value + shown(one('#rule-receivers'))"), "allfalse");
  tab.Send("one('#rule-told')", "only");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("text(one('#rule-trouble')).startsWith('tick at least one')"));
  tab.Click("all('#rule-receivers .tick').find((t) => text(t) === 'radio')");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("!one('#rule-dialog').open"));
  EXPECT_EQ(Items("/v1/rules", home.token).at(0).Find("receivers")->Dump(), "[" + JsonQuote(Text(radio, "id")) + "]");
  ASSERT_TRUE(tab.Await("text(" + RuleLine("Is there a dog?") + ").includes('tells radio')"));
  tab.Click(Button("Edit: Is there a dog?"));
  EXPECT_EQ(tab.AskText("all('#rule-receivers input:checked').map((b) => text(b.closest('label'))).join()"), "radio");
  tab.Click("all('#rule-receivers .tick').find((t) => text(t) === 'phone')");
  EXPECT_THAT(gateway().Call("DELETE", "/v1/receivers/" + Text(phone, "id"), home.token).first, HasSubstr(" 204 "));
  ExpectOnConsole("status of 400");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("text(one('#rule-trouble')) !== ''"));
  EXPECT_EQ(tab.AskText("document.activeElement.id"), "rule-told") << "of one of a list it stands at the list's field";
  tab.Send("one('#rule-told')", "every");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("!one('#rule-dialog').open"));
  EXPECT_EQ(Items("/v1/rules", home.token).at(0).Find("receivers"), nullptr);
}

TEST_F(PageTest, MessagesThatWereGivenUpAreSentAgainFromThePageOneByOne) {
  const integration::TempFolder folder;
  const std::string data = folder.Path("data");
  auto second = std::make_unique<RunningGateway>(data);
  const Json owner = second->Post("/v1/owners", integration::AdminToken(data), R"({"name":"given up"})");
  Household home;
  home.owner = Text(owner, "id");
  home.token = home.device_token = Text(*owner.Find("credential"), "token");
  home.camera = Text(second->Post("/v1/cameras", home.token, R"({"name":"den","gate":false})"), "id");
  MoodyHook hook;
  const std::string receiver =
      Text(second->Post("/v1/receivers", home.token,
                        R"({"name":"radio","config":{"kind":"webhook","url":")" + hook.url() + "\"}}"),
           "id");
  for (const char* more : {R"(room?","expect":"yes")", R"(room?","expect":"no")", R"(house?","expect":"yes")",
                           R"(house?","expect":"no")"}) {  // whatever the model thinks, two alerts at least
    second->Post("/v1/rules", home.token,
                 R"({"threshold":0.01,"clear_s":3600,"question":"Is it a )" + std::string(more) + "}");
  }
  SendRoom(*second, home, 1);
  second->program().Signal(SIGTERM);
  EXPECT_EQ(second->program().Wait().code, 0);
  second.reset();
  const std::vector<int64_t> given_up = GiveUpAll(data, home.owner, receiver);  // which takes days otherwise
  ASSERT_GE(given_up.size(), 2U);
  const std::string all = std::to_string(given_up.size()), but_one = std::to_string(given_up.size() - 1);

  second = std::make_unique<RunningGateway>(data);
  ExpectRequestsTo(second->url() + "/");
  ExpectRequestsTo("blob:" + second->url() + "/");
  Tab tab(browser());
  tab.RunBeforeEachPage(kHeldRequests);
  SignIn(tab, second->url(), home.token);
  ASSERT_TRUE(tab.Await("text(" + ReceiverLine("radio") + ").includes('0 delivered · " + all + " given up')"));
  tab.Ask("window.heldAfter = '/v1/receivers/" + receiver + "/deliveries?after='");
  tab.Click(Button("Test: radio"));
  ASSERT_TRUE(tab.Await("numHeld() === 1")) << "a reading is under way, of before one is sent again";
  tab.Click(Button("Deliveries: radio"));
  ASSERT_TRUE(tab.Await("all('#deliveries .dead').length === " + all));
  EXPECT_THAT(tab.AskText("text(one('#deliveries .dead'))"), HasSubstr("given up: HTTP status 503"));
  tab.Show("deliveries");
  const std::string oldest = "one('[data-key=\"again " + std::to_string(given_up[0]) + "\"]')";
  tab.Ask("(" + oldest + ".click(), " + oldest + ".click(), true)");  // sends it once
  ASSERT_TRUE(tab.Await("performance.getEntriesByType('resource').some((e) => e.name.endsWith('/redeliver'))"));
  tab.Ask("release()");
  ASSERT_TRUE(tab.Await("text(one('#deliveries-counts')) === '0 delivered · 1 waiting · " + but_one + " given up'"));
  ASSERT_TRUE(tab.Await("all('#deliveries .pending').length === 1 && all('#deliveries .dead').length === " + but_one))
      << "those behind the one that waits are still there";
  EXPECT_EQ(tab.AskText("text(one('#deliveries-trouble'))"), "");

  hook.Mend();
  for (size_t i = 1; i < given_up.size(); ++i) {
    const std::string button = "one('[data-key=\"again " + std::to_string(given_up[i]) + "\"]')";
    tab.Ask("(" + button + ".click(), true)");
    ASSERT_TRUE(tab.Await(button + " === null"));
  }
  ASSERT_TRUE(tab.Await("all('#deliveries .dead, #deliveries .pending').length === 0"));
  EXPECT_TRUE(tab.Await("text(one('#deliveries-counts')) === '" + all + " delivered'"));
  for (const int64_t id : given_up) {
    const Json told =
        second->Get("/v1/receivers/" + receiver + "/deliveries?limit=1&after=" + std::to_string(id - 1), home.token);
    EXPECT_EQ(Text(told.Find("items")->as_array().at(0), "state"), "delivered");
  }
}

}  // namespace
}  // namespace pawsight::browser
