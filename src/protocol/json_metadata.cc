#include "protocol/json_metadata.h"

namespace pawsight::protocol {
namespace {

template <typename T>
Json::Array ToArray(const std::vector<T>& items) {
  return Json::Array(items.begin(), items.end());
}

Json SpecsToJson(const std::vector<TensorSpec>& specs) {
  Json::Array array;
  for (const TensorSpec& spec : specs) {
    array.push_back(
        Json::Object{{"name", spec.name}, {"datatype", DatatypeName(spec.datatype)}, {"shape", ToArray(spec.shape)}});
  }
  return array;
}

Json ConfigSpecsToJson(const std::vector<TensorSpec>& specs) {
  Json::Array array;
  for (const TensorSpec& spec : specs) {
    Json json(Json::Object{
        {"name", spec.name}, {"data_type", DatatypeConfigName(spec.datatype)}, {"dims", ToArray(spec.shape)}});
    if (spec.optional) json.Set("optional", true);
    array.push_back(std::move(json));
  }
  return array;
}

Json ToJson(const CountedTime& time) {
  return Json::Object{{"count", time.count}, {"ns", static_cast<int64_t>(time.total.count())}};
}

Json ToJson(const BatchStatistics& batch) {
  return Json::Object{{"batch_size", batch.batch_size},
                      {"compute_input", ToJson(batch.compute_input)},
                      {"compute_infer", ToJson(batch.compute_infer)},
                      {"compute_output", ToJson(batch.compute_output)}};
}

Json ToJson(const ModelStatistics& model) {
  Json::Array batches;
  for (const BatchStatistics& batch : model.batches) batches.push_back(ToJson(batch));
  return Json::Object{{"name", model.name},
                      {"version", model.version},
                      {"last_inference", model.last_inference_ms},
                      {"inference_count", model.inference_count},
                      {"execution_count", model.execution_count},
                      {"inference_stats", Json::Object{{"success", ToJson(model.success)},
                                                       {"fail", ToJson(model.fail)},
                                                       {"queue", ToJson(model.queue)},
                                                       {"compute_input", ToJson(model.compute_input)},
                                                       {"compute_infer", ToJson(model.compute_infer)},
                                                       {"compute_output", ToJson(model.compute_output)},
                                                       {"cache_hit", ToJson(model.cache_hit)},
                                                       {"cache_miss", ToJson(model.cache_miss)}}},
                      {"batch_stats", std::move(batches)}};
}

}  // namespace

Json ServerMetadataToJson(const ServerMetadata& metadata) {
  return Json::Object{
      {"name", metadata.name}, {"version", metadata.version}, {"extensions", ToArray(metadata.extensions)}};
}

Json ModelMetadataToJson(const ModelMetadata& metadata) {
  return Json::Object{{"name", metadata.name},
                      {"versions", ToArray(metadata.versions)},
                      {"platform", metadata.platform},
                      {"inputs", SpecsToJson(metadata.inputs)},
                      {"outputs", SpecsToJson(metadata.outputs)}};
}

Json ModelConfigToJson(const ModelMetadata& metadata, const ModelConfig& config) {
  Json json(Json::Object{{"name", metadata.name},
                         {"platform", metadata.platform},
                         {"backend", config.backend},
                         {"max_batch_size", config.max_batch_size},
                         {"input", ConfigSpecsToJson(metadata.inputs)},
                         {"output", ConfigSpecsToJson(metadata.outputs)}});
  if (!config.preferred_batch_sizes.empty() || config.max_queue_delay.count() > 0) {
    json.Set("dynamic_batching",
             Json::Object{{"preferred_batch_size", ToArray(config.preferred_batch_sizes)},
                          {"max_queue_delay_microseconds", static_cast<int64_t>(config.max_queue_delay.count())}});
  }
  return json;
}

Json StatisticsToJson(const std::vector<ModelStatistics>& statistics) {
  Json::Array models;
  for (const ModelStatistics& model : statistics) models.push_back(ToJson(model));
  return Json::Object{{"model_stats", std::move(models)}};
}

Json ErrorToJson(std::string_view message, std::string_view code) {
  Json json(Json::Object{{"error", message}});
  if (!code.empty()) json.Set("code", code);
  return json;
}

}  // namespace pawsight::protocol
