#include "engine/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/file_testing.h"
#include "engine/pickle.h"

namespace pawsight::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Golden(const std::string& name) { return ReadWhole(GoldenPath("checkpoints/" + name)); }

Result<TensorMap> Read(const std::string& file) { return ReadCheckpoint(Bytes(file)); }

/// A pickle of protocol 2 with this body.
std::string Pickle(const std::string& body) { return "\x80\x02" + body + "."; }

Status PickleStatus(const std::string& pickle) { return ReadTensorPickle(Bytes(pickle)).status(); }

std::string Unicode(const std::string& text) { return "X" + LittleEndian(text.size(), 4) + text; }

/// Instructions for one tensor, shape [rows] with this stride, in a storage of `size` elements at `offset`.
std::string TensorCode(int size, int offset, int rows, int stride) {
  const auto number = [](int value) { return "J" + LittleEndian(static_cast<uint32_t>(value), 4); };
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + Unicode("storage") + "ctorch\nFloatStorage\n" + Unicode("0") +
         Unicode("cpu") + number(size) + "tQ" + number(offset) + number(rows) + "\x85" + number(stride) + "\x85" +
         "\x89" + "ccollections\nOrderedDict\n)RtR";
}

class EveryForm : public ::testing::TestWithParam<const char*> {};

TEST_P(EveryForm, AllTypesAndSharedStoragesAreRead) {
  const std::string file = Golden(GetParam());
  const Result<TensorMap> tensors = Read(file);
  ASSERT_TRUE(tensors.ok()) << tensors.status().ToString();
  ASSERT_EQ(tensors->size(), 11U);
  const TensorView& a = tensors->at("a.weight");
  EXPECT_THAT(a.shape, ElementsAre(2, 3));
  EXPECT_THAT(ToFloat(a).value(), ElementsAre(1.5F, -2.0F, 3.25F, 4.0F, 0.5F, -0.125F));
  EXPECT_THAT(ToFloat(tensors->at("b.half")).value(), ElementsAre(1.0F, 2.0F, -0.5F));
  EXPECT_THAT(ToFloat(tensors->at("c.bf16")).value(), ElementsAre(1.0F, 2.0F, -0.5F));
  EXPECT_THAT(ToFloat(tensors->at("d.double")).value(), ElementsAre(3.14159274F));
  EXPECT_THAT(ToInt64(tensors->at("e.position_ids")).value(), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(ToFloat(tensors->at("f.shared_head")).value(), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(ToFloat(tensors->at("f.shared_tail")).value(), ElementsAre(4, 5, 6, 7, 8, 9));
  EXPECT_TRUE(tensors->at("g.scalar").shape.empty());
  EXPECT_THAT(ToFloat(tensors->at("g.scalar")).value(), ElementsAre(7.0F));
  EXPECT_THAT(ToFloat(tensors->at("h.parameter")).value(), ElementsAre(9.0F));
  EXPECT_THAT(ToInt64(tensors->at("i.bool")).value(), ElementsAre(1, 0));
  EXPECT_THAT(tensors->at("j.empty").shape, ElementsAre(0, 3));
}

TEST_P(EveryForm, EveryPrefixIsRefused) {
  const std::string file = Golden(GetParam());
  ASSERT_FALSE(file.empty());
  for (size_t n = 0; n < file.size(); ++n) EXPECT_FALSE(Read(file.substr(0, n)).ok()) << n;
}

TEST_P(EveryForm, AFlippedByteIsReadOrRefusedWithoutHarm) {
  const std::string file = Golden(GetParam());
  for (size_t i = 0; i < file.size(); ++i) {
    std::string broken = file;
    broken[i] = static_cast<char>(broken[i] ^ (1 << (i % 8)));
    (void)Read(broken);  // either way is right: the sanitizers judge
  }
}

INSTANTIATE_TEST_SUITE_P(Checkpoint, EveryForm,
                         ::testing::Values("all_types_zip.bin", "all_types_older.bin", "all_types_protocol4.bin"));

TEST(Checkpoint, TheMetadataOfAStateDictIsIgnored) {
  for (const char* name : {"state_dict_zip.bin", "state_dict_older.bin"}) {
    const std::string file = Golden(name);
    const Result<TensorMap> tensors = Read(file);
    ASSERT_TRUE(tensors.ok()) << name << tensors.status().ToString();
    EXPECT_THAT(ToFloat(tensors->at("weight")).value(), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(ToFloat(tensors->at("bias")).value(), ElementsAre(5, 6));
  }
}

TEST(Checkpoint, AWholeModuleIsRefusedByTheNameOfItsClass) {
  const Status zip = Read(Golden("whole_module_zip.bin")).status();
  EXPECT_EQ(zip.reason(), "checkpoint_unsafe");
  EXPECT_THAT(zip.message(), HasSubstr("global `torch.nn.modules.linear.Linear` is not allowed"));
}

TEST(Checkpoint, ANestedDictionaryIsRefusedWithAdvice) {
  const Status status = Read(Golden("nested.bin")).status();
  EXPECT_EQ(status.reason(), "checkpoint_invalid");
  EXPECT_THAT(status.message(), HasSubstr("`model` is no tensor; want the plain dictionary"));
}

TEST(Checkpoint, ATransposedTensorIsRefusedWithAdvice) {
  const Status status = Read(Golden("transposed.bin")).status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), HasSubstr(".contiguous()"));
}

TEST(Checkpoint, OtherFilesAreNoCheckpoint) {
  for (const std::string& file : {std::string(), std::string("{}"), std::string("PK\x03\x04"), std::string(100, 'x'),
                                  std::string("\x89HDF\r\n\x1a\n")}) {
    EXPECT_EQ(Read(file).status().reason(), "checkpoint_invalid") << file;
  }
}

TEST(Pickle, ACallOfTheSystemIsRefusedByName) {
  const Status status = PickleStatus("cos\nsystem\n(S'touch /tmp/pwned'\ntR.");
  EXPECT_EQ(status.reason(), "checkpoint_unsafe");
  EXPECT_THAT(status.message(), HasSubstr("global `os.system` is not allowed"));
  EXPECT_EQ(Read(Pickle("cposix\nsystem\n" + Unicode("id") + "\x85R")).status().reason(), "checkpoint_unsafe")
      << "also as a bare pickle without the form around it";
}

TEST(Pickle, DangerousNamesAreRefusedHoweverTheyArePushed) {
  for (const char* name : {"builtins\neval", "builtins\nexec", "nt\nsystem", "subprocess\nPopen", "torch\nload",
                           "torch.storage\n_load_from_bytes", "torch.hub\nload", "collections\nOrderedDict.__init__",
                           "collections.OrderedDict\n", "torch._utils\n_rebuild_sparse_tensor", "torch\nFloatTensor"}) {
    EXPECT_EQ(PickleStatus(Pickle("c" + std::string(name) + "\n")).reason(), "checkpoint_unsafe") << name;
  }
  const std::string pushed = "\x8c\x02os\x8c\x06system\x93";
  EXPECT_THAT(PickleStatus("\x80\x04" + pushed + ".").message(), HasSubstr("`os.system`"));
}

TEST(Pickle, EveryInstructionOutsideTheSubsetIsRefusedByName) {
  for (const auto& [code, name] : std::vector<std::pair<std::string, std::string>>{{"0", "POP"},
                                                                                   {"2", "DUP"},
                                                                                   {"ios\nsystem\n", "INST"},
                                                                                   {"o", "OBJ"},
                                                                                   {"\x81", "NEWOBJ"},
                                                                                   {"\x92", "NEWOBJ_EX"},
                                                                                   {"\x82\x01", "EXT1"},
                                                                                   {"\x83\x01", "EXT2"},
                                                                                   {"\x84\x01", "EXT4"},
                                                                                   {"P0\n", "PERSID"},
                                                                                   {"\x97", "NEXT_BUFFER"},
                                                                                   {"I1\n", "INT"},
                                                                                   {"L1L\n", "LONG"},
                                                                                   {"S'x'\n", "STRING"},
                                                                                   {"Vx\n", "UNICODE"},
                                                                                   {"g0\n", "GET"},
                                                                                   {"p0\n", "PUT"},
                                                                                   {"\x8f", "EMPTY_SET"},
                                                                                   {"B", "BINBYTES"},
                                                                                   {"\x8e", "BINBYTES8"},
                                                                                   {"G", "BINFLOAT"},
                                                                                   {"\xff", "unknown"},
                                                                                   {"d", "DICT"},
                                                                                   {"l", "LIST"}}) {
    const Status status = PickleStatus("\x80\x02" + code);
    EXPECT_EQ(status.reason(), "checkpoint_unsafe") << name;
    EXPECT_THAT(status.message(), HasSubstr("instruction " + name + " ")) << name;
  }
}

TEST(Pickle, OnlyAStorageMayBeAPersistentId) {
  EXPECT_THAT(PickleStatus(Pickle("(" + Unicode("module") + "tQ")).message(), HasSubstr("persistent id `module`"));
  EXPECT_EQ(PickleStatus(Pickle("NQ")).reason(), "checkpoint_invalid");
}

TEST(Pickle, ValuesMayNotBeCalledOrGivenState) {
  EXPECT_EQ(PickleStatus(Pickle(Unicode("x") + ")R")).reason(), "checkpoint_invalid");
  EXPECT_EQ(PickleStatus(Pickle("ctorch\nFloatStorage\n)R")).reason(), "checkpoint_unsafe");
  EXPECT_EQ(PickleStatus(Pickle("ccollections\nOrderedDict\n}b")).reason(), "checkpoint_unsafe");
}

TEST(Pickle, ATensorOutsideItsStorageIsRefused) {
  const auto dictionary = [](const std::string& tensor) { return Pickle("}" + Unicode("x") + tensor + "s"); };
  EXPECT_TRUE(PickleStatus(dictionary(TensorCode(4, 1, 3, 1))).ok());
  for (const std::string& tensor : {TensorCode(4, 2, 3, 1), TensorCode(4, 5, 0, 1), TensorCode(4, -1, 1, 1),
                                    TensorCode(4, 0, -1, 1), TensorCode(-4, 0, 1, 1)}) {
    EXPECT_EQ(PickleStatus(dictionary(tensor)).reason(), "checkpoint_invalid");
  }
  EXPECT_EQ(PickleStatus(dictionary(TensorCode(4, 0, 2, 2))).code(), StatusCode::kUnimplemented);
  EXPECT_EQ(PickleStatus(dictionary(TensorCode(4, 0, 2, 0))).code(), StatusCode::kUnimplemented);
  EXPECT_TRUE(PickleStatus(dictionary(TensorCode(4, 0, 1, 77))).ok()) << "the stride of one element says nothing";
}

TEST(Pickle, ATensorNameTwiceOrUnprintableIsRefused) {
  const std::string tensor = TensorCode(4, 0, 4, 1);
  EXPECT_THAT(PickleStatus(Pickle("}(" + Unicode("x") + tensor + Unicode("x") + tensor + "u")).message(),
              HasSubstr("`x` stands twice"));
  EXPECT_FALSE(PickleStatus(Pickle("}" + Unicode("x\ny") + tensor + "s")).ok());
  EXPECT_FALSE(PickleStatus(Pickle("}" + Unicode("") + tensor + "s")).ok());
  EXPECT_FALSE(PickleStatus(Pickle("}K\x01" + tensor + "s")).ok());
}

TEST(Pickle, AnUnbalancedStackIsRefused) {
  for (const char* body : {"",
                           "t",
                           "u",
                           "s",
                           "a",
                           "e",
                           "\x85",
                           "R",
                           "b",
                           "Q",
                           "h\x01",
                           "j\x01\x01\x01\x01",
                           "q\x01",
                           "NN",
                           "(N",
                           "}(Nu",
                           "]Na",
                           "\x93",
                           "r\xff\xff\xff\xff",
                           "\x94",
                           "N(\x85",
                           "N(Rt"}) {
    EXPECT_FALSE(PickleStatus(Pickle(body)).ok()) << body;
  }
}

TEST(Pickle, LimitsHold) {
  EXPECT_THAT(PickleStatus("\x80\x02" + std::string(200000, 'N')).message(), HasSubstr("on its stack"));
  EXPECT_THAT(PickleStatus("\x80\x02" + std::string(200000, '(')).message(), HasSubstr("marks"));
  std::string many = "\x80\x02";
  for (int i = 0; i < 600000; ++i) many += i == 0 ? "N" : "\x85";
  EXPECT_THAT(PickleStatus(many).message(), HasSubstr("500000 values"));
  std::string tensors = "\x80\x02";
  for (int i = 0; i < 11000; ++i) tensors += TensorCode(1, 0, 1, 1);
  EXPECT_THAT(PickleStatus(tensors).message(), HasSubstr("more than 10000 storages"));
  EXPECT_FALSE(PickleStatus("\x80\x02X" + LittleEndian(0xFFFFFFFFU, 4)).ok());
  EXPECT_FALSE(PickleStatus("\x80\x02X" + LittleEndian(5000, 4) + std::string(5000, 'x') + ".").ok());
  EXPECT_FALSE(PickleStatus("\x80\x63.").ok()) << "protocol 99";
}

}  // namespace
}  // namespace pawsight::engine
