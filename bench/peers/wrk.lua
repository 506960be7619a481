-- For wrk: the infer requests that `pawsight stress` sends: a photo and three questions. $PHOTO_BASE64 is a file with the photo in base64
-- of a whole number of groups; one group behind the photo's end makes each request another frame.
local file = assert(io.open(os.getenv("PHOTO_BASE64"), "rb"))
local photo = file:read("*a")
file:close()
local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local head = '{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"content_type":"base64"},"data":["' .. photo
local tail = '"]},{"name":"question","datatype":"BYTES","shape":[3],"data":["Is there a dog?","Is there a cat?","Is there a person?"]}]}'
local number = 0

function request()
  number = number + 1
  local group, left = "", number
  for _ = 1, 4 do
    group = group .. letters:sub(left % 64 + 1, left % 64 + 1)
    left = math.floor(left / 64)
  end
  return wrk.format("POST", "/v2/models/vqa/infer", {["Content-Type"] = "application/json"}, head .. group .. tail)
end

function done(summary, latency)
  local answered = (summary.requests - summary.errors.status) / summary.duration * 1e6
  io.write(string.format("%.1f frames/s, p50 %.2f ms, p99 %.2f ms, %d refused\n", answered, latency:percentile(50) / 1000,
                         latency:percentile(99) / 1000, summary.errors.status))
end
