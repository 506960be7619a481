#include "grpc_peer.h"

#include <grpcpp/generic/generic_stub.h>

#include <cstring>

namespace pawsight::conformance {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;

constexpr int kMaxMessageBytes = 256 << 20;  // the server's limit is what is asked about, not the client's

ModelInferRequest::InferInputTensor* AddInput(ModelInferRequest* request, const std::string& name, size_t size) {
  auto* input = request->add_inputs();
  input->set_name(name);
  input->set_datatype("BYTES");
  input->add_shape(static_cast<int64_t>(size));
  return input;
}

/// The raw bytes of an output, or null.
const std::string* RawOf(const ModelInferResponse& response, const std::string& name) {
  for (int i = 0; i < response.outputs_size() && i < response.raw_output_contents_size(); ++i) {
    if (response.outputs(i).name() == name) return &response.raw_output_contents(i);
  }
  return nullptr;
}

uint32_t LengthAt(const std::string& bytes, size_t at) {
  uint32_t length = 0;
  for (size_t i = 0; i < 4 && at + i < bytes.size(); ++i) {
    length |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return length;
}

}  // namespace

std::shared_ptr<grpc::Channel> OwnChannel() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // else channels to one address share a connection
  return grpc::CreateCustomChannel(TheTarget().host + ":" + std::to_string(TheTarget().port),
                                   grpc::InsecureChannelCredentials(), arguments);
}

const std::shared_ptr<grpc::Channel>& TheChannel() {
  static const std::shared_ptr<grpc::Channel> channel = OwnChannel();
  return channel;
}

Stub& TheStub() {
  static const std::unique_ptr<Stub> stub = inference::GRPCInferenceService::NewStub(TheChannel());
  return *stub;
}

grpc::Status Infer(const ModelInferRequest& request, ModelInferResponse* response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  return TheStub().ModelInfer(&context, request, response);
}

grpc::StatusCode CodeOf(const ModelInferRequest& request) {
  ModelInferResponse response;
  return Infer(request, &response).error_code();
}

RawAnswer CallRaw(const std::string& method, const std::string& bytes) {
  grpc::GenericStub stub(TheChannel());
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  RawAnswer answer;
  const auto call = stub.PrepareCall(&context, method, &queue);
  const auto step = [&] {  // waits for the one thing that is under way
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  call->StartCall(nullptr);
  if (step()) {
    call->WriteLast(request, {}, nullptr);
    if (step()) {
      call->Read(&response, nullptr);
      step();
    }
  }
  call->Finish(&answer.status, nullptr);
  step();
  std::vector<grpc::Slice> slices;
  if (response.Valid() && response.Dump(&slices).ok()) {
    for (const grpc::Slice& part : slices)
      answer.bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
  }
  return answer;
}

ModelInferRequest Request(const std::vector<std::string>& questions) {
  ModelInferRequest request;
  request.set_model_name(TheTarget().model);
  AddInput(&request, "image", 1)->mutable_contents()->add_bytes_contents(Image());
  auto* question = AddInput(&request, "question", questions.size());
  for (const std::string& text : questions) question->mutable_contents()->add_bytes_contents(text);
  return request;
}

ModelInferRequest RawRequest(const std::vector<std::string>& questions) {
  ModelInferRequest request;
  request.set_model_name(TheTarget().model);
  AddInput(&request, "image", 1);
  AddInput(&request, "question", questions.size());
  request.add_raw_input_contents(Element(Image()));
  std::string tensor;
  for (const std::string& text : questions) tensor += Element(text);
  request.add_raw_input_contents(tensor);
  return request;
}

const ModelInferResponse::InferOutputTensor* Output(const ModelInferResponse& response, const std::string& name) {
  for (const auto& output : response.outputs()) {
    if (output.name() == name) return &output;
  }
  return nullptr;
}

std::vector<float> Floats(const ModelInferResponse& response, const std::string& name) {
  const auto* output = Output(response, name);
  if (output == nullptr) return {};
  const std::string* raw = RawOf(response, name);
  if (raw == nullptr) return {output->contents().fp32_contents().begin(), output->contents().fp32_contents().end()};
  std::vector<float> values(raw->size() / sizeof(float));
  std::memcpy(values.data(), raw->data(), values.size() * sizeof(float));
  return values;
}

std::vector<std::string> Texts(const ModelInferResponse& response, const std::string& name) {
  const auto* output = Output(response, name);
  if (output == nullptr) return {};
  const std::string* raw = RawOf(response, name);
  if (raw == nullptr) return {output->contents().bytes_contents().begin(), output->contents().bytes_contents().end()};
  std::vector<std::string> texts;
  for (size_t at = 0; at + 4 <= raw->size();) {
    const uint32_t length = LengthAt(*raw, at);
    texts.push_back(raw->substr(at + 4, length));
    at += 4 + length;
  }
  return texts;
}

}  // namespace pawsight::conformance
