#include "server/repository.h"

#include <gtest/gtest.h>

#include "server/empty_model.h"

namespace pawsight::server {
namespace {

TEST(Repository, ModelsAreFoundByNameAndVersion) {
  Repository repository;
  EXPECT_EQ(repository.Find("vqa", "").status().reason(), "model_unknown");
  const auto model = std::make_shared<EmptyModel>();
  repository.Put(model);
  repository.Put(std::make_shared<EmptyModel>("other"));
  EXPECT_EQ(repository.Find("vqa", "").value(), model);
  EXPECT_EQ(repository.Find("vqa", "1").value(), model);
  EXPECT_EQ(repository.Find("vqa", "2").status().reason(), "version_unknown");
  EXPECT_EQ(repository.List().size(), 2U);
  repository.Remove("vqa");
  repository.Remove("never there");
  EXPECT_EQ(repository.List().size(), 1U);
}

TEST(Repository, ALongNameIsNotSaidBack) {
  Repository repository;
  repository.Put(std::make_shared<EmptyModel>());
  EXPECT_LT(repository.Find(std::string(100000, 'x'), "").status().message().size(), 100U);
  EXPECT_LT(repository.Find("vqa", std::string(100000, 'x')).status().message().size(), 150U);
}

TEST(Repository, ReadyIsEveryModelReadyAndNotLeaving) {
  Repository repository;
  EXPECT_FALSE(repository.Ready()) << "nothing to answer with";
  repository.Put(std::make_shared<EmptyModel>());
  EXPECT_TRUE(repository.Ready());
  repository.Leave();
  EXPECT_FALSE(repository.Ready());
  EXPECT_TRUE(repository.Find("vqa", "").ok()) << "requests are still answered";
}

}  // namespace
}  // namespace pawsight::server
