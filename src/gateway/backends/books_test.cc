// Hours of choosing on a virtual clock.
#include "gateway/backends/books.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/backends/testing.h"

namespace pawsight::gateway {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::PoolOf;

class BooksTest : public ::testing::Test {
 protected:
  void Apply(std::vector<PoolConfig> pools, RoutingConfig routing) {
    const PoolsConfig config{std::move(pools)};
    ASSERT_TRUE(CheckRouting(routing, config).ok());
    Books::Clients clients;
    for (const auto& [pool, endpoint] : books_.Missing(config)) clients[{pool, endpoint.name()}] = nullptr;
    books_.Apply(config, routing, clients, now_);
  }
  void ApplyHealthy(std::vector<PoolConfig> pools, RoutingConfig routing) {
    Apply(std::move(pools), std::move(routing));
    Probe({});
  }
  /// Answers every probe that is due, but those of `bad`.
  void Probe(const std::vector<std::string>& bad) {
    for (const Ticket& probe : books_.TakeProbes(now_)) {
      const bool failed = std::ranges::find(bad, probe.endpoint->config.address) != bad.end();
      books_.EndProbe(probe, failed ? Books::Probe::kFailed : Books::Probe::kAnswered, "", now_);
    }
  }
  /// Tries of one inquiry until one is not `how`; the names of who was tried.
  std::vector<std::string> Tried(Attempt how) {
    Journey journey = books_.Begin();
    std::vector<std::string> names;
    for (;;) {
      const Result<Ticket> ticket = books_.Next(journey, now_);
      if (!ticket.ok()) {
        names.push_back(ticket.status().code() == StatusCode::kResourceExhausted ? "full" : "none");
        return names;
      }
      names.push_back(ticket->endpoint->config.address);
      books_.End(*ticket, how, std::nullopt, "", now_);
      if (how == Attempt::kRefused) journey.met_full = true;
      if (how == Attempt::kAnswered) return names;
    }
  }
  Endpoint& At(size_t pool, size_t endpoint) { return *books_.pools().at(pool)->endpoints.at(endpoint); }

  BooksOptions options_;
  Books books_{options_};
  Nanos now_ = hours(1);
};

TEST_F(BooksTest, WithoutARoutingNobodyIsAsked) {
  EXPECT_THAT(Tried(Attempt::kAnswered), ::testing::ElementsAre("none"));
}

TEST_F(BooksTest, WhatIsNotProvenIsAskedOnlyWhereNothingIs) {
  Apply({PoolOf("a", {"a1"}), PoolOf("b", {"b1"})}, {{{"a", 1}}, {{"a", {"b"}}}, {}});
  EXPECT_EQ(Tried(Attempt::kAnswered).front(), "a1");  // none is proven: in the order of the pools
  for (const Ticket& probe : books_.TakeProbes(now_)) {
    if (probe.pool->name == "b") books_.EndProbe(probe, Books::Probe::kAnswered, "", now_);
  }
  EXPECT_EQ(Tried(Attempt::kAnswered).front(), "b1");
  EXPECT_EQ(books_.pools()[0]->passed_over, 1U);
}

TEST_F(BooksTest, RefusedInquiriesGoToAnotherEndpointThenToTheNextPool) {
  ApplyHealthy({PoolOf("a", {"a1", "a2"}), PoolOf("b", {"b1"})}, {{{"a", 1}}, {{"a", {"b"}}}, {}});
  const std::vector<std::string> tried = Tried(Attempt::kRefused);
  ASSERT_EQ(tried.size(), 4U);
  EXPECT_THAT((std::vector<std::string>{tried[0], tried[1]}), ::testing::UnorderedElementsAre("a1", "a2"));
  EXPECT_EQ(tried[2], "b1");
  EXPECT_EQ(tried[3], "full");
}

TEST_F(BooksTest, AnInquiryIsTriedOnlySoOften) {
  ApplyHealthy({PoolOf("a", {"1", "2", "3", "4", "5", "6", "7"})}, {{{"a", 1}}, {}, {}});
  EXPECT_EQ(Tried(Attempt::kRefused).size(), 5U);  // four, and "full"
}

TEST_F(BooksTest, WhenAllFailRetriesAreAFifthOfInquiries) {
  ApplyHealthy({PoolOf("a", {"1", "2", "3", "4"})}, {{{"a", 1}}, {}, {}});
  for (int n = 0; n < 10000; ++n) Tried(Attempt::kRefused);
  EXPECT_LE(books_.num_retries(), 2000U + 10U);
  EXPECT_GE(books_.num_retries(), 1990U);
  EXPECT_GT(books_.num_retries_refused(), 7000U);
}

TEST_F(BooksTest, WeightsAndSharesAreMet) {
  ApplyHealthy({PoolOf("a", {"a1"}), PoolOf("b", {"b1"}), PoolOf("c", {"c1"})},
               {{{"a", 75}, {"b", 25}}, {}, ShadowConfig{"c", 0.1}});
  int shadows = 0;
  for (int n = 0; n < 1000; ++n) {
    Tried(Attempt::kAnswered);
    if (const auto shadow = books_.NextShadow(false, now_)) {
      ++shadows;
      EXPECT_EQ(shadow->pool->name, "c");
      books_.End(*shadow, Attempt::kAnswered, std::nullopt, "", now_);
    }
  }
  EXPECT_EQ(At(0, 0).attempts[0], 750U);
  EXPECT_EQ(At(1, 0).attempts[0], 250U);
  EXPECT_NEAR(shadows, 100, 1);
  for (int n = 0; n < 100; ++n) EXPECT_EQ(books_.NextShadow(true, now_), std::nullopt);
  EXPECT_NEAR(static_cast<double>(books_.pools()[2]->shadow.shed), 10, 1);
}

TEST_F(BooksTest, TheSlowOfTwoGetsLess) {
  ApplyHealthy({PoolOf("a", {"fast", "slow"})}, {{{"a", 1}}, {}, {}});
  std::vector<std::pair<Nanos, Ticket>> running;
  for (int n = 0; n < 20000; ++n) {
    now_ += milliseconds(1);
    std::erase_if(running, [&](const auto& r) {
      if (r.first > now_) return false;
      books_.End(r.second, Attempt::kAnswered, std::nullopt, "", now_);
      return true;
    });
    Journey journey = books_.Begin();
    const Ticket ticket = books_.Next(journey, now_).value();
    running.emplace_back(now_ + milliseconds(ticket.endpoint->config.address == "fast" ? 5 : 50), ticket);
  }
  const double fast = static_cast<double>(At(0, 0).attempts[0]);
  const double slow = static_cast<double>(At(0, 1).attempts[0]);
  EXPECT_GT(fast, 4 * slow);
}

TEST_F(BooksTest, WhoWasSlowOnceIsTriedAgain) {
  ApplyHealthy({PoolOf("a", {"fast", "slow"})}, {{{"a", 1}}, {}, {}});
  std::vector<std::string> late;
  for (int n = 0; n < 2000; ++n) {
    Journey journey = books_.Begin();
    const Ticket ticket = books_.Next(journey, now_).value();
    now_ += ticket.endpoint->config.address == "slow" && n < 1000 ? milliseconds(50) : milliseconds(20);
    books_.End(ticket, Attempt::kAnswered, std::nullopt, "", now_);
    if (n >= 1000) late.push_back(ticket.endpoint->config.address);
  }
  EXPECT_THAT(late, ::testing::Contains("slow"));
}

TEST_F(BooksTest, ADeadEndpointIsLeftAloneAndAskedAgainWhenItIsBack) {
  ApplyHealthy({PoolOf("a", {"good", "dead"})}, {{{"a", 1}}, {}, {}});
  const auto inquire = [&] {
    Journey journey = books_.Begin();
    const Ticket ticket = books_.Next(journey, now_).value();
    const bool dead = ticket.endpoint->config.address == "dead";
    books_.End(ticket, dead ? Attempt::kFailed : Attempt::kAnswered, std::nullopt, "it is dead", now_);
    return dead;
  };
  int asked_dead = 0;
  for (int second = 0; second < 3600; ++second) {
    now_ += seconds(1);
    Probe({"dead"});
    for (int n = 0; n < 10; ++n) asked_dead += inquire() ? 1 : 0;
  }
  EXPECT_EQ(asked_dead, 3);
  EXPECT_EQ(At(0, 1).ejections, 1U);
  EXPECT_LT(At(0, 1).probes_failed, 70U);  // a minute apart
  EXPECT_EQ(At(0, 1).last_error, "");
  now_ += seconds(100);
  Probe({});
  EXPECT_EQ(At(0, 1).health.state(), HealthState::kHealthy);
}

TEST_F(BooksTest, ALateAnswerIsTheEndpointsFaultOnlyWhenItHadTime) {
  PoolConfig pool = PoolOf("a", {"a1"});
  pool.attempt_timeout = seconds(10);
  ApplyHealthy({pool}, {{{"a", 1}}, {}, {}});
  const auto late = [&](Nanos after) {
    Journey journey = books_.Begin();
    const Result<Ticket> ticket = books_.Next(journey, now_);
    if (!ticket.ok()) return;
    now_ += after;
    books_.End(*ticket, Attempt::kLate, std::nullopt, "", now_);
  };
  for (int n = 0; n < 100; ++n) late(milliseconds(20));
  EXPECT_EQ(At(0, 0).health.state(), HealthState::kHealthy);
  for (int n = 0; n < 3; ++n) late(seconds(10));
  EXPECT_EQ(At(0, 0).health.state(), HealthState::kEjected);
}

TEST_F(BooksTest, WhatRefusesIsAskedLastForAMoment) {
  ApplyHealthy({PoolOf("a", {"a1", "a2"})}, {{{"a", 1}}, {}, {}});
  Journey journey = books_.Begin();
  const Ticket ticket = books_.Next(journey, now_).value();
  books_.End(ticket, Attempt::kRefused, seconds(3600), "", now_);
  for (int n = 0; n < 100; ++n) EXPECT_NE(Tried(Attempt::kAnswered).front(), ticket.endpoint->config.address);
  now_ += seconds(1);  // no longer than we think right
  std::vector<std::string> tried;
  for (int n = 0; n < 100; ++n) tried.push_back(Tried(Attempt::kAnswered).front());
  EXPECT_THAT(tried, ::testing::Contains(ticket.endpoint->config.address));
}

TEST_F(BooksTest, AChangeKeepsWhatStaysAndDrainsWhatGoes) {
  ApplyHealthy({PoolOf("a", {"stays", "goes"})}, {{{"a", 1}}, {}, {}});
  std::vector<Ticket> tickets;
  for (int n = 0; n < 20; ++n) {
    Journey journey = books_.Begin();
    tickets.push_back(books_.Next(journey, now_).value());
  }
  Journey on_its_way = books_.Begin();
  const std::shared_ptr<Endpoint> stays = books_.pools()[0]->endpoints[0];
  Apply({PoolOf("a", {"stays", "new"})}, {{{"a", 1}}, {}, {}});
  EXPECT_EQ(books_.pools()[0]->endpoints[0], stays);
  EXPECT_EQ(stays->health.state(), HealthState::kHealthy);
  EXPECT_EQ(books_.num_leaving(), 1U);
  EXPECT_TRUE(books_.TakeClosable().empty());
  for (int n = 0; n < 50; ++n) EXPECT_EQ(Tried(Attempt::kAnswered).front(), "stays");
  EXPECT_EQ(books_.Next(on_its_way, now_)->endpoint->config.address, "stays");
  for (const Ticket& ticket : tickets) books_.End(ticket, Attempt::kAnswered, std::nullopt, "", now_);
  const auto closable = books_.TakeClosable();
  EXPECT_EQ(closable.size(), 1U);
  EXPECT_EQ(books_.num_leaving(), 0U);
}

TEST_F(BooksTest, APoolCostsByTheHourWhateverItDoes) {
  PoolConfig pool = PoolOf("a", {"a1"});
  pool.price_per_hour = 0.75;
  ApplyHealthy({pool}, {{{"a", 1}}, {}, {}});
  now_ += hours(2);
  books_.Accrue(now_);
  EXPECT_NEAR(books_.pools()[0]->cost, 1.5, 1e-9);
  pool.price_per_hour = 3;
  now_ += hours(1);
  Apply({pool}, {{{"a", 1}}, {}, {}});  // dearer from now on
  now_ += hours(1);
  books_.Accrue(now_);
  EXPECT_NEAR(books_.pools()[0]->cost, 1.5 + 0.75 + 3, 1e-9);
}

}  // namespace
}  // namespace pawsight::gateway
